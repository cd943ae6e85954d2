"""Reading a prepared dataset: a genre's phrases, held in memory or streamed from disk.

`train` is held unless it would take over half of the free memory. Then a `Column` stands in for the array and
reads the rows that it is indexed by, so the code that makes batches does not know the difference.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar, overload

import numpy as np
import tensorflow_datasets as tfds
from array_record.python.array_record_module import ArrayRecordReader

from cyclegan_jax.datasets.genre_rolls.reading.splits import MIXED
from cyclegan_jax.datasets.genre_rolls.records.build_report import read_metadata, read_positions
from cyclegan_jax.datasets.genre_rolls.records.tf_example import features_of, genre_names
from cyclegan_jax.errors import UserError
from cyclegan_jax.pianoroll.roll import PHRASE_SHAPE
from cyclegan_jax.training.host_memory import free_on_host

READ_AT_ONCE = 4096
PHRASE_BYTES = int(np.prod(PHRASE_SHAPE))
SHARE_OF_MEMORY = 0.5  # of what is free, that held rolls may take
Rows = TypeVar("Rows", bound="np.ndarray | Column", covariant=True)


def genres_of(folder: Path) -> tuple[str, ...]:
    """The genres of a prepared dataset that have phrases to train on, in the order of their labels."""
    return tuple(genre for genre, count in read_metadata(folder)["phrases"]["train"].items() if count)


def has_mixed(folder: Path) -> bool:
    """Whether the dataset brings its own mixed phrases, as the arrays of the paper's authors may."""
    return MIXED in tfds.builder_from_directory(folder).info.splits


class Shards:
    """A split's records, read by their places; open from the start, so that a rebuild does no harm.

    array_record's reader itself: the data source around it starts new threads at every call.
    """

    def __init__(self, builder: tfds.core.DatasetBuilder, split: str) -> None:
        info = builder.info.splits[split]
        self._readers = [ArrayRecordReader(str(path)) for path in info.filepaths]
        self._starts = np.cumsum([0, *info.shard_lengths])

    def read(self, places: np.ndarray) -> list[bytes]:
        """The records at [N] places, in that order."""
        records = [b""] * len(places)
        shards = np.searchsorted(self._starts, places, side="right") - 1
        for shard in np.unique(shards):
            rows = np.flatnonzero(shards == shard)
            found = self._readers[shard].read((places[rows] - self._starts[shard]).tolist())
            for row, record in zip(rows, found, strict=True):
                records[row] = record
        return records


