"""A solo's two files, written by hand, as the MIDI file of a band: bars, upbeats, lead-ins, bad files."""

import pytest
import symusic
from support.jazz_solos import Played, write_solo

from cyclegan_jax.datasets.genre_rolls.jazz_band.band import band_midi
from cyclegan_jax.midi.dataset_song import filter_song
from cyclegan_jax.midi.reader import parse_midi
from cyclegan_jax.midi.refusals import Refusal, RefusedSongError

BEAT = 480
NOTES = [Played(1, 1, 60), Played(2, 3, 62, tatum=2, division=2), Played(8, 4, 64)]
CHORDS = ["Cj7"] * 16 + ["F7"] * 16


def band(paths) -> symusic.Score:
    return symusic.Score.from_midi(band_midi(*paths))


def track(score, name):
    return sorted(
        (note.time, note.pitch) for part in score.tracks if part.name == name for note in part.notes
    )


def signatures(score):
    return [(mark.time, mark.numerator, mark.denominator) for mark in score.time_signatures]


def test_a_quartet_of_four_tracks(tmp_path):
    score = band(write_solo(tmp_path, NOTES, CHORDS, bass=range(30, 62)))
    assert [(part.name, part.program, part.is_drum) for part in score.tracks] == [
        ("Solo", 66, False),
        ("Bass", 32, False),
        ("Piano", 0, False),
        ("Drums", 0, True),
    ]
    assert signatures(score) == [(0, 4, 4)]
    assert [mark.qpm for mark in score.tempos] == [120]
    assert track(score, "Solo") == [(0, 60), (6 * BEAT + 240, 62), (31 * BEAT, 64)]
    assert track(score, "Bass") == [(BEAT * beat, 30 + beat) for beat in range(32)]


def test_the_drums_ride_on_every_beat_and_close_the_hat_on_two_and_four(tmp_path):
    hits = set(track(band(write_solo(tmp_path, NOTES, CHORDS)), "Drums"))
    assert {tick for tick, key in hits if key == 44} == {beat * BEAT for beat in range(1, 32, 2)}
    ride = {tick for tick, key in hits if key == 51}
    assert {beat * BEAT for beat in range(32)} <= ride
    assert {tick % BEAT for tick in ride} == {0, 320}


def test_a_solo_that_begins_in_a_broken_bar_has_an_upbeat(tmp_path):
    chords = ["NC"] * 2 + CHORDS
    score = band(write_solo(tmp_path, [Played(0, 4, 59), *NOTES], chords, first=(0, 3)))
    assert signatures(score) == [(0, 2, 4), (2 * BEAT, 4, 4)]
    assert track(score, "Solo")[:2] == [(BEAT, 59), (2 * BEAT, 60)]


def test_a_broken_bar_before_the_solo_is_left_out(tmp_path):
    score = band(write_solo(tmp_path, NOTES, ["NC"] * 2 + CHORDS, first=(0, 3)))
    assert signatures(score) == [(0, 4, 4)]
    assert track(score, "Solo")[0] == (0, 60)


@pytest.mark.parametrize(("before", "kept"), [(0, 0), (1, 1), (4, 4), (5, 1), (8, 4), (14, 2)])
def test_a_long_lead_in_is_cut_by_phrases(tmp_path, before, kept):
    chords = ["NC"] * 4 * before + CHORDS
    score = band(write_solo(tmp_path, NOTES, chords, first=(1 - before, 1)))
    assert track(score, "Solo")[0] == (kept * 4 * BEAT, 60)


def test_what_comes_long_after_the_solo_is_cut(tmp_path):
    score = band(write_solo(tmp_path, NOTES, CHORDS * 3, bass=[40] * 96))
    assert len(track(score, "Bass")) == 4 * (8 + 4)


def test_a_note_ends_where_the_next_begins(tmp_path):
    notes = [Played(1, 1, 60, length=3), Played(1, 2, 60, length=0.01), Played(1, 3, 64, length=0.75)]
    score = band(write_solo(tmp_path, notes, CHORDS))
    assert [(note.time, note.duration) for note in score.tracks[0].notes] == [(0, 480), (480, 30), (960, 360)]


