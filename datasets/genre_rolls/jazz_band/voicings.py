"""The piano's voicings of a chord, and which one comes next.

The bass plays the root, so most voicings leave it out: third and seventh (the guide tones) with a fifth or
thirteenth and a ninth, in the A form (3-5-7-9) or the B form (7-9-3-5); shells of the guide tones alone;
fourths; and on dominants a triad over the guide tones (an upper structure). Mark Levine's The Jazz Piano Book
(1989) teaches them all.

Of all voicings in the hand's range the next one is the nearest, with a little chance, so that no pair of
chords always gets the same pair of voicings.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np

from cyclegan_jax.datasets.genre_rolls.jazz_band.chords import Chord

LOWEST, HIGHEST = 48, 72  # C3 to C5
LOWEST_TOP = 59  # B3; a lower top note makes a growl of the chord
MUDDY_BELOW, CLEAR_INTERVAL = 53, 3  # no second in the lowest octave
TOP_STEP = 1  # semitones by which the top note likes to move, as a melody does
SAME_AGAIN = 4.0  # what it costs to repeat the last voicing, in semitones of movement
CLASH, LOW_CLASH = 3.5, 8.0  # for each tone near one of the solo, and for a lowest tone near the bass
CLEAR_OF_BASS = 4
CHANCE = 6.0  # the most that chance adds to a cost
# The extra cost by how many notes there are, for each texture: two notes, three, four, five and more.
TEXTURES = {
    "shells": (0.0, 0.5, 5.0, 9.0),
    "rootless": (7.0, 3.0, 0.0, 4.0),
    "full": (9.0, 5.0, 1.0, 0.0),
    "mixed": (3.0, 0.5, 0.0, 1.5),
}

Shape = tuple[int, ...]  # semitones above a root, rising


class Manner(NamedTuple):
    """How a section is voiced: `texture`, a key of TEXTURES; `top`, the MIDI pitch that top notes favour."""

    texture: str
    top: int


class Voicing(NamedTuple):
    """Pitches, rising, and the same as a set of bits."""

    pitches: tuple[int, ...]
    bits: int


@cache
def voicings(chord: Chord) -> tuple[Voicing, ...]:
    """All voicings of a chord within LOWEST to HIGHEST, each with third and seventh (a triad's: fifth)."""
    placed = {
        tuple(pitch + degree for degree in shape)
        for shape in _shapes(chord)
        for pitch in range(LOWEST - 36 + (chord.root - LOWEST) % 12, HIGHEST, 12)
    }
    return tuple(Voicing(pitches, _bits(pitches)) for pitches in sorted(placed) if _playable(pitches))


def _playable(pitches: tuple[int, ...]) -> bool:
    muddy = any(low < MUDDY_BELOW and high - low < CLEAR_INTERVAL for low, high in pairwise(pitches))
    return pitches[0] >= LOWEST and LOWEST_TOP <= pitches[-1] <= HIGHEST and not muddy


def _bits(pitches: Iterable[int]) -> int:
    return sum(1 << pitch for pitch in set(pitches))


def _shapes(chord: Chord) -> Iterator[Shape]:
    third, fifth, seventh = chord.third, chord.fifth, chord.seventh
    if seventh is None and _plain(chord):
        yield from ((0, third, fifth), (third, fifth, 12), (fifth, 12, third + 12))
        return
    if seventh is None and third == 3:
        yield from (
            (third, fifth, 14),
            (fifth, 14, third + 12),
            (fifth, 12, third + 12),
            (third, fifth, 12, 14),
        )
        return
    seventh = seventh or 9
    for middle, ninth in product(_middles(chord), _ninths(chord)):
        yield from (
            (third, middle, seventh, ninth),
            (seventh, ninth, third + 12, middle + 12),
            (third, seventh, ninth, middle + 12),
            (seventh, third + 12, middle + 12),
            (third, seventh, ninth),
        )
    yield from ((third, seventh), (seventh, third + 12), (0, seventh, third + 12))
    yield from _upper_structures(chord)


def _plain(chord: Chord) -> bool:
    """Whether a triad is meant as it stands: augmented, or over a foreign bass (a slash chord)."""
    tones = {(chord.root + tone) % 12 for tone in (0, chord.third, chord.fifth)}
    return chord.fifth == 8 or (chord.bass is not None and chord.bass not in tones)


def _middles(chord: Chord) -> tuple[int, ...]:
    """What stands between third and seventh: a named eleventh or thirteenth, else the fifth.

    A plain dominant has its thirteenth as often, a major triad, with its sixth, never.
    """
    named = tuple(tension - 12 for tension in chord.tensions if tension in (17, 18, 20, 21))
    named = tuple(middle for middle in named if chord.third < middle < (chord.seventh or 9))
    if named:
        return named
    coloured = chord.dominant and chord.fifth == 7 and not set(chord.tensions) - {14}
    return (chord.fifth, 9) if coloured else (chord.fifth,)


def _ninths(chord: Chord) -> tuple[int, ...]:
    """The named ninths, else the major one, or the root of a chord with a diminished fifth."""
    named = tuple(tension for tension in chord.tensions if tension in (13, 14, 15))
    return named or ((12,) if chord.fifth == 6 else (14,))


def _upper_structures(chord: Chord) -> Iterator[Shape]:
    """Triads over the guide tones of a dominant as its tensions tell, and fourths where they belong."""
    tensions = set(chord.tensions)
    if chord.dominant and 15 in tensions and (20 in tensions or chord.fifth == 8):
        yield from ((4, 10, 15, 20), (4, 10, 15, 20, 24))  # the triad on the flat sixth
    elif chord.dominant and chord.fifth == 7:
        if 18 in tensions and not tensions & {13, 15, 20}:
            yield from ((4, 10, 14, 18, 21), (10, 16, 18, 21, 26))  # on the second
        if 13 in tensions and not tensions & {18, 20}:
            yield from ((4, 10, 13, 16, 21), (10, 16, 21, 25))  # on the sixth
        if 15 in tensions and 18 not in tensions:
            yield from ((4, 10, 15, 19), (10, 16, 19, 22, 27))  # on the flat third
        if not tensions - {14, 21}:
            yield from ((10, 16, 21), (4, 10, 14, 19, 21))
    elif chord.third == 5:
        yield from ((10, 14, 17), (5, 10, 14, 17), (10, 14, 17, 21))  # the triad on the seventh
    elif chord.third == 3 and chord.seventh == 10 and chord.fifth == 7:
        yield from ((5, 10, 15), (5, 10, 15, 19), (0, 5, 10, 15, 19))
    elif chord.third == 4 and chord.seventh == 11 and 18 not in tensions and chord.fifth == 7:
        yield from ((11, 16, 21), (4, 9, 11, 14))


def next_voicing(
    chord: Chord,
    before: tuple[int, ...],
    manner: Manner,
    solo: Iterable[int],
    bass: int | None,
    rng: np.random.Generator,
) -> tuple[int, ...]:
    """The voicing nearest to the one `before`, by its top and bottom notes, clear of `solo` and `bass`.

    `solo`: MIDI pitches that sound meanwhile. `bass`: the one of the bass.
    """
    taken = _bits(near for pitch in solo for near in (pitch - 1, pitch, pitch + 1))
    densities = TEXTURES[manner.texture]
    candidates = voicings(chord)
    costs = [
        chance
        + abs(abs(pitches[-1] - before[-1]) - TOP_STEP)
        + 0.4 * abs(pitches[0] - before[0])
        + 0.3 * abs(pitches[-1] - manner.top)
        + densities[min(len(pitches), 5) - 2]
        + CLASH * (bits & taken).bit_count()
        + SAME_AGAIN * (pitches == before)
        + LOW_CLASH * (bass is not None and pitches[0] < bass + CLEAR_OF_BASS)
        for (pitches, bits), chance in zip(candidates, CHANCE * rng.random(len(candidates)), strict=True)
    ]
    return candidates[int(np.argmin(costs))].pitches
