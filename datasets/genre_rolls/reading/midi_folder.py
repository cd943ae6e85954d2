"""Finding the MIDI files, and the scores, of a folder that has one sub-folder a genre.

A song is known by its path below its genre's folder, as printable text (`as_text`). Different files have
different names, so that splits, keys and `refused.csv` are one to one with the files.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from cyclegan_jax.errors import UserError
from cyclegan_jax.midi.scores.convert import SCORE_ENDINGS

ENDINGS = (".mid", ".midi", ".kar", ".smf", ".rmi", *SCORE_ENDINGS)
ENDINGS_IN_WORDS = f"{', '.join(ENDINGS[:-1])} and {ENDINGS[-1]}"
HIDDEN = (".", "__MACOSX")  # folders that are no genre
MOST_ENDINGS = 5  # of other files in a line
MOST_NAMES = 5  # of folders or files in a line


@dataclass(frozen=True, slots=True)
class SongFile:
    """One MIDI file or score: `song` is its path below the genre's folder, with '/' between the parts.

    `licence`: an SPDX identifier; "" where it is not known, as of files of one's own. `refused`: reason and
    detail where it is known already that it can't be read, else empty.
    """

    genre: str
    song: str
    path: str
    licence: str = ""
    refused: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The path below the folder given, unique in the dataset."""
        return f"{self.genre}/{self.song}"

    @property
    def genre_folder(self) -> str:
        """The path of the genre's folder."""
        return os.path.normpath(Path(self.path, *(".." for _ in PurePath(self.song).parts)))


def find_song_files(midi_dir: Path) -> list[SongFile]:
    """All files that end as `ENDINGS` (any case, any depth) below each sub-folder, sorted by name.

    Links to files are followed, links to folders are not. Folders that cannot be listed are among the
    files, to be refused by their name. Raises UserError where there is no such folder or no such file.
    """
    layout = f"{midi_dir}/<genre>/**/*.mid"
    if not midi_dir.is_dir():
        raise UserError(f"midi_dir {str(midi_dir)!r} is not a folder; give one laid out as {layout}.")
    folders = [entry for entry in os.scandir(midi_dir) if _is_genre(entry)]
    files = [
        SongFile(as_text(folder.name), as_text(os.path.relpath(path, folder.path)), path)
        for folder in folders
        for path in midi_paths(folder.path)
    ]
    if not files:
        raise UserError(
            f"midi_dir {str(midi_dir)!r} has no MIDI file in any sub-folder: looked for {ENDINGS_IN_WORDS}, "
            "in any case; put each genre's files into a folder of the genre's name."
        )
    for genre in {file.genre for file in files}:
        if genre != genre.strip():
            raise UserError(f"genre {genre!r} has blanks around its name; rename its folder.")
    return sorted(files, key=lambda file: file.name)


def _is_genre(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder, or a link to one, that is not hidden."""
    return not entry.name.startswith(HIDDEN) and _is(entry.is_dir)


def _is(kind: Callable[[], bool]) -> bool:
    """Whether an entry is of a kind; a link in a loop is of none."""
    try:
        return kind()
    except OSError:
        return False


def midi_paths(folder: str) -> Iterator[str]:
    """The paths that end like MIDI files' below a folder, links to folders not followed; and of folders
    that cannot be listed.
    """
    unlisted: list[str] = []
    for place, folders, names in os.walk(folder, onerror=lambda error: unlisted.append(error.filename)):
        for name in (*folders, *names):
            if name.lower().endswith(ENDINGS):
                yield f"{place}/{name}"
    yield from unlisted


def told_of_others(folders: Iterable[str]) -> str:
    """How many files below these folders do not end like MIDI files', in a line by ending; "" for none.

    Hidden files and folders are not told.
    """
    endings: Counter[str] = Counter()
    for folder in folders:
        for _, inner, names in os.walk(folder):
            inner[:] = [name for name in inner if not name.startswith(HIDDEN)]
            others = (n for n in names if not n.startswith(".") and not n.lower().endswith(ENDINGS))
            endings.update(Path(name).suffix.lower() or "no ending" for name in others)
    if not endings:
        return ""
    most = sorted(endings.items(), key=lambda item: (-item[1], item[0]))[:MOST_ENDINGS]
    counts = ", ".join(f"{as_text(ending)} {count}" for ending, count in most)
    more = ", ..." if len(endings) > MOST_ENDINGS else ""
    told = f"{endings.total()} ({counts}{more})"
    return f"Ignored, as their names do not end like those of MIDI files or scores: {told}."


def told_of_layout(midi_dir: str) -> list[str]:
    """Sentences on folders without a MIDI file, which are no genres, and on MIDI files in no genre's folder.

    None where the folder can't be listed any more.
    """
    try:
        entries = list(os.scandir(midi_dir))
    except OSError:
        return []
    empty = [e.name for e in entries if _is_genre(e) and not any(midi_paths(e.path))]
    beside = [e.name for e in entries if e.name.lower().endswith(ENDINGS) and _is(e.is_file)]
    told = []
    if empty:
        told.append(f"Folders without a MIDI file, so no genres: {_listed(empty)}.")
    if beside:
        told.append(
            f"MIDI files beside the genres' folders, so not used: {_listed(beside)}; move them into one."
        )
    return told


def _listed(names: list[str]) -> str:
    """How many names, and the first of them."""
    shown = [as_text(name) for name in sorted(names)[:MOST_NAMES]] + ["..."] * (len(names) > MOST_NAMES)
    return f"{len(names)} ({', '.join(shown)})"


def as_text(name: str) -> str:
    """A file's name as printable text, different for different names.

    Control characters, bytes that are not UTF-8 and backslashes become backslash escapes.
    """
    text = os.fsencode(name).decode("utf-8", "surrogateescape")
    return "".join(
        character
        if character.isprintable() and character != "\\"
        else character.encode("unicode_escape").decode()
        for character in text
    )


def fingerprint(contents: Iterable[tuple[str, bytes]], rules: str) -> str:
    """16 hex digits of the files' names, hashes of their contents, and `rules`, what is done with them."""
    digest = hashlib.sha256(rules.encode())
    for name, content in contents:
        digest.update(f"\0{name}\0{content.hex()}".encode())
    return digest.hexdigest()[:16]
