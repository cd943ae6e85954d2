"""From a transfer's cells to notes: which of the source's stay, are lengthened or cut, and which are new.

A source note that begins in the transfer stays as it was played if at least half of its cells are on
(`Controls.keep_whole`). If fewer are, it ends with the last cell before the first gap. If its first cell is
off, or is on without an onset, it is left out. Three cases are not covered by this rule:

- Cells that are on again after a gap are a new note, since the transfer would play it again.
- If the transfer strikes a note again that stays, without a gap, the note ends there and a new one begins.
- If the cells right behind a note that stays are on too, without an onset, the note is held. Played again
  at once it would stutter. Left as short as it was, the transfer's longer notes would be lost. A held note
  ends on the grid, as the song is played (`timing.py`), or at the next onset of its pitch if that is sooner.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cyclegan_jax.midi.channel_settings import ChannelSettings, as_velocities
from cyclegan_jax.midi.played_notes import PlayedNotes
from cyclegan_jax.pianoroll.features import Spans, spans
from cyclegan_jax.pianoroll.roll import LOWEST_PITCH, STEPS_PER_BEAT
from cyclegan_jax.transfer.cleaning import Bounds, fitting
from cyclegan_jax.transfer.controls import Controls
from cyclegan_jax.transfer.timing import Timing

NEIGHBOURHOOD = 2  # beats before and after a new note, within which it is as loud as the source


class NewNotes(NamedTuple):
    """Notes that the source does not have, [M] each: ticks, MIDI pitches, velocities 1 to 127."""

    onsets: np.ndarray
    ends: np.ndarray
    pitches: np.ndarray
    velocities: np.ndarray

    def only(self, chosen: np.ndarray) -> "NewNotes":
        """Those that `chosen` names, by [M] bool or by their places."""
        return NewNotes(*(column[chosen] for column in self))


@dataclass(frozen=True)
class Arrangement:
    """What becomes of a song's notes.

    `kept`: [N] bool, which of the source's notes stay, also of drums and of notes outside the roll; `ends`:
    [N] ticks, where they end now; `new`: the notes that are added.
    """

    kept: np.ndarray
    ends: np.ndarray
    new: NewNotes


def arrange(
    notes: PlayedNotes,
    timing: Timing,
    probabilities: np.ndarray,
    cells: np.ndarray,
    controls: Controls,
    settings: ChannelSettings,
    disturbed: np.ndarray | None = None,
    bounds: Bounds | None = None,
) -> Arrangement:
    """Notes for `cells`, [steps, 84, 2] bool: the source's notes where they fit, new ones elsewhere.

    `cells`: where notes sound, and where they begin. A source note stays as it was played if it begins there,
    and of all its cells at least the share `controls.keep_whole` is on. If only the first condition is met,
    it ends with the last cell before the first gap. Else it is left out. It ends in any case before another
    onset that the source does not have. If the cells right behind a note that stays are on without an onset,
    it is held until they end. All other cells that are on become new notes, by the source's `timing`, and as
    loud as the source is around them by its velocities and the `settings` of its channels. Unless
    `controls.polyphony` is 0, at most so many notes on the roll sound at once; those with the greatest mean
    of `probabilities`, [steps, 84], come first. Drums and notes outside the roll stay. On cells that are
    `disturbed`, [steps, 84] bool, no new note sounds, and none is held. New notes keep to the `bounds` of the
    genre if `controls.clean`.
    """
    places = np.flatnonzero(notes.on_roll)
    onsets, ends = timing.first_steps, timing.end_steps
    source = Spans(onsets[places], ends[places], notes.pitches[places] - LOWEST_PITCH)
    sounds, struck = cells[..., 0], cells[..., 1]
    stays, until = _staying(source, sounds, struck, controls.keep_whole)
    may_be_held = sounds.copy() if disturbed is None else sounds & ~disturbed
    may_be_held &= ~_again(sounds, struck)
    staying = _held(source._replace(ends=until).only(stays), may_be_held)
    free = sounds & ~staying.cells(len(sounds))
    new = spans(free, free & struck)
    if disturbed is not None:
        new = new.only(_whole(new, ~disturbed))
    if bounds is not None and controls.clean:
        others = staying.cells(len(sounds))
        new = new.only(fitting(new, _certainties(new, probabilities), others, bounds))
    if controls.polyphony:
        both = Spans(*map(np.concatenate, zip(staying, new, strict=True)))
        surest = _surest(both, _certainties(both, probabilities), controls.polyphony, len(sounds))
        old_ones, new_ones = np.split(surest, [len(staying.rows)])
        stays[stays] = old_ones
        staying, new = staying.only(old_ones), new.only(new_ones)
    kept = np.ones(len(notes), np.bool_)
    kept[places] = stays
    at = places[stays]
    moved = notes.ends.copy()
    usual = np.minimum(timing.usual(staying.ends), notes.ends[~notes.drums].max())
    moved[at] = _end_ticks(notes.onsets[at], notes.ends[at], ends[at], staying, usual)
    onsets, ends, pitches = _sounding(new, notes, kept, timing)
    velocities = _loudness(notes, onsets, NEIGHBOURHOOD * timing.ticks_per_quarter, settings)
    return Arrangement(kept, moved, NewNotes(onsets, ends, pitches, velocities))


def _staying(
    source: Spans, sounds: np.ndarray, struck: np.ndarray, share: float
) -> tuple[np.ndarray, np.ndarray]:
    """[K] bool, which notes stay, and [K] their end steps: their own if at least `share` of them is on."""
    onsets, ends, rows = source
    counts = np.pad(np.cumsum(sounds, axis=0), ((1, 0), (0, 0)))
    on = counts[ends, rows] - counts[onsets, rows]
    whole = on >= share * (ends - onsets)
    until = np.where(whole, ends, np.minimum(_next(~sounds)[onsets, rows], ends))
    fresh = _again(sounds, struck)
    fresh[onsets, rows] = False
    return struck[onsets, rows], np.minimum(until, _next(fresh)[onsets, rows])


def _again(sounds: np.ndarray, struck: np.ndarray) -> np.ndarray:
    """[steps, 84] bool: where a note is struck again without a gap. Behind a gap it may go on."""
    again = np.zeros_like(struck)
    again[1:] = struck[1:] & sounds[:-1]
    return again


def _whole(notes: Spans, cells: np.ndarray) -> np.ndarray:
    """[K] bool: which notes have all of their cells on."""
    counts = np.pad(np.cumsum(cells, axis=0), ((1, 0), (0, 0)))
    return counts[notes.ends, notes.rows] - counts[notes.onsets, notes.rows] == notes.ends - notes.onsets


def _held(staying: Spans, cells: np.ndarray) -> Spans:
    """Each note, lengthened while the cells behind it are on, at most up to the next note."""
    free = cells & ~staying.cells(len(cells))
    return staying._replace(ends=_next(~free)[staying.ends, staying.rows])


def _next(chosen: np.ndarray) -> np.ndarray:
    """[steps + 1, 84] for each cell the first step from it on that is chosen, or the one past the end."""
    end = len(chosen)
    steps = np.where(np.pad(chosen, ((0, 1), (0, 0))), np.arange(end + 1)[:, None], end)
    return np.minimum.accumulate(steps[::-1], axis=0)[::-1]


def _certainties(notes: Spans, probabilities: np.ndarray) -> np.ndarray:
    """[K] the mean of the probabilities of each note's cells."""
    sums = np.pad(np.cumsum(probabilities, axis=0, dtype=np.float64), ((1, 0), (0, 0)))
    onsets, ends, rows = notes
    return (sums[ends, rows] - sums[onsets, rows]) / (ends - onsets)


