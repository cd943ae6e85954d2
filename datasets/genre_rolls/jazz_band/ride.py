"""The drums: a swung ride cymbal and the hi-hat on the even beats.

The skip note swings, at two thirds of the beat, though solo and comping are written with their off-beats in
the middle. So it is in recordings, but for fast ones: soloists play straighter than the drummer (Friberg and
Sundström, Swing Ratios and Ensemble Timing in Jazz Performance, Music Perception 19, 2002).
"""

import numpy as np

from cyclegan_jax.datasets.genre_rolls.jazz_band.annotations import Note, Solo

RIDE, PEDAL_HI_HAT = 51, 44  # General MIDI percussion keys
HIT = 60  # ticks
SKIP_SHARE, ODD_SKIP_SHARE = 0.85, 0.05  # of the even and the odd beats that have a skip note after them


def drums(solo: Solo, rng: np.random.Generator) -> list[Note]:
    """The drum track's notes: General MIDI percussion keys as pitches."""
    beats = solo.beats
    ends = [beat.tick for beat in beats[1:]] + [solo.end]
    chances = rng.random(len(beats))
    accents = rng.integers(-4, 5, len(beats)).tolist()
    notes = []
    for beat, end, chance, accent in zip(beats, ends, chances.tolist(), accents, strict=True):
        even = beat.number % 2 == 0
        notes.append(Note(beat.tick, HIT, RIDE, 62 + 8 * even + accent))
        if even:
            notes.append(Note(beat.tick, HIT, PEDAL_HI_HAT, 58))
        if chance < (SKIP_SHARE if even else ODD_SKIP_SHARE):
            notes.append(Note(beat.tick + (end - beat.tick) * 2 // 3, HIT, RIDE, 52 + accent))
    return notes
