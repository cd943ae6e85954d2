"""New notes in whole songs: how loud they are and when they begin."""

import numpy as np
import pytest
from support.midi_bytes import SIGNATURE, midi, off, on, track

from cyclegan_jax.midi.channel_settings import PEDAL, ChannelSettings
from cyclegan_jax.midi.events import sequence_of
from cyclegan_jax.midi.midi_file import read_file
from cyclegan_jax.midi.played_notes import pair_notes
from cyclegan_jax.pianoroll.features import sounding
from cyclegan_jax.transfer.controls import Controls
from cyclegan_jax.transfer.crossfade import Network
from cyclegan_jax.transfer.song import NO_BEAT, TransferredSong, transfer_song


def adding(phrases: np.ndarray) -> np.ndarray:
    """The identity with two more notes on the first beat of each phrase."""
    said = np.where(sounding(phrases), 0.9, 0.1).astype(np.float32)
    said[:, :4, [0, 12]] = 0.9
    return said


def test_new_notes_fade_with_the_song_whose_pedal_holds_them():
    """A channel that fades out by expression over eight bars, every bar under the pedal; a tick is a step."""
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


def test_beside_notes_without_length_new_ones_share_a_channel_and_nothing_is_set_before_the_song():
    """On every channel of pitched notes one begins with the song and ends at once."""
    at_once = [on(60, 0, channel) + off(60, 0, channel) for channel in range(16) if channel != 9]
    song = transfer_song(
        midi(track(SIGNATURE, *at_once, on(64), off(64, 64))), adding, "pop", Controls(overlap=0)
    )
    notes = pair_notes(read_file(song.midi))
    assert song.new == 2 and (notes.onsets[notes.tracks > 0] == 0).all()


# Notes of 192 ticks a quarter note, 48 a step: one on each beat and off-beat of eight bars.
STRAIGHT = [(96 * number, 96 * number + 80, 60 + number % 5) for number in range(64)]


def moved(late: list[int]) -> list[tuple[int, int, int]]:
    """The straight notes, each so many ticks later."""
    return [(on + ticks, end + ticks, pitch) for (on, end, pitch), ticks in zip(STRAIGHT, late, strict=True)]


SWUNG = moved([0, 32] * 32)
FREE = moved(np.random.default_rng(0).integers(0, 96, 64).tolist())


def transferred(notes: list[tuple[int, int, int]], network: Network, late: int = 0) -> TransferredSong:
    """The transfer of a song of these notes, so many ticks late."""
    shifted = [(onset + late, end + late, pitch) for onset, end, pitch in notes]
    sent = [(onset, 1, pitch) for onset, _, pitch in shifted] + [(end, 0, pitch) for _, end, pitch in shifted]
    events, now = [], 0
    for tick, begins, pitch in sorted(sent):
        events.append((on if begins else off)(pitch, tick - now))
        now = tick
    return transfer_song(midi(track(SIGNATURE, *events), division=192), network, "pop", Controls(overlap=0))


def onsets_of(song: TransferredSong) -> tuple[np.ndarray, np.ndarray]:
    """The onsets of the song's own notes and of the new ones."""
    notes = pair_notes(read_file(song.midi))
    return notes.onsets[notes.tracks == 0], notes.onsets[notes.tracks > 0]


def off_beat(phrases: np.ndarray) -> np.ndarray:
    """Keeps every other bar, and adds off-beats, by turns on the third and the fourth sixteenth of a beat."""
    said = np.where(sounding(phrases), 0.9, 0.1).astype(np.float32)
    said[:, 16:32], said[:, 48:] = 0.1, 0.1
    said[:, 2::8, 80] = said[:, 7::8, 80] = 0.9
    return said


@pytest.mark.parametrize("notes, places", [(STRAIGHT, {96, 144}), (SWUNG, {128})])
def test_new_notes_swing_where_the_song_does(notes, places):
    song = transferred(notes, off_beat)
    kept, new = onsets_of(song)
    assert set((new % 192).tolist()) == places and len(new) == 32 and song.remarks == ()
    assert set(kept.tolist()) == {onset for onset, *_ in notes if onset // 768 % 2 == 0}


@pytest.mark.parametrize("late", [-20, 20])
def test_a_song_that_is_late_as_a_whole_is_transferred_as_if_it_was_not_and_stays_late(late):
    uneven = moved([0, 5, 0, -5] * 16)  # late by 20, every fourth note is nearer to another step
    notes = [(onset + 192, end + 192, pitch) for onset, end, pitch in uneven[:-4]]
    seen: list[np.ndarray] = []

    def watched(phrases: np.ndarray) -> np.ndarray:
        seen.append(phrases)
        return off_beat(phrases)

    on_time, shifted = transferred(notes, watched), transferred(notes, watched, late)
    np.testing.assert_array_equal(*seen)
    for before, after in zip(onsets_of(on_time), onsets_of(shifted), strict=True):
        np.testing.assert_array_equal(before + late, after)


def test_of_a_song_without_a_beat_that_is_said_and_new_notes_do_not_flam():
    song = transferred(FREE, off_beat)
    kept, new = onsets_of(song)
    assert song.remarks == (NO_BEAT,) and len(new) > 20
    distances = np.abs(new[:, None] - kept).min(axis=1)
    assert (distances[distances > 0] > 0.08 * 2 * 192).all() and (distances == 0).any()
    assert set(kept.tolist()) <= {onset for onset, *_ in FREE} and len(kept) == song.kept > 20
