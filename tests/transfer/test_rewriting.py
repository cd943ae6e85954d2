"""Writing a song anew: what is left alone, to the byte, and what is changed on purpose."""

import io

import numpy as np
import pretty_midi
import pytest
from support.midi_bytes import END, gs_drums, midi, off, on, track, varlen
from support.midi_bytes import meta as meta_bytes
from support.rewritten import new, notes_of, nothing, rewritten, sequence_of_bytes

from cyclegan_jax.midi.channel_settings import INSTRUMENT, ChannelSettings
from cyclegan_jax.midi.events import Sequence, sequence_of
from cyclegan_jax.midi.midi_file import read_file
from cyclegan_jax.midi.played_notes import pair_notes
from cyclegan_jax.transfer.arranging import Arrangement
from cyclegan_jax.transfer.controls import Controls
from cyclegan_jax.transfer.rewriting import rewrite

PEDAL, BANK, PROGRAM, BEND = b"\x00\xb0\x40\x7f", b"\x00\xb0\x00\x01", b"\x00\xc0\x41", b"\x01\xe0\x00\x50"
# Seven events that no rewriting may lose, then notes; and drums with a program of their own.
RICH = midi(
    track(
        meta_bytes(0x58, bytes([4, 2, 24, 8])),
        meta_bytes(0x59, bytes([0xFD, 1])),
        meta_bytes(0x51, bytes([7, 161, 32])),
        meta_bytes(0x51, bytes([9, 0, 0]), 21),
        meta_bytes(0x06, b"verse", 4),
        b"\x01\xf0\x03\x01\x02\xf7",
        end=varlen(40) + END[1:],
    ),
    track(
        *(meta_bytes(0x03, b"voice"), BANK, PROGRAM, PEDAL, on(60, 1, velocity=33), meta_bytes(5, b"la")),
        *(BEND, off(60, 7), on(62, velocity=44), off(62, 8), on(40, 0, 1, 55), off(40, 8, 1)),
        end=varlen(9) + END[1:],
    ),
    track(b"\x00\xc9\x10", on(36, 0, 9), off(36, 2, 9), on(38, 5, 9), off(38, 2, 9)),
)


def others(sequence: Sequence, *, of: int) -> list[list[tuple[int, bytes]]]:
    """All events but notes and ends of track, of the first `of` tracks."""
    return [
        [event for event in events if event.kind not in (0x80, 0x90) and event.message[:2] != b"\xff\x2f"]
        for events in sequence.tracks[:of]
    ]


def test_without_a_change_every_event_is_as_it_was():
    assert rewritten(RICH, nothing) == sequence_of_bytes(RICH)


def test_notes_go_and_end_otherwise_and_all_else_stays_in_its_place():
    def change(kept, ends):
        kept[0] = False  # 60
        ends[1] = 14  # 62, which began at 9

    found = rewritten(RICH, change)
    assert notes_of(found) == [
        (1, 0, 9, 14, 62, 44),
        (1, 1, 17, 25, 40, 55),
        (2, 9, 0, 2, 36, 80),
        (2, 9, 7, 9, 38, 80),
    ]
    assert others(found, of=3) == others(sequence_of_bytes(RICH), of=3)
    assert [events[-1].tick for events in found.tracks] == [66, 34, 9]


def test_a_note_held_beyond_its_track_takes_the_tracks_end_along():
    def change(kept, ends):
        ends[2] = 50

    found = rewritten(RICH, change)
    assert found.tracks[1][-1] == (50, b"\xff\x2f\x00") and (1, 1, 17, 50, 40, 55) in notes_of(found)


def test_a_note_that_nothing_closed_is_closed_where_it_ends_now():
    data = midi(track(on(60, 1), on(64, 2), off(64, 3), end=varlen(9) + END[1:]))

    def change(kept, ends):
        ends[0] = 5

    assert notes_of(rewritten(data, change)) == [(0, 0, 1, 5, 60, 80), (0, 0, 3, 6, 64, 80)]
    assert notes_of(rewritten(data, nothing)) == [(0, 0, 1, 15, 60, 80), (0, 0, 3, 6, 64, 80)]


def test_a_note_that_ends_where_its_pitch_begins_anew_is_closed_before():
    data = midi(track(on(60), off(60, 9), on(60, 3, velocity=20), off(60, 4)))

    def change(kept, ends):
        ends[0] = 12

    assert notes_of(rewritten(data, change)) == [(0, 0, 0, 12, 60, 80), (0, 0, 12, 16, 60, 20)]


def test_a_note_off_that_closed_nothing_does_not_close_a_note_that_is_held():
    data = midi(track(on(60), off(60, 4), off(60, 4), on(62), off(62, 9)))

    def change(kept, ends):
        ends[0] = 14

    assert notes_of(rewritten(data, change)) == [(0, 0, 0, 14, 60, 80), (0, 0, 8, 17, 62, 80)]


