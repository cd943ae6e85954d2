"""A zoo of files that are no songs, each with the reason why not."""

import gzip
import os
import stat
import struct
from pathlib import Path

from cyclegan_jax.midi.refusals import Refusal
from support.midi_bytes import (
    CAP,
    END,
    FURTHEST,
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
    told,
    track,
    varlen,
    zipped,
)
from support.odd_midi import events_at_once, note_tracks, notes_at_once, padded, silence

WALTZ_BAR = on(36) + b"".join(on(pitch) + off(pitch, 4) for pitch in (48, 64, 67)) + off(36)
DRIFT = on(61) + off(61, 91)
FOUR_FOUR = bytes([4, 2, 24, 8])
UNENDED = SIGNATURE + LONG
AGES = meta(1, b"", FURTHEST)


def within(events: bytes) -> bytes:
    """A file whose one long note has these events between its on and its off."""
    return midi(track(SIGNATURE, on(61, 3), events, off(61, 67)))


def in_metre(*signatures: bytes) -> bytes:
    return midi(track(*signatures, LONG))


NOT_MIDI = {
    "empty": b"",
    "one byte": b"M",
    "half the magic": b"MT",
    "text renamed": b"Not yet found. Try again later.\n",
    "text with NUL bytes": b"M\0T\0h\0d\0" + bytes(99),
    "JSON": b'{"MThd": [0, 0, 0, 6]}',
    "HTML": b"<!DOCTYPE html><title>404</title>",
    "wrong magic": b"MThx" + GOOD[4:],
    "magic in small letters": b"mthd" + GOOD[4:],
    "magic one byte late": b"\0" + GOOD,
    "a track without a header": GOOD[14:],
    "only 0xFF": b"\xff" * 999,
    "only zeros": bytes(4096),
    "gzip renamed": gzip.compress(GOOD, mtime=0),
    "zip renamed": zipped("a.mid", GOOD),
    "WAV renamed": riff((b"fmt ", bytes(16)), (b"data", GOOD), form=b"WAVE"),
    "RIFF cut off": riff((b"data", GOOD))[:10],
    "RMID of nothing": riff((b"data", b"")),
    "RMID of text": riff((b"data", b"no music here")),
    "RMID in RMID": riff((b"data", riff((b"data", GOOD)))),
}

DAMAGED = {
    "magic only": GOOD[:4],
    "header of 5 bytes": b"MThd\0\0\0\5" + GOOD[8:13] + GOOD[14:],
    "header of no bytes": b"MThd\0\0\0\0" + GOOD[14:],
    "header cut off": GOOD[:13],
    "header only": GOOD[:14],
    "header length of 4 GiB": b"MThd\xff\xff\xff\xff" + GOOD[8:],
    "header that holds the track": b"MThd" + struct.pack(">I", len(GOOD) - 8) + GOOD[8:],
    "type 3": midi(track(SIGNATURE, LONG), file_type=3),
    "type 7": midi(track(SIGNATURE, LONG), file_type=7),
    "type 65,535": midi(track(SIGNATURE, LONG), file_type=65_535),
    "0 ticks a quarter note": midi(track(SIGNATURE, LONG), division=0),
    "cut off by a byte": GOOD[:-1],
    "cut off and filled with zeros": GOOD[:-9] + bytes(9),
    "an early byte lost": GOOD[:20] + GOOD[21:],
    "track of 2 bytes": midi(track(SIGNATURE, LONG), chunk(b"MTrk", b"\0\xff")),
    "end without a delta": midi(track(SIGNATURE, LONG, end=END[1:])),
    "end with a content": midi(track(SIGNATURE, LONG, end=b"\0\xff\x2f\2hi")),
    "notes after the end": song(END, on(70)),
    "notes after the end, hidden by the reader's own marker": midi(
        track(SIGNATURE, LONG, meta(6, b"end of the track's own events")), track(LONG, END, on(70))
    ),
    "track length one too long, and no end of the track": told(len(UNENDED) + 1, UNENDED),
    "track length one too short, and no end of the track": told(len(UNENDED) - 1, UNENDED),
    "track length four too long before other bytes": told(len(UNENDED + END) + 4) + b"behind",
    "track length one too short before other bytes": told(len(UNENDED + END) - 1) + b"behind",
    "RMID without data": riff((b"LIST", GOOD)),
    "RMID of 12 bytes": riff(),
    "RMID cut off": riff((b"data", GOOD))[:-9],
    "RMID with a length of 4 GiB": b"RIFF\xff\xff\xff\xffRMIDdata\xff\xff\xff\xff" + GOOD,
    "data before any status": midi(track(b"\0\x3c\x40", SIGNATURE, LONG)),
    "delta of 10 bytes": within(b"\x81" + b"\x80" * 8 + b"\x03" + on(50)[1:]),
    "delta that never ends": midi(track(SIGNATURE, LONG, b"\xff" * 99)),
    "a stray byte before the end": midi(track(SIGNATURE, LONG, b"\0")),
    "half a note-on": within(b"\0\x90\x32"),
    "half a note-on at the end": midi(track(SIGNATURE, LONG, b"\0\x90\x32")),
    "meta length beyond the track": midi(track(SIGNATURE, LONG, b"\0\xff\x01\x7f")),
    "meta length of 5 bytes": within(b"\0\xff\x01\x80\x80\x80\x80\x02hi"),
    "meta length of 2^28": within(b"\0\xff\x01\xff\xff\xff\x7fhi"),
    "meta event of kind 128": within(b"\0\xff\x80\0"),
    "meta event of no kind": midi(track(SIGNATURE, LONG, b"\0\xff")),
    "system-exclusive beyond the track": midi(track(SIGNATURE, LONG, b"\0\xf0\x7f\x43\x12")),
    "system-exclusive of no length": within(b"\0\xf0\x43\x12\x00\xf7"),
    "packet beyond the track": midi(track(SIGNATURE, LONG, b"\0\xf7\x7f\x43\x12")),
    "pitch 128": within(b"\0\x90\x80\x40"),
    "note-off of pitch 188": within(b"\0\x80\xbc\x40"),
    **{
        f"status {status:#x}": within(bytes([0, status, 5, 5]))
        for status in (*range(0xF1, 0xF7), *range(0xF8, 0xFF))
    },
    "time signature of 1 byte": in_metre(meta(0x58, FOUR_FOUR[:1])),
    "time signature of no bytes": in_metre(SIGNATURE, meta(0x58, b"")),
    "tempo of 2 bytes": song(meta(0x51, b"\x07\xa1")),
    "tempo of no bytes": song(meta(0x51, b"")),
}

