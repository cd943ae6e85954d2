"""How much of a phrase is left in what was made of it: cells, onsets, harmony and melody.

All figures lie in [0, 1], and 1 is best. F1 counts a note moved by one step or semitone as lost. Chroma
disregards octaves and the rhythm within a beat. The melody is taken to be the top voice, and notes added
around it do not count, so a phrase with every cell on keeps any melody.
"""

import numpy as np

from cyclegan_jax.pianoroll.features import chroma, onsets, sounding, top_voice
from cyclegan_jax.pianoroll.roll import PITCH_CLASSES


def f1(truth: np.ndarray, found: np.ndarray) -> float:
    """2 TP / (2 TP + FP + FN) over all cells of two bool arrays of one shape; 1 where both are blank."""
    on = int(truth.sum()) + int(found.sum())
    return 2 * int((truth & found).sum()) / on if on else 1.0


def chroma_cosine(truth: np.ndarray, found: np.ndarray) -> float:
    """Mean over beats of the cosine between the chroma of two versions of phrases, 0 to 1.

    Beats silent in both are left out, beats silent in one count 0; 1 where all are silent in both.
    """
    a, b = (chroma(rolls).reshape(-1, PITCH_CLASSES).astype(float) for rolls in (truth, found))
    lengths = np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1)
    heard = (lengths[0] > 0) | (lengths[1] > 0)
    if not heard.any():
        return 1.0
    product = lengths[0] * lengths[1]
    cosines = np.divide((a * b).sum(axis=1), product, out=np.zeros(len(a)), where=product > 0)
    return float(cosines[heard].mean())


def melody_kept(truth: np.ndarray, found: np.ndarray) -> float:
    """Share of the top voice's cells in `truth` that are on in `found`; 1 where there is none."""
    line = top_voice(truth)
    return float((line & sounding(found)).sum() / line.sum()) if line.any() else 1.0


def compare(truth: np.ndarray, found: np.ndarray) -> dict[str, float]:
    """All of these figures for two versions of phrases, [N, 64, 84, C] bool each."""
    return {
        "cell_f1": f1(sounding(truth), sounding(found)),
        "onset_f1": f1(onsets(truth), onsets(found)),
        "chroma_cosine": chroma_cosine(truth, found),
        "melody_kept": melody_kept(truth, found),
    }
