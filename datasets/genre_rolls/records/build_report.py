"""What a build leaves beside its shards: metadata, refused files, and where each genre's records lie.

On disk the records of a split are shuffled. `positions-<split>.npz` says where those of each genre lie, in
the order of songs and bars. Training reads by these places, so nothing is sorted or scanned, whether phrases
are held in memory or streamed.
"""

import csv
import io
import json
import textwrap
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cyclegan_jax.datasets.genre_rolls.reading.midi_file import Refused
from cyclegan_jax.datasets.genre_rolls.reading.statistics import Statistics
from cyclegan_jax.datasets.genre_rolls.records.split_plan import SplitPlan
from cyclegan_jax.errors import UserError


@dataclass(frozen=True)
class Build:
    """All that a build knows besides the records themselves.

    `files`, `dropped` (notes out of range), `statistics`: by genre. `refused`: name and why, in the
    order of names. `splits`: by name.
    """

    fingerprint: str
    files: dict[str, int]
    refused: list[tuple[str, Refused]]
    dropped: dict[str, int]
    statistics: dict[str, Statistics]
    splits: dict[str, SplitPlan]

    def metadata(self, genres: Sequence[str]) -> dict[str, Any]:
        """What is kept in metadata.json: fingerprint, files, dropped_notes, songs and phrases by split."""
        return {
            "fingerprint": self.fingerprint,
            "files": self.files,
            "dropped_notes": self.dropped,
            "songs": {split: dict(plan.songs) for split, plan in self.splits.items()},
            "phrases": {
                split: {genre: int((plan.labels == label).sum()) for label, genre in enumerate(genres)}
                for split, plan in self.splits.items()
            },
        }

    def write(self, folder: Path) -> None:
        """Write refused.csv and the splits' positions."""
        with (folder / "refused.csv").open("w", newline="", encoding="utf-8") as file:
            rows = ((name, str(refused.reason), refused.detail) for name, refused in self.refused)
            csv.writer(file).writerows([("path", "reason", "detail"), *rows])
        for split, plan in self.splits.items():
            positions = {str(label): places for label, places in plan.positions().items()}
            np.savez(folder / f"positions-{split}.npz", **positions)  # pyright: ignore[reportArgumentType]


def read_metadata(folder: Path) -> dict[str, Any]:
    """What the builder noted of a finished dataset. Raises UserError where the note is damaged."""
    path = folder / "metadata.json"
    try:
        return dict(json.loads(path.read_bytes()))
    except (FileNotFoundError, TypeError, ValueError) as error:
        raise UserError(f"{path} is missing or damaged; delete its dataset and make it again.") from error


def read_refused(folder: Path) -> list[tuple[str, str, str]]:
    """Path, reason and detail of every file that did not enter a finished dataset."""
    with (folder / "refused.csv").open(newline="", encoding="utf-8") as file:
        return [(path, reason, detail) for path, reason, detail in csv.reader(file)][1:]


def read_positions(folder: Path, split: str) -> dict[int, np.ndarray]:
    """Label -> where its records lie in a split, in the order of songs, phrases and keys.

    Empty where the split has no such file. Raises UserError where the file is not what `Build.write` makes,
    also where it would swell as it is read.
    """
    path = folder / f"positions-{split}.npz"
    if not path.exists():
        return {}
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            stored = all(entry.compress_type == zipfile.ZIP_STORED for entry in entries)
            if not stored or sum(entry.file_size for entry in entries) > path.stat().st_size:
                raise ValueError("it would swell")
            return {int(Path(entry.filename).stem): _places(archive.read(entry)) for entry in entries}
    except Exception as error:  # a hostile header makes NumPy and zipfile raise nearly anything
        reason = textwrap.shorten(str(error) or type(error).__name__, 100)
        raise UserError(f"{path} cannot be read ({reason}); delete its dataset and make it again.") from error


def _places(content: bytes) -> np.ndarray:
    """[N] int64 of a .npy file; unlike np.load it reserves no room for numbers that are not there."""
    file = io.BytesIO(content)
    np.lib.format.read_magic(file)
    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    places = np.frombuffer(file.read(), dtype)
    if dtype != np.int64 or shape != places.shape:
        raise ValueError(f"shape {list(shape)} of {dtype} in {places.nbytes} bytes")
    return places
