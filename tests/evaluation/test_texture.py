"""Texture figures on phrases counted by hand."""

import numpy as np
import pytest
from support.rolls_by_hand import rolls

from cyclegan_jax.evaluation.texture import against, note_lengths, notes_a_phrase, polyphony, total_variation

SONG = rolls((0, 0, 4, 10), (0, 2, 4, 20), (0, 2, 4, 30), (1, 60, 64, 10), (1, 0, 64, 83))
BLANK = rolls()


def test_notes_are_counted_by_phrase():
    assert notes_a_phrase(SONG) == 2.5
    assert notes_a_phrase(BLANK) == 0


def test_polyphony_leaves_silence_out():
    assert polyphony(SONG) == pytest.approx((1 + 1 + 3 + 3 + 60 * 1 + 4 * 2) / (4 + 64))
    assert polyphony(BLANK) == 0


def test_lengths_go_up_to_a_whole_phrase():
    shares = note_lengths(SONG)
    assert {int(n): shares[n] for n in np.flatnonzero(shares)} == pytest.approx({2: 0.4, 4: 0.4, 64: 0.2})
    assert shares.shape == (65,) and note_lengths(BLANK).sum() == 0


def test_total_variation_is_half_the_difference():
    assert total_variation(np.array([0.5, 0.5, 0]), np.array([0, 0.5, 0.5])) == 0.5
    assert total_variation(np.array([1.0, 0]), np.array([0, 1.0])) == 1


def test_against_itself_all_is_as_real():
    assert against(SONG, SONG) == {"blank_share": 0, "notes_ratio": 1, "polyphony": 1, "note_lengths": 0}


def test_against_real_phrases_of_another_texture():
    figures = against(rolls((0, 0, 2, 5)), SONG)
    assert figures["blank_share"] == 0.5
    assert figures["notes_ratio"] == pytest.approx(0.5 / 2.5)
    assert figures["polyphony"] == pytest.approx(1 / polyphony(SONG))
    assert figures["note_lengths"] == pytest.approx(0.6)
