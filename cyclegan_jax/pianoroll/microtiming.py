"""How far notes lie from the grid of sixteenth notes: all alike, in a pattern, or anywhere.

A song played to the file's beat lies near some even division of it: sixteenths, triplets, or finer. One
that was recorded without the beat, as most transcribed performances are, lies anywhere: a quarter of a step
off on average, whatever the division.
"""

import numpy as np

from cyclegan_jax.pianoroll.roll import STEPS_PER_BEAT

NO_BEAT = 0.2  # mean distance from the grid, in its steps; 0.25 is chance
FEWEST_MOMENTS = 32  # at which notes begin; fewer say nothing of a beat
DIVISIONS = (STEPS_PER_BEAT, 3, 6, 8)  # of a beat: sixteenths, both triplets, thirty-second notes
PHASES = 96  # parts of a step; an offset is found to the nearest
OFFSETS = np.array(sorted(range(-PHASES // 2 + 1, PHASES // 2 + 1), key=abs))
DISTANCES = np.abs((np.arange(PHASES) - OFFSETS[:, None] + PHASES // 2) % PHASES - PHASES // 2)


def has_beat(onsets: np.ndarray, ticks_per_quarter: int) -> bool:
    """Whether onsets ([N] ticks) lie near any even division of the beat; too few to say so do."""
    if len(np.unique(onsets)) < FEWEST_MOMENTS:
        return True
    deviations = (grid_deviation(onsets, ticks_per_quarter, division) for division in DIVISIONS)
    return any(deviation < NO_BEAT for deviation in deviations)


def grid_deviation(onsets: np.ndarray, ticks_per_quarter: int, per_beat: int = STEPS_PER_BEAT) -> float:
    """Mean distance of onsets ([N] ticks) from a grid of `per_beat` steps a quarter note, in its steps.

    0 to 0.5; 0.25 where they lie anywhere, 0 where there are none. `grid_offset` is taken off before.
    """
    offset = grid_offset(onsets, ticks_per_quarter, per_beat)
    return _mean_distance(onsets - offset, ticks_per_quarter, per_beat)


def grid_offset(onsets: np.ndarray, ticks_per_quarter: int, per_beat: int = STEPS_PER_BEAT) -> int:
    """Ticks, up to half a step, by which all onsets ([N] ticks) are late (early: below 0) of the grid.

    0 unless they lie at least twice as near to the grid without it: neither swing, where every other eighth
    is late, nor free playing is an offset.
    """
    phases = (onsets * per_beat % ticks_per_quarter) * PHASES / ticks_per_quarter
    counts = np.bincount(np.rint(phases).astype(np.int64) % PHASES, minlength=PHASES)
    nearest = OFFSETS[np.argmin(DISTANCES @ counts)]
    offset = round(int(nearest) * ticks_per_quarter / (PHASES * per_beat))
    before, after = (_mean_distance(onsets - ticks, ticks_per_quarter, per_beat) for ticks in (0, offset))
    return offset if 2 * after <= before else 0


def _mean_distance(onsets: np.ndarray, ticks_per_quarter: int, per_beat: int) -> float:
    phases = (onsets * per_beat % ticks_per_quarter) / ticks_per_quarter
    return float(np.minimum(phases, 1 - phases).mean()) if len(onsets) else 0.0
