"""Songs: MIDI files as whole rolls."""

import math
from pathlib import Path

import numpy as np
import pretty_midi
import pytest
from support.midi_files import write_midi_file

from cyclegan_jax.midi.io import write_midi
from cyclegan_jax.midi.refusals import Refusal, RefusedSongError
from cyclegan_jax.midi.song import read_song

TICKS_PER_QUARTER = (480, 96, 120, 97)
PHRASE = [(0, 7680, 60)]


def on_steps(roll: np.ndarray, pitch: int) -> list[int]:
    return np.flatnonzero(roll[:, pitch - 24]).tolist()


def expected_roll(steps: int, cells: dict[int, list[int]]) -> np.ndarray:
    roll = np.zeros((steps, 84), bool)
    for pitch, on in cells.items():
        roll[on, pitch - 24] = True
    return roll


def refusal_of(source) -> Refusal:
    with pytest.raises(RefusedSongError) as refused:
        read_song(source)
    return refused.value.reason


@pytest.mark.parametrize("ticks_per_quarter", TICKS_PER_QUARTER)
@pytest.mark.parametrize("parsed", [False, True], ids=["path", "PrettyMIDI"])
def test_a_file_becomes_the_roll_written_by_hand(tmp_path, ticks_per_quarter, parsed):
    # Onset and end in sixteenths, and pitch.
    sixteenths = [(0, 2, 24), (2, 5, 30), (2.25, 2.375, 64), (3, 4, 107), (5.75, 6.75, 61), (1, 7, 108)]
    notes = [
        (round(onset * ticks_per_quarter / 4), round(end * ticks_per_quarter / 4), pitch)
        for onset, end, pitch in sixteenths
    ]
    path = write_midi_file(
        tmp_path / "a.mid", notes, ticks_per_quarter=ticks_per_quarter, drums=[(0, 9999, 38)]
    )
    song = read_song(pretty_midi.PrettyMIDI(str(path)) if parsed else path)
    expected = expected_roll(7, {24: [0, 1], 30: [2, 3, 4], 64: [2], 107: [3], 61: [6]})
    np.testing.assert_array_equal(song.roll, expected)
    assert (song.roll.dtype, song.dropped) == (np.bool_, 1)


@pytest.mark.parametrize(
    "ticks_per_quarter, onset, end, on",
    [
        (480, 59, 179, [0]),
        (480, 60, 180, [1]),
        (480, 59, 180, [0, 1]),
        (480, 60, 300, [1, 2]),
        (480, 0, 1, [0]),
        (480, 61, 62, [1]),
        (480, 179, 180, [1]),
        (480, 59, 60, [0]),
        (97, 12, 36, [0]),
        (97, 13, 37, [1]),
        (96, 12, 60, [1, 2]),
        (120, 15, 45, [1]),
    ],
)
def test_onset_and_end_are_rounded_alike_and_a_note_lasts_a_step(tmp_path, ticks_per_quarter, onset, end, on):
    notes = [(onset, end, 60), (0, 4 * ticks_per_quarter, 30)]
    path = write_midi_file(tmp_path / "a.mid", notes, ticks_per_quarter=ticks_per_quarter)
    assert on_steps(read_song(path).roll, 60) == on


def test_a_short_note_at_the_very_end_lengthens_the_song_by_its_step(tmp_path):
    song = read_song(write_midi_file(tmp_path / "a.mid", [(0, 480, 60), (480, 490, 62)]))
    np.testing.assert_array_equal(song.roll, expected_roll(5, {60: [0, 1, 2, 3], 62: [4]}))


def test_overlapping_notes_of_one_pitch_sound_to_the_first_end(tmp_path):
    song = read_song(write_midi_file(tmp_path / "a.mid", [(0, 480, 60), (240, 1440, 60), (1560, 1680, 60)]))
    np.testing.assert_array_equal(song.roll, expected_roll(14, {60: [*range(4), 13]}))


