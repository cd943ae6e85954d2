"""Convert: a file to its phrases in all their keys, with their programs, and to the hash of its notes."""

import hashlib
import pickle
from pathlib import Path

import mido
import numpy as np
import pytest
from support.midi_files import write_midi_file

from cyclegan_jax.datasets.genre_rolls.reading.midi_file import (
    ConvertedSong,
    Refused,
    Rules,
    compress,
    convert,
    decompress,
    read_content,
)
from cyclegan_jax.midi.refusals import Refusal

STEP, PHRASE = 120, 64 * 120
RULES = Rules()


def song_of(path: Path, rules: Rules = RULES) -> ConvertedSong:
    outcome = convert(str(path), rules).outcome
    assert isinstance(outcome, ConvertedSong), outcome
    return outcome


def cells(song: ConvertedSong) -> list[tuple[int, int, list[tuple[int, int]]]]:
    """Index, key shift, and (step, MIDI pitch) of what sounds."""
    rolls = [(phrase.index, phrase.key_shift, decompress(phrase.roll)) for phrase in song.phrases]
    assert {(roll.shape, roll.dtype) for *_, roll in rolls} == {((64, 84, 1), np.dtype(bool))}
    return [(*key, [(int(s), int(p) + 24) for s, p, _ in np.argwhere(roll)]) for *key, roll in rolls]


def test_a_song_becomes_its_phrases_with_blank_ones_and_the_incomplete_last_left_out(tmp_path):
    notes = [(PHRASE - STEP, PHRASE, 30), (2 * PHRASE, 2 * PHRASE + 2 * STEP, 107), (0, STEP, 108)]
    notes += [(3 * PHRASE - STEP, 4 * PHRASE - STEP, 61), (0, STEP, 23), (0, STEP, 24)]
    song = song_of(write_midi_file(tmp_path / "a.mid", notes, tempos=((0, 77.0), (STEP, 99.0))))
    assert cells(song) == [(0, 0, [(0, 24), (63, 30)]), (2, 0, [(0, 107), (1, 107), (63, 61)])]
    assert song.tempo == pytest.approx(77.0, rel=1e-5)
    assert song.dropped == 2
    assert song.statistics.phrases == 2 and song.statistics.register.sum() == 5


def test_a_phrase_has_the_programs_of_the_notes_in_range_that_sound_in_it(tmp_path):
    parts = {
        73: [(3 * PHRASE, 4 * PHRASE, 108)],
        40: [(PHRASE - STEP, 2 * PHRASE + STEP, 50)],
        19: [(4 * PHRASE - STEP, 4 * PHRASE, 61)],
        5: [(4 * PHRASE, 4 * PHRASE + STEP, 64)],
        127: [(5 * PHRASE - 2 * STEP, 6 * PHRASE - STEP, 70), (4 * PHRASE, 5 * PHRASE, 71)],
        99: [(5 * PHRASE, 5 * PHRASE + STEP, 72)],
    }
    notes = [(0, STEP, 60), (STEP, 2 * STEP, 60)]
    song = song_of(write_midi_file(tmp_path / "a.mid", notes, parts=parts, drums=[(0, 4 * PHRASE, 36)]))
    programs = {phrase.index: phrase.programs for phrase in song.phrases}
    assert programs == {0: (0, 40), 1: (40,), 2: (40,), 3: (19,), 4: (5, 127)}


def test_programs_are_those_of_a_phrases_own_place_behind_a_blank_one(tmp_path):
    parts = {9: [(2 * PHRASE, 3 * PHRASE, 62)], 8: [(PHRASE, 2 * PHRASE, 120)]}
    path = write_midi_file(tmp_path / "a.mid", [(0, STEP, 60)], parts=parts)
    song = song_of(path, Rules(key_shifts=(0, 1)))
    programs = [(phrase.index, phrase.key_shift, phrase.programs) for phrase in song.phrases]
    assert programs == [(0, 0, (0,)), (0, 1, (0,)), (2, 0, (9,)), (2, 1, (9,))]


def test_onsets_and_melody_go_with_the_roll_into_every_key(tmp_path):
    notes = [(0, STEP, 60), (STEP, 2 * STEP, 60), (0, 2 * STEP, 48), (0, PHRASE, 50)]
    song = song_of(write_midi_file(tmp_path / "a.mid", notes), Rules(key_shifts=(0, 5)))
    for phrase in song.phrases:
        roll, onsets, melody = (decompress(c)[:, :, 0] for c in (phrase.roll, phrase.onsets, phrase.melody))
        low = 24 - phrase.key_shift
        assert np.argwhere(onsets).tolist() == [[0, 48 - low], [0, 50 - low], [0, 60 - low], [1, 60 - low]]
        assert np.argwhere(melody)[:3].tolist() == [[0, 60 - low], [1, 60 - low], [2, 50 - low]]
        assert melody.sum() == 64 and roll.sum() == 64 + 4
    assert not song.melody_track


