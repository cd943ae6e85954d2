"""A zoo of legal oddities, each with the notes it holds; a tick is a sixteenth-note step (`midi_bytes`)."""

import os
from pathlib import Path

from support.midi_bytes import (
    CAP,
    END,
    FURTHEST,
    GOOD,
    LATIN_1,
    LONG,
    LONG_NOTE,
    SHIFT_JIS,
    SIGNATURE,
    TEMPO,
    Note,
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
    varlen,
)


def padded(size: int) -> bytes:
    """A good file of just `size` bytes, from a long system-exclusive message."""
    payload = size - len(GOOD) - 6
    return song(b"\x00\xf0" + varlen(payload) + bytes(payload))


def notes_at_once(count: int) -> bytes:
    """`count` notes: `LONG` after all the others, which begin and end at tick 0, with running status."""
    return song(on(90), b"\x00\x5a\x00", b"\x00\x5a\x50\x00\x5a\x00" * (count - 2))


def events_at_once(count: int) -> bytes:
    """`count` events, the two of `LONG` taken for one."""
    return song(meta(1, b"") * (count - 3))


def parts(channels: int) -> bytes:
    """Notes of a tick each, one after the other, of every program in so many channels."""
    return b"".join(
        bytes([0, 0xC0 | channel, program]) + on(60, 0, channel) + off(60, 1, channel)
        for channel in range(channels)
        for program in range(128)
    )


def silence(ticks: int) -> bytes:
    """One track in 4/4 that lasts so many ticks, over 2^28, with `LONG` at its start."""
    return midi(track(SIGNATURE, LONG, meta(1, b"", FURTHEST), end=varlen(ticks - FURTHEST - 70) + END[1:]))


def note_tracks(count: int) -> bytes:
    """A track with the metre, and `count` tracks of a note each; `LONG` is in the last."""
    return midi(track(SIGNATURE), *[track(on(72, 1), off(72, 4))] * (count - 1), track(LONG))


def unclosed(count: int) -> bytes:
    """`count` note-ons of one pitch, a tick apart, that nothing closes before the track's end at tick 99."""
    return midi(track(SIGNATURE, on(50), on(50, 1) * (count - 1), end=varlen(100 - count) + END[1:]))


def _linked(path: Path) -> None:
    target = path.with_name("elsewhere")
    target.write_bytes(GOOD)
    path.symlink_to(target)


def _linked_twice(path: Path) -> None:
    _linked(path.with_name("by the way"))
    path.symlink_to("by the way")


def _hard_linked(path: Path) -> None:
    path.with_name("elsewhere").write_bytes(GOOD)
    os.link(path.with_name("elsewhere"), path)


# The specification's own example: a system-exclusive message in three packets, 200 and 100 ticks apart.
PACKETS = bytes.fromhex("00f003431200 8148f706431200431200 64f704431200f7")
CROSSED = on(50, 1) + on(50, 1, channel=3) + off(50, 2, channel=3) + off(50, 3)
RUNNING = b"\x02\x91\x40\x50\x01\x43\x50\x02\x40\x00\x81\x00\x43\x00"
RMID_WITH_LIST = riff((b"DISP", b"odd"), (b"data", GOOD + bytes(len(GOOD) % 2)), (b"LIST", b"INFO"))

