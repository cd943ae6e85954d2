"""A random part of many phrases."""

from typing import Protocol

import numpy as np


class PhraseRows(Protocol):
    """Phrases, [N, 64, 84, C] bool, as an array in memory or read from disk when they are indexed."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice | np.ndarray, /) -> np.ndarray: ...


def some_rows(count: int, most: int, seed: int = 0) -> np.ndarray:
    """The row numbers below `count`, or `most` of them drawn by the seed, in order: [min(count, most)]."""
    return np.sort(np.random.default_rng(seed).permutation(count)[:most])
