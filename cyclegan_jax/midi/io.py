"""MIDI files and PrettyMIDI objects in and out, in ticks."""

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pretty_midi
import symusic

from cyclegan_jax.atomic_files import write_whole
from cyclegan_jax.midi.reader import Score, Tempo, read_midi
from cyclegan_jax.midi.refusals import Refusal, RefusedSongError
from cyclegan_jax.pianoroll.features import spans
from cyclegan_jax.pianoroll.roll import LOWEST_PITCH, STEPS_PER_BEAT

Source = str | os.PathLike[str] | pretty_midi.PrettyMIDI
WRITTEN_TICKS_PER_QUARTER = 480
TICKS_PER_STEP = WRITTEN_TICKS_PER_QUARTER // STEPS_PER_BEAT
WRITTEN_VELOCITY = 100


def read_score(source: Source) -> Score:
    """Read a MIDI file by its path, or take a PrettyMIDI, whose notes pretty_midi has paired in its own way.

    Raises RefusedSongError saying why where a file cannot be used.
    """
    if isinstance(source, pretty_midi.PrettyMIDI):
        return _from_pretty_midi(source)
    return read_midi(source)


def _from_pretty_midi(song: pretty_midi.PrettyMIDI) -> Score:
    parts = [part for part in song.instruments if not part.is_drum]
    notes = [note for part in parts for note in part.notes]
    times, tempos = song.get_tempo_changes()
    return Score(
        ticks_per_quarter=song.resolution,
        onsets=np.array([song.time_to_tick(n.start) for n in notes], np.int64),
        ends=np.array([song.time_to_tick(n.end) for n in notes], np.int64),
        pitches=np.array([n.pitch for n in notes], np.int64),
        programs=np.array([p.program for p in parts for _ in p.notes], np.int64),
        time_signatures=tuple(
            (song.time_to_tick(s.time), s.numerator, s.denominator) for s in song.time_signature_changes
        ),
        tempos=tuple(Tempo(int(song.time_to_tick(s)), float(q)) for s, q in zip(times, tempos, strict=True)),
    )


def midi_bytes(roll: np.ndarray, tempos: tuple[Tempo, ...]) -> bytes:
    """A roll as a Standard MIDI File in 4/4: velocity 100, program 0, adjacent on-steps one note.

    `roll`: [steps, 84] bool. `tempos`: positions in steps.
    """
    score: Any = symusic.Score(WRITTEN_TICKS_PER_QUARTER)
    score.time_signatures.append(symusic.TimeSignature(0, 4, 4))
    for tempo in tempos:
        score.tempos.append(symusic.Tempo(round(tempo.position * TICKS_PER_STEP), tempo.beats_per_minute))
    track: Any = symusic.Track("piano roll", program=0, is_drum=False)
    for onset, end, row in zip(*(column.tolist() for column in spans(roll)), strict=True):
        ticks = onset * TICKS_PER_STEP, (end - onset) * TICKS_PER_STEP
        track.notes.append(symusic.Note(*ticks, LOWEST_PITCH + row, WRITTEN_VELOCITY))
    score.tracks.append(track)
    return score.dumps_midi()


def open_pretty_midi(midi: bytes) -> pretty_midi.PrettyMIDI:
    """The bytes of a MIDI file as a PrettyMIDI.

    Raises RefusedSongError for what pretty_midi does not take, such as over ten million ticks.
    """
    try:
        return pretty_midi.PrettyMIDI(io.BytesIO(midi))
    except Exception as error:  # mido's own kinds among them, which have nothing else in common
        raise RefusedSongError(Refusal.READER_FAILED, f"pretty_midi: {error}") from error


def to_pretty_midi(roll: np.ndarray, tempo: float) -> pretty_midi.PrettyMIDI:
    """A roll as a PrettyMIDI: [steps, 84] bool, `tempo` in beats per minute."""
    return open_pretty_midi(midi_bytes(roll, (Tempo(0.0, tempo),)))


def write_midi(path: Path, roll: np.ndarray, tempos: tuple[Tempo, ...]) -> None:
    """Write a roll ([steps, 84] bool) as a MIDI file, whole or not at all."""
    write_whole(path, midi_bytes(roll, tempos))
