"""New notes in whole songs: how loud they are and when they begin. Four ticks a quarter note."""

import numpy as np
from support.midi_bytes import SIGNATURE, midi, off, on, track

from cyclegan_jax.midi.channel_settings import PEDAL, ChannelSettings
from cyclegan_jax.midi.events import sequence_of
from cyclegan_jax.midi.midi_file import read_file
from cyclegan_jax.midi.played_notes import pair_notes
from cyclegan_jax.transfer.controls import Controls
from cyclegan_jax.transfer.song import transfer_song


def adding(phrases: np.ndarray) -> np.ndarray:
    """The identity with two more notes on the first beat of each phrase."""
    said = np.where(phrases, 0.9, 0.1).astype(np.float32)
    said[:, :4, [0, 12]] = 0.9
    return said


def test_new_notes_fade_with_the_song_whose_pedal_holds_them():
    """A channel that fades out by expression over eight bars, every bar under the pedal."""
    events = [b"\x00\xb0\x07\x50", b"\x00\xb0\x40\x7f"]
    for bar in range(8):
        bars = on(60), off(60, 2), b"\x0d\xb0\x40\x00", b"\x01\xb0\x0b" + bytes([120 - 15 * bar])
        events += [*bars, b"\x00\xb0\x40\x7f"]
    data = midi(track(SIGNATURE, *events, on(64), off(64, 4)))
    file = read_file(transfer_song(data, adding, "pop", Controls(overlap=0)).midi)
    notes, settings = pair_notes(file), ChannelSettings(sequence_of(file).tracks)
    heard = settings.heard(notes.channels, notes.onsets, notes.velocities)
    new = notes.tracks == 1
    assert np.unique(notes.onsets[new]).tolist() == [0, 64, 128]
    assert heard[new & (notes.onsets == 0)].tolist() == [64, 64]
    assert heard[new & (notes.onsets == 64)].tolist() == [round(64 * 75 / 127)] * 2
    pedal = settings.changes(1, PEDAL)
    assert pedal.held(np.array([4, 68])).tolist() == [15, 79]
