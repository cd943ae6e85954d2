"""New notes that music of the target genre does not have are left out (`Controls.clean`).

What the genre has is measured once, on the real phrases of `validation`, and comes with the model. The song's
own notes are not touched.
"""

import dataclasses
from dataclasses import dataclass

import numpy as np

from cyclegan_jax.pianoroll.features import Spans, notes_by_phrase, sounding
from cyclegan_jax.pianoroll.roll import LOWEST_PITCH, STEPS_PER_BEAT

SHORT, RARE = 0.1, 0.005  # shares of a genre's notes: what is shorter than usual, and what it hardly has
EIGHTH = STEPS_PER_BEAT // 2  # steps; a clash as short as this is allowed in any genre


@dataclass(frozen=True)
class Bounds:
    """What the notes of a genre keep to.

    `shortest`: steps that nine of ten notes last at least. `longest_clash`: steps, an eighth or more, that a
    note sounds a semitone beside others at most, but for one note in 200. `lowest` and `highest`: the MIDI
    pitches between which notes lie, but for one in 200. Raises ValueError for anything but integers from 0
    to 127.
    """

    shortest: int
    longest_clash: int
    lowest: int
    highest: int

    def __post_init__(self) -> None:
        if not all(type(value) is int and 0 <= value <= 127 for value in dataclasses.astuple(self)):
            raise ValueError(f"bounds of new notes {dataclasses.astuple(self)}")


def bounds_of(phrases: np.ndarray) -> Bounds:
    """The bounds of real phrases, [N, 64, 84, C] bool, of which at least one has a note."""
    rolls = sounding(phrases)[..., 0]
    counts = np.pad((rolls & beside(rolls)).cumsum(axis=1, dtype=np.int16), ((0, 0), (1, 0), (0, 0)))
    numbers, onsets, rows, lengths = notes_by_phrase(phrases)
    clashes = counts[numbers, onsets + lengths, rows] - counts[numbers, onsets, rows]
    lowest, highest = np.quantile(rows, [RARE / 2, 1 - RARE / 2], method="nearest")
    return Bounds(
        shortest=int(np.quantile(lengths, SHORT, method="lower")),
        longest_clash=max(EIGHTH, int(np.quantile(clashes, 1 - RARE, method="lower"))),
        lowest=int(lowest) + LOWEST_PITCH,
        highest=int(highest) + LOWEST_PITCH,
    )


def beside(rolls: np.ndarray) -> np.ndarray:
    """The cells a semitone above or below one that sounds: [..., 84] bool -> the same."""
    found = np.zeros_like(rolls)
    found[..., 1:] |= rolls[..., :-1]
    found[..., :-1] |= rolls[..., 1:]
    return found


def fitting(new: Spans, certainties: np.ndarray, others: np.ndarray, bounds: Bounds) -> np.ndarray:
    """[K] bool: the new notes within the bounds.

    `others`: [steps, 84] bool, where the notes that stay sound. Of two new notes that clash the one of the
    greater of `certainties`, [K], comes first.
    """
    pitches = new.rows + LOWEST_PITCH
    chosen = (
        (new.ends - new.onsets >= bounds.shortest) & (bounds.lowest <= pitches) & (pitches <= bounds.highest)
    )
    sounds = np.pad(others, ((0, 0), (1, 1)))
    for note in np.argsort(-certainties, kind="stable"):
        if chosen[note]:
            there, row = slice(new.onsets[note], new.ends[note]), new.rows[note] + 1
            clash = np.count_nonzero(sounds[there, row - 1] | sounds[there, row + 1])
            chosen[note] = clash <= bounds.longest_clash
            sounds[there, row] |= chosen[note]
    return chosen