def test_key_shifts_move_every_phrase_and_leave_out_one_that_falls_silent(tmp_path):
    notes = [(0, STEP, 60), (5 * STEP, 6 * STEP, 105), (PHRASE, PHRASE + STEP, 25), (0, 2 * PHRASE, 127)]
    song = song_of(write_midi_file(tmp_path / "a.mid", notes), Rules(key_shifts=(0, 3, -2)))
    assert cells(song) == [
        (0, -2, [(0, 58), (5, 103)]),
        (0, 0, [(0, 60), (5, 105)]),
        (0, 3, [(0, 63)]),
        (1, 0, [(0, 25)]),
        (1, 3, [(0, 28)]),
    ]
    assert song.statistics.phrases == 2
    assert np.flatnonzero(song.statistics.register).tolist() == [1, 36, 81]


NOTES = [(0, 3 * STEP, 60), (STEP, 5 * STEP, 64), (5 * STEP, 7 * STEP, 60), (0, PHRASE, 110)]


def scaled(ticks_per_quarter: int) -> list[tuple[int, int, int]]:
    return [(on * ticks_per_quarter // 480, end * ticks_per_quarter // 480, p) for on, end, p in NOTES]


def write_messily(path: Path) -> Path:
    """The notes of NOTES in tracks of another order, on other channels, louder, a little late."""
    write_midi_file(path, NOTES[:1], parts={5: NOTES[3:0:-1]}, drums=[(0, STEP, 40)])
    file = mido.MidiFile(path)
    file.tracks = [file.tracks[place] for place in (3, 0, 2, 1)]
    for message in file.tracks[3]:
        if message.type == "note_on":
            message.velocity, message.time = 127, message.time + 7
    file.save(path)
    return path


@pytest.mark.parametrize(
    "write",
    [
        lambda path: write_midi_file(path, scaled(96), ticks_per_quarter=96),
        lambda path: write_midi_file(path, NOTES[::-1], tempos=((0, 60.0), (STEP, 90.0))),
        lambda path: write_midi_file(path, NOTES[:2], parts={73: NOTES[2:]}),
        lambda path: write_midi_file(path, [(on + 50, end + 59, p) for on, end, p in NOTES]),
        write_messily,
    ],
    ids=["resolution", "order and tempo", "programs", "within a step", "all"],
)
def test_equal_notes_on_the_grid_have_one_hash(tmp_path, write):
    plain = song_of(write_midi_file(tmp_path / "a.mid", NOTES))
    assert song_of(write(tmp_path / "b.mid")).note_hash == plain.note_hash
    assert (tmp_path / "a.mid").read_bytes() != (tmp_path / "b.mid").read_bytes()


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("change", [(STEP, 0, 0), (0, STEP, 0), (0, 0, 1)], ids=["onset", "end", "pitch"])
def test_a_note_moved_by_a_step_or_a_pitch_gives_another_hash(tmp_path, place, change):
    moved = list(NOTES)
    moved[place] = tuple(a + b for a, b in zip(NOTES[place], change, strict=True))
    plain, other = (
        song_of(write_midi_file(tmp_path / name, notes)) for name, notes in (("a", NOTES), ("b", moved))
    )
    assert plain.note_hash != other.note_hash


def test_a_note_less_or_more_or_onsets_exchanged_give_another_hash(tmp_path):
    exchanged = [(STEP, 3 * STEP, 60), (0, 5 * STEP, 64), *NOTES[2:]]
    hashes = {
        song_of(write_midi_file(tmp_path / "a.mid", notes)).note_hash
        for notes in (NOTES, exchanged, NOTES[:1] + NOTES[2:], [*NOTES, (STEP, 2 * STEP, 61)])
    }
    assert len(hashes) == 4


def test_longer_songs_than_the_rules_allow_are_refused(tmp_path):
    path = write_midi_file(tmp_path / "a.mid", [(0, 8 * 1920 + 1, 60)])
    assert len(song_of(path, Rules(max_bars=9)).phrases) == 2
    refused = Refused(Refusal.TOO_LONG, "9 bars, at most 8")
    assert convert(str(path), Rules(max_bars=8)).outcome == refused


def test_the_content_is_the_hash_of_the_bytes_or_of_why_there_are_none(tmp_path):
    path = write_midi_file(tmp_path / "a.mid", NOTES)
    good = hashlib.sha256(path.read_bytes()).digest()
    assert convert(str(path), RULES).content == good == read_content(path)[0]
    path.write_bytes(b"noise")
    reading = convert(str(path), RULES)
    assert reading.content == hashlib.sha256(b"noise").digest()
    assert reading.outcome.reason is Refusal.NOT_MIDI
    path.unlink()
    reading = convert(str(path), RULES)
    assert reading.content == hashlib.sha256(b"No such file or directory").digest() == read_content(path)[0]
    assert reading.outcome == Refused(Refusal.UNREADABLE, "No such file or directory")


def test_packed_rolls_are_small_and_unpack_to_the_same(tmp_path):
    roll = np.random.default_rng(2).random((64, 84, 1)) < 0.04
    np.testing.assert_array_equal(decompress(compress(roll)), roll)
    assert decompress(compress(roll)).dtype == np.bool_ and len(compress(roll)) < roll.size / 5


def test_a_reading_goes_from_process_to_process(tmp_path):
    reading = convert(str(write_midi_file(tmp_path / "a.mid", NOTES)), RULES)
    again = pickle.loads(pickle.dumps(reading))
    assert (again.content, again.outcome.phrases) == (reading.content, reading.outcome.phrases)
    assert again.outcome.note_hash == reading.outcome.note_hash
