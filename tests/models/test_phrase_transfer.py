"""Transfer of phrases: which generator, and how many at once."""

import dataclasses

import numpy as np
import pytest
from support.base_generators import CONFIG, random_generators
from support.rolls_by_hand import rolls as notes
from support.rolls_by_hand import struck

from cyclegan_jax.errors import UserError
from cyclegan_jax.models.batched_apply import BATCH, apply_in_batches
from cyclegan_jax.models.build import build_generator
from cyclegan_jax.models.phrase_transfer import Transfer, binarise, played
from cyclegan_jax.pianoroll.features import onsets
from cyclegan_jax.training.state import build_optimiser, create_state


@pytest.fixture(scope="module")
def transfer() -> Transfer:
    return Transfer(CONFIG, random_generators())


def rolls(count: int) -> np.ndarray:
    return np.random.default_rng(count).random((count, 64, 84, 1)) < 0.05


def directly(transfer: Transfer, name: str, phrases: np.ndarray) -> np.ndarray:
    return build_generator(CONFIG).apply({"params": transfer.generators[name]}, phrases)


@pytest.mark.parametrize(
    ("to", "generator", "other"), [("pop", "gen_ab", "gen_ba"), ("jazz", "gen_ba", "gen_ab")]
)
def test_the_generator_of_the_direction_is_used(transfer, to, generator, other):
    phrases = rolls(3)
    found = transfer.generate(phrases, to=to)
    assert found.dtype == np.float32 and found.shape == (3, 64, 84, 1)
    assert found.min() > 0 and found.max() < 1
    np.testing.assert_allclose(found, directly(transfer, generator, phrases), atol=1e-5)
    assert np.abs(found - directly(transfer, other, phrases)).max() > 1e-3


def test_probabilities_are_taken_as_well_as_notes(transfer):
    probabilities = np.random.default_rng(0).random((2, 64, 84, 1), np.float32)
    found = transfer.generate(probabilities, to="pop")
    np.testing.assert_allclose(found, directly(transfer, "gen_ab", probabilities), atol=1e-5)


def test_a_genre_outside_the_pair_is_named_with_those_there_are(transfer):
    with pytest.raises(UserError, match=r"'classic'.*jazz, pop"):
        transfer.generate(rolls(1), to="classic")


@pytest.mark.parametrize("count", [0, 1, BATCH, BATCH + 1, 2 * BATCH + 3])
def test_any_number_of_phrases_goes_through_one_shape(count):
    shapes = []

    def sums(phrases: np.ndarray) -> np.ndarray:
        shapes.append(phrases.shape)
        return np.stack([phrases.sum(axis=(1, 2, 3)), phrases[:, 0, 0, 0]], axis=1)

    phrases = rolls(count)
    found = apply_in_batches(sums, phrases)
    assert set(shapes) == {(BATCH, 64, 84, 1)}
    np.testing.assert_array_equal(found, sums(phrases))


def test_a_note_sounds_above_one_half():
    np.testing.assert_array_equal(binarise(np.array([0.0, 0.5, 0.5001, 1.0])), [False, False, True, True])


@pytest.fixture(scope="module")
def with_onsets() -> Transfer:
    config = dataclasses.replace(CONFIG, onsets=True, width=2, blocks=1, identity_logits=9.0)
    return Transfer(config, create_state(config, build_optimiser(config)).generators)


TWICE = struck(notes((0, 4, 10, 60), phrases=1), (0, 4, 60), (0, 8, 60))  # a note, at once again


def test_a_model_with_onsets_gives_both_channels_and_keeps_a_note_struck_again(with_onsets):
    probabilities = with_onsets.generate(TWICE, to="pop")
    assert probabilities.shape == TWICE.shape
    np.testing.assert_array_equal(played(probabilities, TWICE), TWICE)


def test_phrases_without_onsets_begin_notes_behind_silence(with_onsets, transfer):
    once = TWICE[..., :1]
    found = with_onsets.generate(once, to="pop")
    np.testing.assert_array_equal(
        found, with_onsets.generate(np.concatenate([once, onsets(once)], axis=-1), to="pop")
    )
    np.testing.assert_array_equal(transfer.generate(TWICE, to="pop"), transfer.generate(once, to="pop"))


def test_without_onsets_a_transfer_begins_its_notes_where_the_origin_does():
    """A note that stays is struck again where it was. A new one begins behind silence alone."""
    probabilities = np.zeros((1, 64, 84, 1))
    probabilities[0, 4:10, 60] = probabilities[0, 6:12, 62] = 0.9
    heard = played(probabilities, TWICE)
    assert np.argwhere(heard[..., 1]).tolist() == [[0, 4, 60], [0, 6, 62], [0, 8, 60]]
    np.testing.assert_array_equal(played(probabilities, TWICE[..., :1]), probabilities > 0.5)
