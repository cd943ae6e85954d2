"""Which notes of a file are its melody, where the name of a track says so."""

import re

import numpy as np

from cyclegan_jax.midi.midi_file import MidiFile
from cyclegan_jax.midi.played_notes import PlayedNotes
from cyclegan_jax.midi.track_events import META, TRACK_NAME, content_of

NAMES_OF_MELODY = re.compile(rb"\b(?:melody|melodie|melodia|vocals?|vox|lead|solo)\b", re.IGNORECASE)


def melody_notes(file: MidiFile, notes: PlayedNotes) -> np.ndarray | None:
    """[N] bool: which notes are of a track that is named as the melody.

    None where no such track has a pitched note, and where no other one has: the whole of a piece for one
    instrument is not its melody, and the name of its only track is often that of the piece.
    """
    named = {
        int(file.events.tracks[place])
        for place, message in file.events.others.items()
        if message[0] == META and message[1] == TRACK_NAME and NAMES_OF_MELODY.search(content_of(message))
    }
    inside = np.isin(notes.tracks, list(named))
    told = inside[notes.sound]
    return inside if told.any() and not told.all() else None
