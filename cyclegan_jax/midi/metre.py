"""Where a song's bars lie, and how they are laid on those of four quarter notes that the networks know.

Transfers and the dataset share this rule. A song is in common time where its bars are of 4/4 or 2/2: both are
sixteen steps. Before its first time signature a song is in that one already. A first bar that is shorter and
in another metre, before common time, is an upbeat (anacrusis) as notation programs write it: it is no bar.
A metre that is told for less than a step is none.

Only common time is transferred unless asked otherwise. With `any_metre`, a song that is in it only in places
is transferred there alone. One that never is goes by the metre that lasts longest.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from cyclegan_jax.midi.metre_guess import remarks_on_bars
from cyclegan_jax.midi.reader import Score
from cyclegan_jax.midi.refusals import Refusal, RefusedSongError
from cyclegan_jax.midi.song import quantise_notes
from cyclegan_jax.pianoroll.roll import STEPS_PER_BAR

Metre = tuple[int, int]  # a time signature: 4, 4 is 4/4
COMMON = (4, 4)
COMMON_TIME = (COMMON, (2, 2))
NO_SIGNATURE = "no time signature, taken as 4/4 as MIDI says"
UPBEAT = "the upbeat before the first bar copied"
MOST_NAMED = 3  # metres in a message


class Stretch(NamedTuple):
    """A part of a song in one metre, from `start` to before `end`, in sixteenth-note steps."""

    start: Fraction
    end: Fraction
    metre: Metre

    @property
    def common(self) -> bool:
        """Whether its bars are of sixteen steps: 4/4 or 2/2."""
        return self.metre in COMMON_TIME


class Bars(NamedTuple):
    """`runs`: adjoining bars each, [B, 2] first step and the one after the last, at most 16 apart.

    What lies in none is not to be transferred. `remarks`: what a listener should know.
    """

    runs: list[np.ndarray]
    remarks: tuple[str, ...]


def lay_bars(score: Score, steps: int, *, any_metre: bool) -> Bars:
    """The bars of a song of so many steps. A song that tells no metre is in 4/4.

    With `any_metre` a song that is in common time only in places has bars there alone. One that never is
    has those of the metre that most of it is in: two or more to a bar of ours where it holds them, as with
    2/4, cut into equal parts where it does not, as with 5/4. Raises RefusedSongError for a metre other than
    4/4 and 2/2 without it.
    """
    stretches = _with_whole_end(stretches_of(score, steps))
    if not any_metre and not in_common_time(stretches):
        raise RefusedSongError(Refusal.OTHER_METRE, _refusal(stretches))
    if runs := common_bars(stretches):
        return Bars(runs, _remarks(score, stretches))
    metre = _longest(stretches)
    length = _slot_length(metre)
    if length < 1:
        raise RefusedSongError(Refusal.OTHER_METRE, f"{_name(metre)}, whose bars hold no sixteenth note")
    runs = [_bars(stretch, length) for stretch in stretches if stretch.metre == metre]
    return Bars(_joined(runs), _remarks(score, stretches))


def stretches_of(score: Score, steps: int) -> list[Stretch]:
    """The parts of a song of so many steps by metre, in order, none of them empty.

    A time signature that holds for less than a step is as if it were not told.
    """
    by_tick = {Fraction(tick): (above, below) for tick, above, below in score.time_signatures}
    per_step = Fraction(score.ticks_per_quarter, 4)
    told = sorted(by_tick)
    ticks = [tick for tick, following in pairwise(told) if following - tick >= per_step] + told[-1:]
    starts = [Fraction(0), *(tick / per_step for tick in ticks if 0 < tick <= (steps - 1) * per_step)]
    metres = [by_tick[ticks[0]] if ticks else COMMON]
    metres += [by_tick[start * per_step] for start in starts[1:]]
    ends = [*starts[1:], Fraction(steps)]
    parts = map(Stretch, starts, ends, metres)
    return [part for part in parts if part.end > part.start]


def in_common_time(stretches: Sequence[Stretch], metres: Sequence[Metre] = COMMON_TIME) -> bool:
    """Whether all of a song is in these metres, but for an upbeat."""
    return all(stretch.metre in metres for stretch in stretches[has_upbeat(stretches, metres) :])


def has_upbeat(stretches: Sequence[Stretch], metres: Sequence[Metre] = COMMON_TIME) -> bool:
    """Whether a song begins with less than sixteen steps in another metre, and goes on in one of these."""
    return (
        len(stretches) > 1
        and stretches[0].metre not in metres
        and stretches[0].end < STEPS_PER_BAR
        and stretches[1].metre in metres
    )


def with_upbeat_at_end(stretches: list[Stretch], metres: Sequence[Metre] = COMMON_TIME) -> list[Stretch]:
    """A last bar that is shorter by the upbeat, as it is notated, made whole; other songs as they are."""
    *others, last = stretches
    if not has_upbeat(stretches, metres) or last.metre not in metres:
        return stretches
    end = last.end + stretches[0].end
    return [*others, last._replace(end=end)] if (end - last.start) % STEPS_PER_BAR == 0 else stretches


def _with_whole_end(stretches: list[Stretch]) -> list[Stretch]:
    """A last bar that is shorter, as notation programs write it after an upbeat, is of the metre before."""
    if len(stretches) < 2:
        return stretches
    *others, before, last = stretches
    is_short = last.end - last.start < STEPS_PER_BAR and (last.start - before.start) % STEPS_PER_BAR == 0
    if last.common or not before.common or not is_short:
        return stretches
    return [*others, Stretch(before.start, last.end, before.metre)]


def makes_common_bars(metre: Metre) -> bool:
    """Whether one, two or more bars of a metre, or equal parts of one, are sixteen steps."""
    return _slot_length(metre) == STEPS_PER_BAR


def common_bars(stretches: Sequence[Stretch], metres: Sequence[Metre] = COMMON_TIME) -> list[np.ndarray]:
    """The bars of sixteen steps in these metres, [B, 2] for each run of adjoining ones; two of 2/4 are one.

    A time signature begins a bar, so the bar before it may be shorter than 16 steps, and so may the last.
    """
    counted = (stretch for stretch in stretches if stretch.metre in metres)
    return _joined([_bars(stretch, Fraction(STEPS_PER_BAR)) for stretch in counted])


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
    runs = [run for run in runs if len(run)]
    joined = runs[:1]
    for run in runs[1:]:
        if run[0, 0] == joined[-1][-1, 1]:
            joined[-1] = np.concatenate([joined[-1], run])
        else:
            joined.append(run)
    return joined


def _longest(stretches: Sequence[Stretch]) -> tuple[int, int]:
    return max(lengths := _lengths(stretches), key=lambda metre: lengths[metre])


def _lengths(stretches: Sequence[Stretch]) -> dict[tuple[int, int], Fraction]:
    """How many steps of a song are in each metre."""
    lengths: dict[tuple[int, int], Fraction] = defaultdict(Fraction)
    for start, end, metre in stretches:
        lengths[metre] += end - start
    return lengths


def shares(stretches: Sequence[Stretch]) -> str:
    """A song's metres in words, the longest first: `3/4 throughout`, or `4/4 for 91 %, 2/4 for 9 %`."""
    lengths = sorted(_lengths(stretches).items(), key=lambda item: -item[1])
    if len(lengths) == 1:
        return f"{_name(lengths[0][0])} throughout"
    whole = sum(length for _, length in lengths)
    named = [f"{_name(metre)} for {_percent(length / whole)} %" for metre, length in lengths[:MOST_NAMED]]
    more = len(lengths) - len(named)
    return ", ".join(named) + (f", {more} more" if more else "")


