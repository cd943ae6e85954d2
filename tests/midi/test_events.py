"""Files as events and back: nothing is lost, and what every other reader finds in them stays the same."""

import io

import mido
import pretty_midi
import pytest
from mido.midifiles.meta import KeySignatureError
from support.midi_bytes import END, meta, midi, off, on, track, varlen
from support.midi_files import write_midi_file
from support.odd_midi import ODD, events_at_once

from cyclegan_jax.midi.events import Event, Sequence, end_of_track, is_refused_elsewhere, sequence_of
from cyclegan_jax.midi.midi_file import read_file
from cyclegan_jax.midi.reader import parse_midi
from cyclegan_jax.midi.refusals import Refusal, RefusedSongError
from cyclegan_jax.midi.track_events import meta as meta_message

FEW = [
    kind for kind in ODD if kind not in ("500,000 notes", "100,000 tempo changes", "8 MiB", "20,000 parts")
]
RUNNING = midi(
    track(
        meta(0x58, bytes([4, 2, 24, 8])),
        on(50, 1) + b"\x02\x34\x50" + b"\x03\x32\x00",
        b"\x01\xc0\x05\x01\x06",
        b"\x00\xf0\x03\x01\x02\xf7",
        off(52, 200),
        end=b"\x07" + END[1:],
    )
)


def sequence_read(data: bytes) -> Sequence:
    return sequence_of(read_file(data))


def test_each_event_has_its_tick_and_its_status_written_out():
    (events,) = sequence_read(RUNNING).tracks
    assert events == [
        (0, b"\xff\x58\x04\x04\x02\x18\x08"),
        (1, b"\x90\x32\x50"),
        (3, b"\x90\x34\x50"),
        (6, b"\x90\x32\x00"),
        (7, b"\xc0\x05"),
        (8, b"\xc0\x06"),
        (8, b"\xf0\x03\x01\x02\xf7"),
        (208, b"\x80\x34\x40"),
        (215, b"\xff\x2f\x00"),
    ]
    assert [event.channel for event in events] == [None, 0, 0, 0, 0, 0, None, 0, None]
    assert [event.kind for event in events] == [0xFF, 0x90, 0x90, 0x90, 0xC0, 0xC0, 0xF0, 0x80, 0xFF]


@pytest.mark.parametrize("kind", FEW)
def test_a_file_read_and_written_has_the_same_events_and_the_same_music(tmp_path, kind):
    write, _ = ODD[kind]
    write(tmp_path / "a.mid")
    data = (tmp_path / "a.mid").read_bytes()
    sequence = sequence_read(data)
    written = sequence.to_bytes()
    again = sequence_read(written)
    assert again == sequence and again.to_bytes() == written
    before, after = parse_midi(data), parse_midi(written)
    assert before.onsets.tolist() == after.onsets.tolist() and before.ends.tolist() == after.ends.tolist()
    assert before.pitches.tolist() == after.pitches.tolist()
    assert before.tempos == after.tempos and before.time_signatures == after.time_signatures


def test_another_reader_finds_the_same_messages(tmp_path):
    path = write_midi_file(tmp_path / "a.mid", [(0, 960, 60), (5, 700, 64)], drums=[(0, 9, 36)])
    written = mido.MidiFile(file=io.BytesIO(sequence_read(path.read_bytes()).to_bytes()))
    original = mido.MidiFile(path)
    assert written.type == 1 and written.ticks_per_beat == 480
    assert [list(t) for t in written.tracks] == [list(t) for t in original.tracks]


def test_one_track_is_type_0_and_more_are_type_1():
    assert [Sequence(4, [[end_of_track(0)]] * n).to_bytes()[9] for n in (1, 2)] == [0, 1]


def test_a_gap_longer_than_the_longest_delta_is_filled():
    far = 5 * 10**8
    track_of = [Event(0, b"\x90\x3c\x50"), Event(far, b"\x80\x3c\x40"), end_of_track(far)]
    read = sequence_read(Sequence(32767, [track_of]).to_bytes()).tracks[0]
    assert [event for event in read if event.message != b"\xff\x01\x00"] == track_of
    assert len(read) == 4


def test_a_meta_event_tells_the_length_of_its_content():
    assert meta_message(5, b"x" * 200) == b"\xff\x05" + varlen(200) + b"x" * 200


def test_too_many_events_are_refused():
    with pytest.raises(RefusedSongError) as refused:
        read_file(events_at_once(1_300_000))
    assert refused.value.reason is Refusal.TOO_MANY


@pytest.mark.parametrize(
    "message",
    [
        *(
            meta_message(0x59, key)
            for key in (b"\xfd\x01", b"\x00\xff", b"\x63\x09", b"\x08\x00", b"\x00", b"")
        ),
        *(
            meta_message(0x51, b"\x07\xa1\x20"),
            meta_message(0x51, b"\0\0\0"),
            meta_message(0x58, bytes([0, 2, 24, 8])),
            meta_message(0x58, bytes([3, 2, 24, 8])),
            meta_message(0x51, b"\x07\xa1"),
            meta_message(0x00, b"\x01"),
        ),
        *(meta_message(0x54, b"\x60\0\0\0\0"), meta_message(0x54, b"\x60"), meta_message(0x20, b"")),
        *(meta_message(0x01, "夏".encode()), meta_message(0x7F, b"\xff"), meta_message(0x60, b"\xff")),
        *(
            b"\xf0\x03\x01\x02\xf7",
            b"\xf0\x03\x81\x02\xf7",
            b"\xf7\x02\xf3\x01",
            b"\xf7\x01\x7f",
            b"\xf0\x00",
        ),
        b"\x90\x3c\x40",
    ],
)
def test_an_event_is_refused_elsewhere_if_another_reader_refuses_a_file_with_it(message):
    data = Sequence(4, [[Event(0, message), end_of_track(4)]]).to_bytes()
    try:
        pretty_midi.PrettyMIDI(io.BytesIO(data))
        refused = False
    except (IndexError, KeyError, ValueError, ZeroDivisionError, KeySignatureError):
        refused = True
    assert is_refused_elsewhere(Event(0, message)) is refused
