"""Where a song's bars lie, and how they are laid on those of four quarter notes that the networks know.

Only 4/4 is transferred unless asked otherwise; 2/2 counts as another metre, as in the dataset. Before its
first time signature a song is in that one already, so that an anacrusis (upbeat) lies before the first bar
line. With `any_metre`, a song that is in 4/4 only in places is transferred there alone. One that never is
goes by the metre that lasts longest, not by its first: notation programs write an anacrusis as a bar of 1/4.
"""

import math
from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from cyclegan_jax.midi.reader import Score
from cyclegan_jax.midi.refusals import Refusal, RefusedSongError
from cyclegan_jax.pianoroll.roll import PITCHES, STEPS_PER_BAR

COMMON = (4, 4)
NO_SIGNATURE = "no time signature, taken as 4/4 as MIDI says"


class Stretch(NamedTuple):
    """A part of a song in one metre, from `start` to before `end`, in sixteenth-note steps."""

    start: Fraction
    end: Fraction
    metre: tuple[int, int]


class Bars(NamedTuple):
    """`runs`: adjoining bars each, [B, 2] first step and the one after the last, at most 16 apart.

    What lies in none is not to be transferred. `remarks`: what a listener should know.
    """

    runs: list[np.ndarray]
    remarks: tuple[str, ...]


def lay_bars(score: Score, steps: int, *, any_metre: bool) -> Bars:
    """The bars of a song of so many steps. A song that tells no metre is in 4/4.

    With `any_metre` a song that is in 4/4 only in places has bars there alone. One that never is has
    those of the metre that most of it is in: two or more to a bar of ours where it holds them, as with
    2/4, cut into equal parts where it does not, as with 5/4. Raises RefusedSongError for a metre other than
    4/4 without it.
    """
    stretches = list(_stretches(score, steps))
    metres = [stretch.metre for stretch in stretches]
    if not any_metre and set(metres) != {COMMON}:
        raise RefusedSongError(Refusal.OTHER_METRE, _explain(stretches))
    metre = _metre_of(stretches)
    length = _slot_length(metre)
    runs = [_bars(stretch, length) for stretch in stretches if stretch.metre == metre and length >= 1]
    if not runs:
        raise RefusedSongError(Refusal.OTHER_METRE, f"{_name(metre)}, whose bars hold no sixteenth note")
    remarks = () if score.time_signatures else (NO_SIGNATURE,)
    if set(metres) != {COMMON}:
        remarks += (_remark(stretches),)
    return Bars(_joined(runs), remarks)


def _stretches(score: Score, steps: int) -> Iterator[Stretch]:
    """The song by metre; before its first signature it is in that one's metre already."""
    by_tick = {Fraction(tick): (above, below) for tick, above, below in score.time_signatures}
    per_step = Fraction(score.ticks_per_quarter, 4)
    ticks = sorted(by_tick)
    starts = [Fraction(0), *(tick / per_step for tick in ticks if 0 < tick < steps * per_step)]
    metre = by_tick[ticks[0]] if ticks else COMMON
    for start, end in zip(starts, [*starts[1:], Fraction(steps)], strict=True):
        metre = by_tick.get(start * per_step, metre)
        if end > start:
            yield Stretch(start, end, metre)


def _slot_length(metre: tuple[int, int]) -> Fraction:
    """Steps of a bar, of two or more of them, or of an equal part of one: as many as 16 steps hold."""
    above, below = metre
    bar = Fraction(above * STEPS_PER_BAR, below)
    if bar < 1:
        return Fraction(0)
    return bar * (STEPS_PER_BAR // bar) if bar <= STEPS_PER_BAR else bar / math.ceil(bar / STEPS_PER_BAR)


def _bars(stretch: Stretch, length: Fraction) -> np.ndarray:
    count = math.ceil((stretch.end - stretch.start) / length)
    edges = [round(stretch.start + length * number) for number in range(count)] + [round(stretch.end)]
    bars = np.array([edges[:-1], edges[1:]]).T
    return bars[bars[:, 1] > bars[:, 0]]


def _joined(runs: list[np.ndarray]) -> list[np.ndarray]:
    """Runs of which one ends where the next begins are one."""
    joined = list(runs[:1])
    for run in runs[1:]:
        if len(run) and len(joined[-1]) and run[0, 0] == joined[-1][-1, 1]:
            joined[-1] = np.concatenate([joined[-1], run])
        else:
            joined.append(run)
    return [run for run in joined if len(run)]


def _metre_of(stretches: list[Stretch]) -> tuple[int, int]:
    """The metre to transfer: 4/4 where there is any, else the one that lasts longest."""
    lengths: dict[tuple[int, int], Fraction] = defaultdict(Fraction)
    for start, end, metre in stretches:
        lengths[metre] += end - start
    return COMMON if COMMON in lengths else max(lengths, key=lambda metre: lengths[metre])


def _explain(stretches: list[Stretch]) -> str:
    names = list(dict.fromkeys(_name(stretch.metre) for stretch in stretches))
    if len(names) == 1:
        return f"{names[0]} throughout; --any_metre lays its bars on the model's 4/4"
    wanted = _name(_metre_of(stretches))
    return f"{', '.join(names)} in turn; --any_metre transfers what is in {wanted} and copies the rest"


def _remark(stretches: list[Stretch]) -> str:
    metre = _name(_metre_of(stretches))
    if len({stretch.metre for stretch in stretches}) == 1:
        return f"{metre} bars laid on the model's 4/4"
    return f"only what is in {metre} transferred, the rest copied"


def _name(metre: tuple[int, int]) -> str:
    return f"{metre[0]}/{metre[1]}"


def bar_lines(score: Score, steps: int) -> np.ndarray:
    """The steps at which bars begin, each metre's own, in a song of so many steps."""
    lines = [Fraction(0)]
    for start, end, (above, below) in _stretches(score, steps):
        bar = max(Fraction(above * STEPS_PER_BAR, below), Fraction(1))
        lines += [start + bar * number for number in range(math.ceil((end - start) / bar))]
    return np.unique(np.array(lines, np.float64))


def lay(cells: np.ndarray, run: np.ndarray) -> np.ndarray:
    """A run's bars as the networks take them, silence after short ones: [steps, 84] -> [B, 16, 84]."""
    laid = np.zeros((len(run), STEPS_PER_BAR, PITCHES), cells.dtype)
    for bar, (start, end) in zip(laid, run, strict=True):
        bar[: end - start] = cells[start:end]
    return laid


def put_back(laid: np.ndarray, run: np.ndarray, cells: np.ndarray) -> None:
    """The inverse of `lay`: write a run's bars to their places in `cells`."""
    for bar, (start, end) in zip(laid, run, strict=True):
        cells[start:end] = bar[: end - start]