# Kind -> bytes, and the notes in steps.
FILES: dict[str, tuple[bytes, list[Note]]] = {
    "plain": (GOOD, [LONG_NOTE]),
    "type 0": (midi(track(SIGNATURE, LONG), file_type=0), [LONG_NOTE]),
    "a tick a quarter note": (midi(track(SIGNATURE, on(61, 1), off(61, 19)), division=1), [(4, 80, 61)]),
    "32,767 ticks a quarter note": (
        midi(track(SIGNATURE, on(61, 4095), off(61, 600_000)), division=32_767),
        [(0, 74, 61)],
    ),
    "running status": (song(RUNNING), [(2, 5, 64), (3, 133, 67), (136, 203, 61)]),
    "running status through other messages": (
        song(on(64, 2) + b"\x05\x40\x00" + bytes.fromhex("00 b0 4007 01 0720 00 c0 05 01 06 00 d0 07 01 09")),
        [(2, 7, 64), (13, 80, 61)],
    ),
    "overlapping notes of a pitch": (
        song(on(50), on(50, 3), off(50, 2), off(50, 5)),
        [(0, 3, 50), (3, 5, 50), (13, 80, 61)],
    ),
    "a pitch struck again without an off": (
        song(on(50), on(50, 3), off(50, 2), on(50, 1), off(50, 4)),
        [(0, 3, 50), (3, 5, 50), (6, 10, 50), (13, 80, 61)],
    ),
    "a pitch struck again just before it ends": (
        song(on(50, 2), on(50, 4), off(50), off(50, 7)),
        [(2, 6, 50), (6, 13, 50), (16, 83, 61)],
    ),
    "zero-length note": (song(on(50, 2), off(50)), [(5, 72, 61)]),
    "a pitch struck again as it ends": (
        song(on(50, 2), off(50, 4), on(50), off(50, 7)),
        [(2, 6, 50), (6, 13, 50), (16, 83, 61)],
    ),
    "note-ons never closed": (
        midi(
            track(SIGNATURE, on(50, 2), on(52, 3), LONG, end=varlen(9) + END[1:]), track(on(40), off(40, 6))
        ),
        [(0, 6, 40), (2, 84, 50), (5, 84, 52), (8, 75, 61)],
    ),
    "64 note-ons of a pitch never closed": (
        unclosed(64),
        [*((onset, onset + 1, 50) for onset in range(63)), (63, 99, 50)],
    ),
    "a note never closed in a track of no ticks": (
        midi(track(SIGNATURE, LONG), track(on(50))),
        [LONG_NOTE],
    ),
    "closed in another track": (
        midi(track(SIGNATURE, on(50, 1), end=varlen(70) + END[1:]), track(off(50, 5), LONG)),
        [(1, 71, 50), (8, 75, 61)],
    ),
    "offs without ons": (song(off(50), off(61, 1), on(61, 1, velocity=0)), [(5, 72, 61)]),
    "a pitch on two channels": (song(CROSSED), [(1, 7, 50), (2, 4, 50), (10, 77, 61)]),
    "drums on channel 10 of a track": (song(on(36, 0, 9), off(36, 5, 9)), [(8, 75, 61)]),
    "tempo 0": (song(meta(0x51, bytes(3)), meta(0x51, bytes(3), 5)), [(8, 75, 61)]),
    "text that is not UTF-8": (
        song(*(meta(kind, text, 1) for kind in range(1, 8) for text in (LATIN_1, SHIFT_JIS))),
        [(17, 84, 61)],
    ),
    "a marker that the reader knows": (song(meta(6, b"end of the track's own events")), [LONG_NOTE]),
    "unknown meta events": (
        song(meta(0x60, b"\x90\x3c\x40"), meta(0x0A, b""), meta(0x21, b"\x01", 2)),
        [(5, 72, 61)],
    ),
    "meta events longer than they need be": (
        midi(track(meta(0x58, bytes([4, 2, 24, 8, 9, 9])), meta(0x51, b"\x07\xa1\x20\x00"), LONG)),
        [LONG_NOTE],
    ),
    "meta length of four bytes": (song(b"\x00\xff\x01\x80\x80\x80\x02hi"), [LONG_NOTE]),
    "delta of four bytes": (song(b"\x80\x80\x80\x05\x90\x32\x40", off(50, 9)), [(5, 14, 50), (17, 84, 61)]),
    "key signature of a strange key": (song(meta(0x59, b"\x63\x09")), [LONG_NOTE]),
    "4/4 at tick 1": (midi(track(meta(0x58, bytes([4, 2, 24, 8]), 1), on(61, 2), off(61, 67))), [LONG_NOTE]),
    "no time signature": (midi(track(LONG)), [LONG_NOTE]),
    "2/2": (midi(track(meta(0x58, bytes([2, 1, 24, 8])), LONG)), [LONG_NOTE]),
    "3/4 in the end": (midi(track(SIGNATURE, LONG, meta(0x58, bytes([3, 2, 24, 8])))), [LONG_NOTE]),
    "an upbeat of 1/4": (
        midi(track(meta(0x58, bytes([1, 2, 24, 8])), meta(0x58, bytes([4, 2, 24, 8]), 4), LONG)),
        [(7, 74, 61)],
    ),
    "4/4 by another clock, twice, in the last track": (
        midi(track(LONG), track(meta(0x58, bytes([4, 2, 96, 32])), meta(0x58, bytes([4, 2, 24, 8]), 32))),
        [LONG_NOTE],
    ),
    "system-exclusive message": (
        song(on(50), b"\x02\xf0\x05\x7e\x7f\x09\x01\xf7", off(50, 3)),
        [(0, 5, 50), (8, 75, 61)],
    ),
    "system-exclusive message in packets": (
        midi(track(SIGNATURE, on(61, 3), PACKETS, off(61, 67))),
        [(3, 370, 61)],
    ),
    "escaped system messages": (
        midi(track(SIGNATURE, on(61, 3), b"\x01\xf7\x02\xf3\x01\x05\xf7\x01\xf8\x00\xf7\x00", off(61, 67))),
        [(3, 76, 61)],
    ),
    "silence of 2^28 ticks at the end": (
        midi(track(SIGNATURE, LONG, end=varlen(2**28 - 1) + END[1:])),
        [LONG_NOTE],
    ),
    "silence a tick shorter than two of the longest deltas": (silence(2 * FURTHEST - 1), [LONG_NOTE]),
    "40,000 deltas longer than they need be": (
        song(b"\0\xb0\7\x40", b"\x80\0\7\x40" * 40_000),
        [LONG_NOTE],
    ),
    "messages of one and two bytes by turns": (
        song(
            bytes.fromhex("01 d0 07 01 08") + on(50, 1),
            bytes.fromhex("81 00 c0 00 02 01") + off(50, 1) + bytes.fromhex("01 33 40 00 d1 00 00 e0 00 40"),
        ),
        [(3, 134, 50), (138, 205, 61)],
    ),
    "an empty track": (midi(track(), track(SIGNATURE, LONG), track(end=b"\x07" + END[1:])), [LONG_NOTE]),
    "unknown chunks": (
        midi(
            chunk(b"XFIH", b"MTrk!"),
            track(SIGNATURE, on(40), off(40, 6)),
            chunk(b"\xff\x00\n\x1b", b""),
            track(LONG),
            chunk(b"XFKM", b"odd"),
            declared=2,
        ),
        [(0, 6, 40), LONG_NOTE],
    ),
    "header of 10 bytes": (b"MThd\0\0\0\x0a" + GOOD[8:14] + b"more" + GOOD[14:], [LONG_NOTE]),
    "RMID": (riff((b"data", GOOD)), [LONG_NOTE]),
    "RMID with other chunks": (RMID_WITH_LIST, [LONG_NOTE]),
    "7 bytes of padding": (GOOD + bytes(7), [LONG_NOTE]),
    "512 zeros of padding": (GOOD + bytes(512), [LONG_NOTE]),
    "notes outside the range": (
        song(on(23), on(108), off(23, 9), off(108), on(0, 70), off(0, 2)),
        [(0, 9, 23), (0, 9, 108), (79, 81, 0), (84, 151, 61)],
    ),
}

