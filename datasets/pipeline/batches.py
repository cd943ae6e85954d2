"""Unpaired, balanced, reshuffled batches, each a function of the seed and the step alone.

So there is no state of the input to save: a run that is resumed asks for the batch of its next step. The host
draws row numbers by NumPy's permutations. A seed therefore means the same batches whether phrases are on the
devices, in memory or on disk, and at any number of devices.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import grain
import numpy as np

from cyclegan_jax.datasets.pipeline.phrases import Column
from cyclegan_jax.errors import UserError
from cyclegan_jax.pianoroll.features import onsets, sounding
from cyclegan_jax.pianoroll.packing import PACKED_BYTES, pack_bits

Batch = dict[str, np.ndarray]
Rows = dict[str, np.ndarray]
MOST_COUNTED, READ_AT_ONCE = 10_000, 1_000  # phrases
READ_AHEAD = grain.ReadOptions(num_threads=2, prefetch_buffer_size=8)  # batches


@dataclass(frozen=True, eq=False)
class PairBatches:
    """Batches of genres A and B, and of the mixed genres M.

    `a`, `b`: phrases [N, 64, 84, C] bool, any N, in memory or on disk. `mixed`: the genres of M,
    each as A and B are; empty for `base`. `batch_size`: phrases of A, of B and of M in a batch.
    Nothing is remembered from step to step, so that a run taken up again goes on with the very next
    batch.

    Raises UserError where a genre has less than one batch.
    """

    a: np.ndarray | Column
    b: np.ndarray | Column
    mixed: Sequence[np.ndarray | Column]
    batch_size: int
    seed: int

    def __post_init__(self) -> None:
        if min(len(self.a), len(self.b)) < self.batch_size:
            raise UserError(
                f"batch_size is {self.batch_size}, but the training split has {len(self.a)} phrases of the "
                f"first genre and {len(self.b)} of the second; lower it or add songs."
            )

    @property
    def steps_per_epoch(self) -> int:
        """An epoch sees the smaller genre once, and a fresh draw as large of the larger one."""
        return min(len(self.a), len(self.b)) // self.batch_size

    @cached_property
    def density_b_over_a(self) -> tuple[float, float]:
        """Notes and cells a phrase of B over A's, by at most 10,000 phrases each; 1 where there are none."""
        a, b = (_density(phrases) for phrases in (self.a, self.b))
        ratios = np.divide(b, a, out=np.ones(2), where=(a > 0) & (b > 0))
        return tuple(np.round(ratios, 4).tolist())

    def stream(self, start: int, stop: int) -> Iterator[Batch]:
        """The batches of the steps from `start` to before `stop`, made ahead by Grain's threads."""
        steps = grain.MapDataset.range(start, stop).map(self.batch)
        return iter(steps.to_iter_dataset(READ_AHEAD))

    def batch(self, step: int) -> Batch:
        """The batch of a step: `a` and `b`, and `m` unless `base`, each [batch, 64, 84, C] bool."""
        return {name: self._phrases(rows) for name, rows in self.rows(step).items()}

    def rows(self, step: int) -> Rows:
        """The batch of a step as row numbers of `packed`, by the same names, each [batch]."""
        epoch, place = divmod(step, self.steps_per_epoch)
        part = slice(place * self.batch_size, (place + 1) * self.batch_size)
        rows = {
            name: self._start(phrases) + _permutation(len(phrases), self.seed, stream, epoch)[part]
            for stream, (name, phrases) in enumerate([("a", self.a), ("b", self.b)])
        }
        if self.mixed:
            rows["m"] = self._mixed_rows(step)
        return rows

    def place(self, row: int) -> tuple[int, int]:
        """Whose phrase a row of `packed` is, 0 for `a`, 1 for `b`, then `mixed`, and its number there."""
        owner = int(np.searchsorted(self._starts, row, side="right")) - 1
        everyone = (self.a, self.b, *self.mixed)
        whose = next(i for i, phrases in enumerate(everyone) if phrases is self._sources[owner])
        return whose, row - int(self._starts[owner])

    def packed(self) -> np.ndarray:
        """All phrases that batches are made of, each genre once, as bits: [N, 672 C] uint8."""
        table = np.empty((sum(map(len, self._sources)), self._bytes_of_phrase), np.uint8)
        for start, phrases in zip(self._starts, self._sources, strict=True):
            for first in range(0, len(phrases), READ_AT_ONCE):
                part = pack_bits(phrases[first : first + READ_AT_ONCE])
                table[start + first : start + first + len(part)] = part
        return table

    @property
    def packed_bytes(self) -> int:
        """What `packed` takes."""
        return sum(map(len, self._sources)) * self._bytes_of_phrase

    @property
    def _bytes_of_phrase(self) -> int:
        return self.a.shape[-1] * PACKED_BYTES

    @cached_property
    def _sources(self) -> list[np.ndarray | Column]:
        """Every genre's phrases once, though M has A's and B's too."""
        return list({id(phrases): phrases for phrases in (self.a, self.b, *self.mixed)}.values())

    @cached_property
    def _starts(self) -> np.ndarray:
        """The first row of each source."""
        return np.cumsum([0, *map(len, self._sources[:-1])])

    def _start(self, phrases: np.ndarray | Column) -> int:
        place = next(place for place, source in enumerate(self._sources) if source is phrases)
        return int(self._starts[place])

    def _phrases(self, rows: np.ndarray) -> np.ndarray:
        """The phrases of some rows, from as many sources as they are of: [batch, 64, 84, C]."""
        owners = np.searchsorted(self._starts, rows, side="right") - 1
        order = np.argsort(owners, kind="stable")
        parts = [
            self._sources[owner][rows[owners == owner] - self._starts[owner]] for owner in np.unique(owners)
        ]
        return np.concatenate(parts)[np.argsort(order)]

    def _mixed_rows(self, step: int) -> np.ndarray:
        """The genres of M in turn, each going through its own permutations."""
        turns = range(step * self.batch_size, (step + 1) * self.batch_size)
        places, genres = np.divmod(np.array(turns), len(self.mixed))
        starts = [self._start(phrases) for phrases in self.mixed]
        drawn = zip(genres.tolist(), places.tolist(), strict=True)
        return np.array([starts[genre] + self._row(genre, place) for genre, place in drawn])

    def _row(self, genre: int, place: int) -> int:
        """Which phrase of a genre of M comes at a place in its endless order."""
        count = len(self.mixed[genre])
        epoch, row = divmod(place, count)
        return _permutation(count, self.seed, 2 + genre, epoch)[row]


def _density(phrases: np.ndarray | Column) -> np.ndarray:
    """Notes and cells in phrases taken at equal distances, added: [2]."""
    rows = np.arange(0, len(phrases), -(-len(phrases) // MOST_COUNTED))
    parts = [phrases[part] for part in np.array_split(rows, -(-len(rows) // READ_AT_ONCE))]
    counts = [[_begins(part).sum(), sounding(part).sum()] for part in parts]
    return np.array(counts).sum(axis=0) / len(rows)


def _begins(phrases: np.ndarray) -> np.ndarray:
    """Where notes begin, as the density loss counts them: what is held from before a phrase does not."""
    return phrases[..., 1:] if phrases.shape[-1] == 2 else onsets(phrases)


@lru_cache(maxsize=16)
def _permutation(count: int, seed: int, stream: int, epoch: int) -> np.ndarray:
    return np.random.default_rng((seed, stream, epoch)).permutation(count)
