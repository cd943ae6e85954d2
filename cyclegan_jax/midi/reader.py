"""The hardened reader: bytes of a Standard MIDI File in, its notes or the reason why not out.

Chunks are walked here and tracks are cleaned, so that symusic parses only what is whole and needed.
The format is that of the Standard MIDI Files specification 1.0 (RP-001).

Strict or lenient: chunk lengths must add up and the tracks declared must be there, so that a file that was
cut off is refused. A longer header, unknown chunks, RIFF wrappers and up to seven bytes of padding pass.

Note-offs: within a track one closes the oldest open note-on of its channel and pitch, as symusic has it.
symusic leaves out notes that are never closed. So note-offs of every pitch are added far behind each track's
end: a note that ends out there was open. A second parse, with up to 64 note-offs for those pitches, lets it
end with its track.
"""

import os
import stat
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import symusic

from cyclegan_jax.midi.refusals import Refusal, RefusedSongError
from cyclegan_jax.midi.sanitizer import EMPTY_TEXT, FAR, SET_TEMPO, TIME_SIGNATURE, Cleaner, Track

MAX_BYTES = 8 << 20
MAX_TRACKS = 1024  # with notes
MAX_NOTES = 500_000
MAX_UNCLOSED = 64  # note-ons of one pitch and channel in one track that nothing closes
MAX_ROOM = 256 << 20  # bytes: symusic sets about the size of a track aside for each part of it
PART_ROOM = 12 << 10  # bytes: what a part costs beside that
MICROSECONDS_PER_MINUTE = 60e6
PAUSE = (b"\xff\xff\xff\x7f" + EMPTY_TEXT) * 2  # FAR ticks: what comes after it is not the track's own
END = b"\x00\xff\x2f\x00"


class Tempo(NamedTuple):
    """A change of tempo: `position` in ticks in a Score, in sixteenth-note steps in a Song."""

    position: float
    beats_per_minute: float


@dataclass(frozen=True)
class Score:
    """The pitched notes of a file, all tracks and channels together, drums left out.

    `onsets`, `ends`: [N] ticks; `pitches`: [N] MIDI pitches 0 to 127; `programs`: [N] General MIDI
    programs 0 to 127; N from 0. `time_signatures`: (tick, numerator, denominator), in order.
    `tempos`: in order, maybe none.
    """

    ticks_per_quarter: int
    onsets: np.ndarray
    ends: np.ndarray
    pitches: np.ndarray
    programs: np.ndarray
    time_signatures: tuple[tuple[int, int, int], ...]
    tempos: tuple[Tempo, ...]


class _Parsed(NamedTuple):
    """All notes, [N] each, the first `pitched` of them no drums; ticks and numbers of the marks, in order."""

    onsets: np.ndarray
    ends: np.ndarray
    pitches: np.ndarray
    programs: np.ndarray
    pitched: int
    marks: list[tuple[int, int]]


