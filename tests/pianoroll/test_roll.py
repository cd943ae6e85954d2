"""Piano rolls: the quantiser's rounding, laying notes on a roll, cutting it into phrases."""

import numpy as np
import pytest

from cyclegan_jax.pianoroll.roll import PHRASE_SHAPE, PITCHES, cut_padded, rasterise, to_steps, transpose


def roll_of(steps: int, cells: dict[int, list[int]]) -> np.ndarray:
    """[steps, 84] bool from MIDI pitch -> steps that sound."""
    roll = np.zeros((steps, 84), bool)
    for pitch, on in cells.items():
        roll[on, pitch - 24] = True
    return roll


def laid(notes: list[tuple[int, int, int]]) -> tuple[np.ndarray, int]:
    onsets, ends, pitches = np.array(notes, np.int64).reshape(-1, 3).T
    return rasterise(onsets, ends, pitches)


@pytest.mark.parametrize(
    "ticks_per_quarter, steps_of_ticks",
    [
        (480, {0: 0, 59: 0, 60: 1, 119: 1, 179: 1, 180: 2, 300: 3, 420: 4, 1920: 16}),
        (120, {14: 0, 15: 1, 44: 1, 45: 2, 74: 2, 75: 3}),
        (96, {11: 0, 12: 1, 35: 1, 36: 2, 59: 2, 60: 3, 95: 4}),
        (97, {12: 0, 13: 1, 36: 1, 37: 2, 60: 2, 61: 3, 970_012: 40_000, 970_013: 40_001}),
        (1, {1: 4, 3: 12}),
        (6, {1: 1, 2: 1, 3: 2, 4: 3, 5: 3}),
    ],
)
def test_ticks_go_to_the_nearest_sixteenth_and_halves_up(ticks_per_quarter, steps_of_ticks):
    ticks = np.array(list(steps_of_ticks))
    assert to_steps(ticks, ticks_per_quarter).tolist() == list(steps_of_ticks.values())


def test_late_ticks_of_32_bits_do_not_overflow():
    assert to_steps(np.array([300_000_000], np.int32), 480).tolist() == [2_500_000]


def test_notes_sound_from_onset_to_before_the_end_at_their_pitch():
    roll, dropped = laid([(0, 2, 24), (1, 4, 26), (3, 5, 107), (2, 3, 61)])
    expected = roll_of(5, {24: [0, 1], 26: [1, 2, 3], 107: [3, 4], 61: [2]})
    np.testing.assert_array_equal(roll, expected)
    assert (roll.dtype, dropped) == (np.bool_, 0)


@pytest.mark.parametrize(
    "notes, on",
    [
        ([(0, 6, 60), (1, 3, 60)], [0, 1, 2, 3, 4, 5]),
        ([(1, 3, 60), (2, 6, 60)], [1, 2, 3, 4, 5]),
        ([(0, 2, 60), (0, 2, 60), (4, 6, 60)], [0, 1, 4, 5]),
        ([(0, 2, 60), (2, 3, 60), (5, 6, 60)], [0, 1, 2, 5]),
        ([(5, 6, 60), (0, 4, 60), (1, 2, 60), (3, 4, 60)], [0, 1, 2, 3, 5]),
    ],
)
def test_notes_of_one_pitch_are_merged_by_or(notes, on):
    np.testing.assert_array_equal(laid(notes)[0], roll_of(6, {60: on}))


def test_many_notes_are_laid_as_one_by_one():
    random = np.random.default_rng(3)
    onsets, pitches = random.integers(300, size=2000), random.integers(128, size=2000)
    ends = onsets + random.integers(1, 40, size=2000)
    expected = np.zeros((int(ends.max()), 128), bool)
    for onset, end, pitch in zip(onsets, ends, pitches, strict=True):
        expected[onset:end, pitch] = True
    roll, dropped = rasterise(onsets, ends, pitches)
    np.testing.assert_array_equal(roll, expected[:, 24:108])
    assert dropped == sum(not 24 <= pitch < 108 for pitch in pitches.tolist())


def test_pitches_23_and_108_are_left_out_and_counted_and_their_ends_lengthen_the_roll():
    roll, dropped = laid([(0, 1, 23), (0, 2, 24), (1, 3, 107), (2, 7, 108), (0, 1, 0), (0, 1, 127)])
    np.testing.assert_array_equal(roll, roll_of(7, {24: [0, 1], 107: [1, 2]}))
    assert dropped == 4


def test_no_notes_are_an_empty_roll():
    roll, dropped = laid([])
    assert (roll.shape, roll.dtype, dropped) == ((0, PITCHES), np.bool_, 0)


@pytest.mark.parametrize("steps, count", [(0, 0), (1, 1), (64, 1), (65, 2), (130, 3)])
def test_cut_padded_keeps_everything_in_its_place(steps, count):
    roll = np.random.default_rng(steps).random((steps, 84)) < 0.1
    phrases = cut_padded(roll)
    assert phrases.shape == (count, *PHRASE_SHAPE)
    assert phrases.sum() == roll.sum()
    np.testing.assert_array_equal(phrases.reshape(-1, 84)[:steps], roll)


def test_cut_padded_fills_up_at_the_end():
    phrases = cut_padded(roll_of(66, {30: [64], 31: [65]}))
    assert [place.tolist() for place in np.nonzero(phrases)] == [[1, 1], [0, 1], [6, 7], [0, 0]]


def test_phrases_are_moved_up_and_down_and_what_leaves_the_range_is_lost():
    cells = {24: [0], 26: [1], 27: [2, 3], 60: [40], 104: [61], 105: [62], 107: [63]}
    phrases = np.stack([roll_of(64, cells), roll_of(64, {50: [7]})])[..., np.newaxis]
    up, down = transpose(phrases, 3), transpose(phrases, -3)
    np.testing.assert_array_equal(
        up[..., 0],
        [roll_of(64, {27: [0], 29: [1], 30: [2, 3], 63: [40], 107: [61]}), roll_of(64, {53: [7]})],
    )
    np.testing.assert_array_equal(
        down[..., 0],
        [roll_of(64, {24: [2, 3], 57: [40], 101: [61], 102: [62], 104: [63]}), roll_of(64, {47: [7]})],
    )
    np.testing.assert_array_equal(transpose(phrases, 0), phrases)
    assert {moved.dtype for moved in (up, down)} == {np.dtype(bool)}


@pytest.mark.parametrize("semitones, left", [(83, 1), (-83, 1), (84, 0), (-84, 0), (127, 0)])
def test_far_shifts_empty_the_roll(semitones, left):
    assert transpose(np.ones((2, *PHRASE_SHAPE), bool), semitones).sum() == 2 * 64 * left
