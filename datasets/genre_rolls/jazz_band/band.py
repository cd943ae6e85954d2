"""A transcribed jazz solo as a MIDI file of a quartet: solo, bass, piano and drums.

The solo, and most often the bass, are those of the recording as the Weimar Jazz Database annotates them; the
piano's comping and the drums are composed here, since the database has the chords but not what was played on
them. Everything is in score time at one tempo, the median of the beats. The same solo always gives the same
bytes: chance comes from its file's name.
"""

import hashlib
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import symusic

from cyclegan_jax.datasets.genre_rolls.jazz_band.annotations import TICKS_PER_QUARTER, Note, read_solo
from cyclegan_jax.datasets.genre_rolls.jazz_band.comping import comping
from cyclegan_jax.datasets.genre_rolls.jazz_band.ride import drums
from cyclegan_jax.datasets.genre_rolls.jazz_band.walking import bass_pitches, walking_bass

PIANO, BASS, SOLO = 0, 32, 66  # General MIDI programs from 0: grand piano, acoustic bass, tenor saxophone


def band_midi(melody_csv: Path, beat_csv: Path) -> bytes:
    """The MIDI file of a solo: its melody file and its beat track, both CSV, in; a whole file's bytes out.

    480 ticks a quarter note; time signatures as annotated, an upbeat one of its own. Tracks `Solo`, `Bass`,
    `Piano` and `Drums`; a track without a note is left out. Raises RefusedSongError where a file cannot be
    read, lacks a column or a beat, or has an unknown chord symbol.
    """
    solo = read_solo(melody_csv, beat_csv)
    seed = int.from_bytes(hashlib.sha256(melody_csv.stem.encode()).digest()[:8], "big")
    bass_rng, piano_rng, drum_rng = np.random.default_rng(seed).spawn(3)
    pitches = bass_pitches(solo, bass_rng)
    score: Any = symusic.Score(TICKS_PER_QUARTER)
    score.tempos.append(symusic.Tempo(0, solo.tempo))
    for metre, bars in groupby(solo.bars, lambda bar: bar.metre):
        score.time_signatures.append(symusic.TimeSignature(next(bars).tick, *metre))
    _add(score, "Solo", SOLO, solo.notes)
    _add(score, "Bass", BASS, walking_bass(solo, pitches))
    _add(score, "Piano", PIANO, comping(solo, pitches, piano_rng))
    _add(score, "Drums", 0, drums(solo, drum_rng), is_drum=True)
    return score.dumps_midi()


def _add(score: Any, name: str, program: int, notes: Sequence[Note], *, is_drum: bool = False) -> None:  # noqa: ANN401
    if not notes:
        return
    track: Any = symusic.Track(name, program=program, is_drum=is_drum)
    columns = np.array(notes).T
    track.notes = symusic.Note.from_numpy(*(np.ascontiguousarray(column) for column in columns))
    score.tracks.append(track)