@pytest.mark.parametrize("outside", [23, 108, 0, 127])
def test_the_song_ends_with_its_last_pitched_note_even_outside_the_range(tmp_path, outside):
    notes = [(0, 480, 24), (0, 240, 107), (960, 1920, outside)]
    song = read_song(write_midi_file(tmp_path / "a.mid", notes, drums=[(0, 9600, 36)]))
    np.testing.assert_array_equal(song.roll, expected_roll(16, {24: [0, 1, 2, 3], 107: [0, 1]}))
    assert song.dropped == 1


def test_tempo_changes_do_not_move_the_roll_and_are_kept_in_steps(tmp_path):
    notes = [(0, 480, 60), (700, 1900, 71), (1920, 2400, 50)]
    steady = read_song(write_midi_file(tmp_path / "a.mid", notes))
    tempos = ((0, 60.0), (300, 171.0), (1000, 33.0))
    path = write_midi_file(tmp_path / "b.mid", notes, tempos=tempos)
    for source in (path, pretty_midi.PrettyMIDI(str(path))):
        changing = read_song(source)
        np.testing.assert_array_equal(changing.roll, steady.roll)
        in_steps = np.array([(0, 60.0), (2.5, 171.0), (1000 / 120, 33.0)])
        assert np.array(changing.tempos) == pytest.approx(in_steps, rel=1e-5)
        assert changing.tempo == pytest.approx(60.0)


@pytest.mark.parametrize(
    "tempos, expected",
    [
        ((), [(0, 120.0)]),
        (((960, 90.0),), [(0, 120.0), (8, 90.0)]),
        (((0, 90.0),), [(0, 90.0)]),
        (((0, math.inf), (960, 90.0)), [(0, 120.0), (8, 90.0)]),
        (((0, 60.0), (0, 90.0), (480, 50.0), (480, 70.0)), [(0, 90.0), (4, 70.0)]),
    ],
)
def test_120_beats_a_minute_where_no_tempo_is_named_and_the_last_of_several_at_a_tick(
    tmp_path, tempos, expected
):
    song = read_song(write_midi_file(tmp_path / "a.mid", PHRASE, tempos=tempos))
    assert np.array(song.tempos) == pytest.approx(np.array(expected), rel=1e-5)


def test_unreadable_noteless_and_endless_files_are_refused(tmp_path):
    (tmp_path / "torn.mid").write_bytes(write_midi_file(tmp_path / "a.mid", PHRASE).read_bytes()[:60])
    assert refusal_of(tmp_path / "torn.mid") is Refusal.DAMAGED
    assert refusal_of(tmp_path / "absent.mid") is Refusal.UNREADABLE
    longest = write_midi_file(tmp_path / "longest.mid", [*PHRASE, (0, 4096 * 1920, 20)])
    assert len(read_song(longest).roll) == 4096 * 16
    longer = write_midi_file(tmp_path / "longer.mid", [*PHRASE, (0, 4096 * 1920 + 1, 20)])
    assert refusal_of(longer) is Refusal.TOO_LONG
    drums_in_3_4 = write_midi_file(tmp_path / "b.mid", [], drums=[(0, 9999, 36)], signatures=((0, 3, 4),))
    assert refusal_of(drums_in_3_4) is Refusal.NO_NOTES


@pytest.mark.parametrize("density", [0.02, 0.5])
def test_roll_to_file_to_roll_is_the_identity(tmp_path: Path, density):
    roll = np.random.default_rng(7).random((200, 84)) < density
    roll[-1, 3] = True
    song = read_song(write_midi_file(tmp_path / "a.mid", PHRASE, tempos=((0, 77.0),)))
    write_midi(tmp_path / "b.mid", roll, song.tempos)
    back = read_song(tmp_path / "b.mid")
    np.testing.assert_array_equal(back.roll, roll)
    assert back.tempo == pytest.approx(song.tempo) and back.dropped == 0
