"""Faults that a musician hears: how often phrases have what music of their genres seldom has.

A rate says little by itself, since real music clashes and leaps as well. So each is given beside the rates of
the source's and the target's real phrases. Rates of notes are of the new ones in a transfer, which began
nowhere in its origin, and of all in real music. Without a channel of onsets a hole of one step in a held note
counts as a new note.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from cyclegan_jax.pianoroll.features import (
    chroma,
    melodic_intervals,
    notes_by_phrase,
    onsets,
    sounding,
    top_voice,
)
from cyclegan_jax.pianoroll.roll import PITCH_CLASSES, PITCHES, STEPS_PER_BAR, STEPS_PER_BEAT

MAJOR = (0, 2, 4, 5, 7, 9, 11)  # semitones above the tonic; the relative minor has the same
LONGEST = 2 * STEPS_PER_BAR  # steps; notes that are held for longer are few in any genre
HAND = 14  # semitones, a ninth: what one hand spans


class Counted(NamedTuple):
    """Phrases, [N, 64, 84, C] bool, and what is counted of them.

    `begins`: [N, 64, 84, 1] bool, their notes. `scales`: [N, 12] bool, the pitch classes of their keys.
    """

    phrases: np.ndarray
    begins: np.ndarray
    scales: np.ndarray


def real(phrases: np.ndarray) -> Counted:
    """Real phrases, [N, 64, 84, C] bool: all of their notes, in their own keys."""
    return Counted(phrases, onsets(phrases), major_scales(phrases))


def transferred(origin: np.ndarray, transfer: np.ndarray) -> Counted:
    """Transferred phrases: the notes that begin where none of the origin does, in the origin's keys."""
    return Counted(transfer, onsets(transfer) & ~onsets(origin), major_scales(origin))


def major_scales(phrases: np.ndarray) -> np.ndarray:
    """The pitch classes of the major scale that most cells of a phrase lie in: [N, 64, 84, C] -> [N, 12]."""
    scales = np.stack([np.isin((np.arange(PITCH_CLASSES) - tonic) % 12, MAJOR) for tonic in range(12)])
    return scales[(chroma(phrases).sum(axis=1) @ scales.T).argmax(axis=1)]


def _share(chosen: np.ndarray, of: np.ndarray) -> float:
    """How many are chosen, of how many; 0 of none."""
    count = np.count_nonzero(of)
    return np.count_nonzero(chosen) / count if count else 0.0


def late_bass_onsets(counted: Counted) -> float:
    """Share of the bass's onsets that come one sixteenth after a beat."""
    rolls = sounding(counted.phrases)
    lowest = rolls & (rolls.cumsum(axis=2, dtype=np.int8) == 1)
    begins = lowest & onsets(counted.phrases)
    late = np.arange(rolls.shape[1]) % STEPS_PER_BEAT == 1
    return _share(begins[:, late], begins)


def sixteenth_notes(counted: Counted) -> float:
    """Share of the counted notes that are one sixteenth long."""
    notes = notes_by_phrase(counted.phrases)
    chosen = counted.begins[notes.phrases, notes.onsets, notes.rows, 0]
    return _share(chosen & (notes.lengths == 1), chosen)


def octave_leaps(counted: Counted) -> float:
    """Share of the intervals from one onset of the top voice to the next that are an octave."""
    _, intervals = melodic_intervals(counted.phrases)
    return _share(np.abs(intervals) == PITCH_CLASSES, np.ones(len(intervals), bool))


def clashes(counted: Counted) -> float:
    """Share of the steps that are not silent in which two notes are a semitone apart."""
    rolls = sounding(counted.phrases)
    clash = rolls[:, :, 1:] & rolls[:, :, :-1]
    return _share(np.any(clash, axis=2), np.any(rolls, axis=2))


def outside_key(counted: Counted) -> float:
    """Share of the counted notes whose pitch class is not of the phrase's scale."""
    number, _, row, _ = np.nonzero(counted.begins)
    outside = ~counted.scales[number, row % PITCH_CLASSES]
    return _share(outside, np.ones(len(outside), bool))


def held_notes(counted: Counted) -> float:
    """Notes a phrase that are held for more than two bars."""
    return float((notes_by_phrase(counted.phrases).lengths > LONGEST).sum() / max(len(counted.phrases), 1))


def wide_hands(counted: Counted) -> float:
    """Share of the steps that are not silent whose notes two hands, a ninth each, cannot play."""
    rolls, rows = counted.phrases[..., 0], np.arange(PITCHES)
    lowest = rolls.argmax(axis=2)[:, :, None]
    right = rolls & (rows > lowest + HAND)
    span = np.where(right, rows, -1).max(axis=2) - np.where(right, rows, PITCHES).min(axis=2)
    return _share(span > HAND, np.any(rolls, axis=2))


FAULTS: dict[str, Callable[[Counted], float]] = {
    rate.__name__: rate
    for rate in (
        late_bass_onsets,
        sixteenth_notes,
        octave_leaps,
        clashes,
        outside_key,
        held_notes,
        wide_hands,
    )
}


def faults(origin: np.ndarray, transfer: np.ndarray, target: np.ndarray) -> dict[str, dict[str, float]]:
    """Each rate of `FAULTS` of the transfers and of real phrases of both genres.

    [N, 64, 84, C], the same and [M, 64, 84, C] bool -> name -> `transfer`, `origin`, `target`.
    """
    counted = {"transfer": transferred(origin, transfer), "origin": real(origin), "target": real(target)}
    return {
        name: {version: rate(phrases) for version, phrases in counted.items()}
        for name, rate in FAULTS.items()
    }


def melody_onsets_kept(origin: np.ndarray, transfer: np.ndarray, melody: np.ndarray | None = None) -> float:
    """Share of the notes begun by the origin's melody that begin in the transfer, too; 1 if there is none.

    [N, 64, 84, C] bool each. Pitch and step must be the same. `melody`: [N, 64, 84, 1], its cells, by default
    those of the top voice. Its notes are those of `origin` that begin on them.
    """
    begun = (top_voice(origin) if melody is None else melody) & onsets(origin)
    return _share(begun & onsets(transfer), begun) if begun.any() else 1.0