def test_new_notes_have_a_track_and_a_channel_of_their_own():
    found = rewritten(RICH, nothing, new((4, 8, 70, 50), (8, 12, 70, 51)))
    assert len(found.tracks) == 4 and found.tracks[:3] == sequence_of_bytes(RICH).tracks
    assert [note for note in notes_of(found) if note[0] == 3] == [(3, 2, 4, 8, 70, 50), (3, 2, 8, 12, 70, 51)]
    music = pretty_midi.PrettyMIDI(io.BytesIO(found.to_bytes()))
    named = [
        (part.name, part.program) for part in music.instruments if len(part.notes) == 2 and not part.is_drum
    ]
    assert ("new notes (pop)", 0) in named


def test_where_all_channels_are_taken_new_notes_leave_their_sound_alone():
    data = midi(*[track(on(60, 0, channel), off(60, 8, channel)) for channel in range(16)])
    found = rewritten(data, nothing, new((4, 8, 70, 50)))
    assert [event.kind for event in found.tracks[16]] == [0xFF, 0x90, 0x80, 0xFF]
    assert found.tracks[16][1].channel != 9


def test_drums_can_be_left_out():
    found = rewritten(RICH, nothing, keep_drums=False)
    assert [note[1] for note in notes_of(found)] == [0, 0, 1]
    assert others(found, of=3) == others(sequence_of_bytes(RICH), of=3)


def test_one_program_for_all_pitched_notes():
    found = rewritten(RICH, nothing, new((4, 8, 70, 50)), program=24)
    messages = [event for events in found.tracks for event in events]
    assert sorted(event.message for event in messages if event.kind == 0xC0) == [
        b"\xc0\x18",
        b"\xc1\x18",
        b"\xc2\x18",
        b"\xc9\x10",
    ]
    assert not [event for event in messages if event.message[:2] == b"\xb0\x00"]
    assert (0, b"\xb0\x40\x7f") in found.tracks[1]
    assert notes_of(found)[:3] == notes_of(sequence_of_bytes(RICH))[:3]


GM_ON = b"\x00\xf0\x05\x7e\x7f\x09\x01\xf7"


@pytest.mark.parametrize("hands", [False, True])
def test_the_one_program_is_sent_again_behind_each_reset(hands):
    resets = track(GM_ON, GM_ON, b"\x05" + GM_ON[1:])
    data = midi(resets, track(b"\x01" + PROGRAM[1:], on(60), off(60, 9)), track(on(40, 0, 1), off(40, 9, 1)))
    found = rewritten(data, nothing, new((8, 9, 70, 50)), program=24, split_hands=hands)
    assert {note[1] for note in notes_of(found)} <= {0, 1, 2}
    for channel in range(3):
        assert (ChannelSettings(found.tracks).changes(channel, INSTRUMENT).at(np.arange(10)) == 24).all()


def test_without_a_program_a_reset_stays_as_it_was():
    data = midi(track(GM_ON, PROGRAM, on(60), off(60, 9)))
    assert rewritten(data, nothing, new((8, 9, 70, 50))).tracks[0] == sequence_of_bytes(data).tracks[0]


XG_DRUMS = b"\x00\xf0\x08\x43\x10\x4c\x00\x00\x7e\x00\xf7\x00\xb0\x00\x7f\x00\xc0\x08"


@pytest.mark.parametrize("controls", [{}, {"program": 24}, {"split_hands": True}])
def test_drums_on_another_channel_keep_their_hits_and_their_kit(controls):
    data = midi(
        track(XG_DRUMS, on(36), off(36, 2), on(38, 2), off(38, 2)), track(on(60, 0, 4), off(60, 8, 4))
    )
    found = rewritten(data, nothing, new((2, 6, 64, 50)), **controls)
    of_drums = [event for event in found.tracks[0] if event.channel in (None, 0)]
    assert of_drums == sequence_of_bytes(data).tracks[0]
    assert all(note[1] != 0 for note in notes_of(found) if note[0] > 0)
    assert not rewritten(data, nothing, keep_drums=False).tracks[0][3:-1]


@pytest.mark.parametrize("controls", [{}, {"program": 24}, {"split_hands": True}])
def test_drum_channels_without_a_hit_stay_free_of_notes_and_as_they_were(controls):
    kit = b"\x00\xc1\x08"
    data = midi(track(gs_drums(2, 3), kit), track(on(60, 0, 4), off(60, 8, 4), on(40), off(40, 2)))
    found = rewritten(data, nothing, new((2, 6, 64, 50)), **controls)
    of_drums = [event for event in found.tracks[0] if event.channel in (None, 1)]
    assert of_drums == sequence_of_bytes(data).tracks[0]
    assert not {note[1] for note in notes_of(found)} & {1, 2}


@pytest.mark.parametrize("genre", ["pop", "Ćürüm 日本"])
def test_any_genre_names_the_track(genre):
    file = read_file(RICH)
    sequence, notes = sequence_of(file), pair_notes(file)
    arrangement = Arrangement(np.ones(len(notes), bool), notes.ends, new((4, 8, 70, 50)))
    found = rewrite(sequence, notes, arrangement, Controls(), genre)
    assert f"new notes ({genre})".encode() in found.to_bytes()
    pretty_midi.PrettyMIDI(io.BytesIO(found.to_bytes()))
