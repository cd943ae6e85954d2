"""Preservation figures on rolls whose right answer is known: identical, disjoint, transposed, cut, blank."""

import numpy as np
import pytest
from support.rolls_by_hand import rolls

from cyclegan_jax.evaluation.preservation import chroma_cosine, compare, f1, melody_kept
from cyclegan_jax.pianoroll.features import chroma, melodic_intervals, notes_by_phrase, onsets, top_voice

SONG = rolls((0, 0, 8, 24), (0, 0, 4, 40), (0, 4, 6, 43), (1, 60, 64, 31), (1, 10, 14, 83), (1, 14, 15, 0))
BLANK = rolls()


def test_identical_phrases_have_all_figures_1():
    assert list(compare(SONG, SONG).values()) == pytest.approx([1, 1, 1, 1])


def test_disjoint_phrases_have_all_figures_0():
    moved = np.roll(SONG, 32, axis=1)
    assert compare(SONG, moved) == {"cell_f1": 0, "onset_f1": 0, "chroma_cosine": 0, "melody_kept": 0}


def test_blank_against_music_is_0_and_against_blank_is_1():
    assert set(compare(SONG, BLANK).values()) == set(compare(BLANK, SONG).values()) - {1.0} == {0.0}
    assert compare(BLANK, SONG)["melody_kept"] == 1, "there was none to keep"
    assert set(compare(BLANK, BLANK).values()) == {1.0}


def test_an_octave_up_keeps_the_chroma_and_a_semitone_up_does_not():
    low = rolls((0, 0, 8, 24), (0, 0, 8, 28), (0, 8, 16, 31))
    octave = rolls((0, 0, 8, 36), (0, 0, 8, 40), (0, 8, 16, 43))
    assert chroma_cosine(low, octave) == pytest.approx(1)
    assert f1(low, octave) == 0
    assert chroma_cosine(low, np.roll(low, 1, axis=2)) == 0


def test_onsets_are_where_notes_begin_and_the_first_step_counts():
    cells = onsets(rolls((0, 0, 3, 5), (0, 3, 4, 6), (1, 7, 9, 5), (1, 10, 11, 5)))
    assert np.argwhere(cells)[:, :3].tolist() == [[0, 0, 5], [0, 3, 6], [1, 7, 5], [1, 10, 5]]


def test_lengths_are_of_whole_notes_by_phrase_and_end_with_the_phrase():
    notes = notes_by_phrase(rolls((0, 0, 3, 5), (0, 3, 4, 6), (1, 0, 64, 9), (1, 62, 64, 7)))
    rows = sorted(zip(*(column.tolist() for column in notes), strict=True))
    assert rows == [(0, 0, 5, 3), (0, 3, 6, 1), (1, 0, 9, 64), (1, 62, 7, 2)]
    assert notes_by_phrase(BLANK).lengths.tolist() == []


def test_melodic_intervals_are_of_the_top_voice_and_within_a_phrase():
    notes = ((0, 0, 4, 40), (0, 0, 4, 20), (0, 4, 6, 43), (0, 6, 8, 31), (1, 0, 64, 50), (1, 8, 9, 49))
    numbers, intervals = melodic_intervals(rolls(*notes))
    assert (numbers.tolist(), intervals.tolist()) == ([0, 0], [3, -12])


def test_a_note_split_in_two_keeps_its_cells_and_half_of_its_onsets():
    whole, split = rolls((0, 0, 9, 20)), rolls((0, 0, 4, 20), (0, 5, 9, 20))
    figures = compare(whole, split)
    assert figures["cell_f1"] == pytest.approx(16 / 17)
    assert figures["onset_f1"] == pytest.approx(2 / 3)
    assert figures["chroma_cosine"] == 1
    assert figures["melody_kept"] == pytest.approx(8 / 9)


def test_chroma_counts_cells_by_beat_and_pitch_class():
    found = chroma(rolls((0, 2, 6, 0), (0, 4, 8, 12), (0, 4, 5, 83), (1, 63, 64, 14)))
    assert found.shape == (2, 16, 12)
    assert {tuple(at): found[tuple(at)] for at in np.argwhere(found)} == {
        (0, 0, 0): 2,
        (0, 1, 0): 6,
        (0, 1, 11): 1,
        (1, 15, 2): 1,
    }


def test_beats_silent_in_both_are_left_out_and_beats_silent_in_one_count_0():
    truth = rolls((0, 0, 4, 24), (0, 8, 12, 24), (0, 8, 12, 28))
    found = rolls((0, 0, 4, 24), (0, 4, 8, 24), (0, 8, 12, 24))
    assert chroma_cosine(truth, found) == pytest.approx((1 + 0 + np.sqrt(0.5)) / 3)


def test_the_melody_is_the_top_voice_wherever_it_is_kept():
    line = top_voice(rolls((0, 0, 4, 10), (0, 2, 4, 50), (0, 6, 7, 3)))
    assert np.argwhere(line)[:, 1:3].tolist() == [[0, 10], [1, 10], [2, 50], [3, 50], [6, 3]]
    covered = rolls((0, 0, 4, 10), (0, 0, 4, 60), (0, 2, 3, 50))
    assert melody_kept(rolls((0, 0, 4, 10), (0, 2, 4, 50), (0, 6, 7, 3)), covered) == pytest.approx(3 / 5)
