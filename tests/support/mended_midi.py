"""A zoo of files that are written wrong, each with the notes it holds and what is said to be mended."""

from support.bad_midi import within
from support.midi_bytes import (
    END,
    GOOD,
    LONG,
    LONG_NOTE,
    SIGNATURE,
    TEMPO,
    Note,
    chunk,
    meta,
    midi,
    off,
    on,
    song,
    told,
    track,
)

LENGTH = "a track of another length than it states"
NO_END = "a track without End of Track"
RUNNING = "running status goes on after a meta or system-exclusive event"
CLIPPED = "data bytes over 127 taken as 127"
HELD_ON = b"\x09\x3d\x00\x00\x3d\x50\x42\x3d\x00"  # running status: the note ends, and sounds again
TWICE = [(3, 12, 61), (12, 78, 61)]
SECOND = song(on(64), off(64, 70))


def swallowing(declared: int) -> bytes:
    """A file whose first track tells a length that takes in the second."""
    return midi(chunk(b"MTrk", GOOD[22:], 2 * len(GOOD) - 36), track(SIGNATURE, LONG), declared=declared)


MENDED: dict[str, tuple[bytes, list[Note], tuple[str, ...]]] = {
    "no tracks declared": (
        midi(track(SIGNATURE, LONG), declared=0),
        [LONG_NOTE],
        ("0 tracks declared, 1 found",),
    ),
    "fewer tracks declared": (
        midi(track(SIGNATURE, LONG), track(LONG), declared=1),
        [LONG_NOTE, LONG_NOTE],
        ("1 tracks declared, 2 found",),
    ),
    "more tracks declared": (
        midi(track(SIGNATURE, LONG), declared=2),
        [LONG_NOTE],
        ("2 tracks declared, 1 found",),
    ),
    "65,535 tracks declared": (
        midi(track(SIGNATURE, LONG), declared=65_535),
        [LONG_NOTE],
        ("65535 tracks declared, 1 found",),
    ),
    "two files in one": (
        GOOD + SECOND,
        [LONG_NOTE],
        (f"{len(SECOND)} bytes behind the last chunk left out",),
    ),
    "garbage at the end": (
        GOOD + b"\x8fGARBAGE\x00\xf1\x03\x77",
        [LONG_NOTE],
        ("12 bytes behind the last chunk left out",),
    ),
    "a line of text at the end": (
        GOOD + b"\r\nmore from midi.example\r\n",
        [LONG_NOTE],
        ("26 bytes behind the last chunk left out",),
    ),
    "a tag of 128 bytes at the end": (
        GOOD + b"TAG" + b"A song".ljust(125, b"\0"),
        [LONG_NOTE],
        ("128 bytes behind the last chunk left out",),
    ),
    "MacBinary": (
        (b"\0\4tune" + bytes(59) + b"Midi").ljust(128, b"\0") + GOOD,
        [LONG_NOTE],
        ("a MacBinary header left out",),
    ),
    "track length 4 GiB": (told(0xFFFFFFFF), [LONG_NOTE], (LENGTH,)),
    "track length one too long": (told(len(GOOD) - 21), [LONG_NOTE], (LENGTH,)),
    "track length one too short": (told(len(GOOD) - 23), [LONG_NOTE], (LENGTH,)),
    "track length 0": (told(0), [LONG_NOTE], (LENGTH,)),
    "track that swallows the next": (
        swallowing(declared=1),
        [LONG_NOTE, LONG_NOTE],
        (LENGTH, "1 tracks declared, 2 found"),
    ),
    "track that swallows one of two": (swallowing(declared=2), [LONG_NOTE, LONG_NOTE], (LENGTH,)),
    "track of no bytes": (midi(track(SIGNATURE, LONG), chunk(b"MTrk", b"")), [LONG_NOTE], (NO_END,)),
    "no end of the track": (midi(chunk(b"MTrk", SIGNATURE + LONG)), [LONG_NOTE], (NO_END,)),
    "no end of the first track": (
        midi(chunk(b"MTrk", SIGNATURE + on(50) + off(50, 9)), track(LONG)),
        [(0, 9, 50), LONG_NOTE],
        (NO_END,),
    ),
    "end in a text": (midi(track(SIGNATURE, LONG, end=meta(1, b"over" + END[1:]))), [LONG_NOTE], (NO_END,)),
    "meta length up to the end": (
        midi(track(SIGNATURE, LONG, b"\0\xff\x01\x04")),
        [LONG_NOTE],
        (NO_END,),
    ),
    "running status after a text": (within(meta(1, b"hi") + HELD_ON), TWICE, (RUNNING,)),
    "running status after a tempo": (within(TEMPO + HELD_ON), TWICE, (RUNNING,)),
    "running status after a system-exclusive": (within(b"\0\xf0\x01\xf7" + HELD_ON), TWICE, (RUNNING,)),
    "running status of one byte after a text": (
        song(b"\0\xc0\5", meta(1, b"hi"), b"\0\6"),
        [LONG_NOTE],
        (RUNNING,),
    ),
    "delta of 5 bytes": (
        within(b"\0\xc0\5\x80\x80\x80\x80\0\x90\x32\x40" + off(50, 2)),
        [(3, 5, 50), (3, 72, 61)],
        ("a delta time of five bytes taken as 0",),
    ),
    "delta of 5 bytes before a name": (
        song(b"\xff\xff\xff\xff\x7f\xff\x03\x04tune"),
        [LONG_NOTE],
        ("a delta time of five bytes taken as 0",),
    ),
    "velocity 255": (within(b"\0\x90\x32\xff" + off(50, 1)), [(3, 4, 50), (3, 71, 61)], (CLIPPED,)),
    "aftertouch 128": (within(b"\0\xa0\x32\x80"), [LONG_NOTE], (CLIPPED,)),
    "controller 200": (within(b"\0\xb0\xc8\x01"), [LONG_NOTE], (CLIPPED,)),
    "controller value 128": (within(b"\0\xb0\x07\x80"), [LONG_NOTE], (CLIPPED,)),
    "controller value 255 in running status": (
        within(b"\0\xb0\x07\x40\0\x07\xff\0\x07\x20"),
        [LONG_NOTE],
        (CLIPPED,),
    ),
    "program 128": (within(b"\0\xc0\x80"), [LONG_NOTE], (CLIPPED,)),
    "channel aftertouch 144": (within(b"\0\xd0\x90"), [LONG_NOTE], (CLIPPED,)),
    "pitch bend beyond": (within(b"\0\xe0\x80\x00"), [LONG_NOTE], (CLIPPED,)),
    "time signature of 2 bytes": (
        midi(track(meta(0x58, b"\4\2"), LONG)),
        [LONG_NOTE],
        ("a time signature of two bytes",),
    ),
}