UNSUPPORTED = {
    "type 2": midi(track(SIGNATURE, LONG), file_type=2),
    "SMPTE, 25 frames of 40 ticks": midi(track(SIGNATURE, LONG), division=0xE728),
    "SMPTE, no frames": midi(track(SIGNATURE, LONG), division=0x8000),
}

NO_NOTES = {
    "no tracks": midi(),
    "no events": midi(track(), track()),
    "no notes": midi(track(SIGNATURE, TEMPO, meta(3, b"tune"))),
    "only offs": midi(track(SIGNATURE, off(60, 3), on(60, 60, velocity=0))),
    "drums only": midi(track(SIGNATURE, on(36, 0, 9), off(36, 70, 9), on(38, 1, 9))),
}

TOO_LONG = {
    "a note at tick 2^28": song(AGES, on(50, 1), off(50, 1)),
    "37 bytes for years": midi(track(on(60) + varlen(FURTHEST) + b"\x90\x3c\0"), division=1),
    "a tick over 4,096 bars": song(on(50), off(50, 65_467)),
    "never closed before tick 2^28": midi(track(SIGNATURE, on(50), end=varlen(FURTHEST) + END[1:])),
    "a note at tick 2^31": song(on(50), AGES * 8, off(50, 8)),
    "a note after tick 2^31": song(AGES * 8 + meta(1, b"", 8)),
    "a note after tick 2^32": song(AGES * 16 + meta(1, b"", 16)),
    "a note to tick 2^32": song(on(50), AGES * 16, off(50, 90)),
    "a note never closed after tick 2^32": midi(
        track(SIGNATURE, LONG, on(50), AGES * 16, end=b"\x7f" + END[1:])
    ),
    "a time signature at tick 2^32": midi(track(LONG), track(AGES * 16, meta(0x58, FOUR_FOUR, 16))),
    "silence as long as two of the longest deltas": silence(2 * FURTHEST),
    "257 of the longest deltas of three bytes": midi(track(SIGNATURE, LONG, meta(1, b"", 2**21 - 1) * 257)),
    "32,770 controllers with the longest delta of two bytes": midi(
        track(SIGNATURE, LONG, b"\0\xb0\7\x40", b"\xff\x7f\7\x40" * 32_770)
    ),
    "32,770 programs with the longest delta of two bytes": midi(
        track(SIGNATURE, LONG, b"\0\xc0\7", b"\xff\x7f\7" * 32_770)
    ),
    "a late note out of range": song(on(20, FURTHEST), off(20, 1)),
}

