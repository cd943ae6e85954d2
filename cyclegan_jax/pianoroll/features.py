"""What is read off a roll: notes, onsets, note lengths, chroma and the top voice.

`chroma` takes NumPy's arrays and JAX's alike, since the objective's term and the evaluation's figure are of
the same chroma. jax itself is not imported here: the dataset's reading processes start faster without it.
"""

from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from cyclegan_jax.pianoroll.roll import LOWEST_PITCH, PITCH_CLASSES, PITCHES, STEPS_PER_BEAT, rasterise

if TYPE_CHECKING:
    import jax

Array = TypeVar("Array", np.ndarray, "jax.Array")


class Spans(NamedTuple):
    """Notes on a roll, [K] each: first steps, the steps after their last, rows."""

    onsets: np.ndarray
    ends: np.ndarray
    rows: np.ndarray

    def only(self, chosen: np.ndarray) -> "Spans":
        """Those that `chosen` names, by [K] bool or by their places."""
        return Spans(*(column[chosen] for column in self))

    def cells(self, steps: int) -> np.ndarray:
        """[steps, 84] bool, where any of them sounds."""
        roll, _ = rasterise(self.onsets, self.ends, self.rows + LOWEST_PITCH)
        return np.pad(roll, ((0, steps - len(roll)), (0, 0)))


def spans(cells: np.ndarray) -> Spans:
    """Adjoining on-cells of a row as one note: [steps, rows] bool -> by row, then in time."""
    edges = np.diff(np.pad(cells, ((1, 1), (0, 0))).astype(np.int8), axis=0).T
    rows, onsets = np.nonzero(edges == 1)
    return Spans(onsets, np.nonzero(edges == -1)[1], rows)


def onsets(rolls: np.ndarray) -> np.ndarray:
    """The cells on which a note begins: on, and off the step before or first of the phrase.

    [N, 64, 84, 1] bool -> [N, 64, 84, 1] bool.
    """
    begins = rolls.copy()
    begins[:, 1:] &= ~rolls[:, :-1]
    return begins


def lengths_by_phrase(rolls: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of every note the number of its phrase, and its length in steps, 1 to 64.

    [N, 64, 84, 1] bool -> two of [K] int, in the order of phrases.
    """
    side_by_side = rolls[..., 0].swapaxes(0, 1).reshape(rolls.shape[1], -1)
    begins, ends, rows = spans(side_by_side)
    return rows // PITCHES, ends - begins


def chroma(rolls: Array) -> Array:
    """On-cells by beat and pitch class, C first: [N, 64, 84, 1] bool -> [N, 16, 12] int64.

    Of values in [0, 1] the sums, of their own type.
    """
    beats = rolls.reshape(len(rolls), -1, STEPS_PER_BEAT, rolls.shape[2] // PITCH_CLASSES, PITCH_CLASSES)
    return beats.sum(axis=(2, 3))  # pyright: ignore[reportReturnType], which NumPy leaves open


def top_voice(rolls: np.ndarray) -> np.ndarray:
    """The highest cell that is on in each step. [N, 64, 84, 1] bool -> the same."""
    above = np.flip(np.flip(rolls, 2).cumsum(axis=2, dtype=np.int8), 2) - rolls
    return rolls & (above == 0)
