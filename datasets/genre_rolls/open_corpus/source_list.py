"""The sources of the open corpus as `open_sources.toml` lists them, and their files on disk."""

import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cyclegan_jax.config import check_choice
from cyclegan_jax.errors import UserError

FORMATS = ("midi_or_score", "weimar_jazz")
LISTS = ("beside", "without")  # entries of a table that are lists
COMMIT = re.compile("[0-9a-f]{40}")
SOURCE_LIST = Path(__file__).parents[1] / "open_sources.toml"


@dataclass(frozen=True)
class Source:
    """One repository of freely licensed music, all of one genre.

    `name`: the table's name in the list, and the name of its folder. `songs`: the pattern of its songs,
    relative to that folder. `beside`: patterns of files that are read along with the songs. `format`: what
    its files are, one of FORMATS. `without`: names of MIDI tracks to leave out. `licence`: an SPDX
    identifier. `sha256`: see `checksum`.
    """

    name: str
    genre: str
    repository: str
    commit: str
    songs: str
    licence: str
    attribution: str
    sha256: str
    beside: tuple[str, ...] = ()
    format: str = FORMATS[0]
    without: tuple[str, ...] = ()

    def song_paths(self, folder: Path) -> list[Path]:
        """The songs below the source's folder, sorted."""
        return _files(folder, self.songs)

    def used_paths(self, folder: Path) -> list[Path]:
        """The songs and what is read along with them, sorted."""
        return sorted({path for pattern in (self.songs, *self.beside) for path in _files(folder, pattern)})


def _files(folder: Path, pattern: str) -> list[Path]:
    return sorted(path for path in folder.glob(pattern) if path.is_file())


def read_sources() -> list[Source]:
    """All sources, in the order of the list. Raises UserError for an entry that is missing or wrong."""
    try:
        tables = tomllib.loads(SOURCE_LIST.read_text(encoding="utf-8"))
        return [_source(name, table) for name, table in tables.items()]
    except (TypeError, ValueError) as error:
        raise UserError(f"{str(SOURCE_LIST)!r} has a mistake: {error}; see docs/dataset.md.") from error


def _source(name: str, table: Mapping[str, Any]) -> Source:
    """Raises TypeError or ValueError for an entry that is missing, unknown or wrong."""
    for entry, value in table.items():
        words = value if entry in LISTS else [value]
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            kind = "a list of texts" if entry in LISTS else "a text"
            raise ValueError(f"{entry} of {name!r} is {value!r}, but must be {kind}")
    source = Source(name, **{**table, **{entry: tuple(table[entry]) for entry in LISTS if entry in table}})
    check_choice(f"format of {name!r}", source.format, FORMATS)
    if not COMMIT.fullmatch(source.commit):
        raise ValueError(f"commit of {name!r} is {source.commit!r}, but must be 40 hexadecimal digits")
    for pattern in (source.songs, *source.beside):
        if not pattern or pattern.startswith("/") or ".." in pattern.split("/"):
            raise ValueError(f"{name!r} has the pattern {pattern!r}, but it must lead into its folder")
    return source


def checksum(paths: Sequence[Path], folder: Path) -> str:
    """SHA-256 of files, as hexadecimal digits: of the lines of `sha256sum`, in the order of the paths.

    Raises UserError for a file that cannot be read.
    """
    digest = hashlib.sha256()
    for path in paths:
        try:
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise UserError(f"{str(path)!r} cannot be read ({error.strerror}); make it readable.") from error
        digest.update(f"{content}  {path.relative_to(folder).as_posix()}\n".encode())
    return digest.hexdigest()


def check_files(source: Source, folder: Path, way_out: str) -> None:
    """Raise UserError, ending in `way_out`, unless the files in a source's folder have its checksum."""
    paths = source.used_paths(folder)
    if not source.song_paths(folder):
        raise UserError(f"source {source.name!r} has no {source.songs} in {str(folder)!r}; {way_out}.")
    found = checksum(paths, folder)
    if found != source.sha256:
        raise UserError(
            f"the {len(paths)} files of source {source.name!r} in {str(folder)!r} are not those of commit "
            f"{source.commit}: their sha256 is {found}, but must be {source.sha256 or 'given'}; {way_out}."
        )
