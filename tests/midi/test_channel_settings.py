"""What a channel is set to, by messages written one by one."""

import numpy as np
import pytest
from support.midi_bytes import END, midi, off, on, track

from cyclegan_jax.midi.channel_settings import (
    EXPRESSION,
    INSTRUMENT,
    NEVER,
    PEDAL,
    SETTINGS,
    VOLUME,
    ChannelSettings,
    Setting,
)
from cyclegan_jax.midi.events import Event, sequence_of
from cyclegan_jax.midi.midi_file import read_file

GM_ON = b"\x00\xf0\x05\x7e\x7f\x09\x01\xf7"


def control(number: int, value: int, delta: int = 0, channel: int = 0) -> bytes:
    return bytes([delta, 0xB0 | channel, number, value])


def settings_of(*tracks: bytes) -> ChannelSettings:
    return ChannelSettings(sequence_of(read_file(midi(*tracks))).tracks)


def values(settings: ChannelSettings, setting: Setting, ticks: range, channel: int = 0) -> list[int]:
    return settings.changes(channel, setting).at(np.array(ticks)).tolist()


def test_a_setting_is_in_force_from_its_tick_on_in_whatever_track_it_is():
    found = settings_of(
        track(control(7, 80, 2), control(7, 60, 3)), track(control(7, 70, 3), control(7, 1, 1, 4))
    )
    assert values(found, VOLUME, range(7)) == [100, 100, 80, 70, 70, 60, 60]
    assert values(found, VOLUME, range(3, 5), channel=4) == [100, 1]


def test_at_one_tick_the_last_track_counts():
    assert values(settings_of(track(control(7, 1)), track(control(7, 2))), VOLUME, range(1)) == [2]


@pytest.mark.parametrize("setting, value", [(VOLUME, 100), (EXPRESSION, 127), (PEDAL, 0), (INSTRUMENT, 0)])
def test_a_reset_restores_everything_and_a_later_message_counts_again(setting, value):
    sent = setting.message(0, 9)
    found = settings_of(track(b"\x01" + sent, b"\x02" + GM_ON[1:], b"\x02" + sent))
    assert values(found, setting, range(6)) == [value, 9, 9, value, value, 9]


@pytest.mark.parametrize("number, after", [(5, 9), (8, 9), (65, 0), (91, 9), (93, 9)])
def test_controller_121_stops_portamento_and_leaves_its_time_balance_and_effects(number, after):
    found = settings_of(track(control(number, 9), control(121, 0, 1)))
    setting = next(s for s in SETTINGS if s.message(0, 0)[:2] == bytes([0xB0, number]))
    assert values(found, setting, range(2)) == [9, after]


def test_controller_121_leaves_volume_and_program_alone():
    sent = [
        control(7, 9),
        control(11, 9),
        control(64, 9),
        b"\x00\xc0\x09",
        control(121, 0, 1),
        b"\x01\xe1\0\0",
    ]
    found = settings_of(track(*sent))
    assert [values(found, setting, range(2)) for setting in (VOLUME, EXPRESSION, PEDAL, INSTRUMENT)] == [
        [9, 9],
        [9, 127],
        [9, 0],
        [9, 9],
    ]


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_message_sets_what_it_says(setting):
    value = 77 << 7 | 5 if setting.default > 127 else 77
    found = ChannelSettings([[Event(3, setting.message(5, value))]])
    assert values(found, setting, range(2, 4), channel=5) == [setting.default, value]
    assert found.used == {5}


def test_a_note_uses_its_channel_and_words_use_none():
    assert settings_of(track(on(60, 0, 3), off(60, 1, 3)), track(b"\x00\xff\x05\x02la")).used == {3}


def test_velocities_make_up_for_volume_and_expression():
    found = settings_of(track(control(7, 50), control(11, 64, 4), control(7, 127, 4, 1)))
    heard = found.heard(np.array([0, 0, 1, 1, 2]), np.array([3, 4, 4, 8, 8]), np.array([80, 80, 90, 110, 33]))
    assert heard.tolist() == [40, 20, 90, 127, 33]
    assert found.level(1, np.array([8])) == pytest.approx(1.27)


def test_no_velocity_is_0():
    assert settings_of(track(control(7, 0))).heard(*np.array([[0], [0], [80]])).tolist() == [1]


def test_under_the_pedal_notes_sound_until_it_is_lifted():
    pedal = settings_of(
        track(control(64, 127, 2), control(64, 64, 2), control(64, 63, 2), control(64, 90, 4), end=END)
    ).changes(0, PEDAL)
    assert pedal.held(np.array([0, 1, 2, 3, 5, 6, 9, 10, 99])).tolist() == [0, 1, 6, 6, 6, 6, 9, NEVER, NEVER]
