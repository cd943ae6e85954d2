"""Songs as people have them: several parts, played well or not, in files that programs wrote well or not.

`odd_song(seed)` makes one, with what must come out of a reader whatever the oddities: the events of each
track that are no notes, and the notes. They are known because the song is made, not because it is read.
"""

import struct
from dataclasses import dataclass, field
from random import Random

from support.midi_bytes import chunk, riff, varlen

Message = tuple[int, bytes]  # tick, and a whole message with its status
Played = tuple[int, int, int, int, int]  # track, channel, pitch, onset and end in ticks
RESOLUTIONS = (96, 120, 192, 240, 384, 480, 960)
TEXTS = ("Étude", "うたう", "verse 1", "© 1998", "la ", "")
RESETS = (
    bytes.fromhex("f0057e7f0901f7"),  # General MIDI
    bytes.fromhex("f00a41104212 40007f0041 f7"),  # GS
    bytes.fromhex("f00843104c00007e00f7"),  # XG
)
SURE_CHANNEL = 0  # always played, and by no drums
END_OF_TRACK = b"\xff\x2f\x00"
ESCAPED = bytes.fromhex("f702f301")  # a song select
STRANGE_KEY = b"\xff\x59\x02\x0b\xff"
UNREADABLE = (ESCAPED, STRANGE_KEY)  # by mido and pretty_midi, so left out
AT_THE_END = ("bytes behind the last chunk", "no End of Track", "another length of the last track")
ODDITIES = (
    *AT_THE_END,
    "another number of tracks",
    "a time signature of two bytes",
    "a data byte over 127",
    "running status after a meta event",
    "a strange key",
    "a MacBinary header",
    "RMID",
)


@dataclass
class OddSong:
    """A file, and what is in it.

    `others`: by track the messages that are no notes, without End of Track, as they are once mended and
    without
    those that mido can't read. `notes`: pitched ones and drums.
    """

    data: bytes
    oddities: frozenset[str]
    others: list[list[Message]]
    notes: list[Played]


@dataclass
class Part:
    """A track in the making: `events` are (tick, order at that tick, message)."""

    events: list[tuple[int, int, bytes]] = field(default_factory=list)
    notes: list[Played] = field(default_factory=list)

    def add(self, tick: int, message: bytes, order: int = 1) -> None:
        """A message; at one tick offs (0) come before others (1), and ons (2) last."""
        self.events.append((tick, order, message))


def odd_song(seed: int) -> OddSong:
    """The song of a seed: two to six parts of eight to forty bars."""
    rng = Random(seed)
    drawn = rng.sample(ODDITIES, rng.choice((0, 1, 1, 2, 3)))
    # Of two faults at the end of a file, one may not say where it would have ended.
    oddities = frozenset(drawn) - frozenset([o for o in drawn if o in AT_THE_END][1:])
    per_quarter = rng.choice(RESOLUTIONS)
    metres = _metres(rng, per_quarter)
    end = metres[-1][0] + rng.randint(8, 40) * 4 * per_quarter
    parts = [_conductor(rng, metres, end, per_quarter, oddities)]
    others = [channel for channel in range(16) if channel != SURE_CHANNEL]
    channels = rng.sample(others, rng.randint(1, 5)) if rng.random() < 0.85 else others
    parts += [_part(rng, number, channel, end, per_quarter) for number, channel in enumerate(channels, 1)]
    parts.append(_sure_part(rng, len(parts), end, per_quarter))
    if rng.random() < 0.25:
        parts = [_merged(parts)]
    return _written(rng, parts, per_quarter, oddities, end)


