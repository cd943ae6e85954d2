"""What sounds on a channel: programs by the order of events, drums by GM2, XG and GS."""

import numpy as np
import pytest
from support.midi_bytes import GS_ON, SIGNATURE, gs_part, midi, off, on, track

from cyclegan_jax.midi.midi_file import read_file
from cyclegan_jax.midi.played_notes import pair_notes
from cyclegan_jax.midi.reader import parse_midi

GM_ON, GM2_ON = b"\x00\xf0\x05\x7e\x7f\x09\x01\xf7", b"\x00\xf0\x05\x7e\x7f\x09\x03\xf7"
XG_ON = b"\x00\xf0\x08\x43\x10\x4c\x00\x00\x7e\x00\xf7"
LISTED = on(38, 0, 11) + off(38, 2, 11), on(36, 0, 9) + off(36, 2, 9), on(60) + off(60, 2)


def bank(number: int, channel: int = 11) -> bytes:
    return bytes([0, 0xB0 | channel, 0, number, 0, 0xC0 | channel, 0])


def xg_part(channel: int, mode: int) -> bytes:
    return bytes([0, 0xF0, 8, 0x43, 0x10, 0x4C, 8, channel, 7, mode, 0xF7])


def drums(*events: bytes) -> list[bool]:
    """Whether a note on channel 12, one on 10 and one on 1 are drums after these events."""
    return pair_notes(read_file(midi(track(SIGNATURE, *events, *LISTED)))).drums.tolist()


@pytest.mark.parametrize(
    "events, twelfth, tenth",
    [
        ([], False, True),
        ([GM2_ON, bank(120)], True, True),
        ([GM2_ON, bank(121)], False, True),
        ([XG_ON, bank(127)], True, True),
        ([XG_ON, bank(126)], True, True),
        ([XG_ON, bank(127), bank(0)], False, True),
        ([XG_ON, bank(0, 9)], False, True),
        ([bank(127)], True, True),
        ([GS_ON, bank(127)], False, True),
        ([GS_ON, gs_part(11, 2)], True, True),
        ([GS_ON, gs_part(11, 1), gs_part(11, 0)], False, True),
        ([GS_ON, gs_part(0, 0)], False, False),
        ([GS_ON, gs_part(0, 0), GS_ON], False, True),
        ([GS_ON, gs_part(12, 1)], False, True),
        ([XG_ON, xg_part(11, 2)], True, True),
        ([XG_ON, xg_part(11, 2), xg_part(11, 0)], False, True),
        ([XG_ON, xg_part(11, 2), XG_ON], False, True),
        ([XG_ON, bank(127), GM_ON], False, True),
    ],
)
def test_a_channel_is_drums_by_what_was_sent_before(events, twelfth, tenth):
    assert drums(*events) == [twelfth, tenth, False]


def test_a_channel_becomes_drums_at_that_moment_and_by_another_track_too():
    first = track(SIGNATURE, XG_ON, b"\x0a" + bank(127)[1:])
    second = track(*(on(38, start, 11) + off(38, 2, 11) for start in (0, 5, 4, 1)))
    notes = pair_notes(read_file(midi(first, second)))
    assert notes.onsets.tolist() == [0, 7, 13, 16] and notes.drums.tolist() == [False, False, True, True]
    assert notes.drum_channels == {9, 11}


@pytest.mark.parametrize(
    "events, channels",
    [
        ([], {9}),
        ([XG_ON, bank(127)], {9, 11}),
        ([GM2_ON, bank(120)], {9, 11}),
        ([GS_ON, gs_part(12, 1)], {9, 12}),
        ([XG_ON, xg_part(3, 2)], {9, 3}),
        ([XG_ON, bank(127), bank(0)], {9}),  # at one tick the last counts
        ([XG_ON, bank(127), b"\x01" + bank(0)[1:]], {9, 11}),
        ([XG_ON, bank(127), *LISTED[0:1], bank(0)], {9, 11}),
    ],
)
def test_a_channel_of_drums_is_one_without_a_hit_too(events, channels):
    assert pair_notes(read_file(midi(track(SIGNATURE, *events, LISTED[2])))).drum_channels == channels


def test_a_hit_on_a_channel_that_is_drums_for_no_time_is_one_of_a_drum_channel():
    events = XG_ON, bank(127), on(38, 0, 11), bank(0), off(38, 2, 11)
    assert pair_notes(read_file(midi(track(SIGNATURE, *events)))).drum_channels == {9, 11}


def test_drums_are_not_in_a_score_and_drums_alone_are_no_notes():
    score = parse_midi(midi(track(SIGNATURE, XG_ON, bank(127), *LISTED)))
    assert score.pitches.tolist() == [60]
    assert len(parse_midi(midi(track(SIGNATURE, XG_ON, bank(127), LISTED[0]))).pitches) == 0


def test_a_note_has_the_program_of_its_moment_and_a_reset_has_none():
    events = on(50), b"\x02\xc0\x07", on(51), b"\x02\xc0\x09", GM_ON, on(52), off(52, 1), off(51), off(50)
    assert pair_notes(read_file(midi(track(SIGNATURE, *events)))).programs.tolist() == [0, 7, 0]
    other_track = pair_notes(read_file(midi(track(SIGNATURE, b"\x00\xc0\x07"), track(on(50), off(50, 3)))))
    assert other_track.programs.tolist() == [7]


def test_many_changes_at_chance_are_those_of_a_walk_through_the_events():
    rng = np.random.default_rng(0)
    for _ in range(50):
        parts, program, expected = [SIGNATURE], {0: 0, 1: 0}, []
        for _ in range(60):
            channel, delta = int(rng.integers(2)), int(rng.integers(3))
            if rng.random() < 0.5:
                program[channel] = int(rng.integers(128))
                parts.append(bytes([delta, 0xC0 | channel, program[channel]]))
            else:
                parts += [on(60, delta, channel), off(60, 1, channel)]
                expected.append(program[channel])
        assert pair_notes(read_file(midi(track(*parts)))).programs.tolist() == expected
