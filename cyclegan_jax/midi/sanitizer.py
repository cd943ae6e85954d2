"""Tracks of MIDI files, checked to their last byte and cleaned of all but notes, tempo and metre.

A track is a row of events (Standard MIDI Files 1.0), each a delta time and a message:

    delta time   the ticks since the event before, as a variable-length quantity: 1 to 4 bytes of seven
                 bits each, the highest first, with the top bit set in all but the last
    message      8n 9n An Bn En   data data          channel n: note off, note on, ..., pitch bend
                 Cn Dn            data               channel n: program change, channel pressure
                                  data [data]        running status: the status byte of the message before
                 FF kind          length content     meta event: 51 tempo, 58 time signature, 2F End of Track
                 F0 or F7         length content     system-exclusive message, or a packet of one

Status bytes have the top bit set, `data` and `kind` have not; `length` is a variable-length quantity.

Why tracks are cleaned before symusic reads them: it was written for sound files. It lets ticks wrap at 2^32,
reads beyond short meta events, takes damaged events for music and misreads F7 packets. It also copies names
and controllers into each part of a track, of which there may be 2,048: 67 GB for a file of 8 MiB.
So each track is walked first, by regular expressions that take a whole run of channel messages at once.
Grammar, lengths and limits are checked; only notes, programs, controllers, tempos and metres are passed on.
A parser of our own was as exact, but 2.1 ms a file slower.

Why the check is strict: a track must end with End of Track and have nothing after it. Only so is a file that
was cut off at any byte sure to be refused.
"""

import re
from collections import Counter
from typing import NamedTuple

import numpy as np

from cyclegan_jax.midi.refusals import Refusal, RefusedSongError

MAX_PIECES = 200_000  # runs of channel messages, and events between them
FAR = 2 * (2**28 - 1)  # ticks, twice the longest delta: over 4,096 bars by the finest clock there is
SET_TEMPO, TIME_SIGNATURE, END_OF_TRACK = 0x51, 0x58, 0x2F
SHORTEST = {SET_TEMPO: 3, TIME_SIGNATURE: 4}  # bytes
EMPTY_TEXT = b"\xff\x01\x00"  # an event but for its delta, as is the next
TEMPO = b"\xff\x51\x03"


def _pattern(text: bytes) -> re.Pattern[bytes]:
    names = {b"DELTA": rb"[\x80-\xff]{0,3}+[\x00-\x7f]", b"DATA": rb"[\x00-\x7f]"}
    names |= {b"TWO": rb"[\x80-\xbf\xe0-\xef]", b"ONE": rb"[\xc0-\xdf]"}
    for name, meaning in names.items():
        text = text.replace(name, meaning)
    return re.compile(text)


# A run of channel messages that have two bytes of data or of ones that have one, where only the first must
# have its status byte; or another event up to its content, a meta or a system-exclusive one.
PIECE = _pattern(
    rb"(?P<two>DELTATWODATADATA(?:DELTATWO?+DATADATA)*+)"
    rb"|(?P<one>DELTAONEDATA(?:DELTAONE?+DATA)*+)"
    rb"|(?P<other>(?P<delta>DELTA)(?:\xff(?P<kind>DATA)|[\xf0\xf7])(?P<length>DELTA))"
)
DELTAS = {
    "two": _pattern(rb"(?P<delta>DELTA)TWO?DATADATA"),
    "one": _pattern(rb"(?P<delta>DELTA)ONE?DATA"),
    "other": _pattern(rb"(?P<delta>DELTA)"),
}
MESSAGES = {
    "two": _pattern(rb"(?P<delta>DELTA)(?P<status>TWO?)(?P<data>DATADATA)"),
    "one": _pattern(rb"(?P<delta>DELTA)(?P<status>ONE?)(?P<data>DATA)"),
}
PROGRAM_CHANGES = _pattern(
    rb"DELTA(?:(?P<programs>[\xc0-\xcf]DATA(?:DELTADATA)*+)|[\xd0-\xdf]DATA(?:DELTADATA)*+)"
)


class Track(NamedTuple):
    """A cleaned track: its events, an empty text for End of Track.

    `channels`: those that may have notes, from 0. `parts`: how many pairs of a channel and a program
    may have notes.
    """

    events: bytes
    channels: list[int]
    parts: int


