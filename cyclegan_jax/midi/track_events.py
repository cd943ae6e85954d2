"""The events of a file's tracks as columns; what is written wrong is mended where its sense is sure.

A track is a row of events (Standard MIDI Files 1.0), each a delta time and a message:

    delta time   the ticks since the event before, as a variable-length quantity: 1 to 4 bytes of seven
                 bits each, the highest first, with the top bit set in all but the last
    message      8n 9n An Bn En   data data          channel n: note off, note on, ..., pitch bend
                 Cn Dn            data               channel n: program change, channel pressure
                                  data [data]        running status: the status byte of the message before
                 FF kind          length content     meta event: 51 tempo, 58 time signature, 2F End of Track
                 F0 or F7         length content     system-exclusive message, or a packet of one

Status bytes have the top bit set, `data` and `kind` have not; `length` is a variable-length quantity.

Regular expressions take a whole run of channel messages at once, which is some ten times as fast as a walk
from byte to byte. Where they find no event, `_mended_event` looks for one that is written wrong.
"""

import re
from dataclasses import dataclass, field

import numpy as np

from cyclegan_jax.midi.refusals import Refusal, RefusedSongError

MAX_PIECES = 200_000  # of a file: runs of channel messages, and events between them
MAX_EVENTS = 1_200_000  # of a file: over two for each note that it may have
FAR = 2 * (2**28 - 1)  # ticks, twice the longest delta: over 4,096 bars by the finest clock there is
NOTE_OFF, NOTE_ON, CONTROL, PROGRAM, PRESSURE, BEND = 0x80, 0x90, 0xB0, 0xC0, 0xD0, 0xE0
META, SYSTEM_EXCLUSIVE, PACKET = 0xFF, 0xF0, 0xF7
TRACK_NAME, END_OF_TRACK, SET_TEMPO, TIME_SIGNATURE, KEY_SIGNATURE = 0x03, 0x2F, 0x51, 0x58, 0x59
SHORTEST = {SET_TEMPO: 3, TIME_SIGNATURE: 2}  # bytes
WHOLE_SIGNATURE = bytes([4, 2, 24, 8])  # 4/4, a click each quarter note, eight 32nd notes in one
LONGEST = 4  # bytes of a delta
LONG_DELTA = re.compile(rb"[\x80-\xff]{4}[\x00-\x7f]")
STATUSES = np.arange(256)
IS_CHANNELS = (STATUSES >= 0x80) & (STATUSES < SYSTEM_EXCLUSIVE)

CLIPPED = "data bytes over 127 taken as 127"
RUNNING = "running status goes on after a meta or system-exclusive event"
LONG_DELTAS = "a delta time of five bytes taken as 0"
SHORT_SIGNATURE = "a time signature of two bytes"


def _pattern(text: bytes) -> re.Pattern[bytes]:
    names = {b"DELTA": rb"[\x80-\xff]{0,3}+[\x00-\x7f]", b"DATA": rb"[\x00-\x7f]"}
    names |= {b"TWO": rb"[\x80-\xbf\xe0-\xef]", b"ONE": rb"[\xc0-\xdf]"}
    for name, meaning in names.items():
        text = text.replace(name, meaning)
    return re.compile(text)


# A run of channel messages that have two bytes of data or of ones that have one, where only the first must
# have its status byte; or the delta time of another event, a meta or a system-exclusive one. A run ends after
# 4,096 messages, so that limits are noticed before memory is full.
PIECE = _pattern(
    rb"(?P<two>DELTATWODATADATA(?:DELTATWO?+DATADATA){0,4095}+)"
    rb"|(?P<one>DELTAONEDATA(?:DELTAONE?+DATA){0,4095}+)"
    rb"|(?P<other>DELTA(?=[\xf0\xf7\xff]))"
)
DELTA = _pattern(rb"DELTA")
# As `two` and `one`, but without a status byte at first.
RUNS = (
    _pattern(rb"(?P<two>(?:DELTATWO?+DATADATA){1,4096}+)"),
    _pattern(rb"(?P<one>(?:DELTAONE?+DATA){1,4096}+)"),
)
MESSAGES = {
    "two": _pattern(rb"(DELTA)(TWO?)(DATADATA)"),
    "one": _pattern(rb"(DELTA)(ONE?)(DATA)"),
}
HEAD = _pattern(rb"(?:\xff(?P<kind>DATA)|[\xf0\xf7])(?P<length>DELTA)")


