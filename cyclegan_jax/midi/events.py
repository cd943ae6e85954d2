"""A MIDI file as its events, each with its tick, so that what nobody asks to be changed stays as it was.

A song's transfer copies such events as bytes: tempo, signatures, lyrics, markers, controllers,
system-exclusive messages, channels and ends of tracks. If no note changes, only running status does, which
is written out. symusic drops most of these events. mido refuses a whole file for one odd key signature, and
takes twice as long. The reader's cleaned tracks lack them too, but the same patterns walk the tracks here.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from cyclegan_jax.midi.reader import read_chunks
from cyclegan_jax.midi.refusals import Refusal, RefusedSongError
from cyclegan_jax.midi.sanitizer import EMPTY_TEXT, END_OF_TRACK, MESSAGES, PIECE, content_end, quantity

MAX_EVENTS = 1_200_000  # over two for each note that a file may have
MOST_TRACKS = 65_535 - 3  # a file counts them in 16 bits, and three may come to them
LONGEST_DELTA = 2**28 - 1  # ticks (Standard MIDI Files 1.0)
NOTE_OFF, NOTE_ON, CONTROL, PROGRAM = 0x80, 0x90, 0xB0, 0xC0
META, TRACK_NAME = 0xFF, 0x03
DRUM_CHANNEL = 9


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


def read_sequence(data: bytes) -> Sequence:
    """The events of a file that `parse_midi` accepts. Raises RefusedSongError where there are too many."""
    division, bodies = read_chunks(data)
    if len(bodies) > MOST_TRACKS:
        raise RefusedSongError(Refusal.TOO_MANY, f"{len(bodies)} tracks")
    tracks, left = [], MAX_EVENTS
    for body in bodies:
        tracks.append(_events(body, left))
        left -= len(tracks[-1])
    return Sequence(division, tracks)


def _events(track: bytes, most: int) -> list[Event]:
    events: list[Event] = []
    place, tick = 0, 0
    while place < len(track):
        match = PIECE.match(track, place)
        assert match and match.lastgroup  # as parse_midi has found
        if match.lastgroup == "other":
            start = match.end("delta")
            place, _ = content_end(track, match)
            tick += quantity(match["delta"])
            events.append(Event(tick, track[start:place]))
        else:
            place, status = match.end(), b""
            for delta, written, data in MESSAGES[match.lastgroup].findall(match[0]):
                status = written or status
                tick += quantity(delta)
                events.append(Event(tick, status + data))
        if len(events) > most:
            raise RefusedSongError(Refusal.TOO_MANY, f"over {MAX_EVENTS} events")
    return events


def meta(tick: int, kind: int, content: bytes) -> Event:
    """A meta event."""
    return Event(tick, bytes([META, kind]) + _varlen(len(content)) + content)


def end_of_track(tick: int) -> Event:
    """The event that every track ends with."""
    return meta(tick, END_OF_TRACK, b"")


def _track_bytes(events: Iterable[Event]) -> bytes:
    parts, now = [], 0
    for tick, message in events:
        gap, now = tick - now, tick
        while gap > LONGEST_DELTA:
            parts += [_varlen(LONGEST_DELTA), EMPTY_TEXT]
            gap -= LONGEST_DELTA
        parts += [_varlen(gap), message]
    return b"".join(parts)


def _varlen(number: int) -> bytes:
    """A variable-length quantity: seven bits a byte, the highest first."""
    digits = [number & 0x7F]
    while number := number >> 7:
        digits.append(number & 0x7F | 0x80)
    return bytes(reversed(digits))
