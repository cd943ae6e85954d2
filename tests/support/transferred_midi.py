"""A transfer whose outcome is known, and what it must leave alone."""

import numpy as np

from cyclegan_jax.midi.events import sequence_of
from cyclegan_jax.midi.midi_file import read_file
from cyclegan_jax.midi.track_events import END_OF_TRACK, META, NOTE_OFF, NOTE_ON
from cyclegan_jax.pianoroll.features import sounding
from cyclegan_jax.pianoroll.roll import LOWEST_PITCH
from support.odd_songs import Message

NEW_PITCHES = (25, 28)


def others_of(data: bytes) -> list[list[Message]]:
    """By track what is no note, without End of Track."""
    return [
        [
            (event.tick, event.message)
            for event in track
            if event.kind not in (NOTE_ON, NOTE_OFF) and event.message[:2] != bytes([META, END_OF_TRACK])
        ]
        for track in sequence_of(read_file(data)).tracks
    ]


def rearranged(phrases: np.ndarray) -> np.ndarray:
    """A network by which the second half of each bar goes, and a bar gets two new notes on off-beats."""
    rolls = sounding(phrases)
    bars = np.where(rolls, 0.9, 0.1).astype(np.float32).reshape(-1, 16, 84)
    bars[:, 8:] = 0.1
    bars[:, [2, 7], [pitch - LOWEST_PITCH for pitch in NEW_PITCHES]] = 0.9
    return bars.reshape(rolls.shape)
