"""Bass, chords and melody as tracks of their own: which notes, which channels, how loud."""

import io

import mido
import pytest
from support.midi_bytes import gs_drums, meta, midi, off, on, track
from support.rewritten import new, notes_of, nothing, rewritten, sequence_of_bytes

CHORD = on(36), on(60), on(72), off(36, 8), off(60), off(72)


def test_a_note_of_no_length_does_not_hang_in_a_hand():
    data = midi(track(on(60), off(60), on(72, 9), off(72, 9)))
    assert [note[2:5] for note in notes_of(rewritten(data, nothing, split_hands=True))] == [
        (0, 1, 60),
        (9, 18, 72),
    ]


def test_hands_without_a_note_are_empty_tracks():
    def change(kept, ends):
        kept[:] = False

    found = rewritten(midi(track(*CHORD)), change, split_hands=True)
    assert [[event.kind for event in events] for events in found.tracks[1:]] == [[0xFF, 0xC0, 0xFF]] * 3


def test_hands_are_as_loud_as_the_channels_that_they_leave():
    volumes = b"\x00\xb0\x07\x32", b"\x08\xb0\x0b\x40"
    data = midi(track(volumes[0], on(60), off(60, 4)), track(volumes[1], on(60), off(60, 4)))
    found = rewritten(data, nothing, new((20, 24, 60, 33)), split_hands=True)
    assert [note[5] for note in notes_of(found)] == [40, 20, 33]


def test_hands_have_tracks_of_their_own_and_the_rest_keeps_its_words_and_drums():
    data = midi(
        track(on(36), on(52), on(55), on(72), off(36, 8), off(52), off(55), off(72)),  # a chord over a bass
        track(on(74, 10), off(74, 4), on(33, 2), off(33, 4)),  # alone: high is melody, deep is bass
        track(meta(5, b"la"), on(36, 0, 9), off(36, 2, 9)),
    )
    found = rewritten(data, nothing, new((2, 6, 60, 50)), split_hands=True, program=4)
    music = mido.MidiFile(file=io.BytesIO(found.to_bytes()))
    assert [t.name for t in music.tracks[3:]] == ["bass", "chords", "melody"]
    pitches = {
        name: [note[4] for note in notes_of(found) if note[0] == n + 3] for n, name in enumerate("bcm")
    }
    assert pitches == {"b": [36, 33], "c": [52, 55, 60], "m": [72, 74]}
    assert {note[1] for note in notes_of(found) if note[0] >= 3} == {0, 1, 2}
    assert sorted({m.program for t in music.tracks for m in t if m.type == "program_change"}) == [4]
    assert found.tracks[2] == sequence_of_bytes(data).tracks[2]
    assert [len(events) for events in found.tracks[:2]] == [1, 1]


@pytest.mark.parametrize("parts, channels", [(14, [15, 15, 15]), (13, [14, 15, 14]), (12, [13, 14, 15])])
def test_hands_share_the_channels_that_drums_leave(parts, channels):
    pitched = track(*(bytes([event[0], event[1] | 15, *event[2:]]) for event in CHORD))
    data = midi(track(gs_drums(*range(1, parts + 1))), pitched)
    found = rewritten(data, nothing, split_hands=True)
    assert [note[1:5] for note in notes_of(found)] == [
        (channel, 0, 8, pitch) for channel, pitch in zip(channels, (36, 60, 72), strict=True)
    ]


def test_hands_on_one_channel_do_not_cut_each_other_short():
    """72 is the melody's, then the chord's below 76."""
    pitched = track(on(72, 0, 15), on(76, 4, 15), off(72, 8, 15), off(76, 8, 15))
    second = track(on(72, 4, 15), off(72, 2, 15))
    found = rewritten(midi(track(gs_drums(*range(1, 15))), pitched, second), nothing, split_hands=True)
    assert [note[1:5] for note in notes_of(found)] == [(15, 4, 6, 72), (15, 0, 4, 72), (15, 4, 20, 76)]


def test_hands_are_not_lost_where_all_channels_are_drums_at_some_time():
    later = track(b"\x63" + gs_drums(*range(16))[1:])
    data = midi(track(*CHORD), later)
    assert sorted(note[1:5] for note in notes_of(rewritten(data, nothing, split_hands=True))) == [
        (0, 0, 8, pitch) for pitch in (36, 60, 72)
    ]


def test_a_pitch_that_two_parts_play_at_once_is_one_note_of_a_hand():
    data = midi(
        track(on(72), off(72, 8)), track(on(72, 0, 1), off(72, 4, 1)), track(on(72, 6, 2), off(72, 9, 2))
    )
    found = rewritten(data, nothing, split_hands=True)
    assert [note[2:5] for note in notes_of(found)] == [(0, 6, 72), (6, 15, 72)]
