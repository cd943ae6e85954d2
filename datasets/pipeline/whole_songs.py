"""Songs of a prepared dataset, put together again from their phrases."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cyclegan_jax.datasets.pipeline.phrases import read_columns
from cyclegan_jax.pianoroll.roll import PHRASE_STEPS, PITCHES, STEPS_PER_BAR


@dataclass(frozen=True)
class WholeSong:
    """`name`: path of its file below its genre's folder. `roll`: [steps, 84] bool, silent where the dataset
    has no phrase. `tempo`: beats per minute at its start.
    """

    name: str
    roll: np.ndarray
    tempo: float


def longest_song(folder: Path, split: str, genre: str) -> WholeSong | None:
    """The song of a genre with the most phrases in a split, the first of several; None if none is known."""
    names, bars, rolls, tempos = read_columns(folder, split, genre, ("song", "bar", "roll", "tempo"))
    all_names, all_bars = names.held(), bars.held()
    known = np.flatnonzero(all_bars >= 0)
    if not len(known):
        return None
    songs, first, counts = np.unique(all_names[known], return_index=True, return_counts=True)
    most = np.flatnonzero(counts == counts.max())
    name = songs[most[np.argmin(first[most])]]
    rows = known[all_names[known] == name]
    starts = all_bars[rows] * STEPS_PER_BAR
    roll = np.zeros((int(starts.max()) + PHRASE_STEPS, PITCHES), np.bool_)
    for start, phrase in zip(starts, rolls[rows], strict=True):
        roll[start : start + PHRASE_STEPS] = phrase[:, :, 0]
    return WholeSong(bytes(name).decode(), roll, float(tempos[int(rows[0])]))
