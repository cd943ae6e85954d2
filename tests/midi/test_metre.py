"""Where bars lie, in every kind of metre, and how they go to the networks' bars of 16 steps and back."""

import numpy as np
import pytest

from cyclegan_jax.midi.metre import NO_SIGNATURE, UPBEAT, lay, lay_bars, put_back, shares, stretches_of
from cyclegan_jax.midi.reader import Score
from cyclegan_jax.midi.refusals import Refusal, RefusedSongError

NOTHING = np.zeros(0, np.int64)
BEAT = 480


def score_of(*signatures: tuple[float, int, int], ticks_per_quarter: int = BEAT) -> Score:
    """A score with signatures (beat, above, below)."""
    told = tuple((round(beat * ticks_per_quarter), above, below) for beat, above, below in signatures)
    return Score(ticks_per_quarter, NOTHING, NOTHING, NOTHING, NOTHING, told, ())


def runs_of(steps: int, *signatures: tuple[float, int, int]) -> list[list[tuple[int, int]]]:
    runs = lay_bars(score_of(*signatures), steps, any_metre=True).runs
    return [[tuple(bar) for bar in run.tolist()] for run in runs]


def bars(length: int, count: int, start: int = 0) -> list[tuple[int, int]]:
    return [(start + length * i, start + length * (i + 1)) for i in range(count)]


def test_common_time_has_bars_of_16_steps_the_last_cut_off():
    runs, remarks = lay_bars(score_of((0, 4, 4)), 70, any_metre=False)
    assert [run.tolist() for run in runs] == [[[0, 16], [16, 32], [32, 48], [48, 64], [64, 70]]]
    assert remarks == ()


def test_a_song_that_tells_no_metre_is_taken_as_common_time_and_says_so():
    runs, remarks = lay_bars(score_of(), 32, any_metre=False)
    assert [run.tolist() for run in runs] == [[[0, 16], [16, 32]]]
    assert remarks == (NO_SIGNATURE,) and "4/4" in NO_SIGNATURE


@pytest.mark.parametrize(
    "above, below, length",
    [
        (3, 4, 12),
        (6, 8, 12),
        (2, 4, 16),
        (2, 2, 16),
        (3, 8, 12),
        (1, 4, 16),
        (5, 4, 10),
        (12, 8, 12),
        (7, 8, 14),
    ],
)
def test_bars_of_another_metre_are_laid_whole_in_twos_or_in_parts(above, below, length):
    assert runs_of(length * 4, (0, above, below)) == [bars(length, 4)]


def test_bars_that_are_no_whole_steps_keep_in_time():
    (run,) = runs_of(100, (0, 9, 32))  # 4.5 steps, three to a bar of ours
    assert run[:4] == [(0, 14), (14, 27), (27, 40), (40, 54)] and run[-1][1] == 100


def test_a_metre_told_late_holds_from_the_start_and_its_bars_begin_where_it_is_told():
    assert runs_of(40, (2, 4, 4)) == [[(0, 8), (8, 24), (24, 40)]]


def test_a_metre_told_again_on_a_bar_line_or_off_it_leaves_the_bars_adjoining():
    assert runs_of(48, (0, 4, 4), (8, 4, 4)) == [bars(16, 3)]
    assert runs_of(48, (0, 4, 4), (5, 4, 4)) == [[(0, 16), (16, 20), (20, 36), (36, 48)]]


def test_of_several_at_one_place_the_last_counts():
    assert runs_of(32, (0, 3, 4), (0, 4, 4)) == [bars(16, 2)]


def test_where_common_time_comes_and_goes_only_its_stretches_have_bars():
    signatures = (0, 4, 4), (8, 3, 4), (14, 4, 4), (22, 3, 4)
    assert runs_of(112, *signatures) == [bars(16, 2), bars(16, 2, 56)]
    assert lay_bars(score_of(*signatures), 112, any_metre=True).remarks == (
        "only what is in 4/4 transferred, the rest copied",
    )


def test_without_common_time_it_is_the_metre_of_most_of_the_song_not_of_its_upbeat():
    assert runs_of(52, (0, 1, 4), (1, 3, 4)) == [bars(12, 4, 4)]


def test_two_signatures_within_a_step_leave_the_bars_adjoining():
    runs, remarks = lay_bars(score_of((0, 4, 4), (8, 4, 4), (8 + 1 / 480, 4, 4)), 64, any_metre=False)
    assert [run.tolist() for run in runs] == [[list(bar) for bar in bars(16, 4)]] and remarks == ()


def test_bars_of_2_2_are_bars_of_4_4():
    assert lay_bars(score_of((0, 2, 2)), 64, any_metre=False).remarks == ()
    runs, remarks = lay_bars(score_of((0, 4, 4), (4, 2, 2)), 64, any_metre=False)
    assert [run.tolist() for run in runs] == [[[0, 16], [16, 32], [32, 48], [48, 64]]] and remarks == ()
    mixed = score_of((0, 2, 2), (8, 3, 4), (11, 4, 4))
    assert lay_bars(mixed, 64, any_metre=True).remarks == (
        "only what is in 2/2 and 4/4 transferred, the rest copied",
    )


