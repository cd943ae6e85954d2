"""Bars as a score has them, written down by hand, and as they are read."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple, Self

from cyclegan_jax.midi.metre import bar_lines
from cyclegan_jax.midi.reader import Score

FINEST = 48  # parts of a quarter note that onsets are told in: its triplets and its sixteenths


Onsets = Mapping[float | Fraction, tuple[int, ...]]


class Bar(NamedTuple):
    """A bar by its number: 1 is the first whole one, 0 the upbeat before it.

    `onsets`: quarter notes from the bar line -> MIDI pitches that begin there, of the highest voice first.
    What two voices share may stand twice.
    """

    number: int
    onsets: Onsets


class Written(NamedTuple):
    """What a score says of its bars.

    `metre`: of the first whole one. `upbeat`: quarter notes before it. `bars`: how many there are, repeats
    played, the upbeat not counted. `table`: some of them.
    """

    path: str
    metre: tuple[int, int]
    upbeat: float | Fraction
    bars: int
    table: tuple[Bar, ...]

    def in_order(self) -> Self:
        """The same, onsets ascending and pitches descending, each of them once."""
        return self._replace(table=tuple(bar._replace(onsets=_in_order(bar.onsets)) for bar in self.table))


def as_read(score: Score, written: Written) -> Written:
    """What was read of the same bars, in order."""
    per_quarter = score.ticks_per_quarter
    steps = round(4 * Fraction(int(score.ends.max()), per_quarter))
    lines = [Fraction(line) / 4 for line in bar_lines(score, steps).tolist()]
    *_, metre = [
        (above, below) for tick, above, below in score.time_signatures if tick <= lines[1] * per_quarter
    ]
    has_upbeat = lines[1] < 4 * Fraction(*metre)
    bars: dict[int, dict[float | Fraction, tuple[int, ...]]] = defaultdict(dict)
    for tick, pitch in zip(score.onsets.tolist(), score.pitches.tolist(), strict=True):
        onset = Fraction(round(Fraction(tick, per_quarter) * FINEST), FINEST)
        place = bisect_right(lines, onset) - 1
        beat = onset - lines[place]
        number = place + (not has_upbeat)
        bars[number][beat] = (*bars[number].get(beat, ()), pitch)
    return Written(
        path=written.path,
        metre=metre,
        upbeat=lines[1] if has_upbeat else 0,
        bars=len(lines) - has_upbeat,
        table=tuple(bar._replace(onsets=bars[bar.number]) for bar in written.table),
    ).in_order()


def _in_order(onsets: Onsets) -> Onsets:
    return {beat: tuple(sorted(set(onsets[beat]), reverse=True)) for beat in sorted(onsets)}
