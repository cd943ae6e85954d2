"""Which MIDI files the words of a command name, and where their transfers go."""

from collections.abc import Iterator
from pathlib import Path

from cyclegan_jax.datasets.genre_rolls.reading.midi_folder import ENDINGS_IN_WORDS, midi_paths
from cyclegan_jax.errors import UserError


def plan(words: list[str], out_dir: Path, to: str, *, overwrite: bool) -> dict[Path, Path]:
    """Source -> target: `<out_dir>/<name>_<to>.mid`, for a folder's files with their sub-folders between.

    Of two files of one name with different endings the second keeps its ending: `a.midi_<to>.mid`. Raises
    UserError, before anything is written, where a word names neither file nor folder with MIDI files, two
    files would still become one, or a target is there already and not to be replaced or is a source itself.
    """
    if not words:
        raise UserError("no MIDI file was named; write files or folders after the flags: song.mid folder/.")
    found = [pair for word in words for pair in _found(Path(word), out_dir)]
    targets: dict[Path, Path] = {}
    sources, taken = set(), set()
    for source, below in found:
        if source.resolve() in sources:
            continue
        target = out_dir / below.with_name(f"{below.stem}_{to}.mid")
        if target in taken:
            target = out_dir / below.with_name(f"{below.name}_{to}.mid")
        if target in taken:
            raise UserError(f"two files would both become {str(target)!r}; transfer them in two calls.")
        sources.add(source.resolve())
        taken.add(target)
        targets[source] = target
    _check_targets(targets, overwrite=overwrite)
    return targets


def _check_targets(targets: dict[Path, Path], *, overwrite: bool) -> None:
    sources = {source.resolve() for source in targets}
    for target in targets.values():
        if target.resolve() in sources:
            raise UserError(f"{str(target)!r} is to be read and to be written; choose another --out_dir.")
        if not overwrite:
            refuse_existing(target, "out_dir")


def refuse_existing(path: Path, flag: str) -> None:
    """Raise UserError if something is at `path` already; `flag`: the name of the flag that chooses it."""
    if path.exists():
        raise UserError(f"{str(path)!r} exists; add --overwrite or choose another --{flag}.")


def _found(named: Path, out_dir: Path) -> Iterator[tuple[Path, Path]]:
    """Each MIDI file of a word, and its path below what the word names; what lies in out_dir is no source."""
    if named.is_file():
        yield named, Path(named.name)
        return
    if not named.is_dir():
        raise UserError(f"{str(named)!r} is not a file or folder; name MIDI files or folders that exist.")
    written = out_dir.resolve()
    within = named.resolve() in written.parents
    paths = [Path(path) for path in sorted(midi_paths(str(named)))]
    paths = [path for path in paths if not (within and written in path.resolve().parents)]
    if not paths:
        raise UserError(f"{str(named)!r} has no MIDI file in it; looked for {ENDINGS_IN_WORDS} at any depth.")
    for path in paths:
        yield path, path.relative_to(named)
