"""A MIDI file's bytes in, its pitched notes, tempos and time signatures out, or the reason why not."""

import os
import stat
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cyclegan_jax.midi.melody_track import melody_of, melody_tracks
from cyclegan_jax.midi.midi_file import MidiFile, read_file
from cyclegan_jax.midi.played_notes import PlayedNotes, pair_notes
from cyclegan_jax.midi.refusals import Refusal, RefusedSongError
from cyclegan_jax.midi.track_events import SET_TEMPO, TIME_SIGNATURE

MAX_BYTES = 8 << 20
MICROSECONDS_PER_MINUTE = 60e6


class Tempo(NamedTuple):
    """A change of tempo: `position` in ticks in a Score, in sixteenth-note steps in a Song."""

    position: float
    beats_per_minute: float


@dataclass(frozen=True)
class Score:
    """The pitched notes of a file, all tracks and channels together, drums left out.

    `onsets`, `ends`: [N] ticks; `pitches`: [N] MIDI pitches 0 to 127; `programs`: [N] General MIDI
    programs 0 to 127; N from 0. `time_signatures`: (tick, numerator, denominator), in order.
    `tempos`: in order, maybe none. `remarks`: what was mended in the file. `melody`: [N] bool, which notes
    are of a track or instrument that is named as the melody; None where there is no such one.
    """

    ticks_per_quarter: int
    onsets: np.ndarray
    ends: np.ndarray
    pitches: np.ndarray
    programs: np.ndarray
    time_signatures: tuple[tuple[int, int, int], ...]
    tempos: tuple[Tempo, ...]
    remarks: tuple[str, ...] = ()
    melody: np.ndarray | None = None


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


def parse_midi(data: bytes) -> Score:
    """Parse a Standard MIDI File of type 0 or 1, bare or in a wrapper (RMID, MacBinary).

    On each channel of a track a pitch sounds once at a time; what nothing ends, ends with its track
    (`played_notes`). Raises RefusedSongError where the file is damaged or beyond the limits.
    """
    file = read_file(data)
    return score_of(file, pair_notes(file))


def score_of(file: MidiFile, notes: PlayedNotes) -> Score:
    """The score of a file that is read and of its notes."""
    tempos = [(tick, int.from_bytes(content[:3], "big")) for tick, content in file.events.metas(SET_TEMPO)]
    signatures = file.events.metas(TIME_SIGNATURE)
    return Score(
        ticks_per_quarter=file.ticks_per_quarter,
        onsets=notes.onsets[notes.sound],
        ends=notes.ends[notes.sound],
        pitches=notes.pitches[notes.sound],
        programs=notes.programs[notes.sound],
        time_signatures=tuple((tick, content[0], 2 ** content[1]) for tick, content in signatures),
        tempos=tuple(Tempo(tick, MICROSECONDS_PER_MINUTE / tempo) for tick, tempo in tempos if tempo),
        remarks=file.remarks,
        melody=melody_of(np.isin(notes.tracks[notes.sound], melody_tracks(file))),
    )
