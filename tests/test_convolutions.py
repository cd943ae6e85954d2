"""Convolutions in the forms for a CPU against plain ones, values and both gradients."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cyclegan_jax import blocked_convolutions, layers, single_channel, winograd

LAYOUT = ("NHWC", "HWIO", "NHWC")


def assert_equal_to_rounding(one: Callable, other: Callable, x: np.ndarray, kernel: np.ndarray) -> None:
    y, pull_back = jax.vjp(one, x, kernel)
    expected, expected_pull_back = jax.vjp(other, x, kernel)
    probe = np.random.default_rng(7).normal(size=y.shape).astype(np.float32)
    np.testing.assert_allclose(y, expected, atol=1e-4)
    for gradient, expected_gradient in zip(pull_back(probe), expected_pull_back(probe), strict=True):
        np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-4, atol=1e-3)


def normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("convolution", [blocked_convolutions.convolution, single_channel.convolution])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("taps", [(7, 7), (5, 4), (1, 2)])
@pytest.mark.parametrize("size", [(17, 23), (10, 8)])
@pytest.mark.parametrize("channels", [(1, 3), (1, 17), (3, 1), (1, 1)])
def test_the_forms_give_the_plain_convolution(convolution, size, taps, stride, channels):
    def plain(x: jax.Array, kernel: jax.Array) -> jax.Array:
        return jax.lax.conv_general_dilated(x, kernel, (stride,) * 2, "VALID", dimension_numbers=LAYOUT)

    def ours(x: jax.Array, kernel: jax.Array) -> jax.Array:
        return convolution(x, kernel, (stride, stride))

    assert_equal_to_rounding(ours, plain, normal(1, 2, *size, channels[0]), normal(2, *taps, *channels))


@pytest.mark.parametrize("size", [(18, 23), (5, 4), (3, 3)])
def test_fewer_multiplications_give_the_plain_convolution(size):
    def plain(x: jax.Array, kernel: jax.Array) -> jax.Array:
        return jax.lax.conv_general_dilated(x, kernel, (1, 1), "VALID", dimension_numbers=LAYOUT)

    x, kernel = normal(1, 2, *size, 5), normal(2, 3, 3, 5, 3)
    assert_equal_to_rounding(winograd.convolution, plain, x, kernel)


@pytest.mark.parametrize("channels", [(1, 3), (3, 1)])
def test_gradients_of_gradients_are_the_plain_convolutions(channels):
    x, kernel = normal(4, 2, 10, 8, channels[0]), normal(5, 7, 7, *channels)

    def steepness(convolve: Callable) -> Callable:
        slope = jax.grad(lambda x, kernel: (convolve(x, kernel) ** 3).sum())
        return jax.grad(lambda x, kernel: (slope(x, kernel) ** 2).mean(), argnums=(0, 1))

    def plain(x: jax.Array, kernel: jax.Array) -> jax.Array:
        return jax.lax.conv_general_dilated(x, kernel, (1, 1), "VALID", dimension_numbers=LAYOUT)

    ours = steepness(lambda x, kernel: single_channel.convolution(x, kernel, (1, 1)))(x, kernel)
    for gradient, expected in zip(ours, steepness(plain)(x, kernel), strict=True):
        np.testing.assert_allclose(gradient, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


def test_sums_of_halves_are_taken_in_float32():
    x, kernel = normal(6, 2, 20, 20, 3).astype(jnp.bfloat16), normal(7, 7, 7, 3, 1).astype(jnp.bfloat16)
    y = single_channel.to_one(x, kernel)
    exact = single_channel.to_one(x.astype(np.float32), kernel.astype(np.float32))
    assert y.dtype == jnp.bfloat16
    np.testing.assert_array_equal(y, exact.astype(jnp.bfloat16))


@pytest.mark.parametrize("size", [(16, 21), (1, 1), (3, 2)])
def test_the_transposed_convolution_is_laxs(size):
    def plain(x: jax.Array, kernel: jax.Array) -> jax.Array:
        return jax.lax.conv_transpose(x, kernel, (2, 2), "SAME", dimension_numbers=LAYOUT)

    blocked = blocked_convolutions.transposed_convolution
    assert_equal_to_rounding(blocked, plain, normal(1, 2, *size, 4), normal(2, 3, 3, 4, 3))


@pytest.mark.parametrize(
    "layer", [layers.Conv(3, (7, 7), strides=2, padding="SAME"), layers.ConvTranspose(3)]
)
def test_other_backends_have_the_plain_form_with_the_same_parameters(layer, monkeypatch):
    x = normal(3, 2, 12, 14, 1)
    params = layer.init(jax.random.PRNGKey(0), x)
    on_cpu = layer.apply(params, x)
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    monkeypatch.delattr(single_channel, "convolution")
    monkeypatch.delattr(blocked_convolutions, "transposed_convolution")
    np.testing.assert_allclose(layer.apply(params, x), on_cpu, atol=1e-5)


WIDE = layers.Conv(layers.MANY, (3, 3), padding="VALID")


@pytest.mark.parametrize(
    "layer, channels, form",
    [
        (WIDE, layers.MANY, (winograd, "convolution")),
        (layers.Conv(3, (7, 7)), 1, (single_channel, "convolution")),
        (layers.ConvTranspose(3), 2, (blocked_convolutions, "transposed_convolution")),
    ],
)
def test_on_a_cpu_a_layer_takes_its_form_but_within_plain(layer, channels, form, monkeypatch):
    x = normal(3, 1, 8, 9, channels)
    params = layer.init(jax.random.PRNGKey(0), x)
    in_its_form = layer.apply(params, x)
    monkeypatch.delattr(*form)
    with layers.plain():
        np.testing.assert_allclose(layer.apply(params, x), in_its_form, atol=1e-5)
    with pytest.raises(AttributeError, match=form[1]):
        layer.apply(params, x)


@pytest.mark.parametrize(
    "layer, channels, dtype",
    [
        pytest.param(layers.Conv(layers.MANY - 1, (3, 3)), layers.MANY, jnp.float32, id="narrow"),
        pytest.param(layers.Conv(layers.MANY, (3, 3), strides=2), layers.MANY, jnp.float32, id="stride"),
        pytest.param(
            layers.Conv(layers.MANY, (3, 3), dtype=jnp.bfloat16), layers.MANY, jnp.bfloat16, id="halves"
        ),
    ],
)
def test_other_convolutions_of_three_by_three_stay_plain(layer, channels, dtype, monkeypatch):
    monkeypatch.delattr(winograd, "convolution")
    x = normal(3, 1, 8, 9, channels).astype(dtype)
    assert layer.apply(layer.init(jax.random.PRNGKey(0), x), x).dtype == dtype
