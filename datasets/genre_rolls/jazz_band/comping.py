"""The piano's comping as notes: the rhythms laid on the chords, each chord voiced near the last one.

Off-beats lie in the middle of the beat, though jazz swings. Of the annotated solos' beats with two notes, the
first of them on the beat, 70 % have the second there, and 24 % one step later on the project's grid. An onset
off the beat means the chord of the next beat. Where that chord is new, it is an anticipation.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

import numpy as np

from cyclegan_jax.datasets.genre_rolls.jazz_band.annotations import Note, Solo
from cyclegan_jax.datasets.genre_rolls.jazz_band.chords import Chord, parse_chord
from cyclegan_jax.datasets.genre_rolls.jazz_band.rhythms import BarRhythm, bar_rhythms
from cyclegan_jax.datasets.genre_rolls.jazz_band.voicings import Manner, next_voicing

LOUDNESS = 62
SHORT = 0.3, 0.6  # of a beat
START = (52, 57, 60, 64)  # around which the first voicing lies


class Sounding(NamedTuple):
    """A chord, None for silence, and the tick at which the next one begins."""

    chord: Chord | None
    end: int


class Stab(NamedTuple):
    """A chord to be played, from tick `tick` to `end`."""

    tick: int
    end: int
    chord: Chord
    manner: Manner


def comping(solo: Solo, bass: Sequence[int | None], rng: np.random.Generator) -> list[Note]:
    """The piano's notes. `bass`: the MIDI pitch of each beat of the solo, or None."""
    ticks = [beat.tick for beat in solo.beats]
    onsets = [note.onset for note in solo.notes]
    notes, voicing = [], START
    for tick, end, chord, manner in _stabs(solo, rng):
        near = solo.notes[max(bisect_right(onsets, tick) - 1, 0) : bisect_left(onsets, end)]
        sounding = {note.pitch for note in near if note.onset + note.length > tick}
        below = bass[bisect_right(ticks, tick) - 1]
        voicing = next_voicing(chord, voicing, manner, sounding, below, rng)
        loudness = LOUDNESS + int(rng.integers(-6, 7))
        notes += [Note(tick, end - tick, pitch, loudness) for pitch in voicing]
    return notes


def _stabs(solo: Solo, rng: np.random.Generator) -> list[Stab]:
    """All chords in order. One ends where the next begins, or before where its symbol no longer holds."""
    places = {beat.tick: place for place, beat in enumerate(solo.beats)}
    chords = _chords(solo)
    stabs: list[Stab] = []
    for rhythm in bar_rhythms(solo, rng):
        half = rhythm.bar.beat_ticks // 2
        for eighth in _eighths(rhythm):
            tick = rhythm.bar.tick + eighth * half
            place = places[tick - eighth % 2 * half]
            chord, end = chords[min(place + eighth % 2, len(chords) - 1)]
            length = (
                int(rng.uniform(*SHORT) * 2 * half)
                if rng.random() < rhythm.habit.short
                else rhythm.habit.longest * half
            )
            anticipated = eighth == 0 and stabs and tick - stabs[-1].tick <= half
            if chord and chords[place].chord and not anticipated:
                stabs.append(Stab(tick, min(tick + length, end), chord, rhythm.manner))
    ends = [min(stab.end, following.tick) for stab, following in pairwise(stabs)]
    return [stab._replace(end=end) for stab, end in zip(stabs, ends, strict=False)] + stabs[-1:]


def _eighths(rhythm: BarRhythm) -> list[int]:
    """A rhythm's onsets that the bar has, in eighths from its beginning, in order."""
    count = 2 * len(rhythm.bar.beats)
    return sorted({eighth % count for eighth in rhythm.rhythm if -count <= eighth < count})


def _chords(solo: Solo) -> list[Sounding]:
    """The chord of each beat."""
    chords = []
    beats = solo.beats
    ends = [beat.tick for beat in beats[1:]] + [solo.end]
    for symbol, part in groupby(zip(beats, ends, strict=True), lambda pair: pair[0].chord):
        pairs = list(part)
        chords += [Sounding(parse_chord(symbol), pairs[-1][1])] * len(pairs)
    return chords