def test_an_empty_chord_is_the_one_before(tmp_path):
    told = band_midi(*write_solo(tmp_path, NOTES, CHORDS))
    implied = ["Cj7", *[""] * 15, "F7", *[""] * 15]
    assert band_midi(*write_solo(tmp_path, NOTES, implied)) == told
    assert not track(band(write_solo(tmp_path, NOTES, ["", "NC", *[""] * 30])), "Piano")


def test_a_solo_without_bass_gets_one_that_walks_on_the_roots(tmp_path):
    notes = track(band(write_solo(tmp_path, NOTES, CHORDS)), "Bass")
    assert [tick for tick, _ in notes] == [beat * BEAT for beat in range(32)]
    assert all(28 <= pitch <= 50 for _, pitch in notes)
    assert {pitch % 12 for tick, pitch in notes if tick % (4 * BEAT) == 0} == {0, 5}
    assert abs(notes[15][1] - notes[16][1]) == 1  # a half step into F
    assert {pitch % 12 for _, pitch in notes[:15]} <= {0, 4, 7}


def test_three_beats_are_told_so_that_the_filter_refuses_them(tmp_path):
    data = band_midi(*write_solo(tmp_path, [Played(1, 1, 60), Played(9, 2, 62)], ["C-7"] * 30, metre=3))
    assert parse_midi(data).time_signatures == ((0, 3, 4),)
    with pytest.raises(RefusedSongError, match="3/4 throughout"):
        filter_song(parse_midi(data))


def test_the_same_solo_gives_the_same_bytes_and_its_name_is_its_chance(tmp_path):
    first, again = (band_midi(*write_solo(tmp_path, NOTES, CHORDS)) for _ in range(2))
    assert first == again
    other = band_midi(*write_solo(tmp_path, NOTES, CHORDS, name="other"))
    assert track(symusic.Score.from_midi(other), "Piano") != track(symusic.Score.from_midi(first), "Piano")


def without(path, column):
    path.write_text(path.read_text().replace(column, f"no_{column}", 1))


@pytest.mark.parametrize("column", ["tatum", "pitch", "beat_duration"])
def test_a_missing_column_is_named(tmp_path, column):
    melody, track = write_solo(tmp_path, NOTES, CHORDS)
    without(melody, column)
    with pytest.raises(RefusedSongError, match=f"solo.csv lacks {column}"):
        band_midi(melody, track)


def test_other_bad_files_are_refused_with_the_reason(tmp_path):
    melody, track = write_solo(tmp_path, NOTES, CHORDS)
    cases = [
        (write_solo(tmp_path, [], CHORDS, name="mute"), Refusal.NO_NOTES, "mute.csv"),
        (write_solo(tmp_path, [Played(9, 1, 60)], CHORDS, name="late"), Refusal.DAMAGED, "bar 9, beat 1"),
        (write_solo(tmp_path, NOTES, [*CHORDS[:-1], "H7"], name="german"), Refusal.DAMAGED, "'H7'"),
        (write_solo(tmp_path, [Played(1, 1, 60, division=0)], CHORDS, name="zero"), Refusal.DAMAGED, "zero"),
        (write_solo(tmp_path, [Played(1, 1, 128)], CHORDS, name="high"), Refusal.DAMAGED, "pitch 128"),
        (write_solo(tmp_path, NOTES, CHORDS[:2], (0, 3), name="scrap"), Refusal.DAMAGED, "bar 1, beat 1"),
        ((melody, tmp_path / "nowhere.csv"), Refusal.UNREADABLE, "nowhere.csv"),
        ((melody, write_solo(tmp_path, NOTES, [], name="still")[1]), Refusal.DAMAGED, "still_beattrack.csv"),
    ]
    for paths, reason, words in cases:
        with pytest.raises(RefusedSongError, match=words) as refused:
            band_midi(*paths)
        assert refused.value.reason == reason
    lines = track.read_text().splitlines(keepends=True)
    track.write_text("".join(lines[:6] + lines[7:]))
    with pytest.raises(RefusedSongError, match="bar 2, beat 2 does not follow"):
        band_midi(melody, track)
    track.write_text("".join([*lines, "0.5,9\n"]))
    with pytest.raises(RefusedSongError, match="a row of 2 fields"):
        band_midi(melody, track)
