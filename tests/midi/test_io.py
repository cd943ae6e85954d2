"""MIDI files in and out: how notes are paired, what is read, and what is written."""

import io
from pathlib import Path

import mido
import numpy as np
import pretty_midi
import pytest
from support.midi_bytes import LONG, SIGNATURE, meta, midi, track
from support.midi_files import write_midi_file

from cyclegan_jax.midi.io import midi_bytes, read_score, to_pretty_midi, write_midi
from cyclegan_jax.midi.pretty_midi_objects import open_pretty_midi
from cyclegan_jax.midi.reader import Score, Tempo
from cyclegan_jax.midi.refusals import Refusal, RefusedSongError


def on(pitch: int, channel: int = 0, velocity: int = 80) -> mido.Message:
    return mido.Message("note_on", note=pitch, channel=channel, velocity=velocity)


def off(pitch: int, channel: int = 0) -> mido.Message:
    return mido.Message("note_off", note=pitch, channel=channel)


def write_events(path: Path, events: list[tuple[int, mido.Message]], file_type: int = 0) -> Path:
    """One track of messages at ticks, in the order given."""
    file, track, now = mido.MidiFile(type=file_type, ticks_per_beat=480), mido.MidiTrack(), 0
    for tick, message in events:
        track.append(message.copy(time=tick - now))
        now = tick
    file.tracks.append(track)
    file.save(path)
    return path


def notes_of(score: Score) -> list[tuple[int, int, int]]:
    return sorted(zip(score.onsets.tolist(), score.ends.tolist(), score.pitches.tolist(), strict=True))


def a_roll() -> np.ndarray:
    """20 steps: pitch 24 at step 0, 26 at 3 to 6, 107 at 19, 60 at 2, 3 and 5."""
    roll = np.zeros((20, 84), bool)
    for step, pitch in [(0, 24), (3, 26), (4, 26), (5, 26), (6, 26), (19, 107), (2, 60), (3, 60), (5, 60)]:
        roll[step, pitch - 24] = True
    return roll


# The notes of `a_roll` in ticks.
WRITTEN = [(0, 120, 24), (240, 480, 60), (360, 840, 26), (600, 720, 60), (2280, 2400, 107)]


@pytest.mark.parametrize(
    "events, notes",
    [
        pytest.param(
            [(0, on(60)), (240, on(60)), (480, off(60)), (1440, off(60))],
            [(0, 240, 60), (240, 480, 60)],
            id="struck again, it ends",
        ),
        pytest.param(
            [(0, on(60)), (100, on(60)), (200, on(60)), (300, off(60)), (500, off(60)), (900, off(60))],
            [(0, 100, 60), (100, 200, 60), (200, 300, 60)],
            id="so twice",
        ),
        pytest.param(
            [(0, on(60)), (100, on(60, 1)), (300, off(60, 1)), (900, off(60))],
            [(0, 900, 60), (100, 300, 60)],
            id="channels apart",
        ),
        pytest.param(
            [(0, on(60)), (100, on(61)), (300, off(61)), (900, off(60))],
            [(0, 900, 60), (100, 300, 61)],
            id="pitches apart",
        ),
        pytest.param(
            [(0, on(60)), (480, on(60)), (480, off(60)), (960, off(60))],
            [(0, 480, 60), (480, 960, 60)],
            id="repeated with the note-on first",
        ),
        pytest.param(
            [(0, on(60)), (480, on(60, velocity=0)), (600, on(60, velocity=1)), (720, on(60, velocity=0))],
            [(0, 480, 60), (600, 720, 60)],
            id="velocity 0 is a note-off",
        ),
        pytest.param(
            [(0, off(60)), (120, on(60)), (240, off(60)), (300, off(60))],
            [(120, 240, 60)],
            id="a note-off alone is no note",
        ),
        pytest.param(
            [(0, on(60)), (120, on(61)), (200, on(60)), (240, off(60)), (300, on(62)), (960, off(62))],
            [(0, 200, 60), (120, 960, 61), (200, 240, 60), (300, 960, 62)],
            id="what nothing closes ends with its track",
        ),
        pytest.param([(120, on(60)), (120, off(60))], [], id="no length is no note"),
        pytest.param(
            [(0, on(60)), (240, mido.Message("program_change", program=5)), (480, off(60))],
            [(0, 480, 60)],
            id="across a change of program",
        ),
    ],
)
@pytest.mark.parametrize("file_type", [0, 1])
def test_a_pitch_sounds_once_at_a_time_on_a_channel(tmp_path, events, notes, file_type):
    assert notes_of(read_score(write_events(tmp_path / "a.mid", events, file_type))) == notes


