"""MIDI files in and out, in ticks: the only module that parses or writes them."""

import io
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pretty_midi
import symusic

from cyclegan_jax.files import write_whole
from cyclegan_jax.rolls import LOWEST_PITCH, STEPS_PER_BEAT

Source = str | os.PathLike[str] | pretty_midi.PrettyMIDI
WRITTEN_TICKS_PER_QUARTER = 480
TICKS_PER_STEP = WRITTEN_TICKS_PER_QUARTER // STEPS_PER_BEAT
WRITTEN_VELOCITY = 100


class Tempo(NamedTuple):
    """A change of tempo: `position` in ticks in a Score, in sixteenth-note steps in a Song."""

    position: float
    beats_per_minute: float


@dataclass(frozen=True)
class Score:
    """The pitched notes of a file, all tracks and channels together, drums left out.

    `onsets`, `ends`: [N] ticks; `pitches`: [N] MIDI pitches 0 to 127, N from 0.
    `time_signatures`: (tick, numerator, denominator), in order. `tempos`: in order, maybe none.
    """

    ticks_per_quarter: int
    onsets: np.ndarray
    ends: np.ndarray
    pitches: np.ndarray
    time_signatures: tuple[tuple[int, int, int], ...]
    tempos: tuple[Tempo, ...]


def read_score(source: Source) -> Score:
    """Read a MIDI file by its path, or take a PrettyMIDI.

    A note-off closes the oldest open note-on of its channel and pitch; a PrettyMIDI comes with its
    notes paired in pretty_midi's way. Raises ValueError saying why where a file cannot be parsed.
    """
    if isinstance(source, pretty_midi.PrettyMIDI):
        return _from_pretty_midi(source)
    try:
        parsed = symusic.Score.from_midi(Path(source).read_bytes())
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise ValueError(reason) from error
    return _from_symusic(parsed)


def _from_symusic(parsed: symusic.Score) -> Score:
    notes = [track.notes.numpy() for track in parsed.tracks if not track.is_drum]
    onsets, lengths, pitches = (
        np.concatenate([np.asarray(n[name], np.int64) for n in notes] or [np.zeros(0, np.int64)])
        for name in ("time", "duration", "pitch")
    )
    if parsed.ticks_per_quarter <= 0:
        raise ValueError(f"{parsed.ticks_per_quarter} ticks a quarter note")
    return Score(
        ticks_per_quarter=parsed.ticks_per_quarter,
        onsets=onsets,
        ends=onsets + lengths,
        pitches=pitches,
        time_signatures=tuple((s.time, s.numerator, s.denominator) for s in parsed.time_signatures),
        tempos=tuple(Tempo(t.time, t.qpm) for t in parsed.tempos if math.isfinite(t.qpm)),
    )


def _from_pretty_midi(song: pretty_midi.PrettyMIDI) -> Score:
    notes = [note for part in song.instruments if not part.is_drum for note in part.notes]
    times, tempos = song.get_tempo_changes()
    return Score(
        ticks_per_quarter=song.resolution,
        onsets=np.array([song.time_to_tick(n.start) for n in notes], np.int64),
        ends=np.array([song.time_to_tick(n.end) for n in notes], np.int64),
        pitches=np.array([n.pitch for n in notes], np.int64),
        time_signatures=tuple(
            (song.time_to_tick(s.time), s.numerator, s.denominator) for s in song.time_signature_changes
        ),
        tempos=tuple(Tempo(song.time_to_tick(s), float(q)) for s, q in zip(times, tempos, strict=True)),
    )


def midi_bytes(roll: np.ndarray, tempos: tuple[Tempo, ...]) -> bytes:
    """A roll as a Standard MIDI File in 4/4: velocity 100, program 0, adjacent on-steps one note.

    `roll`: [steps, 84] bool. `tempos`: positions in steps.
    """
    score = symusic.Score(WRITTEN_TICKS_PER_QUARTER)
    score.time_signatures.append(symusic.TimeSignature(0, 4, 4))
    for tempo in tempos:
        score.tempos.append(symusic.Tempo(round(tempo.position * TICKS_PER_STEP), tempo.beats_per_minute))
    track = symusic.Track("piano roll", program=0, is_drum=False)
    edges = np.diff(np.pad(roll, ((1, 1), (0, 0))).astype(np.int8), axis=0).T
    for row, edge in enumerate(edges):
        for onset, end in zip(np.flatnonzero(edge == 1), np.flatnonzero(edge == -1), strict=True):
            ticks = int(onset) * TICKS_PER_STEP, int(end - onset) * TICKS_PER_STEP
            track.notes.append(symusic.Note(*ticks, LOWEST_PITCH + row, WRITTEN_VELOCITY))
    score.tracks.append(track)
    return score.dumps_midi()


def to_pretty_midi(roll: np.ndarray, tempo: float) -> pretty_midi.PrettyMIDI:
    """A roll as a PrettyMIDI: [steps, 84] bool, `tempo` in beats per minute."""
    return pretty_midi.PrettyMIDI(io.BytesIO(midi_bytes(roll, (Tempo(0.0, tempo),))))


def write_midi(path: Path, roll: np.ndarray, tempos: tuple[Tempo, ...]) -> None:
    """Write a roll ([steps, 84] bool) as a MIDI file, whole or not at all."""
    write_whole(path, midi_bytes(roll, tempos))
