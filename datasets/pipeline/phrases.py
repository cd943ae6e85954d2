"""Reading a prepared dataset: a genre's phrases as one array of bools."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds

from cyclegan_jax.errors import UserError

READ_AT_ONCE = 4096


def genres_of(folder: Path) -> tuple[str, ...]:
    """The genres of a prepared dataset, in the order of their labels."""
    return tuple(tfds.builder_from_directory(folder).info.features["genre"].names)


@dataclass(frozen=True, eq=False)
class Phrases:
    """A genre's phrases of a split, in the order of songs and bars.

    `rolls`: [N, 64, 84, 1] bool. `tempos`: [N] beats per minute. `songs`: how many they come from.
    """

    rolls: np.ndarray
    tempos: np.ndarray
    songs: int

    def __len__(self) -> int:
        return len(self.rolls)


def load_phrases(folder: Path, split: str, genres: Sequence[str]) -> dict[str, Phrases]:
    """Genre -> its phrases of a split of a prepared dataset.

    Raises UserError where a genre has none.
    """
    builder = tfds.builder_from_directory(folder)
    names = builder.info.features["genre"].names
    source = builder.as_data_source(split)
    by_genre: dict[str, list[dict]] = {genre: [] for genre in genres}
    for start in range(0, len(source), READ_AT_ONCE):
        for record in source.__getitems__(range(start, min(start + READ_AT_ONCE, len(source)))):
            by_genre.get(names[record["genre"]], []).append(record)
    return {genre: _stack(records, genre, split, folder) for genre, records in by_genre.items()}


def _stack(records: list[dict], genre: str, split: str, folder: Path) -> Phrases:
    if not records:
        raise UserError(f"genre {genre!r} has no phrase in the split {split!r} of {folder}; add songs to it.")
    records.sort(key=lambda record: (record["song"], record["phrase"]))
    return Phrases(
        rolls=np.stack([record["roll"] for record in records]),
        tempos=np.array([record["tempo"] for record in records]),
        songs=len({record["song"] for record in records}),
    )
