"""What phrases look like as music: how many notes, how many at once, how long.

Ratios lie in [0, ∞) and 1 is best; shares and distances lie in [0, 1] and 0 is best. They compare means and
one histogram. Right counts may be made of wrong notes.
"""

import numpy as np

from cyclegan_jax.pianoroll.features import notes_by_phrase, onsets, sounding
from cyclegan_jax.pianoroll.roll import PHRASE_STEPS


def notes_a_phrase(phrases: np.ndarray) -> float:
    """Mean number of notes, counted by their onsets: [N, 64, 84, C] bool."""
    return float(onsets(phrases).sum() / len(phrases))


def polyphony(phrases: np.ndarray) -> float:
    """Mean number of notes sounding in the steps that are not silent; 0 where all are."""
    at_once = sounding(phrases).sum(axis=(2, 3))
    return float(at_once[at_once > 0].mean()) if at_once.any() else 0.0


def note_lengths(phrases: np.ndarray) -> np.ndarray:
    """Share of notes by length: [65], index in steps, adding to 1 unless there is no note."""
    counts = np.bincount(notes_by_phrase(phrases).lengths, minlength=PHRASE_STEPS + 1)
    return counts / max(counts.sum(), 1)


def total_variation(p: np.ndarray, q: np.ndarray) -> float:
    """½ Σ |p − q| of two distributions: 0 equal, 1 disjoint."""
    return float(np.abs(p - q).sum() / 2)


def against(phrases: np.ndarray, real: np.ndarray) -> dict[str, float]:
    """Figures of transferred phrases beside real ones of the target genre, [N, 64, 84, C] bool each.

    `blank_share`: without a note. `notes_ratio`: notes a phrase, of the real ones' mean. `polyphony`:
    notes at once, likewise a ratio. `note_lengths`: total variation between the two distributions.
    """
    return {
        "blank_share": float((~phrases.any(axis=(1, 2, 3))).mean()),
        "notes_ratio": notes_a_phrase(phrases) / max(notes_a_phrase(real), 1e-9),
        "polyphony": polyphony(phrases) / max(polyphony(real), 1e-9),
        "note_lengths": total_variation(note_lengths(phrases), note_lengths(real)),
    }
