"""MIDI files made byte by byte, of events, tracks and chunks.

Four ticks a quarter note unless said otherwise, so that a tick is a sixteenth-note step.
"""

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

Writer = Callable[[Path], None]
Note = tuple[int, int, int]  # onset and end in steps, MIDI pitch
CAP = 8 << 20
FURTHEST = 2**28 - 1  # the longest delta there is, in ticks
LATIN_1 = b"Pr\xe9lude \x90\x99\xff\x2f\x00"
SHIFT_JIS = "うたう".encode("shift_jis")


def zipped(name: str, data: bytes) -> bytes:
    with zipfile.ZipFile(file := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return file.getvalue()


def varlen(number: int) -> bytes:
    """A variable-length quantity: seven bits a byte, the highest first."""
    digits = [number & 127]
    while number := number >> 7:
        digits.append(number & 127 | 128)
    return bytes(reversed(digits))


def chunk(name: bytes, body: bytes, length: int | None = None) -> bytes:
    """A chunk, whose header tells `length` if given in place of the body's own."""
    return name + struct.pack(">I", len(body) if length is None else length) + body


def meta(kind: int, data: bytes, delta: int = 0) -> bytes:
    return varlen(delta) + bytes([0xFF, kind]) + varlen(len(data)) + data


def on(pitch: int, delta: int = 0, channel: int = 0, velocity: int = 80) -> bytes:
    return varlen(delta) + bytes([0x90 | channel, pitch, velocity])


def off(pitch: int, delta: int = 0, channel: int = 0) -> bytes:
    return varlen(delta) + bytes([0x80 | channel, pitch, 64])


def gs_part(part: int, rhythm: int) -> bytes:
    """GS, use part for rhythm: part 0 is channel 10, and 1 to 9 are those channels; off by 0."""
    return bytes([0, 0xF0, 10, 0x41, 0x10, 0x42, 0x12, 0x40, 0x10 | part, 0x15, rhythm, 0, 0xF7])


def gs_drums(*parts: int) -> bytes:
    """A GS reset, then these parts for rhythm."""
    return GS_ON + b"".join(gs_part(part, 1) for part in parts)


GS_ON = b"\x00\xf0\x0a\x41\x10\x42\x12\x40\x00\x7f\x00\x41\xf7"
SIGNATURE = meta(0x58, bytes([4, 2, 24, 8]))
TEMPO = meta(0x51, bytes([7, 161, 32]))
END = b"\x00\xff\x2f\x00"
LONG = on(61, 3) + off(61, 67)
LONG_NOTE = (3, 70, 61)


def track(*events: bytes, end: bytes = END) -> bytes:
    return chunk(b"MTrk", b"".join(events) + end)


def midi(*chunks: bytes, file_type: int = 1, declared: int | None = None, division: int = 4) -> bytes:
    """A file; it declares as many tracks as it is given chunks, or `declared`."""
    tracks = len(chunks) if declared is None else declared
    return chunk(b"MThd", struct.pack(">HHH", file_type, tracks, division)) + b"".join(chunks)


def song(*events: bytes) -> bytes:
    """One track in 4/4 with `LONG` after the events."""
    return midi(track(SIGNATURE, *events, LONG))


GOOD = song()


def told(length: int, body: bytes = GOOD[22:]) -> bytes:
    """A file whose one track tells this length in place of its own."""
    return midi(chunk(b"MTrk", body, length))


def riff(*chunks: tuple[bytes, bytes], form: bytes = b"RMID") -> bytes:
    """A RIFF file: little-endian lengths, and bodies of odd length are followed by a zero."""
    bodies = [name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2) for name, body in chunks]
    content = form + b"".join(bodies)
    return b"RIFF" + struct.pack("<I", len(content)) + content


def holding(*parts: bytes | Callable[[], bytes]) -> Writer:
    """Writes a file with these bytes, big ones made only then."""

    def write(path: Path) -> None:
        path.write_bytes(b"".join(part if isinstance(part, bytes) else part() for part in parts))

    return write
