"""MIDI files, scores and PrettyMIDI objects in and out, in ticks."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pretty_midi
import symusic

from cyclegan_jax.atomic_files import write_whole
from cyclegan_jax.midi.pretty_midi_objects import midi_of_object, open_pretty_midi, score_of_object
from cyclegan_jax.midi.reader import Score, Tempo, parse_midi, read_midi_bytes
from cyclegan_jax.midi.scores.convert import as_midi_apart
from cyclegan_jax.pianoroll.features import spans
from cyclegan_jax.pianoroll.roll import LOWEST_PITCH, STEPS_PER_BEAT

Source = str | os.PathLike[str] | pretty_midi.PrettyMIDI
WRITTEN_TICKS_PER_QUARTER = 480
TICKS_PER_STEP = WRITTEN_TICKS_PER_QUARTER // STEPS_PER_BEAT
WRITTEN_VELOCITY = 100


def read_score(source: Source) -> Score:
    """Read a MIDI file or score by its path, or take a PrettyMIDI, which has paired notes in its own way.

    Raises RefusedSongError saying why where it cannot be used, TypeError for another kind of source.
    """
    if isinstance(source, pretty_midi.PrettyMIDI):
        return score_of_object(source)
    return parse_midi(midi_of(source))


def midi_of(source: Source) -> bytes:
    """The bytes of a MIDI file, of a score (MusicXML, ABC) as MIDI, or of a PrettyMIDI as it writes itself.

    Raises RefusedSongError saying why where it cannot be used, TypeError for another kind of source.
    """
    if isinstance(source, pretty_midi.PrettyMIDI):
        return midi_of_object(source)
    return as_midi_apart(read_midi_bytes(_path(source)))


def _path(source: object) -> str | os.PathLike[str]:
    if isinstance(source, str | os.PathLike):
        return source
    kind = type(source)
    raise TypeError(
        f"a song is a {kind.__module__}.{kind.__qualname__}, but must be the path of a MIDI file "
        "(str or os.PathLike) or a pretty_midi.PrettyMIDI."
    )


def midi_bytes(roll: np.ndarray, tempos: tuple[Tempo, ...]) -> bytes:
    """A roll as a Standard MIDI File in 4/4: velocity 100, program 0, adjacent on-steps one note.

    `roll`: [steps, 84] bool, or with channels [steps, 84, C], of which the second has the steps that begin a
    note in any case. `tempos`: positions in steps.
    """
    channels = np.atleast_3d(roll)
    notes = spans(channels[..., 0], channels[..., 1] if channels.shape[-1] == 2 else None)
    score: Any = symusic.Score(WRITTEN_TICKS_PER_QUARTER)
    score.time_signatures.append(symusic.TimeSignature(0, 4, 4))
    for tempo in tempos:
        score.tempos.append(symusic.Tempo(round(tempo.position * TICKS_PER_STEP), tempo.beats_per_minute))
    track: Any = symusic.Track("piano roll", program=0, is_drum=False)
    for onset, end, row in zip(*(column.tolist() for column in notes), strict=True):
        ticks = onset * TICKS_PER_STEP, (end - onset) * TICKS_PER_STEP
        track.notes.append(symusic.Note(*ticks, LOWEST_PITCH + row, WRITTEN_VELOCITY))
    score.tracks.append(track)
    return score.dumps_midi()


def to_pretty_midi(roll: np.ndarray, tempo: float) -> pretty_midi.PrettyMIDI:
    """A roll as a PrettyMIDI: as `midi_bytes` takes it, `tempo` in beats per minute."""
    return open_pretty_midi(midi_bytes(roll, (Tempo(0.0, tempo),)))


def write_midi(path: Path, roll: np.ndarray, tempos: tuple[Tempo, ...]) -> None:
    """Write a roll, as `midi_bytes` takes it, as a MIDI file, whole or not at all."""
    write_whole(path, midi_bytes(roll, tempos))
