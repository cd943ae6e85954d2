"""Whether transferred phrases differ from each other, and from the phrases trained on.

All figures are of Jaccard distances between sets of cells, in [0, 1]. A phrase moved by a step or a semitone
counts as quite another one. Random noise is as diverse as music.
"""

import numpy as np

from cyclegan_jax.evaluation.subsample import PhraseRows, some_rows
from cyclegan_jax.pianoroll.features import sounding

MOST_COMPARED = 2000  # phrases of a set that take part in pairwise figures, drawn by chance
MOST_SEARCHED = 20_000  # phrases among which copies are sought


def jaccard_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """1 − |x ∩ y| / |x ∪ y| of every phrase of `a` and of `b`; 0 between blank ones.

    [N, 64, 84, C] and [M, 64, 84, C] bool -> [N, M] float32.
    """
    flat_a, flat_b = (sounding(phrases).reshape(len(phrases), -1).astype(np.float32) for phrases in (a, b))
    both = flat_a @ flat_b.T
    either = flat_a.sum(axis=1)[:, None] + flat_b.sum(axis=1)[None] - both
    return 1 - np.divide(both, either, out=np.ones_like(both), where=either > 0)


def mean_distance(rolls: np.ndarray) -> float:
    """Mean Jaccard distance over pairs of different phrases; 0 for fewer than two."""
    count = len(rolls)
    return float(jaccard_distances(rolls, rolls).sum() / (count * (count - 1))) if count > 1 else 0.0


def diversity(originals: np.ndarray, transferred: np.ndarray) -> float:
    """Mean pairwise distance of the transferred phrases over that of their originals.

    1: as varied as before; 0: all alike. [N, 64, 84, C] bool each, row by row the same phrases; where
    there are over `MOST_COMPARED`, the same random ones of both. 1 where the originals are all alike.
    """
    rows = some_rows(len(originals), MOST_COMPARED)
    before = mean_distance(originals[rows])
    return mean_distance(transferred[rows]) / before if before else 1.0


def distinct(rolls: np.ndarray) -> int:
    """How many different phrases there are among [N, 64, 84, C] bool."""
    return len({row.tobytes() for row in np.packbits(rolls.reshape(len(rolls), -1), axis=1)})


def nearest(rolls: np.ndarray, others: PhraseRows) -> float:
    """Mean Jaccard distance of each phrase to the nearest of others, 0 where all are copies.

    [N, 64, 84, C] and [M, 64, 84, C] bool. Of more than `MOST_COMPARED` and `MOST_SEARCHED` a random
    part takes part.
    """
    sought = rolls[some_rows(len(rolls), MOST_COMPARED)]
    among = some_rows(len(others), MOST_SEARCHED)
    parts = np.array_split(among, -(-len(among) // MOST_COMPARED))
    return float(
        np.min([jaccard_distances(sought, others[part]).min(axis=1) for part in parts], axis=0).mean()
    )
