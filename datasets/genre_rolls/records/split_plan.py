"""Which records make up a split, and the order in which TFDS lays them down.

The order is that of TFDS's own shuffler, so a dataset written by Apache Beam, through TFDS's writer, has its
records where one written on this machine has them.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from tensorflow_datasets.core import hashing


@dataclass(frozen=True, eq=False)
class SplitPlan:
    """The N records of a split, sorted by genre, song, phrase and key.

    `numbers`: [N], among all records of the build. `labels`: [N], of their genres. `order`: [N], such
    that `numbers[order]` is how they lie on disk. `songs`: how many a genre has.
    """

    numbers: np.ndarray
    labels: np.ndarray
    order: np.ndarray
    songs: Counter

    @classmethod
    def of(
        cls, split: str, keys: Iterable[bytes], numbers: np.ndarray, labels: np.ndarray, songs: Counter
    ) -> "SplitPlan":
        """The plan of a split; `keys`: N, each record's own, by which they are shuffled."""
        return cls(numbers, labels, _shuffled(keys, split), songs)

    def positions(self) -> dict[int, np.ndarray]:
        """Label -> where its records lie in the split, in the order of songs, phrases and keys."""
        places = np.empty(len(self.order), np.int64)
        places[self.order] = np.arange(len(self.order))
        return {int(label): places[self.labels == label] for label in np.unique(self.labels)}


def enters(split: str, key_shift: int | np.ndarray) -> bool | np.ndarray:
    """Whether phrases moved by so many semitones enter a split: transposed ones enter `train` only.

    `key_shift`: one phrase's, or [N] -> [N] bool.
    """
    return (key_shift == 0) | (split == "train")


def _shuffled(keys: Iterable[bytes], split: str) -> np.ndarray:
    """The order of TFDS's shuffler: by the 128-bit hash of the key, salted with the split's name."""
    hasher = hashing.Hasher(split)
    hashes = bytearray()
    for key in keys:
        hashes += hasher.hash_key(key).to_bytes(16)
    high, low = np.frombuffer(hashes, ">u8").reshape(-1, 2).T
    return np.lexsort((low, high))