OTHER_METRE = {
    "3/4": in_metre(meta(0x58, bytes([3, 2, 24, 8]))),
    "4/2": in_metre(meta(0x58, bytes([4, 1, 24, 8]))),
    "4/2^34": in_metre(meta(0x58, bytes([4, 34, 24, 8]))),
    "4/2^10": in_metre(meta(0x58, bytes([4, 10, 24, 8]))),
    "0/4": in_metre(meta(0x58, bytes([0, 2, 24, 8]))),
    "3/4 from the fourth bar": midi(track(SIGNATURE, meta(0x58, bytes([3, 2, 24, 8]), 48), LONG)),
    "6/8 of another track": midi(track(SIGNATURE, LONG), track(meta(0x58, bytes([6, 3, 36, 8])))),
}

FILES: dict[Refusal, dict[str, bytes]] = {
    Refusal.NOT_MIDI: NOT_MIDI,
    Refusal.DAMAGED: DAMAGED,
    Refusal.UNSUPPORTED: UNSUPPORTED,
    Refusal.NO_NOTES: NO_NOTES,
    Refusal.TOO_LONG: TOO_LONG,
    Refusal.OTHER_METRE: OTHER_METRE,
    Refusal.THREE_BEATS: {"no time signature, a waltz": midi(track(TEMPO, *8 * [WALTZ_BAR]))},
    Refusal.NO_BEAT: {
        "notes 91 ticks apart, 96 a quarter": midi(track(SIGNATURE, *40 * [DRIFT]), division=96)
    },
    Refusal.TOO_SHORT: {"63 steps": midi(track(SIGNATURE, on(61, 3), off(61, 60)))},
    Refusal.BLANK: {
        "all notes out of range": midi(track(SIGNATURE, on(23, 3), off(23, 67), on(108), off(108, 9))),
        "in range after the last phrase only": midi(
            track(SIGNATURE, on(23), off(23, 64), on(61), off(61, 9))
        ),
    },
}


def sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 2 << 30)


def folder(path: Path) -> None:
    path.mkdir()
    (path / "b.mid").write_bytes(GOOD)


def link_to(target: str) -> Writer:
    return lambda path: path.symlink_to(target)


def link_loop(path: Path) -> None:
    path.symlink_to("round")
    path.with_name("round").symlink_to(path.name)


def link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


def socket(path: Path) -> None:
    os.mknod(path, stat.S_IFSOCK | 0o600)


BAD: dict[str, tuple[Writer, Refusal]] = {
    **{kind: (holding(data), reason) for reason, files in FILES.items() for kind, data in files.items()},
    "zip bomb renamed": (holding(lambda: zipped("a.mid", bytes(CAP))), Refusal.NOT_MIDI),
    "8 MiB and a byte": (holding(lambda: padded(CAP + 1)), Refusal.TOO_LARGE),
    "sparse file of 2 GiB": (sparse, Refusal.TOO_LARGE),
    "500,001 notes": (holding(lambda: notes_at_once(500_001)), Refusal.TOO_MANY),
    "1,025 tracks with notes": (holding(lambda: note_tracks(1025)), Refusal.TOO_MANY),
    "20,000 tracks with notes": (holding(lambda: note_tracks(20_000)), Refusal.TOO_MANY),
    "200,001 events": (holding(lambda: events_at_once(200_001)), Refusal.TOO_MANY),
    "8 MiB of notes": (holding(lambda: notes_at_once(1_398_000)), Refusal.TOO_MANY),
    "8 MiB of text": (holding(b"la " * (CAP // 3)), Refusal.NOT_MIDI),
    "70,000 bytes from an undefined status": (
        holding(midi(track(SIGNATURE, LONG, b"\0\xf4", b"x" * 65_534, on(70, 5), off(70, 8)))),
        Refusal.DAMAGED,
    ),
    "a directory": (folder, Refusal.UNREADABLE),
    "a link to a directory": (link_to("."), Refusal.UNREADABLE),
    "a pipe that nobody writes to": (os.mkfifo, Refusal.UNREADABLE),
    "a socket": (socket, Refusal.UNREADABLE),
    "a broken link": (link_to("gone.mid"), Refusal.UNREADABLE),
    "a link to itself": (link_to_itself, Refusal.UNREADABLE),
    "a loop of links": (link_loop, Refusal.UNREADABLE),
    "an endless device": (link_to("/dev/zero"), Refusal.UNREADABLE),
    "an empty device": (link_to("/dev/null"), Refusal.UNREADABLE),
    "nothing at all": (lambda path: None, Refusal.UNREADABLE),
}
