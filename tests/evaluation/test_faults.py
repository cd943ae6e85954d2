"""Musical faults, on rolls whose every note is written down."""

import numpy as np
import pytest
from support.rolls_by_hand import rolls

from cyclegan_jax.evaluation.faults import (
    FAULTS,
    clashes,
    faults,
    held_notes,
    late_bass_onsets,
    major_scales,
    melody_onsets_kept,
    octave_leaps,
    outside_key,
    real,
    sixteenth_notes,
    transferred,
    wide_hands,
)

C = 0  # the row of the lowest C
BLANK = rolls(phrases=3)


def test_a_late_bass_is_one_sixteenth_behind_a_beat_and_lowest():
    late, early, on = (0, 1, 3, 5), (0, 7, 8, 6), (0, 8, 12, 4)
    above = (0, 9, 10, 40)  # late, but no bass
    assert late_bass_onsets(real(rolls(late, early, on, above))) == pytest.approx(1 / 3)


def test_sixteenth_notes_are_a_sixteenth_long_and_in_a_transfer_new():
    old, short, long = (0, 0, 1, 20), (1, 5, 6, 30), (1, 8, 12, 30)
    assert sixteenth_notes(real(rolls(old, short, long))) == pytest.approx(2 / 3)
    assert sixteenth_notes(transferred(rolls(old), rolls(old, short, long))) == 0.5


def test_a_hole_in_a_held_note_makes_a_new_one_behind_it():
    whole, holed = rolls((0, 0, 16, 20)), rolls((0, 0, 4, 20), (0, 5, 6, 20))
    assert sixteenth_notes(transferred(whole, holed)) == 1


def test_octaves_are_leapt_by_the_top_voice_up_and_down():
    tune = ((0, 0, 1, 40), (0, 1, 2, 52), (0, 2, 3, 40), (0, 3, 4, 47), (0, 3, 4, 35))
    assert octave_leaps(real(rolls(*tune))) == pytest.approx(2 / 3)


def test_a_clash_is_a_semitone_at_once():
    assert clashes(real(rolls((0, 0, 4, 40), (0, 2, 6, 41), (0, 8, 10, 43)))) == pytest.approx(2 / 8)


def test_the_key_is_the_major_scale_of_most_cells_and_of_the_origin():
    in_c = [(0, 2 * i, 2 * i + 2, C + 36 + n) for i, n in enumerate((0, 2, 4, 5, 7, 9, 11))]
    assert np.flatnonzero(major_scales(rolls(*in_c))[0]).tolist() == [0, 2, 4, 5, 7, 9, 11]
    sharp = (0, 32, 34, C + 6)
    assert outside_key(real(rolls(*in_c, sharp))) == pytest.approx(1 / 8)
    assert outside_key(transferred(rolls(*in_c), rolls(*in_c, sharp))) == 1
    higher = rolls(*((0, start, end, row + 1) for _, start, end, row in in_c))
    assert outside_key(real(higher)) == 0 < outside_key(transferred(rolls(*in_c), higher))


def test_held_notes_last_over_two_bars():
    assert held_notes(real(rolls((0, 0, 33, 20), (0, 0, 32, 30), (1, 0, 64, 20)))) == 1


def test_two_hands_play_a_ninth_each_and_no_more():
    tenth = ((0, 0, 1, 20), (0, 0, 1, 34), (0, 0, 1, 50), (0, 0, 1, 64))
    too_wide = ((0, 4, 5, 20), (0, 4, 5, 36), (0, 4, 5, 51))
    between = ((0, 8, 9, 20), (0, 8, 9, 40), (0, 8, 9, 60))
    assert wide_hands(real(rolls(*tenth))) == 0
    assert wide_hands(real(rolls(*tenth, *too_wide, *between))) == pytest.approx(2 / 3)


def test_each_rate_of_silence_is_zero():
    assert {name: rate(real(BLANK)) for name, rate in FAULTS.items()} == dict.fromkeys(FAULTS, 0)


def test_a_transfer_stands_beside_both_genres():
    origin, target = rolls((0, 0, 4, 40), (0, 0, 4, 41)), rolls((0, 0, 4, 40))
    found = faults(origin, rolls((0, 0, 4, 40), (0, 2, 4, 39)), target)
    assert set(found) == set(FAULTS)
    assert found["clashes"] == {"transfer": 0.5, "origin": 1, "target": 0}


def test_the_melody_is_kept_where_its_notes_begin():
    origin = rolls((0, 0, 4, 60), (0, 0, 4, 40), (0, 4, 8, 62), (1, 0, 2, 50))
    assert melody_onsets_kept(origin, origin) == 1
    found = rolls((0, 0, 1, 60), (0, 5, 8, 62), (0, 0, 4, 40))
    assert melody_onsets_kept(origin, found) == pytest.approx(1 / 3)
    below = rolls((0, 0, 4, 40), (0, 6, 8, 62))
    assert melody_onsets_kept(origin, rolls((0, 0, 4, 40)), below) == 1, (
        "the second begins nowhere in the origin"
    )
    assert melody_onsets_kept(origin, rolls((0, 4, 8, 62)), below) == 0
    assert melody_onsets_kept(BLANK, origin[:1].repeat(3, axis=0)) == 1
