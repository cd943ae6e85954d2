"""A MIDI file to its tracks: chunks are walked, wrappers taken off, and wrong lengths mended by the events.

The format is that of the Standard MIDI Files specification 1.0 (RP-001): a header chunk and track chunks,
each a name of four letters, a length of four bytes and a body. Unknown chunks and longer headers pass.

What a track's length says is believed where the track's events agree. Where End of Track comes elsewhere,
right before another track or the file's end, the events are believed. A track may lack its End of Track
where its length is right. So a file that was cut off within a track is refused: there both are wrong.
"""

import struct
from dataclasses import dataclass

from cyclegan_jax.midi.refusals import Refusal, RefusedSongError
from cyclegan_jax.midi.track_events import EventReader, Events

MACBINARY = 128  # bytes of the header that old Macintosh programs put before a file
NO_END = "a track without End of Track"
WRONG_LENGTH = "a track of another length than it states"


@dataclass(frozen=True)
class MidiFile:
    """A file's ticks per quarter note, the events of its tracks, and what was mended in it."""

    ticks_per_quarter: int
    events: Events
    remarks: tuple[str, ...]


def read_file(data: bytes) -> MidiFile:
    """The tracks of a Standard MIDI File of type 0 or 1, bare, in a RIFF wrapper (RMID) or behind MacBinary.

    Raises RefusedSongError where it is damaged or beyond the limits.
    """
    reader = EventReader()
    data = _unwrapped(data, reader)
    declared, division, place = _read_header(data)
    while place < len(data):
        name, body = data[place : place + 4], place + 8
        stop = body + int.from_bytes(data[place + 4 : body], "big")
        if name == b"MTrk":
            place = _read_track(data, body, stop, reader)
        elif name == b"MThd" or body > len(data) or stop > len(data):
            break
        else:
            place = stop
    if declared and not reader.tracks:
        raise RefusedSongError(Refusal.DAMAGED, f"{declared} tracks declared, but none is there")
    if place < len(data) and data[place:].strip(b"\0"):
        reader.remark(f"{len(data) - place} bytes behind the last chunk left out")
    if reader.tracks != declared:
        reader.remark(f"{declared} tracks declared, {reader.tracks} found")
    return MidiFile(division, reader.events(), tuple(reader.remarks))


def _unwrapped(data: bytes, reader: EventReader) -> bytes:
    """The MIDI file in a wrapper, and any other file as it is."""
    if data[:1] == b"\0" and data[MACBINARY : MACBINARY + 4] == b"MThd":
        reader.remark("a MacBinary header left out")
        return data[MACBINARY:]
    if data[:4] != b"RIFF" or data[8:12] != b"RMID":
        return data
    place = 12
    while place + 8 <= len(data):
        stop = place + 8 + int.from_bytes(data[place + 4 : place + 8], "little")
        if data[place : place + 4] == b"data":
            if stop > len(data):
                raise RefusedSongError(Refusal.DAMAGED, f"{stop - len(data)} bytes missing")
            return data[place + 8 : stop]
        place = stop + stop % 2
    raise RefusedSongError(Refusal.DAMAGED, "RMID without data")


def _read_header(data: bytes) -> tuple[int, int, int]:
    """How many tracks a file declares, its ticks per quarter note, and the place behind the header."""
    if not data:
        raise RefusedSongError(Refusal.NOT_MIDI, "empty")
    if data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype", b"<html", b"<head")):
        raise RefusedSongError(Refusal.NOT_MIDI, "a web page (HTML); download the MIDI file itself")
    if data[:4] != b"MThd":
        raise RefusedSongError(Refusal.NOT_MIDI, f"begins with {data[:4]!r} instead of b'MThd'")
    stop = 8 + int.from_bytes(data[4:8], "big")
    if stop < 14 or stop > len(data):
        raise RefusedSongError(Refusal.DAMAGED, "header shorter than 14 bytes")
    file_type, declared, division = struct.unpack_from(">HHH", data, 8)
    if file_type == 2:
        raise RefusedSongError(Refusal.UNSUPPORTED, "type 2")
    if file_type > 2:
        raise RefusedSongError(Refusal.DAMAGED, f"type {file_type}")
    if division >= 0x8000:
        raise RefusedSongError(Refusal.UNSUPPORTED, "SMPTE time")
    if division == 0:
        raise RefusedSongError(Refusal.DAMAGED, "0 ticks a quarter note")
    return declared, division, stop


def _read_track(data: bytes, start: int, told: int, reader: EventReader) -> int:
    """Read the track whose body begins at `start` and, as it tells, ends at `told`; returns where it ends."""
    missing = told - len(data)
    detail = f"{missing} bytes missing" if missing > 0 else "a track does not end with its last event"
    refusal = RefusedSongError(Refusal.DAMAGED, detail)
    place, closed = start, False
    try:
        place, closed = reader.read_track(data, start, min(told, len(data)))
    except RefusedSongError as error:
        if error.reason is not Refusal.DAMAGED:
            raise
        refusal = refusal if missing > 0 else error
    if place == told and (closed or _ends_well(data, place)):
        if not closed:
            reader.remark(NO_END)
        return place
    if not closed:
        reader.drop_track()
        try:
            place, closed = reader.read_track(data, start, len(data))
        except RefusedSongError as error:
            if error.reason is not Refusal.DAMAGED:
                raise
            closed = False
    if not (closed and _ends_well(data, place)):
        raise refusal
    reader.remark(WRONG_LENGTH)
    return place


def _ends_well(data: bytes, place: int) -> bool:
    """Whether another track begins here, or the file is over."""
    return place == len(data) or data[place : place + 4] == b"MTrk"
