"""When new notes begin: as the song is played, which need not be on the grid of sixteenths.

By a song's notes, in this order:

1. A new note begins with the source's note that lies nearest to its step, if one is rounded to that step.
2. Else it is as late or early as the source's notes usually are at that place of the beat. A place that is
   hardly played is taken for the one beside it where the song has moved that one half-way there: where
   eighths are swung, an off-beat new note is swung too.
3. Else it begins on the grid.

If all notes are late alike, the grid is. In a song without a beat, new notes that would begin almost with a
note of the source begin with it.
"""

import numpy as np

from cyclegan_jax.midi.played_notes import PlayedNotes
from cyclegan_jax.midi.reader import Tempo
from cyclegan_jax.midi.song import DEFAULT_TEMPO
from cyclegan_jax.pianoroll.microtiming import grid_offset, has_beat
from cyclegan_jax.pianoroll.roll import STEPS_PER_BEAT

FLAM = 0.08  # seconds: two notes nearer than that sound like one that is struck unevenly
FURTHEST = 0.5  # quarter notes that a new note is moved for it, however fast they are
USUAL = 0.1  # steps: half of a place's notes lie so near to the median, or they have no usual time
PLAYED = 0.05  # of all notes: a place with fewer is hardly played
FEWEST = 4  # notes of a place that is played
BESIDE = 0.75  # steps to the next place's usual time; 2/3 where eighths are swung as triplets


class Timing:
    """How a song is played, by its notes and tempos (positions in ticks).

    `has_beat`: whether there is one. `first_steps`, `end_steps`: [N] each, where the notes begin and end on
    the grid of sixteenths, which is as late as they are.
    """

    def __init__(self, notes: PlayedNotes, ticks_per_quarter: int, tempos: tuple[Tempo, ...] = ()) -> None:
        self.ticks_per_quarter = ticks_per_quarter
        self._notes = notes
        self._tempos = (Tempo(-1, DEFAULT_TEMPO), *tempos)
        onsets = notes.onsets[notes.sound]
        self.has_beat = has_beat(onsets, ticks_per_quarter)
        self._late = grid_offset(onsets, ticks_per_quarter)
        self.first_steps, self.end_steps = notes.steps(ticks_per_quarter, self._late)
        self._shifts = self._usual_shifts(onsets, self.first_steps[notes.sound])

    def usual(self, steps: np.ndarray) -> np.ndarray:
        """[M] ticks at which notes begin that are played at these steps, with no regard to single ones."""
        return np.maximum(self._grid(steps) + self._shifts[steps % STEPS_PER_BEAT], 0)

    def onsets(self, steps: np.ndarray, stays: np.ndarray) -> np.ndarray:
        """[M] ticks at which new notes at these steps begin. `stays`: [N] bool, which of the song's stay.

        With the nearest note that stays, rather than with one that goes. Without a beat, within 80 ms of one
        that stays none begins but with it.
        """
        order = self._by_nearness(stays)
        played, first = np.unique(self.first_steps[order], return_index=True)
        place = np.minimum(np.searchsorted(played, steps), len(played) - 1)
        with_notes = played[place] == steps
        ticks = np.where(with_notes, self._notes.onsets[order[first[place]]], self.usual(steps))
        return ticks if self.has_beat else self._without_flams(ticks, np.unique(self._notes.onsets[stays]))

    def _grid(self, steps: np.ndarray) -> np.ndarray:
        return steps * self.ticks_per_quarter // STEPS_PER_BEAT + self._late

    def _by_nearness(self, stays: np.ndarray) -> np.ndarray:
        """The places of the pitched notes: those that stay first, the nearest to their step first of them."""
        distances = np.abs(self._notes.onsets - self._grid(self.first_steps))
        order = np.lexsort((distances, ~stays))
        return order[self._notes.sound[order]]

    def _usual_shifts(self, onsets: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """[4] ticks by which notes are usually late at each place of the beat."""
        step = self.ticks_per_quarter / STEPS_PER_BEAT
        late = onsets - self._grid(steps)
        by_place = {place: late[steps % STEPS_PER_BEAT == place] for place in range(STEPS_PER_BEAT)}
        fewest = max(FEWEST, PLAYED * len(onsets))
        usual = {place: _usual(ticks, step) for place, ticks in by_place.items() if len(ticks) >= fewest}
        shifts = [usual[place] if place in usual else _beside(place, usual, step) for place in by_place]
        return np.rint(shifts).astype(np.int64)

    def _without_flams(self, ticks: np.ndarray, onsets: np.ndarray) -> np.ndarray:
        """Those within 80 ms of one of the onsets moved to the nearest."""
        if not len(onsets):
            return ticks
        after = np.minimum(np.searchsorted(onsets, ticks), len(onsets) - 1)
        before = np.maximum(after - 1, 0)
        nearest = np.where(
            np.abs(onsets[before] - ticks) <= np.abs(onsets[after] - ticks), onsets[before], onsets[after]
        )
        return np.where(np.abs(nearest - ticks) <= self._flam(ticks), nearest, ticks)

    def _flam(self, ticks: np.ndarray) -> np.ndarray:
        """[M] 80 ms in ticks by the tempos at these, at absurd ones less."""
        positions, tempos = np.array(self._tempos).T
        tempo = tempos[np.searchsorted(positions, ticks, side="right") - 1]
        return np.ceil(np.minimum(FLAM * tempo / 60, FURTHEST) * self.ticks_per_quarter)


def _usual(late: np.ndarray, step: float) -> float:
    """The median of so many ticks, if half of them lie near it; else none is usual, 0."""
    median = float(np.median(late))
    return median if np.median(np.abs(late - median)) <= USUAL * step else 0.0


def _beside(place: int, usual: dict[int, float], step: float) -> float:
    """How far it is from a place to the usual time of the next or the last one, if that is near; else 0."""
    ways = (way * step + usual.get((place + way) % STEPS_PER_BEAT, 0.0) for way in (1, -1))
    nearest = min(ways, key=abs)
    return nearest if abs(nearest) <= BESIDE * step else 0.0
