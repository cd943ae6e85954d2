"""When new notes begin, by songs played in known ways: 480 ticks a quarter note, 120 a step."""

import numpy as np
import pytest

from cyclegan_jax.midi.played_notes import PlayedNotes
from cyclegan_jax.midi.reader import Tempo
from cyclegan_jax.transfer.timing import Timing

BEATS = 480 * np.arange(16)
FREE = np.sort(np.random.default_rng(0).integers(0, 480 * 64, 300))


def played(onsets: np.ndarray, drums: np.ndarray | None = None) -> PlayedNotes:
    zeros, places = np.zeros(len(onsets), np.int64), np.arange(len(onsets))
    return PlayedNotes(
        onsets, onsets + 100, zeros + 60, zeros + 80, zeros, zeros, 2 * places, 2 * places + 1, zeros,
        zeros > 0 if drums is None else drums,
    )  # fmt: skip


def beats_and(*ticks: int) -> np.ndarray:
    """A note on each beat, and so many ticks behind it."""
    return np.concatenate([BEATS, *(BEATS + late for late in ticks)])


def begins(onsets: np.ndarray, steps: list[int], stays: list[int] | None = None, **how) -> list[int]:
    """The ticks of new notes at steps, where of the song those notes stay, or all."""
    kept = np.ones(len(onsets), bool) if stays is None else np.isin(np.arange(len(onsets)), stays)
    return Timing(played(onsets), 480, **how).onsets(np.array(steps), kept).tolist()


BEHIND = 16 * 4  # a step behind the last note


@pytest.mark.parametrize(
    "onsets, ticks",
    [
        (beats_and(240), [0, 120, 240, 360]),  # straight
        (beats_and(320), [0, 120, 320, 320]),  # swung as triplets: nothing is at the straight off-beat
        (beats_and(160, 320), [0, 160, 320, 320]),  # triplets
        (beats_and(288), [0, 120, 288, 288]),  # swung less
        (beats_and(240, 320), [0, 120, 240, 320]),  # both straight and swung
        (beats_and(264), [0, 120, 264, 360]),  # swung so little that the next sixteenth is another place
        (beats_and(120, 240, 360), [0, 120, 240, 360]),
        (beats_and() + 30, [30, 150, 270, 390]),  # all late
        (beats_and(320) + 9, [9, 120, 329, 329]),
        (beats_and(*range(70, 170, 7)), [0, 120, 240, 360]),  # notes at that place have no usual time
    ],
)
def test_where_no_note_is_new_ones_begin_as_others_at_that_place_of_the_beat(onsets, ticks):
    found = begins(onsets, [BEHIND + place for place in range(4)])
    assert found == [480 * 16 + tick for tick in ticks]


def test_a_place_that_is_hardly_played_says_nothing():
    seldom = np.concatenate([np.tile(BEATS, 8), BEATS[:6] + 320])
    assert begins(seldom, [BEHIND + 2, BEHIND + 3]) == [480 * 16 + 240, 480 * 16 + 360]
    few = np.concatenate([BEATS, BEATS[:3] + 320])
    assert begins(few, [BEHIND + 2, BEHIND + 3]) == [480 * 16 + 240, 480 * 16 + 360]


def test_new_notes_begin_with_the_nearest_note_of_their_step():
    onsets = np.append(BEATS, [500, 130, 600, 301])
    assert begins(onsets, [4, 1, 5, 3, 2]) == [480, 130, 600, 301, 240]
    assert begins(np.append(BEATS[1:], [12, 25, 110]), [0, 1]) == [12, 110]


def test_of_the_notes_of_a_step_one_that_stays_counts():
    onsets = np.append(BEATS[2:], [485, 520])
    assert begins(onsets, [4]) == [485]
    assert begins(onsets, [4], stays=[15]) == [520]
    assert begins(onsets, [4], stays=[0]) == [485]


def test_drums_and_notes_of_no_length_are_no_model():
    onsets = np.append(BEATS, [135, 130])
    drums = np.arange(len(onsets)) == 16
    notes = played(onsets, drums)
    notes.ends[17] = 130
    assert Timing(notes, 480).onsets(np.array([1]), np.ones(18, bool)).tolist() == [120]


def test_the_grid_is_as_late_as_the_song():
    for late in (-40, 40):
        onsets = beats_and(240)[1:] + late
        timing = Timing(played(onsets), 480)
        assert timing.first_steps.tolist() == Timing(played(onsets - late), 480).first_steps.tolist()
        assert timing.end_steps.tolist() == Timing(played(onsets - late), 480).end_steps.tolist()
        assert timing.usual(np.array([0, 7])).tolist() == [max(late, 0), 7 * 120 + late]


def test_without_a_beat_no_new_note_begins_almost_with_one_that_stays():
    timing = Timing(played(FREE), 480)
    stays = np.arange(300) % 3 > 0
    found = timing.onsets(np.arange(256), stays)
    distances = np.abs(found[:, None] - FREE[stays]).min(axis=1)
    assert not timing.has_beat and (distances[distances > 0] > 0.08 * 960).all()
    assert (distances > 0).any() and (distances == 0).sum() > 100
    assert np.abs(found - 120 * np.arange(256)).max() <= 60 + 77


def test_80_milliseconds_are_more_ticks_in_faster_music():
    tempos = Tempo(0, 60.0), Tempo(480 * 32, 240.0)
    timing = Timing(played(FREE), 480, tempos)
    found = timing.onsets(np.arange(256), np.ones(300, bool))
    distances = np.abs(found[:, None] - FREE).min(axis=1)
    off = distances[distances > 0], found[distances > 0]
    assert (off[0][off[1] < 480 * 32] > 0.08 * 480).all() and off[0][off[1] < 480 * 32].min() < 0.08 * 960
    assert (off[0][off[1] >= 480 * 32] > 0.08 * 1920).all()


def test_a_beat_lets_notes_follow_each_other_as_fast_as_they_do():
    assert begins(BEATS, [1, 3], tempos=(Tempo(0, 600.0),)) == [120, 360]


def test_an_absurd_tempo_does_not_gather_all_new_notes():
    found = begins(FREE[:150], list(range(256)), tempos=(Tempo(0, 6e7),))
    assert np.abs(np.array(found) - 120 * np.arange(256)).max() <= 60 + 240