@pytest.mark.parametrize("as_text", [False, True])
def test_a_file_is_read_in_ticks_without_its_drums(tmp_path, as_text):
    notes = [(7, 1000, 60), (13, 14, 0), (500, 555, 127)]
    path = write_midi_file(
        tmp_path / "a.mid",
        notes,
        ticks_per_quarter=97,
        signatures=((0, 4, 4), (388, 3, 8)),
        tempos=((0, 90.0), (960, 150.0)),
        drums=[(0, 9000, 36)],
    )
    score = read_score(str(path) if as_text else path)
    assert (score.ticks_per_quarter, notes_of(score)) == (97, notes)
    assert score.time_signatures == ((0, 4, 4), (388, 3, 8))
    assert [tempo.position for tempo in score.tempos] == [0, 960]
    assert [tempo.beats_per_minute for tempo in score.tempos] == pytest.approx([90.0, 150.0], rel=1e-5)


def test_a_note_has_the_program_of_its_channel_as_it_sounds(tmp_path):
    flute, harp = (mido.Message("program_change", channel=2, program=program) for program in (73, 46))
    events = [(0, flute), (0, on(50, 2)), (120, on(40, 1)), (240, off(50, 2)), (240, harp), (240, on(52, 2))]
    events += [(480, off(40, 1)), (480, off(52, 2))]
    path = write_events(tmp_path / "a.mid", events, 1)
    for source in (path, pretty_midi.PrettyMIDI(str(path))):
        score = read_score(source)
        programs = dict(zip(score.pitches.tolist(), score.programs.tolist(), strict=True))
        assert programs == {40: 0, 50: 73, 52: 46}


def test_a_pretty_midi_is_read_as_its_file(tmp_path):
    path = write_midi_file(
        tmp_path / "a.mid",
        [(7, 1001, 60), (13, 480, 30), (500, 555, 127)],
        signatures=((0, 4, 4), (1920, 3, 4)),
        tempos=((0, 90.0), (960, 133.0)),
        drums=[(0, 9000, 36)],
    )
    from_path, from_object = read_score(path), read_score(pretty_midi.PrettyMIDI(str(path)))
    assert notes_of(from_object) == notes_of(from_path)
    assert from_object.ticks_per_quarter == from_path.ticks_per_quarter
    assert from_object.time_signatures == from_path.time_signatures
    assert np.array(from_object.tempos) == pytest.approx(np.array(from_path.tempos))
    assert from_object.programs.tolist() == from_path.programs.tolist() == [0, 0, 0]


def test_a_file_of_drums_and_one_of_nothing_have_no_notes(tmp_path):
    drums = write_midi_file(tmp_path / "drums.mid", [], drums=[(0, 480, 36)])
    for score in (read_score(drums), read_score(write_events(tmp_path / "b.mid", []))):
        assert len(score.onsets) == len(score.ends) == len(score.pitches) == 0


TRACK = b"MTrk\0\0\0\4\0\xff\x2f\0"


