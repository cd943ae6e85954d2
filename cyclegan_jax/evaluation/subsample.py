"""A random part of many phrases."""

import numpy as np


def some_rows(count: int, most: int, seed: int = 0) -> np.ndarray:
    """The row numbers below `count`, or `most` of them drawn by the seed, in order: [min(count, most)]."""
    return np.sort(np.random.default_rng(seed).permutation(count)[:most])