def _surest(notes: Spans, certainties: np.ndarray, most: int, steps: int) -> np.ndarray:
    """[K] bool: the notes to take, the most certain first, so that at most `most` sound at once."""
    chosen, sounding = np.zeros(len(notes.rows), np.bool_), np.zeros(steps, np.int64)
    for note in np.argsort(-certainties, kind="stable"):
        there = slice(notes.onsets[note], notes.ends[note])
        if sounding[there].max() < most:
            chosen[note] = True
            sounding[there] += 1
    return chosen


def _end_ticks(
    onsets: np.ndarray, ends: np.ndarray, end_steps: np.ndarray, staying: Spans, usual: np.ndarray
) -> np.ndarray:
    """[K] ends of the source notes that stay: as played, or cut or held to a usual time or the next onset."""
    cut = np.where(staying.ends < end_steps, np.maximum(usual, onsets + 1), ends)
    held = np.maximum(np.minimum(usual, next_onsets(onsets, staying.rows)), ends)
    return np.where(staying.ends > end_steps, held, cut)


def next_onsets(onsets: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """[K] when the next note of the same row or pitch begins; the greatest int64 if there is none."""
    order = np.lexsort((onsets, rows))
    following = np.full(len(order), np.iinfo(np.int64).max)
    same = rows[order][1:] == rows[order][:-1]
    following[order[:-1][same]] = onsets[order[1:][same]]
    return following


def _sounding(
    new: Spans, notes: PlayedNotes, stays: np.ndarray, timing: Timing
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """[M] onsets and [M] ends of the new notes in ticks, and [M] MIDI pitches.

    They end with the song at the latest, or where a note of their pitch begins that stays, `stays`: [N] bool.
    One that would begin with such a note, or with another new one of its pitch, is left out.
    """
    step = timing.ticks_per_quarter / STEPS_PER_BEAT
    last = notes.ends[~notes.drums].max()
    staying = stays & notes.on_roll
    onsets, ends, pitches = timing.onsets(new.onsets, stays), timing.usual(new.ends), new.rows + LOWEST_PITCH
    ends = np.where(ends - onsets < step / 2, onsets + round(step), ends)
    alone = _first_of_each(notes.onsets[staying], notes.pitches[staying], onsets, pitches) & (onsets < last)
    onsets, ends, pitches = onsets[alone], ends[alone], pitches[alone]
    all_onsets = np.concatenate([onsets, notes.onsets[staying]])
    all_pitches = np.concatenate([pitches, notes.pitches[staying]])
    ends = np.minimum(ends, np.minimum(next_onsets(all_onsets, all_pitches)[: len(onsets)], last))
    return onsets, np.maximum(ends, onsets + 1), pitches


def _first_of_each(
    onsets: np.ndarray, pitches: np.ndarray, new_onsets: np.ndarray, new_pitches: np.ndarray
) -> np.ndarray:
    """[M] bool: the new notes before which no note of their onset and pitch stands, new or not."""
    both = np.stack([np.append(onsets, new_onsets), np.append(pitches, new_pitches)])
    _, first = np.unique(both, axis=1, return_index=True)
    return np.isin(np.arange(len(onsets), both.shape[1]), first)


def _loudness(notes: PlayedNotes, at: np.ndarray, reach: int, settings: ChannelSettings) -> np.ndarray:
    """[M] velocities by which an untouched channel is as loud at these ticks as the source's pitched notes.

    That is the mean of the notes that begin within reach, or if none do, between those before and after,
    each as its channel is set at the tick in question: a fade goes on while a chord is held.
    """
    pitched = np.flatnonzero(~notes.drums)
    pitched = pitched[np.argsort(notes.onsets[pitched], kind="stable")]
    times, velocities, channels = notes.onsets[pitched], notes.velocities[pitched], notes.channels[pitched]
    sums, counts = np.zeros(len(at)), np.zeros(len(at), np.int64)
    alone = np.interp(at, times, velocities)
    latest = channels[np.maximum(np.searchsorted(times, at, side="right") - 1, 0)]
    for channel in np.unique(channels).tolist():
        level, of_channel = settings.level(channel, at), channels == channel
        first = np.searchsorted(times[of_channel], at - reach)
        last = np.searchsorted(times[of_channel], at + reach, side="right")
        total = np.pad(np.cumsum(velocities[of_channel]), (1, 0))
        sums += (total[last] - total[first]) * level
        counts += last - first
        alone[latest == channel] *= level[latest == channel]
    return as_velocities(np.where(counts > 0, sums / np.maximum(counts, 1), alone))
