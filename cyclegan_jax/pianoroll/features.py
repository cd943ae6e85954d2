"""What is read off a roll: notes, onsets, note lengths, chroma and the top voice.

Phrases have one channel, where notes sound, or a second one, where notes begin. Without the second a note
that is struck again at once is one with the note before.

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


def spans(cells: np.ndarray, struck: np.ndarray | None = None) -> Spans:
    """Adjoining on-cells of a row as one note, but for those that begin another: by row, then in time.

    `cells`: [steps, rows] bool. `struck`: the same, on-cells on which a note begins in any case.
    """
    border = ((1, 1), (0, 0))
    padded = np.pad(cells, border)
    begins = padded[1:] & ~padded[:-1]
    if struck is not None:
        begins[:-1] |= cells & struck
    ends = padded[:-1] & (~padded[1:] | begins)
    rows, onsets = np.nonzero(begins.T)
    return Spans(onsets, np.nonzero(ends.T)[1], rows)


def sounding(phrases: Array) -> Array:
    """Where notes sound: [..., 84, C] -> [..., 84, 1]."""
    return phrases[..., :1]


def onsets(phrases: np.ndarray) -> np.ndarray:
    """The cells on which a note begins: on, and struck, off the step before, or first of the phrase.

    [N, 64, 84, C] bool -> [N, 64, 84, 1] bool.
    """
    rolls = sounding(phrases)
    begins = rolls.copy()
    begins[:, 1:] &= ~rolls[:, :-1]
    return begins | (rolls & phrases[..., 1:]) if phrases.shape[-1] == 2 else begins


def begun(cells: np.ndarray) -> np.ndarray:
    """Cells whose second channel, if they have one, is on where a note begins: [N, steps, 84, C].

    That is where a cell sounds that is struck, or behind a silent one. In the first step it must be struck,
    since it may be held from before. Bool or probabilities, as `training.discriminator_inputs.strike`.
    """
    if cells.shape[-1] != 2:
        return cells
    sounds, struck = cells[..., :1], cells[..., 1:]
    before = np.pad(sounds[:, :-1], ((0, 0), (1, 0), (0, 0), (0, 0)), constant_values=1)
    begins = sounds & (struck | ~before) if cells.dtype == bool else sounds * (1 - before * (1 - struck))
    return np.concatenate([sounds, begins], axis=-1)


class PhraseNotes(NamedTuple):
    """Notes of phrases, [K] each: numbers of phrases, first steps, rows, and lengths in steps, 1 to 64."""

    phrases: np.ndarray
    onsets: np.ndarray
    rows: np.ndarray
    lengths: np.ndarray


def notes_by_phrase(phrases: np.ndarray) -> PhraseNotes:
    """Every note of [N, 64, 84, C] bool, in the order of phrases."""
    cells, struck = (
        part[..., 0].swapaxes(0, 1).reshape(phrases.shape[1], -1) for part in (phrases, onsets(phrases))
    )
    begins, ends, rows = spans(cells, struck)
    return PhraseNotes(rows // PITCHES, begins, rows % PITCHES, ends - begins)


def melodic_intervals(phrases: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Semitones from one onset of the top voice to the next, down below 0, and the numbers of their phrases.

    [N, 64, 84, C] bool -> numbers and intervals, [K] int each.
    """
    numbers, _, rows = np.nonzero((top_voice(phrases) & onsets(phrases))[..., 0])
    same = numbers[1:] == numbers[:-1]
    return numbers[1:][same], np.diff(rows)[same]


def chroma(phrases: Array) -> Array:
    """On-cells by beat and pitch class, C first: [N, 64, 84, C] bool -> [N, 16, 12] int64.

    Of values in [0, 1] the sums, of their own type.
    """
    octaves = phrases.shape[2] // PITCH_CLASSES
    beats = phrases[..., 0].reshape(len(phrases), -1, STEPS_PER_BEAT, octaves, PITCH_CLASSES)
    return beats.sum(axis=(2, 3))  # pyright: ignore[reportReturnType], which NumPy leaves open


def top_voice(phrases: np.ndarray) -> np.ndarray:
    """The highest cell that is on in each step: [N, 64, 84, C] bool -> [N, 64, 84, 1]."""
    rolls = sounding(phrases)
    above = np.flip(np.flip(rolls, 2).cumsum(axis=2, dtype=np.int8), 2) - rolls
    return rolls & (above == 0)