@dataclass(frozen=True)
class Events:
    """The events of a file by track, and in each in order, [N] each; without End of Track.

    `ticks`: from the start of the song. `tracks`: from 0. `statuses`: the status byte of each, also where a
    file runs on. `data`: [N, 2], the bytes of a channel message, the second 0 where it has but one. `others`:
    by place the whole message of each event that is not a channel's, its status first. `starts`: [T] place of
    each track's first event. `ends`: [T] ticks of End of Track.
    """

    ticks: np.ndarray
    tracks: np.ndarray
    statuses: np.ndarray
    data: np.ndarray
    others: dict[int, bytes]
    starts: np.ndarray
    ends: np.ndarray

    def of_kind(self, *kinds: int) -> np.ndarray:
        """Places of the channel messages of these kinds, which are statuses without a channel."""
        return np.flatnonzero((IS_CHANNELS & np.isin(STATUSES & 0xF0, kinds))[self.statuses])

    def metas(self, kind: int) -> list[tuple[int, bytes]]:
        """Tick and content of each meta event of this kind, in the order of their ticks, then of tracks."""
        places = [place for place, m in self.others.items() if m[0] == META and m[1] == kind]
        found = [(int(self.ticks[place]), content_of(self.others[place])) for place in places]
        return sorted(found, key=lambda event: event[0])


@dataclass
class EventReader:
    """Reads tracks one after the other; the limits are for all of them together.

    `remarks`: what was mended.
    """

    remarks: dict[str, None] = field(default_factory=dict)
    _pieces: int = 0
    _deltas: list[bytes] = field(default_factory=list)
    _statuses: list[bytes] = field(default_factory=list)
    _data: list[bytes] = field(default_factory=list)
    _others: dict[int, bytes] = field(default_factory=dict)
    _status: int = 0  # of the last channel message of the track; 0 where there was none
    _starts: list[int] = field(default_factory=list)
    _last_deltas: list[bytes] = field(default_factory=list)  # of End of Track

    def remark(self, words: str) -> None:
        """Note that something was mended, once."""
        self.remarks.setdefault(words)

    def read_track(self, data: bytes, start: int, end: int) -> tuple[int, bool]:
        """Take up the events of a track between these bytes of a file.

        Returns the place behind the last one, and whether that is End of Track: the walk ends there, or at
        `end` where none comes. Raises RefusedSongError where there is no event, and beyond the limits.
        """
        self._starts.append(len(self._deltas))
        self._last_deltas.append(b"\0")
        self._status, place, closed = 0, start, False
        while place < end and not closed:
            match = PIECE.match(data, place, end) or self._running_on(data, place, end)
            if not match:
                place, closed = self._mended_event(data, place, end)
            elif match.lastgroup == "other":
                place, closed = self._other_event(data, match[0], match.end(), end)
            else:
                place = match.end()
                self._channel_messages(MESSAGES[str(match.lastgroup)].findall(match[0]))
            self._pieces += 1
            if self._pieces > MAX_PIECES:
                raise RefusedSongError(Refusal.TOO_MANY, f"over {MAX_PIECES} events or runs of events")
            if len(self._deltas) > MAX_EVENTS:
                raise RefusedSongError(Refusal.TOO_MANY, f"over {MAX_EVENTS} events")
        return place, closed

    def drop_track(self) -> None:
        """Forget the last track."""
        start = self._starts.pop()
        self._last_deltas.pop()
        del self._deltas[start:], self._statuses[start:], self._data[start:]
        self._others = {place: message for place, message in self._others.items() if place < start}

    @property
    def tracks(self) -> int:
        """How many were taken up."""
        return len(self._starts)

    def events(self) -> Events:
        """What was read. Raises RefusedSongError where a track has `FAR` ticks or more."""
        ticks_of = {delta: quantity(delta) for delta in {*self._deltas, *self._last_deltas}}
        count, starts = len(self._deltas), np.array(self._starts, np.int64)
        sums = np.zeros(count + 1, np.int64)
        np.cumsum(np.fromiter(map(ticks_of.__getitem__, self._deltas), np.int64, count), out=sums[1:])
        sizes = np.diff([*self._starts, count])
        tracks = np.repeat(np.arange(len(starts)), sizes)
        last = np.fromiter(map(ticks_of.__getitem__, self._last_deltas), np.int64, len(starts))
        ends = sums[starts + sizes] - sums[starts] + last
        if ends.max(initial=0) >= FAR:
            raise RefusedSongError(Refusal.TOO_LONG, f"track {ends.argmax() + 1} has {FAR} ticks or more")
        told = np.frombuffer(b"".join([status or b"\0" for status in self._statuses]), np.uint8)
        latest = np.maximum.accumulate(np.where(IS_CHANNELS[told], np.arange(count), 0))
        return Events(
            ticks=sums[1:] - sums[starts][tracks],
            tracks=tracks,
            statuses=np.where(told == 0, told[latest], told),
            data=np.frombuffer(b"".join(self._data), np.uint8).reshape(-1, 2),
            others=self._others,
            starts=starts,
            ends=ends,
        )

    def _running_on(self, data: bytes, place: int, end: int) -> re.Match[bytes] | None:
        """A run whose first message has no status byte, but that of the channel message before."""
        if not self._status:
            return None
        run = RUNS[self._status & 0xF0 in (PROGRAM, PRESSURE)].match(data, place, end)
        if run and len(self._deltas) - 1 in self._others:
            self.remark(RUNNING)
        return run

    def _channel_messages(self, messages: list[tuple[bytes, bytes, bytes]]) -> None:
        deltas, statuses, data = zip(*messages, strict=True)
        self._deltas += deltas
        self._statuses += statuses
        self._data += data if len(data[0]) == 2 else [one + b"\0" for one in data]
        self._status = next((status[0] for status in reversed(statuses) if status), self._status)

    def _other_event(self, data: bytes, delta: bytes, place: int, end: int) -> tuple[int, bool]:
        """Take up the meta or system-exclusive event that begins here, behind its delta time.

        Returns the place behind it, and whether it is End of Track.
        """
        head = HEAD.match(data, place, end)
        if not head:
            raise _damaged(place)
        kind = head["kind"][0] if head["kind"] else SYSTEM_EXCLUSIVE
        length = quantity(head["length"])
        stop = head.end() + length
        if stop > end:
            raise RefusedSongError(Refusal.DAMAGED, f"an event {stop - end} bytes longer than its track")
        if length < SHORTEST.get(kind, 0) or (kind == END_OF_TRACK and length):
            raise RefusedSongError(Refusal.DAMAGED, f"a meta event {kind:#x} of {length} bytes")
        if kind == END_OF_TRACK:
            self._last_deltas[-1] = delta
            return stop, True
        message = data[place:stop]
        if kind == TIME_SIGNATURE and length < len(WHOLE_SIGNATURE):
            self.remark(SHORT_SIGNATURE)
            message = meta(kind, data[head.end() : stop] + WHOLE_SIGNATURE[length:])
        self._others[len(self._deltas)] = message
        self._deltas.append(delta)
        self._statuses.append(message[:1])
        self._data.append(b"\0\0")
        return stop, False

    def _mended_event(self, data: bytes, place: int, end: int) -> tuple[int, bool]:
        """Take up an event that is written wrong, as `_other_event` does. Raises RefusedSongError for none.

        Data over 127 is clipped, as players do, but not a pitch: which one was meant would be a guess.
        """
        delta = LONG_DELTA.match(data, place, end) or DELTA.match(data, place, end)
        if not delta or delta.end() == end:
            raise _damaged(place)
        at, ticks = delta.end(), delta[0]
        if len(ticks) > LONGEST:
            self.remark(LONG_DELTAS)
            ticks = b"\0"
        if data[at] in (SYSTEM_EXCLUSIVE, PACKET, META):
            return self._other_event(data, ticks, at, end)
        written = data[at : at + 1] if IS_CHANNELS[data[at]] else b""
        start, status = at + len(written), written[0] if written else self._status
        kind = status & 0xF0
        stop = start + (1 if kind in (PROGRAM, PRESSURE) else 2)
        content = data[start:stop]
        highest = 255 if written and kind not in (NOTE_OFF, NOTE_ON) else 127
        if not status or stop > end or content[0] > highest:
            raise _damaged(place)
        clipped = bytes(min(byte, 127) for byte in content)
        if clipped != content:
            self.remark(CLIPPED)
        self._channel_messages([(ticks, written, clipped)])
        return stop, False


