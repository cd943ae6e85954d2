"""Tracks of new notes: which channels they take, and what is sent there so that they sound as they should.

A new note never sounds on a channel of drums, unless all 16 are drums at some time, nor on one where a note
of the source sounds as long as any other is there. Of those that are free it takes the one that stays so for
most of the notes behind it. There the track sets all that the source has set otherwise (program, volume,
pedal and so on), sets it anew behind each such message of the source, and puts the source's settings back
before its next note on that channel. Where no channel is free, the note shares the one whose program is
nearest, with all that is set there.

The pedal is that of the channel with most of the source's pitched notes: under the pedal short notes sound
long, and new ones beside them are to do so too.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from cyclegan_jax.midi.channel_settings import (
    INSTRUMENT,
    PEDAL,
    SETTINGS,
    Changes,
    ChannelSettings,
    as_velocities,
    constant,
)
from cyclegan_jax.midi.events import Event, end_of_track
from cyclegan_jax.midi.played_notes import PlayedNotes
from cyclegan_jax.midi.track_events import NOTE_OFF, NOTE_ON, TRACK_NAME, meta
from cyclegan_jax.transfer.arranging import NewNotes

CHANNELS = 16
NO_PEDAL = constant(PEDAL.default)


class Sounding(NamedTuple):
    """When the source sounds on a channel: [K] onsets in order, [K + 1] until when the first k notes do."""

    onsets: np.ndarray
    until: np.ndarray

    def during(self, notes: NewNotes) -> np.ndarray:
        """[M] bool: whether a note of the source sounds while these do, or begins as they end."""
        return self.until[np.searchsorted(self.onsets, notes.ends, side="right")] > notes.onsets


class Stretches(NamedTuple):
    """When a channel is set for new notes, [S] each, in order: the ticks from which and up to which it is.

    `before_source`: whether it plays the source's notes later.
    """

    starts: np.ndarray
    ends: np.ndarray
    before_source: np.ndarray


def new_track(
    name: str,
    new: NewNotes,
    source: PlayedNotes,
    stays: np.ndarray,
    ends: np.ndarray,
    settings: ChannelSettings,
    program: int,
) -> list[Event]:
    """A track of new notes, one at least.

    `stays`: [N] bool, which of the source's notes sound beside them, and `ends`: [N] ticks, until when.
    `settings`: of the tracks that it joins.
    """
    new = new.only(np.argsort(new.onsets, kind="stable"))
    sounding = [_sounding(source, stays, ends, settings, channel) for channel in range(CHANNELS)]
    order = sorted(
        source.pitched_channels,
        key=lambda channel: (channel in settings.used, len(sounding[channel].onsets)),
    )
    channels = _free_channels(new, sounding, order)
    pedal = settings.changes(int(np.bincount(source.channels[source.sound]).argmax()), PEDAL)
    messages: list[Event] = []
    for channel in np.unique(channels[channels >= 0]).tolist():
        stretches = _stretches(new.only(channels == channel), sounding[channel], pedal)
        messages += set_for(channel, stretches, settings, program, pedal)
    shared = np.flatnonzero(channels < 0)
    channels[shared] = _nearest(new.onsets[shared], source.pitched_channels, settings, program)
    velocities = new.velocities.copy()
    for channel in np.unique(channels[shared]).tolist():
        there = shared[channels[shared] == channel]
        level = np.maximum(settings.level(channel, new.onsets[there]), 1e-9)
        velocities[there] = as_velocities(velocities[there] / level)
    return track_of(name, new._replace(velocities=velocities), channels, messages)


def set_for(
    channel: int,
    stretches: Stretches,
    settings: ChannelSettings,
    program: int,
    pedal: Changes = NO_PEDAL,
) -> Iterator[Event]:
    """What makes a channel sound as one that nothing else is sent to, with a program and a pedal."""
    starts, ends, before_source = stretches
    for setting in SETTINGS:
        own = {INSTRUMENT: constant(program), PEDAL: pedal}.get(setting, constant(setting.default))
        source = settings.changes(channel, setting)
        ticks = np.unique(np.concatenate([source.ticks, own.ticks]))
        begun = np.searchsorted(starts, ticks)
        ticks = ticks[(begun > 0) & (ticks <= ends[begun - 1])]
        ticks = ticks[own.differs(source, ticks) | (own.at(ticks) != own.at(ticks - 1))]
        always = setting is INSTRUMENT
        begins = starts[always | own.differs(source, starts)]
        given_back = ends[before_source & (always | own.differs(source, ends))]
        for at, values in ((begins, own), (ticks, own), (given_back, source)):
            for tick, value in zip(at.tolist(), values.at(at).tolist(), strict=True):
                yield Event(tick, setting.message(channel, value))


def track_of(name: str, notes: NewNotes, channels: np.ndarray, messages: Iterable[Event]) -> list[Event]:
    """A track of notes, each on its channel; at one tick notes end first, then messages, then notes begin."""
    played = []
    for channel, onset, end, pitch, velocity in zip(
        channels.tolist(), *(column.tolist() for column in notes), strict=True
    ):
        played.append(Event(onset, bytes([NOTE_ON | channel, pitch, velocity])))
        played.append(note_off(end, channel, pitch))
    order = {NOTE_OFF: 0, NOTE_ON: 2}
    events = sorted([*messages, *played], key=lambda event: (event.tick, order.get(event.kind, 1)))
    return [
        Event(0, meta(TRACK_NAME, name.encode())),
        *events,
        end_of_track(events[-1].tick if events else 0),
    ]


def note_off(tick: int, channel: int, pitch: int) -> Event:
    """The end of a note."""
    return Event(int(tick), bytes([NOTE_OFF | int(channel), int(pitch), 64]))


def _sounding(
    source: PlayedNotes, stays: np.ndarray, ends: np.ndarray, settings: ChannelSettings, channel: int
) -> Sounding:
    """Of the notes that stay, each for a tick at least; under the pedal they sound until it is lifted."""
    notes = np.flatnonzero(stays & (source.channels == channel))
    notes = notes[np.argsort(source.onsets[notes], kind="stable")]
    until = settings.changes(channel, PEDAL).held(np.maximum(ends[notes], source.onsets[notes] + 1))
    return Sounding(source.onsets[notes], np.maximum.accumulate(np.append(-1, until)))


def _free_channels(new: NewNotes, sounding: list[Sounding], order: list[int]) -> np.ndarray:
    """[M] the channel of each new note, which are in the order of their onsets; -1 where none is free.

    Each time the one that is free for most of the notes that follow, the first in `order` of equal ones.
    """
    count = len(new.onsets)
    channels = np.full(count, -1)
    taken = np.array([np.where(sounding[c].during(new), np.arange(count), count) for c in order])
    free_until = np.minimum.accumulate(taken.reshape(-1, count)[:, ::-1], axis=1)[:, ::-1]
    note = 0
    while note < count:
        best = int(free_until[:, note].argmax())
        stop = int(free_until[best, note])
        channels[note:stop] = order[best]
        note = max(stop, note + 1)
    return channels


def _stretches(new: NewNotes, sounding: Sounding, pedal: Changes) -> Stretches:
    """The new notes of a channel, parted where notes of the source sound there; the first from the start."""
    before, first = np.unique(np.searchsorted(sounding.onsets, new.onsets), return_index=True)
    ends = np.maximum.reduceat(new.ends, first)
    last = np.append(sounding.onsets - 1, max(ends[-1], pedal.ticks[-1]))[before]
    return Stretches(
        starts=np.where(before > 0, new.onsets[first], 0),
        ends=np.minimum(pedal.held(ends), last),
        before_source=before < len(sounding.onsets),
    )


def _nearest(onsets: np.ndarray, among: list[int], settings: ChannelSettings, program: int) -> np.ndarray:
    """[M] of these channels the one whose program is nearest at each of these ticks."""
    programs = np.stack([settings.changes(channel, INSTRUMENT).at(onsets) for channel in among])
    return np.array(among)[np.abs(programs - program).argmin(axis=0)]
