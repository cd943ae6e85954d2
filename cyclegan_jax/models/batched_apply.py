"""Any number of phrases at a time: a jitted function of all, in one compiled shape."""

from collections.abc import Callable

import jax
import numpy as np

BATCH = 16  # on a CPU as fast a phrase as 64, and a short song fills it; see docs/results/performance.md


def apply_in_batches(function: Callable[[np.ndarray], jax.Array], phrases: np.ndarray) -> np.ndarray:
    """`function` of all phrases, `BATCH` at a time, the last batch filled up and cut back.

    `phrases`: [N, 64, 84, 1], any N; `function`: [BATCH, 64, 84, 1] -> [BATCH, ...]. Returns [N, ...].
    """
    results = []
    for start in range(0, max(len(phrases), 1), BATCH):
        part = phrases[start : start + BATCH]
        filled = np.pad(part, ((0, BATCH - len(part)), (0, 0), (0, 0), (0, 0)))
        results.append(np.asarray(function(filled))[: len(part)])
    return np.concatenate(results)