def _percent(share: Fraction) -> int:
    """1 to 99, so that a part is never told as nothing or as all."""
    return min(max(round(100 * share), 1), 99)


def _refusal(stretches: Sequence[Stretch]) -> str:
    told = shares(stretches)
    if len(_lengths(stretches)) == 1:
        return f"{told}; --any_metre lays its bars on the model's 4/4"
    return f"{told}; --any_metre transfers what is in {_wanted(stretches)} and copies the rest"


def _remarks(score: Score, stretches: Sequence[Stretch]) -> tuple[str, ...]:
    if in_common_time(stretches):
        if has_upbeat(stretches):
            return (UPBEAT,)
        untold = () if score.time_signatures else (NO_SIGNATURE,)
        counted_from_0 = len(stretches) == 1 and not any(tick for tick, _, _ in score.time_signatures[:1])
        return untold + (remarks_on_bars(quantise_notes(score), told=not untold) if counted_from_0 else ())
    if len(_lengths(stretches)) == 1:
        return (f"{_wanted(stretches)} bars laid on the model's 4/4",)
    return (f"only what is in {_wanted(stretches)} transferred, the rest copied",)


def _wanted(stretches: Sequence[Stretch]) -> str:
    """The name of the metre that is transferred, or of both of common time."""
    common = dict.fromkeys(_name(stretch.metre) for stretch in stretches if stretch.common)
    return " and ".join(common) or _name(_longest(stretches))


def _name(metre: tuple[int, int]) -> str:
    return f"{metre[0]}/{metre[1]}"


def bar_lines(score: Score, steps: int) -> np.ndarray:
    """The steps at which bars begin, each metre's own, in a song of so many steps.

    Two in one step are one: a time signature a few ticks behind a bar's first note begins no other bar.
    """
    lines = [Fraction(0)]
    for start, end, (above, below) in stretches_of(score, steps):
        bar = max(Fraction(above * STEPS_PER_BAR, below), Fraction(1))
        lines += [start + bar * number for number in range(math.ceil((end - start) / bar))]
    lines = np.unique(np.array(lines, np.float64))
    _, first = np.unique(np.floor(lines + 0.5), return_index=True)
    return lines[first]


def lay(cells: np.ndarray, run: np.ndarray) -> np.ndarray:
    """A run's bars as the networks take them, silence after short ones: [steps, ...] -> [B, 16, ...]."""
    laid = np.zeros((len(run), STEPS_PER_BAR, *cells.shape[1:]), cells.dtype)
    for bar, (start, end) in zip(laid, run, strict=True):
        bar[: end - start] = cells[start:end]
    return laid


def put_back(laid: np.ndarray, run: np.ndarray, cells: np.ndarray) -> None:
    """The inverse of `lay`: write a run's bars to their places in `cells`."""
    for bar, (start, end) in zip(laid, run, strict=True):
        cells[start:end] = bar[: end - start]
