"""Piano rolls as SVG: one version of a song beside another, what they share and what they do not."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from cyclegan_jax.midi.metre import bar_lines
from cyclegan_jax.midi.song import Song, quantise_notes
from cyclegan_jax.pianoroll.features import spans
from cyclegan_jax.pianoroll.roll import LOWEST_PITCH, octave_name

LEAST_SCALE, GREATEST_SCALE = 40, 120  # pixels a second
WIDTH = 960  # pixels, that a short song is to fill
ROW = 4  # pixels a semitone
HEAD = 16  # pixels above the rows, for the numbers of the bars
GAP = 0.6  # pixels between a note and the next of its pitch
MIDDLE_C = 60
MARGIN = 2  # semitones above the highest and below the lowest note


@dataclass(frozen=True)
class Drawing:
    """Where things lie in the pictures of one song's versions: pitches, and seconds by the song's tempos.

    `song`: gives the time line. `lowest`, `highest`: MIDI pitches shown. `seconds`: where the picture ends.
    """

    song: Song
    bars: np.ndarray
    lowest: int
    highest: int
    seconds: float

    @property
    def scale(self) -> float:
        """Pixels a second."""
        return min(max(WIDTH / max(self.seconds, 1), LEAST_SCALE), GREATEST_SCALE)

    @property
    def width(self) -> float:
        """Pixels."""
        return self.seconds * self.scale

    @property
    def height(self) -> int:
        """Pixels."""
        return HEAD + (self.highest - self.lowest + 1) * ROW

    def draw(self, song: Song, other: Song | None, ghosts: bool) -> str:
        """One version as SVG: a path of its cells that `other` has too, and one of those that it has not.

        With `ghosts` those that only `other` has are outlined. Without an `other` all are shared.
        """
        theirs = song.roll if other is None else other.roll
        shared, own = _cut_at_onsets(song, _fitted(theirs, song.roll))
        paths = [("shared", shared), ("own", own)]
        if ghosts and other is not None:
            lost = spans(other.roll & ~_fitted(song.roll, other.roll))
            paths.append(("ghost", [(*span, True) for span in zip(*lost, strict=True)]))
        drawn = "".join(f'<path class="{name}" d="{self._path(pieces)}"/>' for name, pieces in paths)
        return f'<svg width="{self.width:.0f}" height="{self.height}" role="img">{self._grid()}{drawn}</svg>'

    def _path(self, pieces: list[tuple[int, int, int, bool]]) -> str:
        if not pieces:
            return ""
        onsets, ends, rows, are_last = np.array(pieces).T
        left, right = (self.song.seconds(steps) * self.scale for steps in (onsets, ends))
        middles = np.asarray(self._y(rows + LOWEST_PITCH)) + ROW / 2
        columns = left, np.minimum(right, self.width), middles, are_last
        shown = left < self.width
        return "".join(
            f"M{x:.1f} {y:g}h{max(end - x - GAP * is_last, 1):.1f}"
            for x, end, y, is_last in zip(*(column[shown] for column in columns), strict=True)
        )

    def _grid(self) -> str:
        """Lines at bars, their numbers, and lines under each C."""
        at = self.song.seconds(self.bars) * self.scale
        at = at[at < self.width]
        lines = "".join(f"M{x:.1f} {HEAD}V{self.height}" for x in at)
        octaves = [pitch for pitch in range(self.lowest, self.highest + 1) if pitch % 12 == 0]
        floors = "".join(f"M0 {self._y(pitch) + ROW:g}H{self.width:.0f}" for pitch in octaves)
        numbers = "".join(f'<text x="{x + 3:.1f}" y="12">{bar}</text>' for bar, x in enumerate(at, 1))
        names = "".join(
            f'<text class="pitch" x="3" y="{self._y(pitch) + ROW - 1:g}">{octave_name(pitch)}</text>'
            for pitch in octaves
        )
        return f'<path class="octave" d="{floors}"/><path class="bar" d="{lines}"/>{numbers}{names}'

    def _y(self, pitch: np.ndarray | int) -> np.ndarray | int:
        return HEAD + (self.highest - pitch) * ROW


def lay_out(songs: Sequence[Song], seconds: float) -> Drawing:
    """The frame for pictures of versions of one song, of which the first gives tempos and bars."""
    rows = np.concatenate([np.flatnonzero(song.roll.any(axis=0)) for song in songs])
    pitches = rows + LOWEST_PITCH if len(rows) else np.array([MIDDLE_C])
    steps = max(len(song.roll) for song in songs)
    length = float(songs[0].seconds(np.array([steps]))[0])
    return Drawing(
        song=songs[0],
        bars=bar_lines(songs[0].score, steps),
        lowest=int(pitches.min()) - MARGIN,
        highest=int(pitches.max()) + MARGIN,
        seconds=min(length, seconds),
    )


def _cut_at_onsets(song: Song, theirs: np.ndarray) -> tuple[list, list]:
    """Spans of notes where the other roll sounds too, and where it does not: onset, end, row, whether
    the note ends there.
    """
    notes = quantise_notes(song.score)
    inside = notes.in_range()
    shared, own = [], []
    rows = notes.pitches[inside] - LOWEST_PITCH
    for onset, end, row in zip(notes.onsets[inside], notes.ends[inside], rows, strict=True):
        there = theirs[onset:end, row]
        edges = [0, *(np.flatnonzero(np.diff(there)) + 1), end - onset]
        for start, stop in pairwise(edges):
            span = onset + start, onset + stop, row, onset + stop == end
            (shared if there[start] else own).append(span)
    return shared, own


def _fitted(roll: np.ndarray, like: np.ndarray) -> np.ndarray:
    """A roll cut or filled up with silence to the length of another."""
    return np.pad(roll[: len(like)], ((0, max(len(like) - len(roll), 0)), (0, 0)))
