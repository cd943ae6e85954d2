"""Transfer whole songs to the other genre: a MIDI file out for each MIDI file in."""

import sys
from pathlib import Path

from absl import flags
from tqdm import tqdm

from cyclegan_jax.config import check_choice
from cyclegan_jax.datasets.genre_rolls.sources import as_text
from cyclegan_jax.errors import UserError
from cyclegan_jax.midi import write_midi
from cyclegan_jax.refusals import RefusedSongError
from cyclegan_jax.songs import read_song
from cyclegan_jax.transfer import Transfer
from launch.compilation_cache import keep_compiled
from launch.evaluation import load_transfer
from launch.run_folder import RunFolder
from launch.runner import DONE, SOME_FAILED, run

WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the run, as launch.train wrote it.", required=True)
TO = flags.DEFINE_string("to", None, "Genre to transfer to, one of the run's pair.", required=True)
OUT_DIR = flags.DEFINE_string("out_dir", ".", "Folder for the transferred files; made if need be.")
OVERWRITE = flags.DEFINE_bool("overwrite", False, "Replace files that are there already.")


def main(arguments: list[str]) -> int:
    """Transfer every file named; one that cannot be read does not stop the others."""
    keep_compiled()
    transfer, _, _ = load_transfer(RunFolder(Path(WORKDIR.value)))
    check_choice("to", TO.value, transfer.config.pair)
    sources = [Path(name) for name in arguments]
    targets = plan(sources, Path(OUT_DIR.value), TO.value, overwrite=OVERWRITE.value)
    failures = 0
    for source, target in tqdm(targets.items(), unit=" songs", disable=len(targets) == 1):
        try:
            transfer_file(transfer, source, target, TO.value)
        except RefusedSongError as refusal:
            failures += 1
            print(f"{as_text(str(source))} was not transferred: {refusal}.", file=sys.stderr)
    return SOME_FAILED if failures else DONE


def plan(sources: list[Path], out_dir: Path, to: str, *, overwrite: bool) -> dict[Path, Path]:
    """Source -> target `<out_dir>/<name>_<to>.mid`.

    Raises UserError, before anything is written, for no or missing files, two songs of one name, and
    targets that exist unless they may be overwritten.
    """
    if not sources:
        raise UserError("no MIDI file was named; write the files after the flags: song.mid more.mid.")
    targets: dict[Path, Path] = {}
    for source in sources:
        if not source.is_file():
            raise UserError(f"{str(source)!r} is not a file; name MIDI files that exist.")
        target = out_dir / f"{source.stem}_{to}.mid"
        if target in targets.values():
            raise UserError(f"two files would both become {str(target)!r}; transfer them in two calls.")
        if target.exists() and not overwrite:
            raise UserError(f"{str(target)!r} exists; add --overwrite or choose another --out_dir.")
        targets[source] = target
    return targets


def transfer_file(transfer: Transfer, source: Path, target: Path, to: str) -> None:
    """Read, transfer and write one song."""
    song = read_song(source)
    result = transfer.song(song, to)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_midi(target, result.roll, result.tempos)
    note = f", {song.dropped} notes out of range dropped" if song.dropped else ""
    tqdm.write(f"{as_text(str(source))} → {as_text(str(target))} ({song.tempo:.0f} beats per minute{note})")


if __name__ == "__main__":
    run(main)
