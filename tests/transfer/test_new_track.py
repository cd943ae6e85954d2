"""Which channels new notes take, and what they sound like there: four ticks a quarter note."""

import numpy as np
import pytest
from support.midi_bytes import GS_ON, gs_part, midi, off, on, track

from cyclegan_jax.midi.channel_settings import (
    EXPRESSION,
    INSTRUMENT,
    PEDAL,
    SETTINGS,
    VOLUME,
    ChannelSettings,
)
from cyclegan_jax.midi.events import Event, sequence_of
from cyclegan_jax.midi.midi_file import read_file
from cyclegan_jax.midi.played_notes import pair_notes
from cyclegan_jax.transfer.arranging import NewNotes
from cyclegan_jax.transfer.new_track import new_track

GM_ON = b"\x00\xf0\x05\x7e\x7f\x09\x01\xf7"
BUSY = range(2, 16)
SUSTAINED = [track(on(40, 0, channel), off(40, 100, channel)) for channel in BUSY if channel != 9]


def control(number: int, value: int, delta: int = 0, channel: int = 0) -> bytes:
    return bytes([delta, 0xB0 | channel, number, value])


def notes_at(*notes: tuple[int, int]) -> NewNotes:
    onsets, ends = np.array(notes).T
    return NewNotes(onsets, ends, np.full(len(notes), 70), np.full(len(notes), 50))


def joined(new: NewNotes, *tracks: bytes, program: int = 4) -> tuple[list[Event], ChannelSettings]:
    """The new track, and the settings of the song with it."""
    file = read_file(midi(*tracks))
    notes, before = pair_notes(file), sequence_of(file).tracks
    stays = np.ones(len(notes), bool)
    added = new_track("new", new, notes, stays, notes.ends, ChannelSettings(before), program)
    return added, ChannelSettings([*before, added])


def channels_of(events: list[Event]) -> list[int]:
    return [event.message[0] & 0x0F for event in events if event.kind == 0x90]


def values(settings: ChannelSettings, channel: int, tick: int) -> list[int]:
    """All settings of a channel at a tick."""
    return [int(settings.changes(channel, setting).at(tick)) for setting in SETTINGS]


UNTOUCHED = [4 if setting is INSTRUMENT else setting.default for setting in SETTINGS]


def test_an_unused_channel_comes_first_and_only_the_program_is_sent_there():
    events, _ = joined(notes_at((4, 8)), track(on(60), off(60, 9)), track(control(7, 1, 0, 1)))
    assert [event.message for event in events[1:-1]] == [b"\xc2\x04", b"\x92\x46\x32", b"\x82\x46\x40"]


def test_a_channel_without_notes_is_set_as_new_and_set_again_behind_the_sources_messages():
    everywhere = track(*(control(7, 20, 0, channel) for channel in range(16)), control(11, 9, 4, 1))
    events, after = joined(
        notes_at((2, 9)), everywhere, track(on(60), off(60, 50)), track(b"\x05\xc1\x10\x00\xe1\x00\x10")
    )
    assert channels_of(events) == [1]
    assert [values(after, 1, tick) for tick in range(10)] == [UNTOUCHED] * 10


@pytest.mark.parametrize(
    "number, usual", [(5, 0), (8, 64), (65, 0), (91, 40), (92, 0), (93, 0), (94, 0), (95, 0)]
)
def test_on_a_channel_in_its_rest_no_effect_of_the_source_is_left(number, usual):
    with_rest = track(control(number, 99), on(60), off(60, 4), on(60, 16), off(60, 80))
    events, _ = joined(
        notes_at((10, 12)), with_rest, track(b"\x00\xc1\x05", on(40, 0, 1), off(40, 99, 1)), *SUSTAINED
    )
    sent = [event for event in events if event.kind == 0xB0]
    assert sent == [(10, bytes([0xB0, number, usual])), (12, bytes([0xB0, number, 99]))]


def test_channel_10_and_channels_of_drums_are_never_taken():
    bank = control(0, 127, 0, 0) + b"\x00\xc0\x00"
    events, _ = joined(
        notes_at((4, 8)), track(bank, on(36), off(36, 2)), track(on(40, 0, 1), off(40, 99, 1)), *SUSTAINED
    )
    assert channels_of(events) == [1]


def test_a_drum_channel_without_a_hit_is_not_free():
    events, _ = joined(notes_at((4, 8)), track(GS_ON, gs_part(2, 1), gs_part(4, 1), on(60), off(60, 9)))
    assert channels_of(events) == [2]  # GS parts 2 and 4 are channels 1 and 3


def test_a_drum_channel_without_a_hit_is_not_shared_however_near_its_program():
    busy = [track(on(40, 0, channel), off(40, 99, channel)) for channel in range(15) if channel != 9]
    drums = control(0, 127, 0, 15), b"\x00\xcf\x34"
    events, _ = joined(notes_at((4, 8)), *busy, track(*drums), program=52)
    assert channels_of(events) == [0]


def test_where_all_channels_are_drums_at_some_time_one_with_pitched_notes_is_taken():
    later = [track(b"\x63" + gs_part(part, 1)[1:]) for part in range(16)]
    events, _ = joined(notes_at((4, 8)), track(GS_ON), *later, track(on(60, 0, 5), off(60, 2, 5)))
    assert channels_of(events) == [5]


