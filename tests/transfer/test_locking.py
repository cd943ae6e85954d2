"""What a musician keeps: which notes those are, and that they come through to the tick, undisturbed."""

from pathlib import Path

import numpy as np
import pytest
from support.midi_bytes import SIGNATURE, meta, midi, off, on, track
from support.sizes import slow_or_nightly

from cyclegan_jax.errors import UserError
from cyclegan_jax.midi.midi_file import read_file
from cyclegan_jax.midi.played_notes import pair_notes
from cyclegan_jax.midi.reader import read_midi_bytes, score_of
from cyclegan_jax.midi.refusals import RefusedSongError
from cyclegan_jax.transfer.controls import Controls
from cyclegan_jax.transfer.locking import Locked, lock
from cyclegan_jax.transfer.song import cells_of, transfer_song
from cyclegan_jax.transfer.timing import Timing

TRACK_NAME = 3


def other_notes(phrases: np.ndarray) -> np.ndarray:
    """A network that plays at random, a twelfth of all cells, whatever it hears."""
    seed = int(phrases.sum())
    sounds = np.random.default_rng(seed).random((*phrases.shape[:3], 1)) < 1 / 12
    struck = np.random.default_rng(seed + 1).random(sounds.shape) < 1 / 3
    return np.concatenate([sounds, struck], axis=-1).astype(np.float32) * 0.98 + 0.01


def named(name: str, *events: bytes) -> bytes:
    return track(meta(TRACK_NAME, name.encode()), *events)


# Two bars: a bass on C2, held; a tune on E4 and F4 above a chord on C4; a fourth track without a name.
SONG = midi(
    track(SIGNATURE),
    named("Bass", on(36), off(36, 32)),
    named("Tune", on(64), off(64, 4), on(65, 12), off(65, 4)),
    named("Chord", on(60), off(60, 32)),
    track(on(48, 16, 3), off(48, 4, 3)),
)


def locked(data: bytes, *keep: str) -> tuple[Locked, list[tuple[int, int]]]:
    """What is locked, and the tracks and pitches of its notes."""
    file = read_file(data)
    notes = pair_notes(file)
    timing = Timing(notes, file.ticks_per_quarter, score_of(file, notes).tempos)
    found = lock(file, notes, timing, cells_of(notes, timing), keep)
    places = np.flatnonzero(found.chosen)
    return found, list(zip(notes.tracks[places].tolist(), notes.pitches[places].tolist(), strict=True))


@pytest.mark.parametrize(
    ("keep", "found"),
    [
        ((), []),
        (("tune",), [(2, 64), (2, 65)]),
        ((" Bass ", "chord"), [(1, 36), (3, 60)]),
        (("5",), [(4, 48)]),
        (("5", "Bass"), [(1, 36), (4, 48)]),
        (("melody",), [(2, 64), (2, 65), (3, 60)]),
    ],
)
def test_tracks_are_named_or_numbered_and_the_melody_is_the_top_voice(keep, found):
    """The chord begins under the tune, but the top voice of the first step is the tune alone."""
    expected = [note for note in found if not (keep == ("melody",) and note == (3, 60))]
    assert locked(SONG, *keep)[1] == expected


def test_the_melody_is_the_track_named_so():
    assert locked(SONG.replace(b"Chord", b"Vocal"), "melody")[1] == [(3, 60)]


def test_a_track_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(RefusedSongError, match=r"keep is 'Oboe'.* 2 'Bass', 3 'Tune', 4 'Chord', 5 ''"):
        locked(SONG, "Oboe")
    with pytest.raises(RefusedSongError, match="keep is '1'"):
        locked(SONG, "1")


@pytest.mark.parametrize("keep", [("",), (3.0,), ["melody", " "], None, {"melody"}, True])
def test_a_name_is_text_that_says_something(keep):
    with pytest.raises(UserError, match="keep is "):
        Controls(keep=keep)
    assert Controls(keep="melody").keep == ("melody",) and Controls(keep=["a", 3]).keep == ("a", "3")
    assert Controls(keep=3).keep == ("3",)


def test_new_notes_leave_a_kept_track_alone_and_stay_below_a_melody():
    found, _ = locked(SONG, "Tune")
    assert [row + 24 for row in np.flatnonzero(found.disturbed[0])] == [63, 64, 65]
    assert not found.disturbed[4:16].any() and found.disturbed[16:20].any(axis=1).all()
    melody, _ = locked(SONG, "melody")
    assert [row + 24 for row in np.flatnonzero(melody.disturbed[0])] == list(range(63, 108))


def test_what_sounds_behind_a_locked_note_begins_there():
    found, _ = locked(SONG, "Tune")
    transfer = np.zeros_like(found.cells)
    transfer[0:10, 64 - 24, 0] = transfer[0, 64 - 24, 1] = True
    assert np.flatnonzero(found.within(transfer)[:, 64 - 24, 1]).tolist() == [0, 4]


def test_what_is_kept_comes_first_where_only_one_note_may_sound():
    out = transfer_song(SONG, other_notes, "pop", Controls(keep=("Tune",), polyphony=1))
    notes = pair_notes(read_file(out.midi))
    sounding = np.zeros(40, int)
    for onset, end in zip(notes.onsets, notes.ends, strict=True):
        sounding[onset:end] += 1
    assert sounding.max() == 1 and {64, 65} <= {*notes.pitches[notes.tracks == 2].tolist()}


def came_through(data: bytes, keep: str) -> None:
    """Every locked note is in the transfer to the tick, and no new one lies a semitone beside it."""
    chosen = locked(data, keep)[0].chosen
    before = pair_notes(read_file(data))
    out = transfer_song(data, other_notes, "pop", Controls(keep=(keep,), any_metre=True))
    after = pair_notes(read_file(out.midi))

    def listed(notes, chosen) -> set[tuple[int, ...]]:
        columns = notes.tracks, notes.channels, notes.onsets, notes.ends, notes.pitches, notes.velocities
        return set(zip(*(column[chosen].tolist() for column in columns), strict=True))

    assert listed(before, chosen) <= listed(after, np.ones(len(after), bool))
    new = after.tracks > before.tracks.max()
    ticks = read_file(data).ticks_per_quarter // 4
    for note in np.flatnonzero(chosen & before.on_roll):
        beside = new & (np.abs(after.pitches - before.pitches[note]) == 1)
        together = (after.onsets < before.ends[note] - ticks) & (after.ends > before.onsets[note] + ticks)
        assert not (beside & together).any()
    assert out.new > 0


@pytest.mark.parametrize("every", [pytest.param(100), *slow_or_nightly(16, 1)])
def test_a_locked_melody_comes_through_songs_of_the_corpus_to_the_tick(corpus, every):
    paths: list[Path] = sorted(corpus.rglob("*.mid"))[::every]
    assert paths
    for path in paths:
        came_through(read_midi_bytes(path), "melody")


@pytest.mark.parametrize("keep", ["melody", "Bass", "Tune", "5"])
def test_locked_notes_come_through_to_the_tick(keep):
    came_through(SONG, keep)
