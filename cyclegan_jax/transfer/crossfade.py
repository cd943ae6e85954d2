"""Phrases that overlap, and the cross-fade of their note probabilities, so that no seam is heard."""

from collections.abc import Callable

import numpy as np

from cyclegan_jax.pianoroll.roll import BARS_PER_PHRASE, PHRASE_STEPS, STEPS_PER_BAR

# Phrases [N, 64, 84, 2] bool -> note probabilities [N, 64, 84, C], by the channels of the model.
Network = Callable[[np.ndarray], np.ndarray]


def transfer_bars(bars: np.ndarray, network: Network, overlap: int) -> np.ndarray:
    """Note probabilities of adjoining bars, [B, 16, 84, 2] bool -> [B, 16, 84, C] float32.

    A phrase of four bars begins every 4 - `overlap` bars (`overlap` 0 to 3); the last phrase is filled up
    with silence. Where phrases overlap, each counts by `weights`.
    """
    hop = BARS_PER_PHRASE - overlap
    starts = np.arange(0, max(len(bars) - overlap, 1), hop)
    count = starts[-1] + BARS_PER_PHRASE
    padded = np.zeros((count, *bars.shape[1:]), np.bool_)
    padded[: len(bars)] = bars
    phrases = padded[starts[:, None] + np.arange(BARS_PER_PHRASE)]
    generated = network(phrases.reshape(-1, PHRASE_STEPS, *bars.shape[2:]))
    generated = generated.reshape(-1, BARS_PER_PHRASE, STEPS_PER_BAR, *generated.shape[2:])
    weight = weights(overlap).reshape(BARS_PER_PHRASE, STEPS_PER_BAR, 1, 1)
    total = np.zeros((count, *generated.shape[2:]), np.float32)
    weight_there = np.zeros((count, STEPS_PER_BAR, 1, 1), np.float32)
    for start, phrase in zip(starts, generated, strict=True):
        total[start : start + BARS_PER_PHRASE] += weight * phrase
        weight_there[start : start + BARS_PER_PHRASE] += weight
    return (total / weight_there)[: len(bars)]


def weights(overlap: int) -> np.ndarray:
    """[64] how much a phrase counts in each step: over the bars that it shares, less towards its ends."""
    steps = np.arange(PHRASE_STEPS) + 0.5
    nearest_end = np.minimum(steps, PHRASE_STEPS - steps)
    shared = overlap * STEPS_PER_BAR
    return np.minimum(1.0, nearest_end / max(shared, 0.5)).astype(np.float32)
