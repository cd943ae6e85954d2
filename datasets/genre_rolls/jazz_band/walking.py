"""The bass: as the beat track annotates it, one note a beat; where it has none, a walking bass of our own.

About one beat track in 25 lacks the bass. There it walks as any first lesson teaches: the root where a chord
begins, chord tones meanwhile, and a half step from above or below into the next root.
"""

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from cyclegan_jax.datasets.genre_rolls.jazz_band.annotations import Beat, Note, Solo
from cyclegan_jax.datasets.genre_rolls.jazz_band.chords import Chord, parse_chord

LOWEST, HIGHEST = 28, 50  # E1, the open string, to D3
LOUDNESS = 84


def bass_pitches(solo: Solo, rng: np.random.Generator) -> list[int | None]:
    """The MIDI pitch of each beat, None where the bass rests: without annotation and chord."""
    beats = solo.beats
    if any(beat.bass is not None for beat in beats):
        return [beat.bass for beat in beats]
    pitches: list[int | None] = []
    last = (LOWEST + HIGHEST) // 2
    groups = [(parse_chord(symbol), list(part)) for symbol, part in groupby(beats, lambda beat: beat.chord)]
    for (chord, part), (following, _) in zip(groups, [*groups[1:], groups[-1]], strict=True):
        if chord is None:
            pitches += [None] * len(part)
            continue
        walk = _walk(chord, part, following, last, rng)
        pitches += walk
        last = walk[-1]
    return pitches


def _walk(
    chord: Chord, beats: Sequence[Beat], following: Chord | None, last: int, rng: np.random.Generator
) -> list[int]:
    root = chord.root if chord.bass is None else chord.bass
    tones = [chord.root + tone for tone in (0, chord.third, chord.fifth)]
    pitches = [_near(root, last)]
    for beat in beats[1:]:
        around = [_near(tone, pitches[-1] + int(rng.integers(-5, 6))) for tone in tones]
        moved = [pitch for pitch in around if pitch != pitches[-1]]
        pitches.append(
            _near(root, pitches[-1]) if beat.number == 1 or not moved else moved[rng.integers(len(moved))]
        )
    if following and following != chord and len(beats) > 1:
        target = _near(following.root if following.bass is None else following.bass, pitches[-2])
        beside = [target - 1, target + 1]
        beside = [pitch for pitch in beside if LOWEST <= pitch <= HIGHEST and pitch != pitches[-2]]
        pitches[-1] = beside[rng.integers(len(beside))] if beside else target
    return pitches


def _near(pitch_class: int, pitch: int) -> int:
    """The pitch of a class nearest to `pitch`, of those in range."""
    return min(range(LOWEST + (pitch_class - LOWEST) % 12, HIGHEST + 1, 12), key=lambda low: abs(low - pitch))


def walking_bass(solo: Solo, pitches: Sequence[int | None]) -> list[Note]:
    """A note a beat, until the next one begins."""
    ends = [beat.tick for beat in solo.beats[1:]] + [solo.end]
    return [
        Note(beat.tick, end - beat.tick, pitch, LOUDNESS)
        for beat, end, pitch in zip(solo.beats, ends, pitches, strict=True)
        if pitch is not None
    ]
