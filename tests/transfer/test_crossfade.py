"""Overlapping phrases: their places, their weights, and what is left of a seam."""

import numpy as np
import pytest

from cyclegan_jax.transfer.crossfade import transfer_bars, weights


def bars_of(count: int) -> np.ndarray:
    return np.random.default_rng(count).random((count, 16, 84, 2)) < 0.05


def unchanged(phrases: np.ndarray) -> np.ndarray:
    return phrases.astype(np.float32)


@pytest.mark.parametrize("overlap", [0, 1, 2, 3])
@pytest.mark.parametrize("count", [1, 2, 4, 5, 9])
def test_what_every_phrase_says_alike_comes_out_as_it_went_in(overlap, count):
    bars = bars_of(count)
    found = transfer_bars(bars, unchanged, overlap)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, bars, atol=1e-6)


@pytest.mark.parametrize(
    "overlap, count, starts",
    [(0, 9, [0, 4, 8]), (1, 9, [0, 3, 6]), (2, 9, [0, 2, 4, 6]), (3, 6, [0, 1, 2]), (2, 2, [0]), (3, 1, [0])],
)
def test_a_phrase_begins_every_four_bars_less_the_overlap(overlap, count, starts):
    seen = []

    def remember(phrases: np.ndarray) -> np.ndarray:
        assert phrases.shape[1:] == (64, 84, 2) and phrases.dtype == bool
        seen.extend(phrases[:, ::16, :, 0].argmax(axis=2).tolist())
        return unchanged(phrases)

    bars = np.zeros((count, 16, 84, 2), bool)
    bars[np.arange(count), 0, np.arange(count) + 1] = True  # each bar tells its number, from 1
    transfer_bars(bars, remember, overlap)
    padded = [*range(1, count + 1), 0, 0, 0, 0]
    assert seen == [padded[start : start + 4] for start in starts]


def test_phrases_are_cross_faded_in_equal_steps():
    """Two phrases over two shared bars, of which the first says 0 and the second 1."""

    def numbered(phrases: np.ndarray) -> np.ndarray:
        return np.broadcast_to(np.arange(len(phrases), dtype=np.float32)[:, None, None, None], phrases.shape)

    found = transfer_bars(bars_of(6), numbered, 2).reshape(96, 168)
    assert (found == found[:, :1]).all()
    np.testing.assert_array_equal(found[:32, 0], 0)
    np.testing.assert_allclose(found[32:64, 0], (np.arange(32) + 0.5) / 32, atol=1e-6)
    np.testing.assert_array_equal(found[64:, 0], 1)


@pytest.mark.parametrize("overlap", [1, 2, 3])
def test_weights_rise_and_fall_over_the_shared_bars(overlap):
    found = weights(overlap)
    shared = min(16 * overlap, 32)
    np.testing.assert_allclose(found[:shared], (np.arange(shared) + 0.5) / (16 * overlap))
    np.testing.assert_array_equal(found, found[::-1])
    assert (weights(0) == 1).all()
