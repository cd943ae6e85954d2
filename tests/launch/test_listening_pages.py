"""What the pages show of models that do their work, and of one that falls silent."""

import dataclasses

import numpy as np
import pytest
from support.midi_files import write_midi_file

from cyclegan_jax.rendering.page import page
from cyclegan_jax.transfer.controls import Controls
from cyclegan_jax.transfer.model import Model
from launch.songs.listening_pages import facts, piece_of_song


class SilentModel(Model):
    """A model that has collapsed: whatever it is given becomes silence."""

    def network(self, to: str):
        return lambda phrases: np.zeros(phrases.shape, np.float32)


@pytest.fixture
def song(tmp_path) -> bytes:
    notes = [(beat * 480, beat * 480 + 400, 48 + beat * 7 % 24) for beat in range(16)]
    return write_midi_file(tmp_path / "song.mid", notes).read_bytes()


def test_a_song_has_its_transfer_and_its_reconstruction_by_the_same_controls(model, song):
    controls = Controls(program=4)
    piece = piece_of_song(model, "tune", song, "jazz", controls)
    there = model.transfer_midi(song, "jazz", controls).midi
    back = model.transfer_midi(there, "pop", controls).midi
    assert [version.midi for version in piece.versions] == [song, there, back]
    assert [version.title for version in piece.versions] == ["original", "in jazz", "reconstruction in pop"]
    assert [version.file_name for version in piece.versions] == [
        "tune.mid",
        "tune_jazz.mid",
        "tune_jazz_pop.mid",
    ]
    assert all(set(version.probabilities) == {"jazz", "pop"} for version in piece.versions)


def test_a_track_that_is_kept_need_not_be_there_in_the_transfer(model, song):
    """Split into hands, a song has other tracks."""
    piece = piece_of_song(model, "tune", song, "jazz", Controls(keep=("2",), split_hands=True))
    assert len(piece.versions) == 3


def test_where_nothing_is_left_there_is_no_reconstruction_and_the_page_says_so(model, song):
    silent = SilentModel(**{field.name: getattr(model, field.name) for field in dataclasses.fields(model)})
    piece = piece_of_song(silent, "tune", song, "jazz", Controls())
    assert len(piece.versions) == 2 and piece.versions[1].probabilities == {}
    text = page("a", "", [piece])
    assert text.count("<svg") == 2 and "nothing is left of it" in text


def test_what_a_model_was_trained_on_is_told_as_far_as_it_is_known(model):
    assert "genre_rolls/demo" in facts(model) and "phrases of jazz and" in facts(model)
    assert facts(dataclasses.replace(model, trained_on={}, classifier=None)) == ""
