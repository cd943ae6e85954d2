"""Songs: a MIDI file as one long roll.

A song ends with the step in which its last note ends. Each note lasts at least one step before that is asked,
so that none is lost for being short; notes outside the roll's range count for the end.
Of several tempos at one tick the last counts. A tempo of 0 is left out.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cyclegan_jax.midi.io import Source, read_score
from cyclegan_jax.midi.reader import Score, Tempo, parse_midi
from cyclegan_jax.midi.refusals import Refusal, RefusedSongError
from cyclegan_jax.pianoroll.roll import (
    BEATS_PER_BAR,
    STEPS_PER_BEAT,
    in_range,
    rasterise,
    to_grid,
)

MAX_BARS = 4096  # over two hours at 120 beats per minute; a longer roll is a broken file
DEFAULT_TEMPO = 120.0  # beats per minute, where a file names none (MIDI 1.0 specification)


class Notes(NamedTuple):
    """Notes on the grid, [N] each: onsets and ends in steps, MIDI pitches, General MIDI programs."""

    onsets: np.ndarray
    ends: np.ndarray
    pitches: np.ndarray
    programs: np.ndarray

    def in_range(self) -> np.ndarray:
        """[N] bool: which lie within the roll's pitches, MIDI 24 to 107."""
        return in_range(self.pitches)


@dataclass(frozen=True)
class Song:
    """A whole song as a roll.

    `score`: what it was quantised from. `roll`: [steps, 84] bool, True where a pitch sounds. `tempos`:
    positions in steps, at least one, the first at step 0. `dropped`: number of notes outside MIDI pitches
    24 to 107.
    """

    score: Score
    roll: np.ndarray
    tempos: tuple[Tempo, ...]
    dropped: int

    @property
    def tempo(self) -> float:
        """Beats per minute at the start."""
        return self.tempos[0].beats_per_minute

    @property
    def duration(self) -> float:
        """How long its pitched notes last, in seconds; 0 if it has none."""
        return float(self.seconds(np.array([len(self.roll)]))[0])

    def seconds(self, steps: np.ndarray) -> np.ndarray:
        """When steps sound, [N], in seconds from the start, by the tempos."""
        starts = np.array([tempo.position for tempo in self.tempos])
        per_step = 60 / STEPS_PER_BEAT / np.array([tempo.beats_per_minute for tempo in self.tempos])
        at_starts = np.cumsum([0.0, *(np.diff(starts) * per_step[:-1])])
        part = np.searchsorted(starts, steps, side="right") - 1
        return at_starts[part] + (steps - starts[part]) * per_step[part]


def quantise_notes(score: Score) -> Notes:
    """Lay a score's notes on the grid of sixteenth-note steps, from its ticks: tempo does not matter.

    Onsets and ends are rounded alike; a note lasts at least one step.
    """
    onsets, ends = to_grid(score.onsets, score.ends, score.ticks_per_quarter)
    return Notes(onsets, ends, score.pitches, score.programs)


def quantise(score: Score) -> Song:
    """A score on the grid as a roll, all its channels merged by OR."""
    notes = quantise_notes(score)
    roll, dropped = rasterise(notes.onsets, notes.ends, notes.pitches)
    return Song(score=score, roll=roll, tempos=_tempos_in_steps(score), dropped=dropped)


def _tempos_in_steps(score: Score) -> tuple[Tempo, ...]:
    """The tempos, the last one where several stand at one tick, and one from the start in any case."""
    by_tick = {0: DEFAULT_TEMPO} | {tempo.position: tempo.beats_per_minute for tempo in score.tempos}
    steps_per_tick = STEPS_PER_BEAT / score.ticks_per_quarter
    return tuple(Tempo(tick * steps_per_tick, tempo) for tick, tempo in by_tick.items())


def read_song(source: Source, max_bars: int = MAX_BARS) -> Song:
    """Read a MIDI file or a score, or take a PrettyMIDI, in any metre.

    Raises RefusedSongError where it cannot be read, has no pitched note or lasts over `max_bars` bars.
    """
    score = read_score(source)
    check_notes(score, max_bars)
    return quantise(score)


def parse_song(midi: bytes) -> Song:
    """The bytes of a MIDI file as a song in any metre, silent if it has no pitched note.

    Raises RefusedSongError where it cannot be read or lasts over `MAX_BARS` bars.
    """
    score = parse_midi(midi)
    if len(score.pitches):
        check_notes(score)
    return quantise(score)


def check_notes(score: Score, max_bars: int = MAX_BARS) -> None:
    """Raise RefusedSongError where a score has no pitched note or lasts over `max_bars` bars of 4/4."""
    if not len(score.pitches):
        raise RefusedSongError(Refusal.NO_NOTES, "only drums, or nothing")
    bars = math.ceil(int(score.ends.max()) / (score.ticks_per_quarter * BEATS_PER_BAR))
    if bars > max_bars:
        raise RefusedSongError(Refusal.TOO_LONG, f"{bars} bars, at most {max_bars}")
