"""The notes of a file as they were played: where they begin and end to the tick, how hard, in which track."""

from collections import defaultdict, deque
from dataclasses import dataclass

import numpy as np

from cyclegan_jax.midi.events import DRUM_CHANNEL, NOTE_OFF, NOTE_ON, Event, Sequence
from cyclegan_jax.pianoroll.roll import LOWEST_PITCH, PITCHES, to_steps

OPEN = -1  # the place of a note-off that is not there


@dataclass(frozen=True)
class PlayedNotes:
    """[N] each, by track, in the order of their note-ons.

    `onsets`, `ends`: ticks; `pitches`, `velocities`: 0 to 127; `channels` from 0; `tracks`, and in them the
    places of note-on and note-off (-1: none, the note ends with its track).
    """

    onsets: np.ndarray
    ends: np.ndarray
    pitches: np.ndarray
    velocities: np.ndarray
    channels: np.ndarray
    tracks: np.ndarray
    note_ons: np.ndarray
    note_offs: np.ndarray

    def __len__(self) -> int:
        return len(self.onsets)

    @property
    def drums(self) -> np.ndarray:
        """[N] bool: which are of the drum channel."""
        return self.channels == DRUM_CHANNEL

    @property
    def on_roll(self) -> np.ndarray:
        """[N] bool: which a roll shows: pitched ones within MIDI 24 to 107."""
        return ~self.drums & (self.pitches >= LOWEST_PITCH) & (self.pitches < LOWEST_PITCH + PITCHES)

    def steps(self, ticks_per_quarter: int) -> tuple[np.ndarray, np.ndarray]:
        """[N] onsets and [N] ends in sixteenth-note steps, as `song.quantise_notes` rounds them."""
        onsets = to_steps(self.onsets, ticks_per_quarter)
        return onsets, np.maximum(to_steps(self.ends, ticks_per_quarter), onsets + 1)


def pair_notes(sequence: Sequence) -> PlayedNotes:
    """Pair note-ons and note-offs as `parse_midi` does.

    A note-off closes the oldest open note-on of its channel and pitch in its track.
    """
    rows = [row for number, track in enumerate(sequence.tracks) for row in _pair(track, number)]
    return PlayedNotes(*np.array(rows, np.int64).reshape(-1, 8).T)


def _pair(track: list[Event], number: int) -> list[list[int]]:
    rows: list[list[int]] = []
    still_open: dict[tuple[int | None, int], deque[list[int]]] = defaultdict(deque)
    for place, event in enumerate(track):
        kind = event.kind
        if kind not in (NOTE_ON, NOTE_OFF):
            continue
        pitch, velocity = event.message[1:]
        key = event.channel, pitch
        if kind == NOTE_ON and velocity:
            row = [event.tick, track[-1].tick, pitch, velocity, event.channel, number, place, OPEN]
            rows.append(row)
            still_open[key].append(row)
        elif still_open[key]:
            row = still_open[key].popleft()
            row[1], row[-1] = event.tick, place
    return rows