@pytest.mark.parametrize(
    "content, reason, detail",
    [
        (b"", Refusal.NOT_MIDI, "empty"),
        (b"RIFF of another kind", Refusal.NOT_MIDI, "begins with b'RIFF' instead of b'MThd'"),
        (b"MThd\0\0\0\6\0\1\0\1\xe7\x28" + TRACK, Refusal.UNSUPPORTED, "SMPTE time"),
        (b"MThd\0\0\0\6\0\2\0\1\1\xe0" + TRACK, Refusal.UNSUPPORTED, "type 2"),
        (b"MThd\0\0\0\6\0\1\0\1\0\0" + TRACK, Refusal.DAMAGED, "0 ticks a quarter note"),
        (b"MThd\0\0\0\6\0\1\0\1\1\xe0" + TRACK[:-1], Refusal.DAMAGED, "1 bytes missing"),
        (None, Refusal.UNREADABLE, "No such file or directory"),
        ("a folder", Refusal.UNREADABLE, "Not a regular file"),
    ],
    ids=["empty", "other", "SMPTE", "type 2", "no ticks", "cut off", "missing", "folder"],
)
def test_what_cannot_be_read_is_refused_with_reason_and_detail(tmp_path, content, reason, detail):
    path = tmp_path / "a.mid"
    if content == "a folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(RefusedSongError) as refused:
        read_score(path)
    assert (refused.value.reason, refused.value.detail) == (reason, detail)
    assert str(refused.value) == f"{reason}: {detail}"


def test_a_roll_is_written_as_4_4_with_adjacent_steps_one_note_and_velocity_100():
    file = mido.MidiFile(file=io.BytesIO(midi_bytes(a_roll(), (Tempo(0.0, 90.0), Tempo(8.5, 120.0)))))
    assert file.ticks_per_beat == 480
    messages = []
    for written in file.tracks:
        now = 0
        for message in written:
            now += message.time
            messages.append((now, message))
    metres = [(t, m.numerator, m.denominator) for t, m in messages if m.type == "time_signature"]
    assert metres == [(0, 4, 4)]
    tempos = [(t, mido.tempo2bpm(m.tempo)) for t, m in messages if m.type == "set_tempo"]
    assert np.array(tempos) == pytest.approx(np.array([(0, 90.0), (1020, 120.0)]), rel=1e-5)
    assert {m.program for _, m in messages if m.type == "program_change"} == {0}
    sounded = [(t, m) for t, m in messages if m.type in ("note_on", "note_off")]
    assert {m.channel for _, m in sounded} == {0}
    onsets = sorted((t, m.note, m.velocity) for t, m in sounded if m.type == "note_on" and m.velocity)
    assert onsets == [(onset, pitch, 100) for onset, _, pitch in WRITTEN]


def test_what_is_written_is_read_back(tmp_path):
    write_midi(tmp_path / "a.mid", a_roll(), (Tempo(0.0, 97.0), Tempo(4.0, 140.0)))
    score = read_score(tmp_path / "a.mid")
    assert (notes_of(score), score.time_signatures) == (WRITTEN, ((0, 4, 4),))
    assert np.array(score.tempos) == pytest.approx(np.array([(0, 97.0), (480, 140.0)]), rel=1e-5)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mid"]


def test_a_roll_becomes_a_pretty_midi_of_its_tempo():
    song = to_pretty_midi(a_roll(), 150.0)
    assert song.get_tempo_changes()[1] == pytest.approx([150.0])
    assert notes_of(read_score(song)) == WRITTEN
    last = max(song.instruments[0].notes, key=lambda note: note.start)
    assert (last.start, last.end) == pytest.approx((1.9, 2.0))


def test_tempos_and_signatures_of_any_track_come_to_a_pretty_midi():
    """pretty_midi itself looks for them in the first track alone."""
    told = SIGNATURE, meta(0x59, b"\2\0"), meta(0x51, b"\x0c\x35\0"), meta(0x51, b"\6\x1a\x80", 40)
    song = open_pretty_midi(midi(track(meta(3, b"a")), track(*told, LONG), division=4))
    times, tempos = song.get_tempo_changes()
    assert times.tolist() == [0, 8] and tempos == pytest.approx([75, 150])
    assert [(s.time, s.numerator, s.denominator) for s in song.time_signature_changes] == [(0, 4, 4)]
    assert [(s.time, s.key_number) for s in song.key_signature_changes] == [(0, 2)]
    (note,) = song.instruments[0].notes
    assert (note.start, note.end) == pytest.approx((8 + 0.3, 8 + 7.0))
