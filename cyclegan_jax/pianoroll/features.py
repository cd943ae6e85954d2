"""What is read off a roll: onsets, note lengths, chroma and the top voice."""

import numpy as np

from cyclegan_jax.pianoroll.roll import PITCH_CLASSES, STEPS_PER_BEAT


def onsets(rolls: np.ndarray) -> np.ndarray:
    """The cells on which a note begins: on, and off the step before or first of the phrase.

    [N, 64, 84, 1] bool -> [N, 64, 84, 1] bool.
    """
    before = np.pad(rolls[:, :-1], ((0, 0), (1, 0), (0, 0), (0, 0)))
    return rolls & ~before


def lengths_by_phrase(rolls: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of every note the number of its phrase, and its length in steps, 1 to 64.

    [N, 64, 84, 1] bool -> two of [K] int, in the order of phrases.
    """
    edges = np.diff(np.pad(rolls[..., 0], ((0, 0), (1, 1), (0, 0))).astype(np.int8), axis=1)
    starts, ends = (np.argwhere(edges.transpose(0, 2, 1) == sign) for sign in (1, -1))
    return starts[:, 0], ends[:, 2] - starts[:, 2]


def chroma(rolls: np.ndarray) -> np.ndarray:
    """On-cells by beat and pitch class, C first: [N, 64, 84, 1] bool -> [N, 16, 12] int64."""
    beats = rolls.reshape(len(rolls), -1, STEPS_PER_BEAT, rolls.shape[2] // PITCH_CLASSES, PITCH_CLASSES)
    return beats.sum(axis=(2, 3))


def melody(rolls: np.ndarray) -> np.ndarray:
    """The top voice: the highest cell that is on in each step. [N, 64, 84, 1] bool -> the same."""
    above = np.flip(np.flip(rolls, 2).cumsum(axis=2, dtype=np.int8), 2) - rolls
    return rolls & (above == 0)
