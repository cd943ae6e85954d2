"""Which notes of a song are its melody, where the name of a track or an instrument says so.

A name says so by one of its words, which are runs of letters: `MELODY_1` and `Mélodie` as well as `Melody`.
Backing vocals and a lead guitar are named much alike, but most often accompany the voice.
"""

import re
import unicodedata

import numpy as np

from cyclegan_jax.midi.midi_file import MidiFile
from cyclegan_jax.midi.track_events import META, TRACK_NAME, content_of, text_of

WORD = re.compile(r"[^\W\d_]+")
LONGEST_NAME = 1000  # bytes that are looked at
MELODY = {"melody", "melodie", "melodia", "vocal", "vocals", "vox"}
LEADING = {"lead", "solo"}  # unless a guitar does
GUITAR = {"guitar", "guitars", "gtr"}
ACCOMPANIMENT = {"back", "backing", "background", "backup", "bgv", "choir", "harmony", "harmonies"}


def names_melody(name: str) -> bool:
    """Whether a track of this name has the melody; case, accents and numbers do not count."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    words = set(WORD.findall(plain.lower()))
    if words & ACCOMPANIMENT:
        return False
    return bool(words & MELODY or (words & LEADING and not words & GUITAR))


def melody_tracks(file: MidiFile) -> list[int]:
    """The tracks that are named as the melody."""
    return [
        int(file.events.tracks[place])
        for place, message in file.events.others.items()
        if message[0] == META
        and message[1] == TRACK_NAME
        and names_melody(text_of(content_of(message)[:LONGEST_NAME]))
    ]


def melody_of(named: np.ndarray) -> np.ndarray | None:
    """[N] bool, which pitched notes are of tracks named as the melody, or None where that tells nothing.

    So where none is, and where all are: the whole of a piece for one instrument is not its melody, and the
    name of its only track is often that of the piece.
    """
    return named if named.any() and not named.all() else None
