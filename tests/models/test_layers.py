"""Layers: instance norm, initialisers, padding and convolutions against references in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support.reference_layers import conv_same, conv_transpose, instance_norm

from cyclegan_jax.models.layers import (
    WEIGHT_INIT,
    Conv,
    ConvTranspose,
    InstanceNorm,
    PositionEmbedding,
    leaky_relu,
    normalise,
    reflect_pad,
)


@pytest.fixture
def rng():
    return np.random.default_rng(1)


@pytest.mark.parametrize("spread", [3.0, 1e-3], ids=["wide", "narrow_where_epsilon_counts"])
def test_instance_norm_is_over_time_and_pitch_of_each_sample_and_channel(rng, spread):
    centre, width = rng.normal(size=(2, 1, 1, 3)), rng.uniform(0.5, 2.0, size=(2, 1, 1, 3))
    x = (centre + spread * width * rng.normal(size=(2, 3, 4, 3))).astype(np.float32)
    scale, offset = np.array([0.5, 2.0, -1.0], np.float32), np.array([1.0, -2.0, 0.25], np.float32)
    y = InstanceNorm().apply({"params": {"scale": scale, "offset": offset}}, x)
    np.testing.assert_allclose(y, instance_norm(x.astype(np.float64), scale, offset), atol=2e-4, rtol=1e-4)


def test_instance_norm_of_bfloat16_has_float32_statistics(rng):
    x = jnp.asarray(rng.normal(100.0, 2.0, size=(1, 32, 32, 1)), jnp.bfloat16)
    params = {"scale": np.ones(1, np.float32), "offset": np.zeros(1, np.float32)}
    y = InstanceNorm().apply({"params": params}, x)
    assert y.dtype == jnp.bfloat16
    kept = jax.eval_shape(lambda x: jax.vjp(normalise, x, *params.values())[1], x)
    assert {leaf.dtype for leaf in jax.tree.leaves(kept) if leaf.size == x.size} == {np.dtype(jnp.bfloat16)}
    exact = instance_norm(np.asarray(x, np.float64), 1.0, 0.0)
    np.testing.assert_allclose(np.asarray(y, np.float64), exact, atol=0.02)


def test_the_pullback_of_instance_norm_is_that_of_its_formula(rng):
    x = rng.normal(3.0, 2.0, size=(2, 5, 4, 3)).astype(np.float32)
    scale, offset = rng.normal(size=(2, 3)).astype(np.float32)

    def formula(x, scale, offset):
        mean = x.mean(axis=(1, 2), keepdims=True)
        variance = ((x - mean) ** 2).mean(axis=(1, 2), keepdims=True)
        scale, offset = scale.reshape(1, 1, 1, -1), offset.reshape(1, 1, 1, -1)
        return scale * (x - mean) / jnp.sqrt(variance + 1e-5) + offset

    y, pull_back = jax.vjp(normalise, x, scale, offset)
    expected, expected_pull_back = jax.vjp(formula, x, scale, offset)
    probe = rng.normal(size=y.shape).astype(np.float32)
    np.testing.assert_allclose(y, expected, atol=1e-5)
    for gradient, expected_gradient in zip(pull_back(probe), expected_pull_back(probe), strict=True):
        np.testing.assert_allclose(gradient, expected_gradient, atol=1e-4)


def test_norms_start_at_scales_around_one_and_offset_zero():
    params = InstanceNorm().init(jax.random.PRNGKey(3), jnp.zeros((1, 1, 1, 20_000)))["params"]
    scale = np.asarray(params["scale"])
    assert scale.mean() == pytest.approx(1.0, abs=1e-3)
    assert scale.std() == pytest.approx(0.02, rel=0.03)
    assert np.abs(scale - 1.0).max() > 0.06
    assert not np.any(params["offset"])


@pytest.mark.parametrize("layer", [Conv(100, (3, 3)), ConvTranspose(100)], ids=["straight", "transposed"])
def test_weights_start_truncated_at_two_deviations_of_0_02_and_there_is_no_bias(layer):
    params = layer.init(jax.random.PRNGKey(4), jnp.zeros((1, 4, 4, 30)))["params"]
    assert set(params) == {"kernel"}
    kernel = np.asarray(params["kernel"])
    assert 0.0395 < np.abs(kernel).max() <= 0.04
    assert kernel.std() == pytest.approx(0.8796 * 0.02, rel=0.02)
    assert kernel.mean() == pytest.approx(0.0, abs=5e-4)


def test_weights_of_two_keys_differ():
    one, other = (WEIGHT_INIT(jax.random.PRNGKey(seed), (2, 2, 2, 2)) for seed in (0, 1))
    assert not np.any(one == other)


def test_reflect_pad_mirrors_time_and_pitch_without_repeating_the_border():
    x = jnp.array([[1, 2, 3], [4, 5, 6]])[None, :, :, None]
    mirrored = [[5, 4, 5, 6, 5], [2, 1, 2, 3, 2], [5, 4, 5, 6, 5], [2, 1, 2, 3, 2]]
    np.testing.assert_array_equal(reflect_pad(x, 1)[0, :, :, 0], mirrored)
    row = jnp.arange(4.0)[None, :, None, None] * jnp.ones((2, 1, 4, 2))
    np.testing.assert_array_equal(reflect_pad(row, 3)[1, :, 5, 0], [3, 2, 1, 0, 1, 2, 3, 2, 1, 0])
    assert reflect_pad(row, 3).shape == (2, 10, 10, 2)


def test_leaky_relu_keeps_a_fifth_of_what_is_negative():
    np.testing.assert_allclose(leaky_relu(jnp.array([-5.0, -0.5, 0.0, 3.0])), [-1.0, -0.1, 0.0, 3.0])


@pytest.mark.parametrize("shape", [(2, 8, 10, 2), (2, 7, 9, 2), (1, 8, 9, 1)])
@pytest.mark.parametrize("size, stride", [((3, 3), (2, 2)), ((7, 7), (2, 2)), ((7, 7), (1, 1))])
def test_same_padding_is_tensorflows(rng, shape, size, stride):
    x = rng.normal(size=shape).astype(np.float32)
    kernel = rng.normal(size=(*size, shape[-1], 3)).astype(np.float32)
    y = Conv(3, size, strides=stride, padding="SAME").apply({"params": {"kernel": kernel}}, x)
    np.testing.assert_allclose(y, conv_same(x, kernel, stride), atol=1e-4)


def test_the_odd_zero_comes_after():
    x = jnp.arange(1.0, 5.0)[None, :, None, None]
    kernel = jnp.array([100.0, 10.0, 1.0])[:, None, None, None]
    y = Conv(1, (3, 1), strides=(2, 1), padding="SAME").apply({"params": {"kernel": kernel}}, x)
    np.testing.assert_array_equal(y.ravel(), [123, 340])


def test_transposed_convolution_doubles_and_aligns_as_tensorflows(rng):
    x = rng.normal(size=(2, 3, 4, 2)).astype(np.float32)
    kernel = rng.normal(size=(3, 3, 2, 5)).astype(np.float32)
    y = ConvTranspose(5).apply({"params": {"kernel": kernel}}, x)
    assert y.shape == (2, 6, 8, 5)
    np.testing.assert_allclose(y, conv_transpose(x, kernel), atol=1e-5)


def test_transposed_convolution_is_the_gradient_of_the_strided_one(rng):
    x = rng.normal(size=(1, 3, 4, 1)).astype(np.float32)
    kernel = rng.normal(size=(3, 3, 1, 1)).astype(np.float32)
    y = ConvTranspose(1).apply({"params": {"kernel": kernel}}, x)
    probe = np.eye(48).reshape(48, 6, 8, 1)
    seen = conv_same(probe, kernel[::-1, ::-1], (2, 2))
    np.testing.assert_allclose(y.ravel(), (seen * x).sum(axis=(1, 2, 3)), atol=1e-5)


def test_a_position_embedding_is_a_map_of_its_own_added_to_every_sample(rng):
    x = rng.normal(size=(3, 4, 6, 2)).astype(np.float32)
    params = PositionEmbedding().init(jax.random.PRNGKey(0), x)["params"]
    assert params["embedding"].shape == (4, 6, 2)
    assert 0.01 < np.std(params["embedding"]) < 0.03
    y = PositionEmbedding().apply({"params": params}, x)
    np.testing.assert_allclose(y - x, np.broadcast_to(params["embedding"], x.shape), atol=1e-6)
