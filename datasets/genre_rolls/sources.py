"""Finding the MIDI files of a folder that has one sub-folder a genre."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cyclegan_jax.errors import UserError

SUFFIXES = (".mid", ".midi")


@dataclass(frozen=True)
class SongFile:
    """One MIDI file: `song` is its path below the genre's folder, with '/' between the parts."""

    genre: str
    song: str
    path: Path

    @property
    def name(self) -> str:
        """The path below the folder given, unique in the dataset."""
        return f"{self.genre}/{self.song}"


def find_song_files(midi_dir: Path) -> list[SongFile]:
    """All `.mid` and `.midi` files (any case, any depth) below each sub-folder, sorted by name.

    Raises UserError where there is no such folder or no such file.
    """
    layout = f"{midi_dir}/<genre>/**/*.mid"
    if not midi_dir.is_dir():
        raise UserError(f"midi_dir {str(midi_dir)!r} is not a folder; give one laid out as {layout}.")
    files = [
        SongFile(_text(genre.name), _text(path.relative_to(genre).as_posix()), path)
        for genre in midi_dir.iterdir()
        if genre.is_dir() and not genre.name.startswith(".")
        for path in genre.rglob("*")
        if path.suffix.lower() in SUFFIXES
    ]
    if not files:
        raise UserError(
            f"midi_dir {str(midi_dir)!r} has no MIDI file in any sub-folder: looked for {layout} and .midi, "
            "in any case; put each genre's files into a folder of the genre's name."
        )
    for genre in {file.genre for file in files}:
        if genre != genre.strip():
            raise UserError(f"genre {genre!r} has blanks around its name; rename its folder.")
    return sorted(files, key=lambda file: file.name)


def _text(name: str) -> str:
    """A file's name as valid text: bytes that are not UTF-8 become backslashes and numbers."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def fingerprint(files: Iterable[SongFile], rules: str) -> str:
    """16 hex digits of the files' names and contents and of `rules`, what is done with them."""
    digest = hashlib.sha256(rules.encode())
    for file in files:
        try:
            content = file.path.read_bytes()
        except OSError:
            content = b""
        digest.update(f"\0{file.name}\0{hashlib.sha256(content).hexdigest()}".encode())
    return digest.hexdigest()[:16]
