"""A zoo of files that are heavy to read: what becomes of them does not matter, but what it costs."""

from collections.abc import Callable

from support.midi_bytes import (
    CAP,
    GOOD,
    LONG,
    SIGNATURE,
    TEMPO,
    Writer,
    chunk,
    holding,
    meta,
    midi,
    off,
    on,
    riff,
    song,
    track,
)
from support.odd_midi import parts


def full_of(unit: bytes, *, first: bytes = b"", last: bytes = LONG) -> Callable[[], bytes]:
    """A file of nearly 8 MiB: one track, whose middle is a unit again and again."""
    times = (CAP - len(first) - len(last) - 40) // len(unit)
    return lambda: midi(track(SIGNATURE, first, unit * times, last))


def _after_many_chunks() -> bytes:
    return midi(track(SIGNATURE, LONG), *[chunk(b"XFKM", b"")] * (CAP // 8 - 10), declared=1)


PARTS = parts(16)
ALL_CHANNELS = b"".join(on(60, 0, channel) + off(60, 1, channel) for channel in range(16))
ALL_OPEN = b"".join(on(pitch, 0, channel) for channel in range(16) for pitch in range(128))
CHANNEL_BYTES = meta(1, bytes(range(0x90, 0xA0)))

HEAVY: dict[str, Writer] = {
    "8 MiB of markers": holding(full_of(meta(6, b"x"))),
    "8 MiB of lyrics": holding(full_of(meta(5, b"x"))),
    "8 MiB of empty texts": holding(full_of(meta(1, b""))),
    "8 MiB of tempo changes": holding(full_of(TEMPO)),
    "8 MiB of time signatures": holding(full_of(SIGNATURE)),
    "8 MiB of controllers and programs by turns": holding(full_of(b"\0\xb0\7\x40\0\xc0\7")),
    "8 MiB of controllers before 2,048 parts": holding(
        full_of(b"\0\x07\x40", first=b"\0\xb0\7\x40", last=PARTS + LONG)
    ),
    "8 MiB of programs after 2,048 parts": holding(full_of(b"\0\7", first=PARTS + b"\0\xc0\7")),
    "a name of 3 MiB for 2,048 parts": holding(lambda: song(meta(3, b"x" * (3 << 20)), PARTS)),
    "8 MiB of note-ons": holding(full_of(b"\0\x3c\x40", first=on(60))),
    "8 MiB of note-offs": holding(full_of(b"\0\x3c\0", first=off(60))),
    "8 MiB of system-exclusives": holding(full_of(b"\0\xf0\0")),
    "8 MiB of long deltas": holding(full_of(b"\xff\xff\xff\x7f\7", first=b"\0\xc0\7")),
    "8 MiB of unknown chunks": holding(_after_many_chunks),
    "8 MiB of RIFF chunks": holding(lambda: riff(*[(b"LIST", b"")] * (CAP // 8 - 99), (b"data", GOOD))),
    "65,534 empty tracks": holding(lambda: midi(track(SIGNATURE, LONG), *[track()] * 65_534)),
    "65,534 tracks of a text": holding(
        lambda: midi(track(SIGNATURE, LONG), *[track(CHANNEL_BYTES)] * 65_534)
    ),
    "64 unclosed note-ons beside 1,023 tracks of 16 channels": holding(
        lambda: midi(track(SIGNATURE, on(50) * 64, LONG), *[track(ALL_CHANNELS)] * 1023)
    ),
    "every pitch of 16 channels unclosed in 40 tracks": holding(
        lambda: midi(track(SIGNATURE, LONG), *[track(ALL_OPEN)] * 40)
    ),
    "every pitch of 16 channels unclosed after 2,048 parts in 3 tracks": holding(
        lambda: midi(track(SIGNATURE, LONG), *[track(PARTS, ALL_OPEN)] * 3)
    ),
    "a note unclosed beside 17 parts in 900 tracks": holding(
        lambda: midi(track(SIGNATURE, LONG), *[track(on(50), PARTS[: 11 * 17])] * 900)
    ),
    "8 MiB of programs with deltas of two bytes": holding(full_of(b"\x81\0\xc0\7")),
    "1,024 tracks of 300 parts": holding(
        lambda: midi(track(SIGNATURE, LONG), *[track(PARTS[: 11 * 300])] * 1023)
    ),
}
