"""Reading the arrays of the paper's authors: Brunner et al. 2018, as their TF1 code takes them.

The paper counts 12,341 phrases of jazz, 16,545 of classic and 20,780 of pop, all splits together.
"""

import hashlib
import re
import textwrap
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.lib.format import open_memmap

from cyclegan_jax.datasets.genre_rolls.reading.midi_folder import as_text
from cyclegan_jax.datasets.genre_rolls.reading.splits import MIXED
from cyclegan_jax.errors import UserError
from cyclegan_jax.pianoroll.roll import PHRASE_SHAPE

PAPER_GENRES = ("classic", "jazz", "pop")

_PAIR_FOLDERS = {"classic": ("JC_C", "CP_C"), "jazz": ("JC_J", "JP_J"), "pop": ("JP_P", "CP_P")}
_MIXED_FOLDER = "JCP_mixed"
_SIDES = ("test", "train")  # test first: what two pairs give to different sides is the first pair's
_SLICE_ROWS = 1024
_LAYOUTS = (
    "<genre>_train_piano.npy with <genre>_test_piano.npy, or train/*.npy with test/*.npy in the folders "
    + ", ".join(name for names in _PAIR_FOLDERS.values() for name in names)
)


@dataclass(frozen=True)
class ArrayPhrase:
    """One phrase of the authors' arrays.

    `split`: train, validation, test or mixed. `genre`: None for a phrase of JCP_mixed found in no genre.
    `source`: path of its file below the folder, with '/'. `row`: its row in that file, 0 where the file
    is one phrase. `roll`: [64, 84, 1] bool.
    """

    split: str
    genre: str | None
    source: str
    row: int
    roll: np.ndarray


@dataclass(frozen=True)
class _ArrayFile:
    """A file of many phrases or of a single one."""

    path: Path
    source: str
    many: bool

    @property
    def name(self) -> str:
        return as_text(str(self.path))

    @property
    def shapes(self) -> str:
        return "[N, 64, 84, 1]" if self.many else "[64, 84], [64, 84, 1] or [1, 64, 84, 1]"

    def allows(self, shape: tuple[int, ...]) -> bool:
        if self.many:
            return shape[1:] == PHRASE_SHAPE and shape[0] > 0
        return shape in (PHRASE_SHAPE[:2], PHRASE_SHAPE, (1, *PHRASE_SHAPE))


class _Row(NamedTuple):
    file: _ArrayFile
    number: int
    digest: bytes


_Sides = dict[str, list[_ArrayFile]]


@dataclass(frozen=True)
class _Found:
    """What a folder has: for each genre its one pair of arrays or its pair folders, and M."""

    genres: dict[str, list[_Sides]]
    mixed: list[_ArrayFile]


def array_files(manual_dir: Path) -> list[Path]:
    """Every `.npy` that `read_phrases` reads, sorted; none is opened.

    Raises UserError where the folder, every genre or one side of a genre is missing, or where a `.npy` is
    not a regular file.
    """
    found = _find(manual_dir)
    genre_files = [file for sets in found.genres.values() for sides in sets for file in _both(sides)]
    return sorted(file.path for file in genre_files + found.mixed)


def read_phrases(manual_dir: Path) -> Iterator[ArrayPhrase]:
    """The phrases of `<genre>_{train,test}_piano.npy`, else of the pair folders; those of JCP_mixed last.

    Genres come sorted, each in the order train, validation, test; the numbers in file names count as
    numbers. Phrases equal under two pairs are given once. `validation` is the last tenth of train.
    `mixed` leaves out what equals a phrase of validation or test. No more than a slice of a file is in
    memory at a time. Raises UserError, besides where `array_files` does, for a file that is no `.npy`
    array of numbers of the right shape or has a value other than 0 and 1.
    """
    found = _find(manual_dir)
    genre_of: dict[bytes, str] = {}
    held_out: set[bytes] = set()
    for genre, sets in sorted(found.genres.items()):
        for split, rows in _split(_unite(sets)).items():
            if split == "train":
                genre_of = {row.digest: genre for row in rows} | genre_of
            else:
                held_out.update(row.digest for row in rows)
            for row, roll in _read_again(rows):
                yield ArrayPhrase(split, genre, row.file.source, row.number, roll)
    for file in found.mixed:
        for number, roll in _rolls(file):
            digest = _digest(roll)
            if digest not in held_out:
                yield ArrayPhrase(MIXED, genre_of.get(digest), file.source, number, roll)


def _find(folder: Path) -> _Found:
    try:
        if not folder.is_dir():
            raise UserError(f"manual_dir {str(folder)!r} is not a folder; give one that has {_LAYOUTS}.")
        genres = {genre: sets for genre in PAPER_GENRES if (sets := _find_sets(folder, genre))}
        if not genres:
            raise UserError(
                f"manual_dir {str(folder)!r} has none of the genres {', '.join(PAPER_GENRES)}: looked for "
                f"{_LAYOUTS}; put the authors' arrays there under these names."
            )
        return _Found(genres, _find_mixed(folder))
    except OSError as error:
        reason = f"cannot be read ({error.strerror})"
        raise UserError(f"manual_dir {str(folder)!r} {reason}; give a readable folder.") from error