def _damaged(place: int) -> RefusedSongError:
    return RefusedSongError(Refusal.DAMAGED, f"no event at byte {place} of the file")


def quantity(digits: bytes) -> int:
    """A variable-length quantity: seven bits a byte."""
    number = 0
    for digit in digits:
        number = number << 7 | digit & 0x7F
    return number


def varlen(number: int) -> bytes:
    """The variable-length quantity of a number: seven bits a byte, the highest first.

    Raises ValueError for a number below 0, whose bits would never end.
    """
    if number < 0:
        raise ValueError(f"no variable-length quantity is {number}.")
    digits = [number & 0x7F]
    while number := number >> 7:
        digits.append(number & 0x7F | 0x80)
    return bytes(reversed(digits))


def meta(kind: int, content: bytes) -> bytes:
    """The message of a meta event."""
    return bytes([META, kind]) + varlen(len(content)) + content


def content_of(message: bytes) -> bytes:
    """The content of a meta or system-exclusive event."""
    head = HEAD.match(message)
    assert head
    return message[head.end() :]


def text_of(content: bytes) -> str:
    """The text of a meta event: as UTF-8 where it is that, and else as Latin-1; MIDI does not say which."""
    try:
        return content.decode()
    except UnicodeError:
        return content.decode("latin-1")