ODD: dict[str, tuple[Writer, list[Note]]] = {
    **{kind: (holding(data), notes) for kind, (data, notes) in FILES.items()},
    "a link": (_linked, [LONG_NOTE]),
    "a link to a link": (_linked_twice, [LONG_NOTE]),
    "a hard link": (_hard_linked, [LONG_NOTE]),
    "100,000 tempo changes": (
        holding(lambda: song(on(50), TEMPO * 99_999, meta(0x51, b"\x00\x00\x01", 7), off(50))),
        [(0, 7, 50), (10, 77, 61)],
    ),
    "20,000 parts": (
        holding(lambda: midi(track(SIGNATURE, LONG), *[track(parts(1))] * 157)),
        [LONG_NOTE, *[(tick, tick + 1, 60) for tick in range(128)] * 157],
    ),
    "2,048 parts in a track of 200,000 bytes": (
        holding(lambda: song(parts(16), b"\0\xb0\7\x40", b"\0\7\x40" * 60_000)),
        [*[(tick, tick + 1, 60) for tick in range(2048) if tick // 128 != 9], (2051, 2118, 61)],
    ),
    "20,000 programs and no notes": (
        holding(lambda: midi(track(SIGNATURE, LONG), *[track(parts(1).replace(b"\x90", b"\xb0"))] * 157)),
        [LONG_NOTE],
    ),
    "6,000 times the same program": (
        holding(lambda: song((b"\0\xc0\5" + on(50) + off(50)) * 6000)),
        [LONG_NOTE],
    ),
    "2,048 parts": (
        holding(lambda: song(parts(16))),
        [*[(tick, tick + 1, 60) for tick in range(2048) if tick // 128 != 9], (2051, 2118, 61)],
    ),
    "8 MiB": (holding(lambda: padded(CAP)), [LONG_NOTE]),
    "500,000 notes": (holding(lambda: notes_at_once(500_000)), [LONG_NOTE]),
    "1,024 tracks with notes": (holding(lambda: note_tracks(1024)), [(1, 5, 72)] * 1023 + [LONG_NOTE]),
    "4,096 bars": (holding(song(on(50), off(50, 65_466))), [(0, 65_466, 50), (65_469, 65_536, 61)]),
}
