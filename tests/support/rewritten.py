"""Songs written anew, with what becomes of their notes said by a test; and what is in them."""

import numpy as np

from cyclegan_jax.midi.events import Sequence, sequence_of
from cyclegan_jax.midi.midi_file import read_file
from cyclegan_jax.midi.played_notes import pair_notes
from cyclegan_jax.transfer.arranging import Arrangement, NewNotes
from cyclegan_jax.transfer.controls import Controls
from cyclegan_jax.transfer.rewriting import rewrite

NONE = NewNotes(*np.zeros((4, 0), np.int64))


def sequence_of_bytes(data: bytes) -> Sequence:
    return sequence_of(read_file(data))


def new(*notes: tuple[int, int, int, int]) -> NewNotes:
    return NewNotes(*np.array(notes, np.int64).reshape(-1, 4).T)


def rewritten(data: bytes, change, added: NewNotes = NONE, **controls) -> Sequence:
    """`change(kept, ends)` says in place what becomes of the notes."""
    file = read_file(data)
    sequence, notes = sequence_of(file), pair_notes(file)
    kept, ends = np.ones(len(notes), bool), notes.ends.copy()
    change(kept, ends)
    return rewrite(sequence, notes, Arrangement(kept, ends, added), Controls(**controls), "pop")


def nothing(kept, ends) -> None:
    pass


def notes_of(sequence: Sequence) -> list[tuple[int, ...]]:
    """Track, channel, onset, end, pitch, velocity."""
    found = pair_notes(read_file(sequence.to_bytes()))
    columns = found.tracks, found.channels, found.onsets, found.ends, found.pitches, found.velocities
    return sorted(zip(*(column.tolist() for column in columns), strict=True))
