"""How far notes lie from the grid, by onsets of known distance: 480 ticks a quarter note, 120 a step."""

import numpy as np
import pytest

from cyclegan_jax.pianoroll.microtiming import grid_deviation, grid_offset, has_beat

BEATS = 480 * np.arange(64)
SIXTEENTHS = 120 * np.arange(256)
SWUNG = np.concatenate([BEATS, BEATS + 320])
FREE = np.random.default_rng(0).integers(0, 480 * 64, 400)


def division(parts: int) -> np.ndarray:
    return np.concatenate([BEATS + 480 * part // parts for part in range(parts)])


@pytest.mark.parametrize(
    "onsets, steps",
    [
        (np.array([0, 12, 96, 180]), (0 + 0.1 + 0.2 + 0.5) / 4),
        (SIXTEENTHS, 0.0),
        (SIXTEENTHS + 30, 0.0),  # all alike late
        (SWUNG, 1 / 6),
        (division(3), 2 / 9),
        (np.zeros(0, np.int64), 0.0),
    ],
)
def test_the_mean_distance_from_the_grid_is_in_steps(onsets, steps):
    assert grid_deviation(onsets, 480) == pytest.approx(steps)


def test_the_clock_of_the_file_does_not_matter():
    assert grid_deviation(np.array([0, 5, 24, 44]), 96) == pytest.approx((5 + 4) / 24 / 4)


def test_free_playing_is_a_quarter_of_a_step_off():
    assert grid_deviation(FREE, 480) == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize("ticks, spread", [(10, 0), (-10, 0), (60, 0), (45, 4), (-59, 4), (20, 8)])
def test_an_offset_of_all_notes_is_found(ticks, spread):
    onsets = SIXTEENTHS + ticks + np.random.default_rng(1).integers(-spread, spread + 1, len(SIXTEENTHS))
    assert grid_offset(onsets, 480) == pytest.approx(ticks, abs=2)


@pytest.mark.parametrize("onsets", [SWUNG, SWUNG[20:], SWUNG[:100], division(3), FREE, SIXTEENTHS])
def test_swing_triplets_and_free_playing_are_no_offset(onsets):
    assert grid_offset(onsets, 480) == 0


@pytest.mark.parametrize(
    "onsets", [SIXTEENTHS, SIXTEENTHS + 45, SWUNG, division(3), division(6), division(8), BEATS[:1]]
)
def test_whatever_divides_the_beat_evenly_has_one(onsets):
    jitter = np.random.default_rng(2).integers(-5, 6, len(onsets))
    assert has_beat(onsets, 480) and has_beat(onsets + jitter, 480)


def test_free_playing_has_no_beat():
    assert not has_beat(FREE, 480)
    assert not has_beat(np.cumsum(np.random.default_rng(3).integers(40, 400, 300)), 384)
