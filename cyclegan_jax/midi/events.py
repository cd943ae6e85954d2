"""A MIDI file as its events, each with its tick, so that what nobody asks to be changed stays as it was.

A song's transfer copies such events as bytes: tempo, signatures, lyrics, markers, controllers,
system-exclusive messages, channels and ends of tracks. If no note changes, only running status does, which
is written out. symusic drops most of these events. mido refuses a whole file for one odd key signature, and
takes twice as long.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from mido.midifiles.meta import KeySignatureError, build_meta_message

from cyclegan_jax.midi.midi_file import MidiFile
from cyclegan_jax.midi.refusals import Refusal, RefusedSongError
from cyclegan_jax.midi.track_events import (
    END_OF_TRACK,
    META,
    PACKET,
    PRESSURE,
    PROGRAM,
    SET_TEMPO,
    SYSTEM_EXCLUSIVE,
    TIME_SIGNATURE,
    content_of,
    meta,
    varlen,
)

EMPTY_TEXT = meta(0x01, b"")
MOST_TRACKS = 65_535 - 3  # a file counts them in 16 bits, and three may come to them
LONGEST_DELTA = 2**28 - 1  # ticks (Standard MIDI Files 1.0)


class Event(NamedTuple):
    """`tick` from the start of the song; `message`: its status, also where a file runs on, and its data."""

    tick: int
    message: bytes

    @property
    def channel(self) -> int | None:
        """The channel from 0, or None for an event that is not a channel's."""
        return self.message[0] & 0x0F if self.message[0] < 0xF0 else None

    @property
    def kind(self) -> int:
        """The status without its channel."""
        return self.message[0] & 0xF0 if self.message[0] < 0xF0 else self.message[0]


@dataclass(frozen=True)
class Sequence:
    """A file: ticks a quarter note, and the events of each track in order, End of Track the last."""

    ticks_per_quarter: int
    tracks: list[list[Event]]

    def to_bytes(self) -> bytes:
        """As a Standard MIDI File: of type 1, or 0 if there is but one track."""
        count = len(self.tracks)
        chunks = [struct.pack(">4sIHHH", b"MThd", 6, int(count > 1), count, self.ticks_per_quarter)]
        for track in self.tracks:
            body = _track_bytes(track)
            chunks += [struct.pack(">4sI", b"MTrk", len(body)), body]
        return b"".join(chunks)


def sequence_of(file: MidiFile) -> Sequence:
    """A file's tracks as events that can be changed and written.

    Raises RefusedSongError where there are more tracks than a file can count with those that a transfer adds.
    """
    columns = file.events
    if len(columns.starts) > MOST_TRACKS:
        raise RefusedSongError(Refusal.TOO_MANY, f"{len(columns.starts)} tracks")
    events = []
    rows = columns.ticks.tolist(), columns.statuses.tolist(), columns.data.tolist()
    for place, (tick, status, (first, second)) in enumerate(zip(*rows, strict=True)):
        if message := columns.others.get(place):
            events.append(Event(tick, message))
        elif status & 0xF0 in (PROGRAM, PRESSURE):
            events.append(Event(tick, bytes((status, first))))
        else:
            events.append(Event(tick, bytes((status, first, second))))
    edges = pairwise([*columns.starts.tolist(), len(events)])
    ends = map(end_of_track, columns.ends.tolist())
    return Sequence(
        file.ticks_per_quarter,
        [[*events[start:stop], end] for (start, stop), end in zip(edges, ends, strict=True)],
    )


def is_refused_elsewhere(event: Event) -> bool:
    """Whether pretty_midi and mido refuse a whole file for this event.

    They do for a meta event whose content is not what its kind asks for, such as a key signature of no key,
    a tempo of 0 or a metre of no beats, and for a system-exclusive message with bytes over 127, as escaped
    system messages have.
    """
    if event.message[0] < SYSTEM_EXCLUSIVE:
        return False
    if event.kind in (SYSTEM_EXCLUSIVE, PACKET):
        return not content_of(event.message).removeprefix(b"\xf0").removesuffix(b"\xf7").isascii()
    if event.kind != META:
        return False
    if event.message[1] == SET_TEMPO and not any(content_of(event.message)[:3]):
        return True
    if event.message[1] == TIME_SIGNATURE and content_of(event.message)[:1] == b"\0":
        return True
    try:
        build_meta_message(event.message[1], list(content_of(event.message)), 0)
    except (IndexError, KeyError, KeySignatureError, ValueError):
        return True
    return False


def end_of_track(tick: int) -> Event:
    """The event that every track ends with."""
    return Event(tick, meta(END_OF_TRACK, b""))


def _track_bytes(events: Iterable[Event]) -> bytes:
    parts, now = [], 0
    for tick, message in events:
        gap, now = tick - now, tick
        while gap > LONGEST_DELTA:
            parts += [varlen(LONGEST_DELTA), EMPTY_TEXT]
            gap -= LONGEST_DELTA
        parts += [varlen(gap), message]
    return b"".join(parts)