def _metres(rng: Random, per_quarter: int) -> list[tuple[int, int, int]]:
    """Time signatures (tick, numerator, power of two); none, one, an upbeat, or several in turn."""
    kind = rng.choice(("4/4", "4/4", "none", "2/2", "3/4", "upbeat", "late", "turns"))
    bar = 4 * per_quarter
    return {
        "none": [(0, 0, 0)],
        "2/2": [(0, 2, 1)],
        "3/4": [(0, 3, 2)],
        "upbeat": [(0, 1, 2), (per_quarter, 4, 2)],
        "late": [(10, 4, 2)],
        "turns": [(0, 4, 2), (4 * bar, 2, 2), (4 * bar + bar // 2, 4, 2), (8 * bar + bar // 2, 7, 3)],
    }.get(kind, [(0, 4, 2)])


def _conductor(
    rng: Random, metres: list[tuple[int, int, int]], end: int, per_quarter: int, oddities: frozenset[str]
) -> Part:
    """The first track: names, metres, tempos, keys, texts, and what nobody knows."""
    part = Part()
    _name(rng, part)
    for tick, above, power in metres:
        if above:
            part.add(tick, _meta(0x58, bytes([above, power, 24, 8])))
    part.add(0, _meta(0x59, rng.choice((b"\0\0", b"\xfb\x01", b"\x07\0"))))
    if "a strange key" in oddities:
        part.add(per_quarter, STRANGE_KEY)
    for _ in range(rng.randint(1, 12)):
        tempo = rng.randint(250_000, 1_200_000)
        part.add(rng.randrange(end), _meta(0x51, tempo.to_bytes(3, "big")))
    for kind in rng.choices((0x01, 0x02, 0x05, 0x06, 0x07, 0x7F, 0x60, 0x54), k=rng.randint(0, 20)):
        text = bytes([96, 0, 0, 0, 0]) if kind == 0x54 else _text(rng)
        part.add(rng.randrange(end), _meta(kind, text))
    if rng.random() < 0.4:
        part.add(0, rng.choice(RESETS))
    if rng.random() < 0.2:
        part.add(rng.randrange(end), ESCAPED)
    return part


def _part(rng: Random, number: int, channel: int, end: int, per_quarter: int) -> Part:
    part = Part()
    _name(rng, part)
    for _ in range(rng.randint(0, 3)):
        part.add(rng.choice((0, rng.randrange(end))), bytes([0xC0 | channel, rng.randrange(128)]))
    for _ in range(rng.choice((0, 3, 40))):
        control = rng.choice((0, 1, 7, 7, 10, 11, 11, 64, 91, 123))
        part.add(rng.randrange(end), bytes([0xB0 | channel, control, rng.randrange(128)]))
    for _ in range(rng.choice((0, 0, 30))):
        kind = rng.choice((0xA0, 0xD0, 0xE0))
        data = bytes(rng.randrange(128) for _ in range(1 if kind == 0xD0 else 2))
        part.add(rng.randrange(end), bytes([kind | channel]) + data)
    if rng.random() < 0.9:
        _play(rng, part, number, channel, end, per_quarter)
    return part


def _sure_part(rng: Random, number: int, end: int, per_quarter: int) -> Part:
    """A part that nothing makes a drum's."""
    part = Part()
    _name(rng, part)
    _play(rng, part, number, SURE_CHANNEL, end, per_quarter)
    return part


def _play(rng: Random, part: Part, number: int, channel: int, end: int, per_quarter: int) -> None:
    """Notes of a few pitches: on the grid, swung, late, or free; some struck again, some never closed."""
    feel = rng.choice(("grid", "grid", "swing", "late", "free"))
    silent_off = rng.random() < 0.5  # a note-on of velocity 0
    for pitch in rng.sample(range(21, 109), rng.randint(1, 8)):
        onset = 0
        while True:
            onset += rng.choice((1, 2, 2, 4, 4, 8, 16)) * per_quarter // 4
            begins = onset + _shift(rng, feel, onset, per_quarter)
            lasts = max(1, round(rng.choice((0.1, 0.5, 0.9, 1, 3)) * per_quarter))
            if begins + lasts >= end:
                break
            part.add(begins, bytes([0x90 | channel, pitch, rng.randint(1, 127)]), order=2)
            again = rng.random() < 0.05
            if again:  # before it has ended, which ends it
                struck = begins + max(1, lasts // 2)
                part.notes.append((number, channel, pitch, begins, struck))
                part.add(struck, bytes([0x90 | channel, pitch, 64]), order=2)
            part.notes.append((number, channel, pitch, struck if again else begins, begins + lasts))
            off = bytes(
                [0x90 | channel, pitch, 0] if silent_off else [0x80 | channel, pitch, rng.randrange(128)]
            )
            part.add(begins + lasts, off, order=0)
            onset = begins + lasts


def _shift(rng: Random, feel: str, onset: int, per_quarter: int) -> int:
    if feel == "swing" and onset % per_quarter == per_quarter // 2:
        return per_quarter // 6
    if feel == "late":
        return per_quarter // 10
    return rng.randrange(per_quarter // 4) if feel == "free" else 0


def _name(rng: Random, part: Part) -> None:
    part.add(0, _meta(0x03, _text(rng)), order=0)


def _text(rng: Random) -> bytes:
    return rng.choice(TEXTS).encode(rng.choice(("utf-8", "latin-1", "shift_jis")), "replace")


def _meta(kind: int, content: bytes) -> bytes:
    return bytes([0xFF, kind]) + varlen(len(content)) + content


def _merged(parts: list[Part]) -> Part:
    """All in one track, as in a file of type 0."""
    merged = Part()
    for part in parts:
        merged.events += part.events
        merged.notes += [(0, *note[1:]) for note in part.notes]
    return merged


def _written(rng: Random, parts: list[Part], per_quarter: int, oddities: frozenset[str], end: int) -> OddSong:
    others, bodies = [], []
    for number, part in enumerate(parts):
        events = sorted(part.events, key=lambda event: event[:2])
        last = number == len(parts) - 1
        others.append([(tick, m) for tick, _, m in events if m[0] >> 4 not in (8, 9) and m not in UNREADABLE])
        wrong = [(tick, _spoilt(message, oddities)) for tick, _, message in events]
        if "a data byte over 127" in oddities and last:
            others[-1].append((end, bytes([0xB0, 7, 127])))
            wrong.append((end, bytes([0xB0, 7, 200])))
        if not ("no End of Track" in oddities and last):
            wrong.append((end, END_OF_TRACK))
        bodies.append(_track(rng, wrong, through="running status after a meta event" in oddities))
    return OddSong(
        data=_file(rng, bodies, per_quarter, oddities),
        oddities=oddities,
        others=others,
        notes=[note for part in parts for note in part.notes],
    )


def _spoilt(message: bytes, oddities: frozenset[str]) -> bytes:
    if "a time signature of two bytes" in oddities and message[:2] == b"\xff\x58":
        return b"\xff\x58\x02" + message[3:5]
    return message


def _track(rng: Random, events: list[Message], *, through: bool) -> bytes:
    """Events with deltas; running status here and there, `through` meta events too."""
    body, now, running = b"", 0, 0
    often = rng.choice((0.0, 0.9))
    for tick, message in events:
        body += varlen(tick - now)
        now = tick
        status = message[0]
        if status < 0xF0:
            body += message[1:] if status == running and (through or rng.random() < often) else message
            running = status
        else:
            body += message
            running = running if through and status == 0xFF else 0
    return body


def _file(rng: Random, bodies: list[bytes], per_quarter: int, oddities: frozenset[str]) -> bytes:
    """The chunks, with what is wrong about them."""
    wrong_length = "another length of the last track" in oddities
    lengths = [len(body) for body in bodies]
    lengths[-1] += rng.choice((-1, 1, 4)) if wrong_length else 0
    declared = len(bodies) + (rng.choice((-1, 1, 5)) if "another number of tracks" in oddities else 0)
    header = struct.pack(">HHH", 0 if len(bodies) == 1 else 1, max(declared, 0), per_quarter)
    tracks = (chunk(b"MTrk", body, length) for body, length in zip(bodies, lengths, strict=True))
    data = chunk(b"MThd", header) + b"".join(tracks)
    if "bytes behind the last chunk" in oddities:
        data += bytes(rng.randrange(256) for _ in range(rng.randint(1, 200)))
    if "a MacBinary header" in oddities:
        return b"\0" + bytes([8]) + b"song.mid".ljust(126, b"\0") + data
    return riff((b"data", data)) if "RMID" in oddities else data
