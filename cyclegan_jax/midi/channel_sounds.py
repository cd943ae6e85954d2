"""What sounds on a channel: its General MIDI program when a note begins, and whether it is drums.

Channel 10 is drums. Another channel becomes drums, and channel 10 melodic, by

    bank select MSB 120            General MIDI 2, rhythm channel
    bank select MSB 126 or 127     XG, sound effects and drum kits; in GS files 127 has the MT-32's sounds
    F0 41 10 42 12 40 1b 15 vv     GS, use part b for rhythm: off by 0; part 0 is channel 10, and 1 to 9 are
                                   those channels, A to F 11 to 16
    F0 43 1n 4C 08 cc 07 vv        XG, part mode of channel cc from 0: melodic by 0, drums else

and what it was is restored by a reset: GM or GM2 System On, GS Reset, XG System On.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from cyclegan_jax.midi.track_events import CONTROL, PROGRAM, SYSTEM_EXCLUSIVE, Events, content_of

DRUM_CHANNEL = 9
CHANNELS = np.arange(16)
BANK_MSB = 0  # a controller
GM2_DRUMS, XG_DRUMS = (120,), (120, 126, 127)
GS_PART = re.compile(rb"\x41.\x42\x12\x40([\x10-\x1f])\x15(.)", re.DOTALL)
XG_PART = re.compile(rb"\x43[\x10-\x1f]\x4c\x08([\x00-\x0f])\x07(.)", re.DOTALL)
GS_RESET = re.compile(rb"\x41.\x42\x12\x40\x00\x7f", re.DOTALL)
RESET = re.compile(rb"\x7e.\x09[\x01\x03]|\x43[\x10-\x1f]\x4c\x00\x00\x7e|" + GS_RESET.pattern, re.DOTALL)
GS_CHANNELS = (9, *range(9), *range(10, 16))  # by part
AS_IT_WAS = -1


class Sounds(NamedTuple):
    """Of notes [N] General MIDI programs and [N] bool, which are drums; of a file its drum channels, from 0.

    These are all that are drums for any time, with a hit or without.
    """

    programs: np.ndarray
    drums: np.ndarray
    drum_channels: frozenset[int]


def sounds(events: Events, places: np.ndarray) -> Sounds:
    """What sounds in a file, in which notes begin at these places."""
    changes = _changes(events)
    keys = _keys(*changes[:, :3].T)
    order = np.argsort(keys)
    ticks, _, channels, programs, drums = changes[order].T
    programs, drums = _filled(programs), _filled(drums) > 0
    lasts = np.append((channels[1:] > channels[:-1]) | (ticks[1:] > ticks[:-1]), [True])
    played_on = events.statuses[places].astype(np.int64) & 0x0F
    latest = np.searchsorted(keys[order], _keys(events.ticks[places], places, played_on)) - 1
    hit = played_on[drums[latest]]
    drum_channels = frozenset({*channels[drums & lasts].tolist(), *hit.tolist()})
    return Sounds(programs[latest], drums[latest], drum_channels)


def is_reset(message: bytes) -> bool:
    """Whether a system-exclusive message sets all channels to what they are at first."""
    return bool(RESET.match(content_of(message)))


def _exclusive(events: Events) -> Iterator[tuple[int, bytes]]:
    """Place and content of each system-exclusive message."""
    for place, message in events.others.items():
        if message[0] == SYSTEM_EXCLUSIVE:
            yield place, content_of(message)


def _changes(events: Events) -> np.ndarray:
    """[C, 5] tick, place and channel of each change, its program, and whether it is drums from then on.

    The last two may be `AS_IT_WAS`. Each channel has a change before all events.
    """
    exclusive = list(_exclusive(events))
    drum_banks = GM2_DRUMS if any(GS_RESET.match(message) for _, message in exclusive) else XG_DRUMS
    programs = events.of_kind(PROGRAM)
    banks = events.of_kind(CONTROL)
    banks = banks[(events.data[banks, 0] == BANK_MSB) & (events.statuses[banks] & 0x0F != DRUM_CHANNEL)]
    resets = np.array([place for place, message in exclusive if RESET.match(message)], np.int64)
    return np.concatenate(
        [
            _rows(events, programs, events.data[programs, 0], AS_IT_WAS),
            _rows(events, banks, AS_IT_WAS, np.isin(events.data[banks, 1], drum_banks)),
            _as_at_first(np.array([-1]), np.array([-1])),
            _as_at_first(events.ticks[resets], resets),
            np.array(list(_modes(events, exclusive)), np.int64).reshape(-1, 5),
        ]
    )


def _rows(
    events: Events, places: np.ndarray, programs: np.ndarray | int, drums: np.ndarray | int
) -> np.ndarray:
    channels = events.statuses[places].astype(np.int64) & 0x0F
    return np.stack(np.broadcast_arrays(events.ticks[places], places, channels, programs, drums), axis=1)


def _modes(events: Events, messages: list[tuple[int, bytes]]) -> Iterator[tuple[int, ...]]:
    """The rows of part modes."""
    for place, message in messages:
        tick = int(events.ticks[place])
        if part := GS_PART.match(message):
            yield tick, place, GS_CHANNELS[part[1][0] & 0x0F], AS_IT_WAS, part[2] != b"\0"
        elif part := XG_PART.match(message):
            yield tick, place, part[1][0], AS_IT_WAS, part[2] != b"\0"


def _as_at_first(ticks: np.ndarray, places: np.ndarray) -> np.ndarray:
    """[R · 16, 5] every channel as it is at first, from each of these on."""
    rows = np.broadcast_arrays(ticks[:, None], places[:, None], CHANNELS, 0, CHANNELS == DRUM_CHANNEL)
    return np.stack(rows, axis=-1).reshape(-1, 5)


def _keys(ticks: np.ndarray, places: np.ndarray, channels: np.ndarray) -> np.ndarray:
    """Numbers that sort by channel, then tick, then place: there are under 2^30 ticks and 2^21 events."""
    return (channels << 52) + ((ticks + 1) << 21) + (places + 1)


def _filled(values: np.ndarray) -> np.ndarray:
    """The values, each `AS_IT_WAS` replaced by the last one before it."""
    return values[np.maximum.accumulate(np.where(values == AS_IT_WAS, 0, np.arange(len(values))))]
