"""Shared vocabulary of the composers: time in ticks, notes, parts, chords, scales and voicings."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

BEAT = 480
BAR = 4 * BEAT

MAJOR = (0, 2, 4, 5, 7, 9, 11)
MINOR = (0, 2, 3, 5, 7, 8, 10)

CHORD_TONES = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "dim": (0, 3, 6),
    "7": (0, 4, 7, 10),
    "7b9": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "m7": (0, 3, 7, 10),
    "m7b5": (0, 3, 6, 10),
}

_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


class Note(NamedTuple):
    """One note: onset and length in ticks, MIDI pitch, velocity 1..127."""

    onset: int
    length: int
    pitch: int
    velocity: int


@dataclass
class Part:
    """The notes of one instrument; `program` is General MIDI, 0..127."""

    name: str
    program: int
    is_drum: bool = False
    notes: list[Note] = field(default_factory=list)

    def play(self, onset: int, length: int, pitches: Iterable[int], velocity: int) -> None:
        """Add notes that start and end together, times in ticks."""
        self.notes.extend(Note(onset, length, pitch, velocity) for pitch in pitches)


@dataclass
class Composition:
    """A finished piece at one tempo, in quarter notes a minute."""

    tempo: int
    parts: list[Part]


class Chord(NamedTuple):
    """A chord: the pitch class of its root, 0..11, and a key of `CHORD_TONES`."""

    root: int
    quality: str

    @property
    def tones(self) -> tuple[int, ...]:
        """The pitch classes from the root up."""
        return tuple((self.root + interval) % 12 for interval in CHORD_TONES[self.quality])


Bars = list[tuple[Chord, ...]]


def chart(text: str, tonic: int) -> Bars:
    """Read a chord chart such as "Dm7 G7 | Cmaj7" written in C, and transpose it from C to `tonic`.

    A bar holds one chord, or two of half a bar each.
    """
    return [tuple(_chord(symbol, tonic) for symbol in bar.split()) for bar in text.split("|")]


def _chord(symbol: str, tonic: int) -> Chord:
    flat = symbol[1:2] == "b"
    return Chord((_LETTERS[symbol[0]] - flat + tonic) % 12, symbol[1 + flat :])


def chord_at(bars: Bars, tick: int) -> Chord:
    """The chord that sounds at `tick`; after the end it is the last one."""
    if tick >= len(bars) * BAR:
        return bars[-1][-1]
    bar = bars[tick // BAR]
    return bar[tick % BAR * len(bar) // BAR]


def nearest(pitch_classes: Iterable[int], pitch: int) -> int:
    """The pitch of one of the pitch classes that lies nearest to `pitch`, the lower one of a tie."""
    wanted = {pitch_class % 12 for pitch_class in pitch_classes}
    return next(p for d in range(7) for p in (pitch - d, pitch + d) if p % 12 in wanted)


def above(pitch_class: int, low: int) -> int:
    """The lowest pitch of the pitch class from `low` up."""
    return low + (pitch_class - low) % 12


def within(pitch: int, low: int, high: int) -> int:
    """Shift `pitch` by octaves into low..high, which must span an octave or more."""
    while pitch < low:
        pitch += 12
    while pitch > high:
        pitch -= 12
    return pitch


def ladder(pitch_classes: Iterable[int], low: int, high: int) -> list[int]:
    """All pitches of the pitch classes in low..high, ascending."""
    wanted = {pitch_class % 12 for pitch_class in pitch_classes}
    return [pitch for pitch in range(low, high + 1) if pitch % 12 in wanted]


def climb(rungs: Sequence[int], pitch: int, steps: int) -> int:
    """The rung `steps` away from the one nearest to `pitch`, turned back at the ends of the ladder."""
    start = bisect_left(rungs, pitch)
    if start == len(rungs) or (start and pitch - rungs[start - 1] <= rungs[start] - pitch):
        start -= 1
    target = start + steps
    if not 0 <= target < len(rungs):
        target = start - steps
    return rungs[max(0, min(len(rungs) - 1, target))]


def scale_over(chord: Chord, scale: set[int]) -> set[int]:
    """The scale with the chord's foreign tones in place of the steps that they alter.

    A seventh lowers the step above it, any other tone raises the step below it.
    """
    altered = set(scale)
    for tone in set(chord.tones) - scale:
        altered.discard((tone + (1 if tone == (chord.root + 10) % 12 else -1)) % 12)
    return altered | set(chord.tones)


def stack(pitch_classes: Sequence[int], bottom: int) -> list[int]:
    """The pitch classes in their order, each as close above the last as can be, from the pitch `bottom`."""
    pitches = [bottom]
    for pitch_class in pitch_classes[1:]:
        pitches.append(pitches[-1] + (pitch_class - pitches[-1] - 1) % 12 + 1)
    return pitches


def voice(pitch_classes: Sequence[int], low: int, high: int, previous: Sequence[int]) -> list[int]:
    """The close position of the chord in low..high that moves least from the `previous` voicing."""
    centre = sum(previous) / len(previous)
    best, least = [], float(high)
    for turn in range(len(pitch_classes)):
        order = [*pitch_classes[turn:], *pitch_classes[:turn]]
        for bottom in range(above(order[0], low), high, 12):
            pitches = stack(order, bottom)
            movement = abs(sum(pitches) / len(pitches) - centre)
            if pitches[-1] <= high and movement < least:
                best, least = pitches, movement
    return best


def touch(rng: Random, velocity: int, tick: int) -> int:
    """A velocity with metrical accents (beat 1, then 3) and a little chance."""
    accent = {0: 10, 2 * BEAT: 5}.get(tick % BAR, 0)
    return velocity + accent + rng.randrange(-4, 5)