@dataclass(frozen=True, eq=False)
class Column:
    """One feature of N records on disk, or several as channels, read when indexed as NumPy code does.

    `features`: by their names; of several equal shapes the last axes are joined, in this order. `places`:
    [N], where the records lie in the split.
    """

    shards: Shards
    features: dict[str, Any]
    places: np.ndarray

    def __len__(self) -> int:
        return len(self.places)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of all rows: [N, ...]."""
        *axes, channels = (len(self), *next(iter(self.features.values())).shape)
        return (*axes, channels * len(self.features))

    def joined(self, other: "Column") -> "Column":
        """The channels of both, features of the same records."""
        return replace(self, features=self.features | other.features)

    @cached_property
    def _example(self) -> tfds.features.FeaturesDict:
        return tfds.features.FeaturesDict(self.features)

    @overload
    def __getitem__(self, rows: int) -> Any: ...  # noqa: ANN401
    @overload
    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray: ...
    def __getitem__(self, rows: int | slice | np.ndarray) -> Any:
        """`column[3]`, `column[2:9]` or `column[[5, 1]]`: the rows asked for, stacked."""
        places = self.places[rows]
        values = [self._decode(record) for record in self.shards.read(np.atleast_1d(places))]
        return values[0] if np.ndim(places) == 0 else np.stack(values)

    def _decode(self, record: bytes) -> np.ndarray:
        example: Any = self._example.deserialize_example_np(record)
        values = [example[name] for name in self.features]
        return values[0] if len(values) == 1 else np.concatenate(values, axis=-1)

    def held(self) -> np.ndarray:
        """All rows in memory: [N, ...]."""
        rows = np.empty(self.shape, next(iter(self.features.values())).np_dtype)
        for start in range(0, len(self), READ_AT_ONCE):
            rows[start : start + READ_AT_ONCE] = self[start : start + READ_AT_ONCE]
        return rows


@dataclass(frozen=True, eq=False)
class Phrases(Generic[Rows]):
    """A genre's phrases of a split, in the order of songs and bars.

    `rolls`: [N, 64, 84, C] bool, in memory or a Column: where notes sound and, if C is 2, where they begin.
    `tempos`: [N] beats per minute, likewise.
    `songs`: how many they come from. `song_numbers`: [N] int, which of them each comes from; `melody`:
    [N, 64, 84, 1] bool, where the melody sounds. Both are read of `validation` and `test` alone, to evaluate.
    """

    rolls: Rows
    tempos: Rows
    songs: int
    song_numbers: np.ndarray | None = None
    melody: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.rolls)


@overload
def load_phrases(
    folder: Path, split: Literal["validation", "test"], genres: Sequence[str], channels: int = 1
) -> dict[str, Phrases[np.ndarray]]: ...
@overload
def load_phrases(
    folder: Path, split: str, genres: Sequence[str], channels: int = 1
) -> dict[str, Phrases[np.ndarray | Column]]: ...
def load_phrases(
    folder: Path, split: str, genres: Sequence[str], channels: int = 1
) -> dict[str, Phrases[np.ndarray]] | dict[str, Phrases[np.ndarray | Column]]:
    """Genre -> its phrases of a split of a prepared dataset, with the channel of onsets if `channels` is 2.

    They are held in memory, unless those of `train` would take over half of what is free; then they
    stay on disk.
    The genre `mixed`, where the dataset has it and no genre of the name, stands for its split of mixed
    phrases. Raises UserError where a genre has none.
    """
    by_genre = {genre: columns(folder, split, genre, channels) for genre in genres}
    needed = sum(len(rolls) for rolls, _ in by_genre.values()) * PHRASE_BYTES * channels
    held_out = split != "train"
    hold = held_out or needed <= SHARE_OF_MEMORY * free_on_host()
    songs = read_metadata(folder)["songs"].get(split, {})
    return {
        genre: Phrases(
            rolls.held() if hold else rolls,
            tempos.held() if hold else tempos,
            songs.get(genre, 0),
            *(_song_numbers_and_melody(folder, split, genre) if held_out else ()),
        )
        for genre, (rolls, tempos) in by_genre.items()
    }


def _song_numbers_and_melody(folder: Path, split: str, genre: str) -> tuple[np.ndarray, np.ndarray]:
    songs, melody = (column.held() for column in read_columns(folder, split, genre, ("song", "melody")))
    return np.unique(songs, return_inverse=True)[1], melody


def columns(folder: Path, split: str, genre: str, channels: int = 1) -> tuple[Column, Column]:
    """Rolls and tempos of a genre on disk, as `load_phrases` orders them; raises as it does."""
    rolls, onsets, tempos = read_columns(folder, split, genre, ("roll", "onsets", "tempo"))
    return rolls.joined(onsets) if channels == 2 else rolls, tempos


def read_columns(folder: Path, split: str, genre: str, wanted: Sequence[str]) -> list[Column]:
    """Any features of a genre on disk, by their names; order and errors as `columns`."""
    builder = tfds.builder_from_directory(folder)
    names = genre_names(builder.info)
    if genre == MIXED and genre not in names and MIXED in builder.info.splits:
        split, places = MIXED, np.concatenate(list(read_positions(folder, MIXED).values()))
    else:
        none = np.zeros(0, np.int64)
        places = read_positions(folder, split).get(names.index(genre), none) if genre in names else none
    if not len(places):
        raise UserError(f"genre {genre!r} has no phrase in the split {split!r} of {folder}; add songs to it.")
    shards, features = Shards(builder, split), features_of(builder.info)
    return [Column(shards, {name: features[name]}, places) for name in wanted]
