"""What comes of a transfer of files as people have reported them; tests/system has the ways to get there."""

import io
from dataclasses import dataclass

import mido
import numpy as np
import pretty_midi
import pytest
import symusic
from support.reported_midi import PEDAL_UP, REPORTED
from support.transferred_midi import NEW_PITCHES, others_of, rearranged
from support.tunes import BAR, BEAT, Played

from cyclegan_jax.midi.channel_settings import INSTRUMENT, PEDAL, ChannelSettings
from cyclegan_jax.midi.channel_sounds import DRUM_CHANNEL
from cyclegan_jax.midi.events import sequence_of
from cyclegan_jax.midi.midi_file import read_file
from cyclegan_jax.midi.played_notes import NO_OFF, PlayedNotes, pair_notes
from cyclegan_jax.transfer.controls import Controls
from cyclegan_jax.transfer.song import TransferredSong, transfer_song

TAKEN = {kind: case for kind, case in REPORTED.items() if not case.refused}


@dataclass(frozen=True)
class Outcome:
    """The notes of a transfer, which of them are new, [N] bool, and how its channels are set."""

    notes: PlayedNotes
    new: np.ndarray
    settings: ChannelSettings

    @property
    def heard(self) -> np.ndarray:
        """[N] how loud the notes are, as velocities of an untouched channel."""
        return self.settings.heard(self.notes.channels, self.notes.onsets, self.notes.velocities)

    def rows(self, chosen: np.ndarray) -> list[Played]:
        """Onsets, ends and pitches of some of the notes."""
        columns = (self.notes.onsets, self.notes.ends, self.notes.pitches)
        return sorted(zip(*(column[chosen].tolist() for column in columns), strict=True))


def outcome_of(kind: str, midi: bytes) -> Outcome:
    file = read_file(midi)
    notes = pair_notes(file)
    new = notes.tracks >= len(read_file(REPORTED[kind].data).events.starts)
    return Outcome(notes, new, ChannelSettings(sequence_of(file).tracks))


def transfer(kind: str, **controls: object) -> TransferredSong:
    return transfer_song(REPORTED[kind].data, rearranged, "pop", Controls(any_metre=True, **controls))


@pytest.fixture(scope="module")
def transferred() -> dict[str, TransferredSong]:
    return {kind: transfer(kind) for kind in TAKEN}


@pytest.fixture(scope="module")
def outcomes(transferred) -> dict[str, Outcome]:
    return {kind: outcome_of(kind, song.midi) for kind, song in transferred.items()}


@pytest.mark.parametrize("kind", TAKEN)
def test_all_but_notes_is_as_it_was_and_every_note_ends(outcomes, transferred, kind):
    case, song, found = REPORTED[kind], transferred[kind], outcomes[kind]
    before, after = others_of(case.data), others_of(song.midi)
    if kind == "a key signature of no key":
        before[0] = [event for event in before[0] if event[1][:2] != b"\xff\x59"]
    assert after[: len(before)] == before
    notes, new = found.notes, found.new
    assert (notes.note_offs != NO_OFF).all() and song.gone > 20 and song.kept > 20
    assert new.sum() == song.new >= 15 and set(notes.pitches[new].tolist()) >= set(NEW_PITCHES)
    assert DRUM_CHANNEL not in notes.channels[new]
    assert found.rows(notes.drums) == sorted(case.drums)
    begun = {(onset, pitch) for onset, _, pitch in case.notes}
    assert {(onset, pitch) for onset, _, pitch in found.rows(~new & ~notes.drums)} < begun


@pytest.mark.filterwarnings("ignore:Tempo, Key or Time signature change events found on non-zero tracks")
@pytest.mark.parametrize("kind", TAKEN)
def test_its_transfer_opens_in_three_readers(outcomes, transferred, kind):
    midi = transferred[kind].midi
    parts = pretty_midi.PrettyMIDI(io.BytesIO(midi)).instruments, symusic.Score.from_midi(midi).tracks
    counts = {sum(len(part.notes) for part in found) for found in parts}
    counts.add(sum(m.type == "note_on" and m.velocity > 0 for m in mido.MidiFile(file=io.BytesIO(midi))))
    assert counts == {len(outcomes[kind].notes)}


@pytest.mark.parametrize("kind", ["a fade by expression", "a low channel volume", "nothing odd"])
def test_new_notes_are_as_loud_as_the_song_around_them(outcomes, kind):
    found = outcomes[kind]
    order = np.argsort(found.notes.onsets[~found.new], kind="stable")
    onsets, heard = found.notes.onsets[~found.new][order], found.heard[~found.new][order]
    around = np.interp(found.notes.onsets[found.new], onsets, heard)
    np.testing.assert_allclose(found.heard[found.new], around, atol=3)
    loudest, softest = found.heard[found.new].max(), found.heard[found.new].min()
    assert {"nothing odd": softest == 80, "a low channel volume": loudest == 32}.get(kind, softest < 20)


def test_where_volume_is_sent_everywhere_new_notes_take_a_channel_without_notes(outcomes):
    found = outcomes["volume on all channels"]
    assert not {0, 8, DRUM_CHANNEL} & set(found.notes.channels[found.new].tolist())


def test_of_16_channels_new_notes_take_ones_that_are_free_meanwhile(outcomes):
    found = outcomes["all 16 channels in one track"]
    notes, settings = found.notes, found.settings
    for new in np.flatnonzero(found.new):
        same = ~found.new & (notes.channels == notes.channels[new])
        assert not (same & (notes.onsets < notes.ends[new]) & (notes.ends > notes.onsets[new])).any()
        assert settings.changes(int(notes.channels[new]), INSTRUMENT).at(notes.onsets[new]) == 0
    for channel in set(notes.channels[~found.new & ~notes.drums].tolist()):
        own = notes.onsets[~found.new & (notes.channels == channel)]
        assert set(settings.changes(channel, INSTRUMENT).at(own).tolist()) == {5 * channel}


@pytest.mark.parametrize("kind", ["programs behind a GM reset", "programs behind a GM reset in one track"])
def test_a_program_that_is_asked_for_stands_behind_the_reset(kind):
    found = outcome_of(kind, transfer(kind, program=40).midi)
    for channel in np.unique(found.notes.channels).tolist():
        there = found.notes.onsets[found.notes.channels == channel]
        assert set(found.settings.changes(channel, INSTRUMENT).at(there).tolist()) == {40}


def test_an_end_of_track_far_away_is_no_music(transferred):
    song = transferred["End of Track 2,000 bars on"]
    assert song.source.duration == 16 and len(song.source.roll) == 128


def test_new_off_beats_are_swung_and_what_stays_is_where_it_was(outcomes):
    found = outcomes["swung eighths"]
    assert set((found.notes.onsets[found.new] % BEAT).tolist()) == {BEAT * 2 // 3}


def test_new_notes_do_not_flam_with_free_playing(outcomes):
    found = outcomes["played freely"]
    distances = np.abs(found.notes.onsets[found.new][:, None] - found.notes.onsets[~found.new]).min(axis=1)
    assert (distances[distances > 0] > 0.08 * 2 * BEAT).all()


def test_the_pedal_holds_new_notes_too(outcomes):
    found = outcomes["short notes under the pedal"]
    for new in np.flatnonzero(found.new):
        pedal = found.settings.changes(int(found.notes.channels[new]), PEDAL)
        end = found.notes.ends[new : new + 1]
        assert pedal.held(end)[0] == end[0] // BAR * BAR + PEDAL_UP
