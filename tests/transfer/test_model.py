"""A model as a musician holds it: what it says of itself, and its generators."""

import jax
import jax.numpy as jnp
import numpy as np
import pretty_midi
import pytest

import cyclegan_jax as cg
from cyclegan_jax.errors import UserError
from cyclegan_jax.midi.refusals import RefusedSongError
from cyclegan_jax.models.build import generator_shapes

CONFIG = cg.Config(
    pair=("jazz", "pop"),
    genres=("jazz", "pop"),
    fingerprint="",
    steps=2,
    constant_steps=1,
    width=4,
    blocks=1,
    batch_size=2,
    pool_size=1,
)


@pytest.fixture(scope="module")
def model() -> cg.Model:
    """A model that nobody trained, each weight 0.01."""
    generators = jax.tree.map(lambda leaf: jnp.full(leaf.shape, 0.01), generator_shapes(CONFIG))
    return cg.Model(CONFIG, generators, None, {"dataset": "genre_rolls/demo/1.0.0"}, {})


def test_its_repr_is_one_short_line_without_weights(model, capsys):
    print(model)
    assert capsys.readouterr().out == f"{model!r}\n"
    line = repr(model)
    assert len(line.splitlines()) == 1 and len(line) < 200
    weights = sum(leaf.size for leaf in jax.tree.leaves(model.generators))
    for part in ("jazz", "pop", "width=4", "blocks=1", f"parameters={weights}", "genre_rolls/demo/1.0.0"):
        assert part in line


def test_it_generates_as_its_generators_do(model):
    phrases = np.random.default_rng(0).random((3, 64, 84, 1)) < 0.05
    for genre in model.genres:
        found = model.generate(phrases, to=genre)
        assert found.shape == phrases.shape and found.dtype == np.float32
        np.testing.assert_array_equal(
            found, cg.Transfer(CONFIG, model.generators).generate(phrases, to=genre)
        )


def test_a_genre_that_is_not_of_the_pair_is_refused(model):
    with pytest.raises(UserError, match="classic"):
        model.generate(np.zeros((1, 64, 84, 1), bool), to="classic")


def test_a_pretty_midi_made_by_hand_is_transferred_with_its_words(model):
    song, part = pretty_midi.PrettyMIDI(), pretty_midi.Instrument(40.0, name="春")
    part.notes = [pretty_midi.Note(64.0, 60.0, 0.0, 2.0)]
    song.instruments, song.lyrics = [part], [pretty_midi.Lyric("さくら", 0.5)]
    found = model.transfer(song, to="pop", strength=0.0)
    (played,) = found.instruments
    assert (played.name, found.lyrics[0].text, played.program) == ("春", "さくら", 40)
    assert [(n.pitch, n.velocity) for n in played.notes] == [(60, 64)]
    assert (part.name, song.lyrics[0].text, part.notes[0].velocity) == ("春", "さくら", 64.0)
    part.notes[0].pitch = 130
    with pytest.raises(RefusedSongError, match="pitch of note 1 of instrument 1 is 130, but must be"):
        model.transfer(song, to="pop")
    with pytest.raises(RefusedSongError, match="no pitched notes"):
        model.transfer(pretty_midi.PrettyMIDI(), to="pop")
    with pytest.raises(TypeError, match=r"a song is a numpy.ndarray, but must be the path"):
        model.transfer(np.zeros((64, 84)), to="pop")
