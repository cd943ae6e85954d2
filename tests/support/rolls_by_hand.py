"""Rolls written note by note, for figures that can be counted by hand."""

import numpy as np


def rolls(*notes: tuple[int, int, int, int], phrases: int = 2) -> np.ndarray:
    """[phrases, 64, 84, 1] bool with notes (phrase, onset, end, row)."""
    cells = np.zeros((phrases, 64, 84, 1), bool)
    for phrase, onset, end, row in notes:
        cells[phrase, onset:end, row] = True
    return cells


def struck(phrases: np.ndarray, *onsets: tuple[int, int, int]) -> np.ndarray:
    """The phrases with a channel of onsets, (phrase, step, row): [N, 64, 84, 1] -> [N, 64, 84, 2]."""
    begins = np.zeros_like(phrases)
    for onset in onsets:
        begins[onset] = True
    return np.concatenate([phrases, begins], axis=-1)
