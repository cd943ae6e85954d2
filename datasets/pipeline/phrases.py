"""Reading a prepared dataset: a genre's phrases, held as one array of bools or read as they are asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import psutil
import tensorflow_datasets as tfds

from cyclegan_jax.datasets.genre_rolls.report import read_metadata, read_positions
from cyclegan_jax.errors import UserError
from cyclegan_jax.rolls import PHRASE_SHAPE

READ_AT_ONCE = 4096
MIXED = "mixed"  # the split, and so the name, of the mixed phrases of the paper's authors
PHRASE_BYTES = int(np.prod(PHRASE_SHAPE))
SHARE_OF_MEMORY = 0.5  # of what is free, that held rolls may take


def genres_of(folder: Path) -> tuple[str, ...]:
    """The genres of a prepared dataset, in the order of their labels."""
    return tuple(tfds.builder_from_directory(folder).info.features["genre"].names)


def has_mixed(folder: Path) -> bool:
    """Whether the dataset brings its own mixed phrases, as the arrays of the paper's authors may."""
    return MIXED in tfds.builder_from_directory(folder).info.splits


@dataclass(frozen=True, eq=False)
class Column:
    """One feature of N records on disk, read when indexed: what NumPy code needs of an array.

    `places`: [N], where the records lie in the split.
    """

    builder: tfds.core.DatasetBuilder
    split: str
    feature: str
    places: np.ndarray

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, rows: int | slice | np.ndarray) -> np.ndarray:
        """`column[3]`, `column[2:9]` or `column[[5, 1]]`: the rows asked for, stacked."""
        places = self.places[rows]
        values = [self._decode(record) for record in self._records.__getitems__(np.ravel(places).tolist())]
        return values[0] if np.ndim(places) == 0 else np.stack(values)

    @cached_property
    def _records(self) -> Sequence[bytes]:
        return self.builder.as_data_source(self.split).data_source

    @cached_property
    def _features(self) -> tfds.features.FeaturesDict:
        """Only the feature wanted: decoding all of them takes three times as long."""
        return tfds.features.FeaturesDict({self.feature: self.builder.info.features[self.feature]})

    def _decode(self, record: bytes) -> np.ndarray:
        return self._features.deserialize_example_np(record)[self.feature]

    def held(self) -> np.ndarray:
        """All rows in memory: [N, ...]."""
        starts = range(0, len(self), READ_AT_ONCE)
        return np.concatenate([self[start : start + READ_AT_ONCE] for start in starts])


@dataclass(frozen=True, eq=False)
class Phrases:
    """A genre's phrases of a split, in the order of songs and bars.

    `rolls`: [N, 64, 84, 1] bool, in memory or a Column. `tempos`: [N] beats per minute, likewise.
    `songs`: how many they come from.
    """

    rolls: np.ndarray | Column
    tempos: np.ndarray | Column
    songs: int

    def __len__(self) -> int:
        return len(self.rolls)


def load_phrases(folder: Path, split: str, genres: Sequence[str]) -> dict[str, Phrases]:
    """Genre -> its phrases of a split of a prepared dataset.

    They are held in memory, unless those of `train` would take over half of what is free; then they
    stay on disk.
    The genre `mixed`, where the dataset has it and no genre of the name, stands for its split of mixed
    phrases. Raises UserError where a genre has none.
    """
    by_genre = {genre: columns(folder, split, genre) for genre in genres}
    needed = sum(len(rolls) for rolls, _ in by_genre.values()) * PHRASE_BYTES
    hold = split != "train" or needed <= SHARE_OF_MEMORY * psutil.virtual_memory().available
    songs = read_metadata(folder)["songs"].get(split, {})
    return {
        genre: Phrases(*(column.held() if hold else column for column in pair), songs.get(genre, 0))
        for genre, pair in by_genre.items()
    }


def columns(folder: Path, split: str, genre: str) -> tuple[Column, Column]:
    """Rolls and tempos of a genre on disk, as `load_phrases` orders them; raises as it does."""
    builder = tfds.builder_from_directory(folder)
    names = builder.info.features["genre"].names
    if genre == MIXED and genre not in names and MIXED in builder.info.splits:
        split, places = MIXED, np.concatenate(list(read_positions(folder, MIXED).values()))
    else:
        by_label = read_positions(folder, split)
        places = by_label.get(names.index(genre) if genre in names else None, np.zeros(0, np.int64))
    if not len(places):
        raise UserError(f"genre {genre!r} has no phrase in the split {split!r} of {folder}; add songs to it.")
    return Column(builder, split, "roll", places), Column(builder, split, "tempo", places)
