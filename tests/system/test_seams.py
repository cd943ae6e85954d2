"""That no seam of a trained model is heard: bar lines every four bars are as in the source."""

import pytest
from support.first_run import first_run
from support.seams import SONGS, seam_of

from cyclegan_jax.datasets.genre_rolls.composer import compose
from cyclegan_jax.midi.io import midi_of
from cyclegan_jax.midi.reader import read_midi_bytes
from cyclegan_jax.midi.refusals import RefusedSongError
from cyclegan_jax.transfer.controls import Controls
from cyclegan_jax.transfer.model import Model
from launch.run.folder import RunFolder
from launch.run.trained_model import model_of_run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1600)]
OTHER = {"jazz": "pop", "pop": "jazz"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Model:
    """The model of README's first command."""
    return model_of_run(RunFolder(first_run(tmp_path_factory.mktemp("first"))))


def seam_added(model: Model, songs: list[bytes], to: str, **controls) -> float:
    """By how much the transfers' ratio of onsets differs from the source's, as a share of it."""
    transferred = [model.transfer_midi(song, to, Controls(**controls)).midi for song in songs]
    return abs(seam_of(transferred) / seam_of(songs) - 1)


@pytest.mark.parametrize("genre", OTHER)
def test_songs_of_the_demo_have_no_seam_where_phrases_overlap(trained, genre):
    songs = [midi_of(compose(genre, number)) for number in range(SONGS)]
    added = seam_added(trained, songs, OTHER[genre])
    assert added <= 0.1
    assert added < seam_added(trained, songs, OTHER[genre], overlap=0)


@pytest.mark.parametrize("genre", OTHER)
def test_songs_of_the_corpus_have_no_seam_where_phrases_overlap(trained, corpus, genre):
    songs = []
    for path in sorted((corpus / genre).rglob("*.mid"))[::7]:
        song = read_midi_bytes(path)
        try:
            trained.transfer_midi(song, OTHER[genre], Controls(strength=0.0))
        except RefusedSongError:
            continue
        songs.append(song)
    assert len(songs) >= SONGS
    assert seam_added(trained, songs[:SONGS], OTHER[genre]) <= 0.1
