"""What a channel was set to at a tick: program, volume, pedal and the like, and so how loud its notes are.

Messages count in the order in which players take them: by tick, at one tick by track. Every setting falls
back to its default by a reset (`channel_sounds`), some by controller 121 (MMA RP-015).

By General MIDI 2 (3.3.6) channel volume and expression each change the level by 40·log10(value / 127) dB,
and so does velocity by DLS 1. So the product of the three says how loud a note is. A channel that nothing
was sent to, with volume 100 and expression 127, is as loud as another one with the velocity

    velocity · volume / 100 · expression / 127
"""

from collections import defaultdict
from typing import NamedTuple

import numpy as np

from cyclegan_jax.midi.channel_sounds import is_reset
from cyclegan_jax.midi.events import Event
from cyclegan_jax.midi.track_events import BEND, CONTROL, PRESSURE, PROGRAM, SYSTEM_EXCLUSIVE

PEDAL_DOWN = 64  # and more
NEVER = np.iinfo(np.int64).max
RESET_CONTROLLERS = 121


class Setting(NamedTuple):
    """What one kind of channel message sets; `number`: of a controller; `cleared`: by controller 121 too."""

    status: int
    number: int = 0
    default: int = 0
    cleared: bool = False

    def message(self, channel: int, value: int) -> bytes:
        """The message that sets it."""
        if self.status == CONTROL:
            return bytes([CONTROL | channel, self.number, value])
        if self.status == BEND:
            return bytes([BEND | channel, value & 0x7F, value >> 7])
        return bytes([self.status | channel, value])


INSTRUMENT = Setting(PROGRAM)
VOLUME = Setting(CONTROL, 7, default=100)
EXPRESSION = Setting(CONTROL, 11, default=127, cleared=True)
PEDAL = Setting(CONTROL, 64, cleared=True)
SETTINGS = (
    Setting(CONTROL, 0),  # bank, before the program that it is for
    Setting(CONTROL, 32),
    INSTRUMENT,
    Setting(CONTROL, 1, cleared=True),  # modulation
    Setting(CONTROL, 5),  # portamento time
    VOLUME,
    Setting(CONTROL, 8, default=64),  # balance
    Setting(CONTROL, 10, default=64),  # pan
    EXPRESSION,
    PEDAL,
    Setting(CONTROL, 65, cleared=True),  # portamento
    Setting(CONTROL, 66, cleared=True),  # sostenuto
    Setting(CONTROL, 67, cleared=True),  # soft pedal
    *(Setting(CONTROL, number, default=64) for number in range(71, 79)),  # resonance, attack, brightness ...
    Setting(CONTROL, 91, default=40),  # reverb, as GM2, GS and XG have it
    *(Setting(CONTROL, number) for number in range(92, 96)),  # tremolo, chorus, delay, phaser
    Setting(PRESSURE, cleared=True),
    Setting(BEND, default=64 << 7, cleared=True),
)
NONE = np.zeros((0, 3), np.int64)
KINDS = CONTROL, PROGRAM, PRESSURE, BEND
STATUSES = frozenset({kind | channel for kind in KINDS for channel in range(16)} | {SYSTEM_EXCLUSIVE})


class Changes(NamedTuple):
    """The values of a setting on a channel, each from its tick on, [C]; the first from before the start."""

    ticks: np.ndarray
    values: np.ndarray

    def at(self, ticks: np.ndarray | int) -> np.ndarray:
        """The values in force at these ticks, after all that is sent there."""
        return self.values[np.searchsorted(self.ticks, ticks, side="right") - 1]

    def differs(self, other: "Changes", ticks: np.ndarray) -> np.ndarray:
        """[N] bool: at which of these ticks, [N], the value is not the other's."""
        return self.at(ticks) != other.at(ticks)

    def held(self, ends: np.ndarray) -> np.ndarray:
        """When notes that end at these ticks, [N], fall silent, if this is the pedal; maybe `NEVER`."""
        lifted = self.values < PEDAL_DOWN
        ups = np.append(self.ticks[lifted], NEVER)
        return np.where(self.at(ends) < PEDAL_DOWN, ends, ups[np.searchsorted(ups, ends, side="right")])


def constant(value: int) -> Changes:
    """A setting that never changes."""
    return Changes(np.array([-1]), np.array([value]))


class ChannelSettings:
    """The settings of all channels, by the events of a song's tracks.

    `used`: the channels that anything at all is sent to.
    """

    def __init__(self, tracks: list[list[Event]]) -> None:
        self._sent: dict[tuple[int, int, int], list[tuple[int, int, int]]] = defaultdict(list)
        resets: list[tuple[int, int]] = []
        statuses: set[int] = set()
        messages: list[Event] = []
        for track in tracks:
            statuses.update(event.message[0] for event in track)
            messages += [event for event in track if event.message[0] in STATUSES]
        self.used = frozenset(status & 0x0F for status in statuses if status < SYSTEM_EXCLUSIVE)
        messages.sort(key=lambda event: event.tick)
        for place, (tick, message) in enumerate(messages):
            if message[0] == SYSTEM_EXCLUSIVE:
                if is_reset(message):
                    resets.append((place, tick))
                continue
            status, channel = message[0] & 0xF0, message[0] & 0x0F
            number, *data = message[1:] if status == CONTROL else (0, *message[1:])
            value = data[0] if len(data) == 1 else data[0] | data[1] << 7
            self._sent[channel, status, number].append((place, tick, value))
        self._resets = np.array(resets, np.int64).reshape(-1, 2)

    def changes(self, channel: int, setting: Setting) -> Changes:
        """How a setting changes on a channel."""
        cleared = self._rows(channel, CONTROL, RESET_CONTROLLERS)[:, :2] if setting.cleared else NONE[:, :2]
        defaults = np.concatenate([[(-1, -1)], cleared, self._resets])
        defaults = np.insert(defaults, 2, setting.default, axis=1)
        rows = np.concatenate([defaults, self._rows(channel, setting.status, setting.number)])
        _, ticks, values = rows[np.argsort(rows[:, 0], kind="stable")].T
        return Changes(ticks, values)

    def _rows(self, channel: int, status: int, number: int) -> np.ndarray:
        """[S, 3] place, tick and value of each message of a kind that was sent there."""
        return np.array(self._sent.get((channel, status, number), NONE), np.int64)

    def level(self, channel: int, ticks: np.ndarray) -> np.ndarray:
        """[M] by how much velocities count more or less at these ticks than on an untouched channel."""
        volume, expression = (self.changes(channel, s).at(ticks) for s in (VOLUME, EXPRESSION))
        return volume * expression / (VOLUME.default * EXPRESSION.default)

    def heard(self, channels: np.ndarray, ticks: np.ndarray, velocities: np.ndarray) -> np.ndarray:
        """[N] velocities with which an untouched channel is as loud as notes on these channels."""
        levels = np.ones(len(channels))
        for channel in np.unique(channels).tolist():
            levels[channels == channel] = self.level(channel, ticks[channels == channel])
        return as_velocities(velocities * levels)


def as_velocities(loudness: np.ndarray) -> np.ndarray:
    """The nearest velocities, 1 to 127."""
    return np.rint(np.clip(loudness, 1, 127)).astype(np.int64)