def test_where_all_channels_have_notes_one_is_taken_in_its_rest_and_given_back_before_it_plays_again():
    head = b"\x00\xc0\x19" + control(7, 70) + control(10, 9) + control(64, 127, 1) + control(64, 0, 3)
    with_rest = track(head, on(60), off(60, 4), control(11, 66, 2), on(60, 10), off(60, 80))
    events, after = joined(
        notes_at((10, 12), (14, 19)), with_rest, track(on(40, 0, 1), off(40, 99, 1)), *SUSTAINED
    )
    assert channels_of(events) == [0, 0]
    song = sequence_of(read_file(midi(with_rest))).tracks
    before = ChannelSettings(song)
    assert [values(after, 0, t) for t in (4, 9, 19, 20)] == [values(before, 0, t) for t in (4, 9, 19, 20)]
    assert [values(after, 0, tick) for tick in (10, 12, 18)] == [UNTOUCHED] * 3
    assert [event.tick for event in events if event.kind == 0xC0] == [10, 19]
    kinds = [event.kind for event in events if event.tick in (10, 19)]
    assert kinds[-1] != 0x80 and kinds.index(0x90) == 4 and kinds.index(0x80) == 5


@pytest.mark.parametrize("end, channel", [(19, 0), (20, 1)])
def test_a_note_that_ends_as_the_source_begins_is_not_in_a_rest(end, channel):
    rest = track(on(60), off(60, 8), on(60, 12), off(60, 80))
    events, _ = joined(
        notes_at((10, end)), rest, track(b"\x00\xc1\x04", on(40, 0, 1), off(40, 99, 1)), *SUSTAINED
    )
    assert channels_of(events) == [channel]


def test_under_the_pedal_a_channel_is_not_at_rest():
    held = track(control(64, 127), on(60), off(60, 4), control(64, 0, 8), on(60, 12), off(60, 80))
    events, _ = joined(
        notes_at((6, 8), (14, 16)), held, track(b"\x00\xc1\x05", on(40, 0, 1), off(40, 99, 1)), *SUSTAINED
    )
    assert channels_of(events) == [1, 0]


def test_new_notes_move_on_where_their_channel_plays_again():
    first, second = (
        track(on(60, start, channel), off(60, 20, channel)) for channel, start in ((0, 10), (1, 40))
    )
    long = track(on(40, 0, 1), off(40, 9, 1))
    events, _ = joined(notes_at((10, 12), (35, 38), (42, 45)), first, second, long, *SUSTAINED)
    assert channels_of(events) == [1, 1, 0]


def test_the_channel_that_stays_free_for_most_of_the_notes_is_taken():
    first = track(on(60), off(60, 4), on(60, 16), off(60, 20))
    second = track(*[on(40, 0, 1), off(40, 2, 1)] * 4)
    events, _ = joined(notes_at((10, 12), (30, 32)), first, second, *SUSTAINED)
    assert channels_of(events) == [1, 1]


def test_a_channel_that_is_shared_has_the_nearest_program_and_its_volume_is_made_up_for():
    tracks = [
        track(bytes([0, 0xC0 | c, 10 * (c % 8)]), control(7, 50, 0, c), on(40, 0, c), off(40, 99, c))
        for c in range(15)
        if c != 9
    ]
    head = b"\x00\xcf\x34", on(40, 0, 15), off(40, 1, 15), control(0, 127, 0, 15)
    drums = track(*head, on(36, 0, 15), off(36, 99, 15))
    events, _ = joined(notes_at((4, 8)), *tracks, drums, program=52)
    assert [event.message for event in events[1:-1]] == [b"\x95\x46\x64", b"\x85\x46\x40"]


def test_a_program_stands_after_every_reset():
    tracks = track(GM_ON, on(60), off(60, 50)), track(b"\x06" + GM_ON[1:])
    events, after = joined(notes_at((4, 8), (20, 22)), *tracks)
    assert [event.tick for event in events if event.kind == 0xC0] == [0, 6]
    assert [int(after.changes(1, INSTRUMENT).at(tick)) for tick in (0, 5, 6, 20)] == [4] * 4


def test_the_pedal_of_the_main_part_holds_new_notes_too():
    pedals = control(64, 127, 2), control(64, 0, 6), control(64, 127, 1), control(64, 0, 20)
    part = track(*pedals), track(on(60), off(60, 1), on(62), off(62, 1)), track(on(40, 0, 1), off(40, 9, 1))
    events, after = joined(notes_at((3, 4), (10, 11)), *part)
    pedal = after.changes(2, PEDAL)
    assert [int(pedal.at(tick)) for tick in (1, 2, 7, 8, 9, 28, 29)] == [0, 127, 127, 0, 127, 127, 0]
    assert pedal.held(np.array([4, 11])).tolist() == [8, 29]
    assert not [event for event in events if event.kind == 0xB0 and event.tick > 29]


def test_notes_at_one_tick_end_before_others_begin_and_the_track_ends_behind_all():
    events, _ = joined(notes_at((4, 8), (0, 4)), track(on(60), off(60, 50)))
    assert [event.kind for event in events] == [0xFF, 0xC0, 0x90, 0x80, 0x90, 0x80, 0xFF]
    assert events[-1].tick == 8


def test_the_sources_volume_is_not_that_of_a_channel_of_its_own():
    fade = track(control(7, 30), on(60), *(control(11, 120 - 20 * t, 4) for t in range(6)), off(60, 50))
    _, after = joined(notes_at((4, 8), (20, 22)), fade)
    assert [int(after.changes(1, setting).at(30)) for setting in (VOLUME, EXPRESSION)] == [100, 127]