def read_midi_bytes(path: str | os.PathLike[str]) -> bytes:
    """The content of a regular file of at most 8 MiB; never waits for a pipe or a device.

    Raises RefusedSongError.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except (OSError, ValueError) as error:
        raise RefusedSongError(Refusal.UNREADABLE, getattr(error, "strerror", None) or str(error)) from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise RefusedSongError(Refusal.UNREADABLE, "Not a regular file")
        if status.st_size > MAX_BYTES:
            raise RefusedSongError(Refusal.TOO_LARGE, f"{status.st_size} bytes")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(MAX_BYTES)
    except OSError as error:
        raise RefusedSongError(Refusal.UNREADABLE, error.strerror or str(error)) from error
    finally:
        os.close(descriptor)


def read_midi(path: str | os.PathLike[str]) -> Score:
    """Read a MIDI file by its path. Raises RefusedSongError."""
    return parse_midi(read_midi_bytes(Path(path)))


def parse_midi(data: bytes) -> Score:
    """Parse a Standard MIDI File of type 0 or 1, bare or in a RIFF wrapper (RMID).

    A note-off closes the oldest open note-on of its channel and pitch; a note-on that nothing closes
    ends with its track. Raises RefusedSongError where the file is damaged or beyond the limits.
    """
    division, bodies = read_chunks(data)
    cleaner = Cleaner()
    tracks = [cleaner.clean(body, number) for number, body in enumerate(bodies, 1)]
    with_notes = sum(bool(track.channels) for track in tracks)
    if with_notes > MAX_TRACKS:
        raise RefusedSongError(Refusal.TOO_MANY, f"{with_notes} tracks with notes")
    parsed = _parse_closed(division, tracks)
    marks = [(tick, *cleaner.marks[number]) for tick, number in parsed.marks]
    tempos = [(tick, int.from_bytes(content[:3])) for tick, kind, content in marks if kind == SET_TEMPO]
    return Score(
        ticks_per_quarter=division,
        onsets=parsed.onsets[: parsed.pitched],
        ends=parsed.ends[: parsed.pitched],
        pitches=parsed.pitches[: parsed.pitched],
        programs=parsed.programs[: parsed.pitched],
        time_signatures=tuple((t, m[0], 2 ** m[1]) for t, kind, m in marks if kind == TIME_SIGNATURE),
        tempos=tuple(Tempo(tick, MICROSECONDS_PER_MINUTE / tempo) for tick, tempo in tempos if tempo),
    )


def _unwrapped(data: bytes) -> bytes:
    """The MIDI file in a RIFF wrapper, and any other file as it is."""
    if data[:4] != b"RIFF" or data[8:12] != b"RMID":
        return data
    for name, body in _chunks(data[12:], "<I"):
        if name == b"data":
            return body
    raise RefusedSongError(Refusal.DAMAGED, "RMID without data")


def _chunks(data: bytes, length_format: str) -> Iterator[tuple[bytes, bytes]]:
    """Name and body of each chunk; fewer than 8 bytes after the last one are padding."""
    place = 0
    while len(data) - place >= 8:
        (length,) = struct.unpack_from(length_format, data, place + 4)
        end = place + 8 + length
        if end > len(data):
            raise RefusedSongError(Refusal.DAMAGED, f"{end - len(data)} bytes missing")
        yield data[place : place + 4], data[place + 8 : end]
        place = end + (length % 2 if length_format == "<I" else 0)


def read_chunks(data: bytes) -> tuple[int, list[bytes]]:
    """Ticks per quarter note, and the body of each track; other chunks are passed over.

    Raises RefusedSongError.
    """
    data = _unwrapped(data)
    if not data:
        raise RefusedSongError(Refusal.NOT_MIDI, "empty")
    if data[:4] != b"MThd":
        raise RefusedSongError(Refusal.NOT_MIDI, f"begins with {data[:4]!r} instead of b'MThd'")
    chunks = _chunks(data, ">I")
    _, header = next(chunks, (b"", b""))
    if len(header) < 6:
        raise RefusedSongError(Refusal.DAMAGED, "header shorter than 14 bytes")
    tracks = [body for name, body in chunks if name == b"MTrk"]
    file_type, declared, division = struct.unpack_from(">HHH", header)
    _check_header(file_type, division)
    if len(tracks) != declared:
        raise RefusedSongError(Refusal.DAMAGED, f"{declared} tracks declared, {len(tracks)} found")
    return division, tracks


def _check_header(file_type: int, division: int) -> None:
    if file_type == 2:
        raise RefusedSongError(Refusal.UNSUPPORTED, "type 2")
    if file_type > 2:
        raise RefusedSongError(Refusal.DAMAGED, f"type {file_type}")
    if division >= 0x8000:
        raise RefusedSongError(Refusal.UNSUPPORTED, "SMPTE time")
    if division == 0:
        raise RefusedSongError(Refusal.DAMAGED, "0 ticks a quarter note")


def _parse_closed(division: int, tracks: list[Track]) -> _Parsed:
    """Parse, with every note closed, by an end of its own or its track's."""
    parsed = _parse(division, tracks, range(128), rounds=0)
    unclosed = np.unique(parsed.pitches[parsed.ends >= 2 * FAR])
    if not len(unclosed):
        return parsed
    parsed = _parse(division, tracks, unclosed.tolist(), rounds=MAX_UNCLOSED)
    if parsed.ends.max() >= 2 * FAR:
        raise RefusedSongError(Refusal.DAMAGED, f"over {MAX_UNCLOSED} unclosed note-ons of one pitch")
    return parsed._replace(ends=parsed.ends % FAR)


def _parse(division: int, tracks: list[Track], pitches: Iterable[int], rounds: int) -> _Parsed:
    try:
        parsed: Any = symusic.Score.from_midi(_assembled(division, tracks, pitches, rounds))
    except (RuntimeError, ValueError) as error:
        raise RefusedSongError(Refusal.DAMAGED, str(error).splitlines()[0]) from error
    except MemoryError as error:
        raise RefusedSongError(Refusal.TOO_MANY, "more than memory holds") from error
    if parsed.note_num() > MAX_NOTES:
        raise RefusedSongError(Refusal.TOO_MANY, f"{parsed.note_num()} notes")
    return _gathered(parsed)


def _assembled(division: int, tracks: list[Track], pitches: Iterable[int], rounds: int) -> bytes:
    """A file, with note-offs of these pitches `rounds` times FAR ticks after a track, and once 2 * FAR."""
    running = b"".join(bytes([0, pitch, 0]) for pitch in pitches)[1:]
    chunks, room = [struct.pack(">4sIHHH", b"MThd", 6, 1, len(tracks), division)], 0
    for track in tracks:
        note_offs = b"".join(bytes([0, 0x80 | channel]) + running for channel in track.channels)
        body = track.events + PAUSE + note_offs * rounds + PAUSE + note_offs + END
        chunks += [struct.pack(">4sI", b"MTrk", len(body)), body]
        room += track.parts * (len(body) + PART_ROOM)
        if room > MAX_ROOM:
            raise RefusedSongError(Refusal.TOO_MANY, f"parts that take over {MAX_ROOM >> 20} MiB")
    return b"".join(chunks)


def _gathered(parsed: symusic.core.ScoreTick) -> _Parsed:
    parts = sorted(parsed.tracks, key=lambda part: part.is_drum)
    notes = [part.notes.numpy() for part in parts]
    sizes = [len(columns["time"]) for columns in notes]
    onsets, lengths, pitches = (
        np.concatenate([np.zeros(0, np.int64), *(columns[name] for columns in notes)])
        for name in ("time", "duration", "pitch")
    )
    programs = np.repeat(np.array([part.program for part in parts], np.int64), sizes)
    pitched = sum(size for part, size in zip(parts, sizes, strict=True) if not part.is_drum)
    tempos = parsed.tempos.numpy()
    marks = sorted(zip(tempos["time"].tolist(), tempos["mspq"].tolist(), strict=True))
    return _Parsed(onsets, onsets + lengths, pitches, programs, pitched, marks)
