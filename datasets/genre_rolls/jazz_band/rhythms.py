"""The rhythms of the piano's comping, bar by bar.

Each section of the form has its habits, as a pianist settles into one and leaves it: the Charleston and its
shifts, anticipations, holds, stabs off the beat, Red Garland's and of two and four, two or four to the bar.
Within a section no bar's rhythm is that of the bar before, but for Garland's, whose point it is. The piano
plays less where the solo is dense, sometimes nothing for a few bars, and answers where it rests.
"""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

import numpy as np

from cyclegan_jax.datasets.genre_rolls.jazz_band.annotations import Bar, Solo
from cyclegan_jax.datasets.genre_rolls.jazz_band.voicings import TEXTURES, Manner

Rhythm = tuple[int, ...]  # eighths from the bar line; below 0 from the next one: -1 is the and of four


class Habit(NamedTuple):
    """Rhythms of a bar, and how long their chords are held.

    `short`: the share of short ones, 0 to 1. `longest`: eighths. `repeats`: whether a rhythm may come again
    at once.
    """

    rhythms: tuple[Rhythm, ...]
    short: float
    longest: int
    repeats: bool = False


class BarRhythm(NamedTuple):
    """What the piano plays in a bar: a rhythm of a habit, and how its chords are voiced."""

    bar: Bar
    rhythm: Rhythm
    habit: Habit
    manner: Manner


CHARLESTON = Habit(((0, 3), (0, 3), (1, 4), (2, 5), (3, 6), (4, 7), (0, 5), (0, 3, 6), (1, 6)), 0.5, 4)
ANTICIPATIONS = Habit(((-1,), (2, -1), (5,), (1, -1), (3,), (4, -1), (0, 5), (1, 5), (3, -1)), 0.3, 6)
HOLDS = Habit(((0,), (0,), (2,), (3,), (-1,), (1,), (4,), (0, 5), (2, -1)), 0.0, 10)
STABS = Habit(((1,), (5,), (3, 5), (1, 5), (5, -1), (1, 3), (3,), (2, 3), (0, 1), (4, 5)), 0.9, 2)
GARLAND = Habit(((3, -1),), 0.9, 2, repeats=True)
BACKBEATS = Habit(((2, 6), (2,), (6,), (0, 4), (2, 5), (0, 2), (4, -1)), 0.5, 4)
FOUR = Habit(((0, 2, 4, 6), (2, 4, 6), (0, 2, 4, -1), (2, 6)), 0.8, 2)
FILLS = Habit(
    ((1, 3, 6), (0, 3, 5), (2, 3, 6), (0, 3, -1), (1, 4, -1), (2, 4, 5), (0, 1, 4), (3, 4, 6), (0, 3, 6, -1)),
    0.5,
    3,
)
HABITS = (CHARLESTON, ANTICIPATIONS, HOLDS, STABS, GARLAND, BACKBEATS, FOUR)
SHARES = {  # of HABITS, by the tempo up to which they hold, in quarter notes a minute
    110: (0.15, 0.2, 0.4, 0.05, 0.0, 0.2, 0.0),
    230: (0.22, 0.2, 0.1, 0.19, 0.08, 0.14, 0.07),
    float("inf"): (0.2, 0.3, 0.2, 0.22, 0.03, 0.05, 0.0),
}
TOPS = 61, 71  # the top notes that a section may favour, MIDI pitches, the last one not among them
LONGEST_SECTION = 8  # bars with the same habits
SECOND_HABIT = 0.3  # share of a section's bars
DENSE = 1.3  # solo notes in a bar, by the mean of the song's bars
SILENT_BAR, SILENT_DENSE_BAR, FILLED_REST = 0.1, 0.35, 0.6  # never two bars together
STROLL, STROLL_BARS = 0.06, 4  # share of sections after the first that begin without piano, for how long


def bar_rhythms(solo: Solo, rng: np.random.Generator) -> Iterator[BarRhythm]:
    """The rhythm of each bar that the piano plays in, in order."""
    counts = _solo_notes(solo)
    mean = max(len(solo.notes) / len(solo.bars), 1)
    shares = next(shares for tempo, shares in SHARES.items() if solo.tempo <= tempo)
    last: Rhythm = ()
    silent = False
    for section in _sections(solo.bars):
        habits = [HABITS[place] for place in rng.choice(len(HABITS), 2, p=shares)]
        manner = Manner(list(TEXTURES)[rng.integers(len(TEXTURES))], int(rng.integers(*TOPS)))
        stroll = STROLL_BARS if last and rng.random() < STROLL else 0
        for bar in section[stroll:]:
            density = counts[bar.number] / mean
            silent = not silent and rng.random() < (SILENT_DENSE_BAR if density > DENSE else SILENT_BAR)
            if silent:
                continue
            habit = habits[rng.random() < SECOND_HABIT]
            if counts[bar.number] <= 1 and rng.random() < FILLED_REST:
                habit = FILLS
            rhythms = [rhythm for rhythm in habit.rhythms if habit.repeats or rhythm != last]
            last = rhythms[rng.integers(len(rhythms))]
            yield BarRhythm(bar, last, habit, manner)


def _solo_notes(solo: Solo) -> dict[int, int]:
    """How many solo notes begin in each bar, by its number."""
    onsets = [note.onset for note in solo.notes]
    places = [bisect_left(onsets, tick) for tick in [*(bar.tick for bar in solo.bars), solo.end]]
    return {bar.number: end - start for bar, start, end in zip(solo.bars, places, places[1:], strict=False)}


def _sections(bars: tuple[Bar, ...]) -> Iterator[list[Bar]]:
    """The parts of the form, long ones in pieces."""
    for _, part in groupby(bars, lambda bar: bar.section):
        section = list(part)
        for start in range(0, len(section), LONGEST_SECTION):
            yield section[start : start + LONGEST_SECTION]