class Cleaner:
    """Cleans a file's tracks, one after the other; the limits are for all of them together.

    `marks`: kind and content of each tempo and time signature; in its place a cleaned track has a
    tempo that is its number in this list, by which the reader of the track finds its tick.
    """

    def __init__(self) -> None:
        self.marks: list[tuple[int, bytes]] = []
        self._pieces = 0

    def clean(self, track: bytes, number: int) -> Track:
        """Clean the track with this number, from 1. Raises RefusedSongError, also beyond the limits."""
        cleaned, events = self._take_apart(track, number)
        if _may_reach_far(events) and _ticks(events) >= FAR:
            raise RefusedSongError(Refusal.TOO_LONG, f"track {number} has {FAR} ticks or more")
        channels = [channel for channel in range(16) if 0x90 | channel in events["two"]]
        changes = set(PROGRAM_CHANGES.findall(events["one"]))
        return Track(cleaned, channels, len(channels) + len(changes) if channels else 0)

    def _take_apart(self, track: bytes, number: int) -> tuple[bytes, dict[str, bytes]]:
        """The track cleaned; and by sort its runs, joined, and the deltas of its other events."""
        cleaned, place, kind = [], 0, None
        pieces = {"two": [], "one": [], "other": []}
        while kind != END_OF_TRACK:
            match = PIECE.match(track, place)
            if not (match and match.lastgroup):
                raise RefusedSongError(
                    Refusal.DAMAGED, f"no event at byte {place} of {len(track)} in track {number}"
                )
            piece, place = match[0], match.end()
            if match.lastgroup == "other":
                piece, place, kind = match["delta"], *content_end(track, match)
                cleaned += [piece, self._replacement(kind, track[match.end() : place])]
            else:
                cleaned.append(piece)
            pieces[match.lastgroup].append(piece)
            self._pieces += 1
            if self._pieces > MAX_PIECES:
                raise RefusedSongError(Refusal.TOO_MANY, f"over {MAX_PIECES} events or runs of events")
        if place != len(track):
            raise RefusedSongError(Refusal.DAMAGED, f"track {number} does not end with its last event")
        return b"".join(cleaned), {sort: b"".join(parts) for sort, parts in pieces.items()}

    def _replacement(self, kind: int | None, content: bytes) -> bytes:
        if kind not in SHORTEST:
            return EMPTY_TEXT
        self.marks.append((kind, content))
        return TEMPO + (len(self.marks) - 1).to_bytes(3, "big")


def content_end(track: bytes, event: re.Match[bytes]) -> tuple[int, int | None]:
    """Where an event's content ends, and its kind if it is a meta event. Raises RefusedSongError."""
    length, kind = quantity(event["length"]), event["kind"][0] if event["kind"] else None
    end = event.end() + length
    if end > len(track):
        raise RefusedSongError(Refusal.DAMAGED, f"an event {end - len(track)} bytes longer than its track")
    if (kind in SHORTEST and length < SHORTEST[kind]) or (kind == END_OF_TRACK and length):
        raise RefusedSongError(Refusal.DAMAGED, f"a meta event {kind:#x} of {length} bytes")
    return end, kind


def quantity(digits: bytes) -> int:
    """A variable-length quantity: seven bits a byte."""
    number = 0
    for digit in digits:
        number = number << 7 | digit & 0x7F
    return number


def _may_reach_far(events: dict[str, bytes]) -> bool:
    """From how many bytes are high, and how many side by side: those are in a delta of three or four."""
    joined = b"".join(events.values())
    if joined.isascii():  # no messages at all, and few deltas, of one byte
        return False
    highs = np.frombuffer(joined, np.int8) < 0
    pairs = highs[1:] & highs[:-1]
    triples = pairs[1:] & pairs[:-1]
    counts = len(highs), *map(np.count_nonzero, (highs, pairs, triples))
    return bool(sum(count << 7 * digits for digits, count in enumerate(counts, 1)) >= FAR)


def _ticks(events: dict[str, bytes]) -> int:
    """How long events last."""
    deltas = Counter()
    for sort, pattern in DELTAS.items():
        deltas.update(pattern.findall(events[sort]))
    return sum(quantity(delta) * times for delta, times in deltas.items())
