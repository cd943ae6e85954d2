"""Transfer of phrases: which generator, and how many at once."""

import numpy as np
import pytest
from support.base_generators import CONFIG, random_generators

from cyclegan_jax.errors import UserError
from cyclegan_jax.models.batched_apply import BATCH, apply_in_batches
from cyclegan_jax.models.build import build_generator
from cyclegan_jax.models.phrase_transfer import Transfer, binarise


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
