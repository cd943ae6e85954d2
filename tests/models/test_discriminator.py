"""The discriminator: shapes, sizes, and every layer against a reference in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support.reference_layers import conv_same, instance_norm, parameter_shapes, random_params

from cyclegan_jax.models.discriminator import Discriminator
from cyclegan_jax.models.kernels import ON_CPU, PLAIN

W = 3


def leaky(y):
    return np.where(y > 0.0, y, 0.2 * y)


def reference(params, x):
    y = leaky(conv_same(x, params["Conv_0"]["kernel"], (2, 2)))
    y = conv_same(y, params["Conv_1"]["kernel"], (2, 2))
    y = leaky(instance_norm(y, params["InstanceNorm_0"]["scale"], params["InstanceNorm_0"]["offset"]))
    return conv_same(y, params["Conv_2"]["kernel"])


@pytest.fixture(scope="module")
def phrases():
    return (np.random.default_rng(6).random((3, 64, 84, 1)) < 0.1).astype(np.float32)


@pytest.fixture(scope="module")
def params(phrases):
    return random_params(Discriminator(W, kernels=ON_CPU), phrases, centre=0.0)


@pytest.fixture(scope="module")
def scores(params, phrases):
    return jax.jit(Discriminator(W, kernels=ON_CPU).apply)({"params": params}, phrases)


def test_every_layer_is_the_specifications(scores, params, phrases):
    expected = reference(jax.tree.map(np.float64, params), phrases.astype(np.float64))
    np.testing.assert_allclose(scores, expected, atol=1e-3)


def test_patches_are_scored_and_no_sigmoid_bounds_them(scores):
    assert scores.shape == (3, 16, 21, 1) and scores.dtype == jnp.float32
    assert scores.min() < 0.0 and scores.max() > 1.0


def test_parameters_have_these_names_and_shapes_and_only_the_middle_has_a_norm(phrases):
    shapes, _ = parameter_shapes(Discriminator(W), phrases)
    assert shapes == {
        "Conv_0/kernel": (7, 7, 1, W),
        "Conv_1/kernel": (7, 7, W, 4 * W),
        "InstanceNorm_0/scale": (4 * W,),
        "InstanceNorm_0/offset": (4 * W,),
        "Conv_2/kernel": (7, 7, 4 * W, 1),
    }


def test_the_papers_discriminator_has_819008_parameters(phrases):
    assert 7 * 7 * 64 + (7 * 7 * 64 * 256 + 2 * 256) + 7 * 7 * 256 == 819_008
    assert parameter_shapes(Discriminator(), phrases)[1] == 819_008


def test_bfloat16_keeps_float32_parameters_and_output_and_close_values(scores, params, phrases):
    low = Discriminator(W, dtype=jnp.bfloat16, kernels=PLAIN)
    _, size = parameter_shapes(low, phrases)
    assert size == sum(leaf.size for leaf in jax.tree.leaves(params))
    low_scores = jax.jit(low.apply)({"params": params}, phrases)
    assert low_scores.dtype == jnp.float32
    difference = np.abs(low_scores - scores).mean() / np.abs(scores).mean()
    assert 1e-5 < difference < 0.02


def moved(scores, steps):
    """Scores of phrases moved by so many patches, those of the borders left out."""
    return scores[:, 4 + steps : 12 + steps, 6:15]


@pytest.mark.parametrize("positions", [False, True])
def test_only_with_positions_does_it_matter_where_a_phrase_lies(positions):
    module = Discriminator(W, positions, kernels=ON_CPU)
    phrase = np.zeros((1, 64, 84, 1), np.float32)
    phrase[0, 24:30, 40:44] = 1
    params = random_params(module, phrase, centre=0.0)
    apply = jax.jit(module.apply)
    one, other = (apply({"params": params}, np.roll(phrase, steps, axis=1)) for steps in (0, 4))
    same = np.allclose(moved(one, 0), moved(other, 1), atol=1e-3)
    assert same != positions