@pytest.mark.parametrize("upbeat, steps", [((1, 4), 4), ((2, 4), 8), ((3, 4), 12), ((1, 8), 2)])
def test_an_upbeat_is_no_other_metre_and_lies_before_the_first_bar(upbeat, steps):
    score = score_of((0, *upbeat), (steps / 4, 4, 4))
    runs, remarks = lay_bars(score, steps + 32, any_metre=False)
    assert [run.tolist() for run in runs] == [[[steps, steps + 16], [steps + 16, steps + 32]]]
    assert remarks == (UPBEAT,)


def test_a_short_last_bar_is_no_other_metre():
    score = score_of((0, 1, 4), (1, 4, 4), (9, 3, 4))
    runs, remarks = lay_bars(score, 48, any_metre=False)
    assert [run.tolist() for run in runs] == [[[4, 20], [20, 36], [36, 48]]]
    assert remarks == (UPBEAT,)


@pytest.mark.parametrize("signatures", [((0, 4, 4), (8, 3, 4)), ((0, 4, 4), (6, 2, 4), (8, 3, 4))])
def test_a_last_part_of_several_bars_or_off_the_bar_line_is_another_metre(signatures):
    with pytest.raises(RefusedSongError):
        lay_bars(score_of(*signatures), 56 if len(signatures) == 2 else 44, any_metre=False)


TICK = 1 / 480  # beats
SHORT = 119 / 480  # a sixteenth note has 120


@pytest.mark.parametrize("beats", [TICK, SHORT])
def test_a_metre_of_less_than_a_sixteenth_is_none_at_the_start_within_or_at_the_end(beats):
    at_the_start = score_of((0, 1, 64), (beats, 4, 4))
    assert stretches_of(at_the_start, 64) == stretches_of(score_of((beats, 4, 4)), 64)
    assert lay_bars(at_the_start, 64, any_metre=False).remarks == ()
    within = score_of((0, 4, 4), (8, 3, 4), (8 + beats, 4, 4))
    assert lay_bars(within, 64, any_metre=False).remarks == ()
    at_the_end = score_of((0, 4, 4), (16 - beats, 3, 4))
    assert lay_bars(at_the_end, 64, any_metre=False).remarks == ()
    several = score_of((0, 3, 4), (8, 5, 4), (8 + beats, 6, 8), (8 + 2 * beats, 3, 4))
    assert lay_bars(several, 96, any_metre=True).runs[0][0].tolist() == [0, 12]
    assert shares(stretches_of(several, 96)) == "3/4 throughout"


def test_a_metre_of_a_sixteenth_before_common_time_is_an_upbeat():
    assert lay_bars(score_of((0, 1, 16), (1 / 4, 4, 4)), 64, any_metre=False).remarks == (UPBEAT,)


def test_the_one_metre_of_a_song_counts_wherever_it_is_told():
    for beat in (0, 15.9, 16, 20):
        assert shares(stretches_of(score_of((beat, 3, 4)), 64)) == "3/4 throughout"


def test_a_whole_bar_of_another_metre_is_no_upbeat():
    with pytest.raises(RefusedSongError):
        lay_bars(score_of((0, 5, 4), (5, 4, 4)), 84, any_metre=False)
    with pytest.raises(RefusedSongError):
        lay_bars(score_of((0, 1, 4), (1, 3, 4), (7, 4, 4)), 84, any_metre=False)


@pytest.mark.parametrize(
    "signatures, words",
    [
        ([(0, 3, 4)], ["3/4 throughout", "--any_metre lays its bars on the model's 4/4"]),
        ([(0, 4, 4), (8, 3, 4)], ["3/4 for 71 %, 4/4 for 29 %", "what is in 4/4 and", "copies the rest"]),
        ([(0, 1, 4), (1, 6, 8)], ["6/8 for 96 %, 1/4 for 4 %", "what is in 6/8"]),
        ([(0, 1, 4), (4, 4, 4)], ["4/4 for 86 %, 1/4 for 14 %"]),
    ],
)
def test_another_metre_is_refused_with_what_the_flag_would_do(signatures, words):
    with pytest.raises(RefusedSongError) as refused:
        lay_bars(score_of(*signatures), 112, any_metre=False)
    assert refused.value.reason is Refusal.OTHER_METRE
    for word in words:
        assert word in refused.value.detail


@pytest.mark.parametrize("above, below", [(0, 4), (1, 2**200), (1, 64)])
def test_a_metre_without_a_sixteenth_note_is_refused_all_the_same(above, below):
    with pytest.raises(RefusedSongError, match="hold no sixteenth note"):
        lay_bars(score_of((0, above, below)), 64, any_metre=True)


def test_a_change_after_the_end_of_the_song_is_no_change():
    runs, remarks = lay_bars(score_of((0, 4, 4), (16, 3, 4)), 64, any_metre=False)
    assert len(runs) == 1 and remarks == ()


def test_bars_go_to_their_places_and_back_and_what_lies_in_none_is_left():
    cells = np.random.default_rng(0).random((40, 84))
    run = np.array([[4, 16], [16, 32]])
    laid = lay(cells, run)
    np.testing.assert_array_equal(laid[0], np.concatenate([cells[4:16], np.zeros((4, 84))]))
    np.testing.assert_array_equal(laid[1], cells[16:32])
    back = np.full((40, 84), -1.0)
    put_back(laid, run, back)
    np.testing.assert_array_equal(back[4:32], cells[4:32])
    assert (back[:4] == -1).all() and (back[32:] == -1).all()