def _find_sets(folder: Path, genre: str) -> list[_Sides]:
    """The pair of arrays of a genre, else its pair folders that are there."""
    arrays = {side: folder / f"{genre}_{side}_piano.npy" for side in _SIDES}
    missing = [path for path in arrays.values() if not path.exists()]
    if not missing:
        return [{side: [_array_file(folder, path, many=True)] for side, path in arrays.items()}]
    if len(missing) < len(arrays):
        raise UserError(
            f"{as_text(str(missing[0]))} is missing: {genre} needs the arrays of both train and test; "
            "add the file, or take the other one away to have the pair folders read."
        )
    places = [folder / name for name in _PAIR_FOLDERS[genre]]
    return [_find_sides(folder, place) for place in places if place.is_dir()]


def _find_sides(folder: Path, place: Path) -> _Sides:
    sides = {side: _single_files(folder, place / side) for side in _SIDES}
    for side, files in sides.items():
        if not files:
            name = as_text(str(place / side))
            raise UserError(f"{name} has no .npy file: a pair folder needs train and test; add them.")
    return sides


def _find_mixed(folder: Path) -> list[_ArrayFile]:
    place = folder / _MIXED_FOLDER
    if not place.is_dir():
        return []
    files = _single_files(folder, place / "train") or _single_files(folder, place)
    if not files:
        raise UserError(
            f"{as_text(str(place))} has no .npy file, neither in train/ nor in itself; add them or remove it."
        )
    return files


def _single_files(folder: Path, place: Path) -> list[_ArrayFile]:
    """The single-phrase files of a place, in natural order; hidden ones are none."""
    if not place.is_dir():
        return []
    paths = [path for path in place.iterdir() if path.suffix == ".npy" and not path.name.startswith(".")]
    return [_array_file(folder, path, many=False) for path in sorted(paths, key=_natural)]


def _natural(path: Path) -> tuple[list[str | int], str]:
    parts = re.split(r"(\d+)", path.name)
    return [int(part) if at % 2 else part for at, part in enumerate(parts)], path.name


def _array_file(folder: Path, path: Path, many: bool) -> _ArrayFile:
    source = as_text(path.relative_to(folder).as_posix())
    file = _ArrayFile(path, source, many)
    if not path.is_file():
        raise UserError(f"{file.name} is not a regular file: expected a .npy array of shape {file.shapes}.")
    return file


def _both(sides: _Sides) -> list[_ArrayFile]:
    return [file for side in _SIDES for file in sides[side]]


def _unite(sets: list[_Sides]) -> dict[str, list[_Row]]:
    """Multiset union: each phrase kept of the sets before absorbs an equal one of the next."""
    kept: dict[str, list[_Row]] = {side: [] for side in _SIDES}
    for sides in sets:
        absorbing = Counter(row.digest for rows in kept.values() for row in rows)
        for side in _SIDES:
            for row in _rows(sides[side]):
                if absorbing[row.digest]:
                    absorbing[row.digest] -= 1
                else:
                    kept[side].append(row)
    return kept


def _split(kept: dict[str, list[_Row]]) -> dict[str, list[_Row]]:
    train = kept["train"]
    rest = len(train) - max(len(train) // 10, int(len(train) >= 2))
    return {"train": train[:rest], "validation": train[rest:], "test": kept["test"]}


def _rows(files: Iterable[_ArrayFile]) -> Iterator[_Row]:
    for file in files:
        for number, roll in _rolls(file):
            yield _Row(file, number, _digest(roll))


def _read_again(rows: list[_Row]) -> Iterator[tuple[_Row, np.ndarray]]:
    for file, group in groupby(rows, key=lambda row: row.file):
        wanted = {row.number: row for row in group}
        for number, roll in _rolls(file):
            if number in wanted:
                yield wanted[number], roll


def _digest(roll: np.ndarray) -> bytes:
    return hashlib.blake2b(np.packbits(roll).tobytes(), digest_size=16).digest()


def _rolls(file: _ArrayFile) -> Iterator[tuple[int, np.ndarray]]:
    """Every row's number and phrase, [64, 84, 1] bool; read a slice at a time."""
    phrases = _open(file).reshape(-1, *PHRASE_SHAPE)
    for start in range(0, len(phrases), _SLICE_ROWS):
        yield from enumerate(_to_bool(file, phrases[start : start + _SLICE_ROWS]), start)


def _open(file: _ArrayFile) -> np.memmap:
    """The array of a file, in the file; refuses pickles and archives, trusts no header."""
    expected = f"expected a .npy array of shape {file.shapes}"
    try:
        with warnings.catch_warnings(action="ignore"):
            array = open_memmap(file.path, mode="r")
    except Exception as error:  # a hostile header makes NumPy and ast raise nearly anything
        reason = textwrap.shorten(str(error) or type(error).__name__, 100)
        raise UserError(f"{file.name} cannot be read ({reason}): {expected}.") from error
    if array.dtype.kind not in "buif":
        raise UserError(f"{file.name} has the type {array.dtype}: {expected}, of bool, integers or floats.")
    if not file.allows(array.shape):
        raise UserError(f"{file.name} has the shape {list(array.shape)}: {expected}.")
    return array


def _to_bool(file: _ArrayFile, values: np.ndarray) -> np.ndarray:
    """[N, 64, 84, 1] numbers -> the same as bool; bytes of a bool array are looked at as numbers."""
    numbers = values.view(np.uint8) if values.dtype == np.bool_ else values
    wrong = numbers[(numbers != 0) & (numbers != 1)]
    if wrong.size:
        raise UserError(
            f"{file.name} has the value {wrong[0]}: expected 0 and 1 only; write 1 where a note sounds and 0 "
            "elsewhere."
        )
    return np.asarray(numbers == 1, order="C")
