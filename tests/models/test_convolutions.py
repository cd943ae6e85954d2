"""Convolutions in the forms for a CPU against plain ones, values and both gradients."""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cyclegan_jax.cpu_kernels import few_channels, space_to_depth, transposed, winograd
from cyclegan_jax.models import layers
from cyclegan_jax.models.discriminator import Discriminator
from cyclegan_jax.models.generator import Generator
from cyclegan_jax.models.kernels import ON_ACCELERATOR, ON_CPU, PLAIN, default_kernels

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


@pytest.mark.parametrize("convolution", [space_to_depth.convolution, few_channels.convolution])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("taps", [(7, 7), (5, 4), (1, 2)])
@pytest.mark.parametrize("size", [(17, 23), (10, 8)])
@pytest.mark.parametrize("channels", [(1, 3), (1, 17), (3, 1), (1, 1), (2, 3), (3, 2), (2, 2)])
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


@pytest.mark.parametrize("channels", [(1, 3), (3, 1), (2, 3), (3, 2)])
def test_gradients_of_gradients_are_the_plain_convolutions(channels):
    x, kernel = normal(4, 2, 10, 8, channels[0]), normal(5, 7, 7, *channels)

    def steepness(convolve: Callable) -> Callable:
        slope = jax.grad(lambda x, kernel: (convolve(x, kernel) ** 3).sum())
        return jax.grad(lambda x, kernel: (slope(x, kernel) ** 2).mean(), argnums=(0, 1))

    def plain(x: jax.Array, kernel: jax.Array) -> jax.Array:
        return jax.lax.conv_general_dilated(x, kernel, (1, 1), "VALID", dimension_numbers=LAYOUT)

    ours = steepness(lambda x, kernel: few_channels.convolution(x, kernel, (1, 1)))(x, kernel)
    for gradient, expected in zip(ours, steepness(plain)(x, kernel), strict=True):
        np.testing.assert_allclose(gradient, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


@pytest.mark.parametrize("size", [(16, 21), (1, 1), (3, 2)])
def test_the_transposed_convolution_is_laxs(size):
    def plain(x: jax.Array, kernel: jax.Array) -> jax.Array:
        return jax.lax.conv_transpose(x, kernel, (2, 2), "SAME", dimension_numbers=LAYOUT)

    ours = transposed.transposed_convolution
    assert_equal_to_rounding(ours, plain, normal(1, 2, *size, 4), normal(2, 3, 3, 4, 3))


@pytest.mark.parametrize("ours", [winograd.convolution, transposed.transposed_convolution])
def test_products_of_bfloat16_are_near_float32s_and_summed_in_float32(ours):
    x, kernel = normal(1, 2, 18, 23, 32), normal(2, 3, 3, 32, 16)
    y, pull_back = jax.vjp(ours, x, kernel)
    low, pull_back_low = jax.vjp(lambda x, kernel: ours(x, kernel, jnp.bfloat16), x, kernel)
    for high, less in zip((y, *pull_back(y)), (low, *pull_back_low(y)), strict=True):
        assert less.dtype == jnp.float32
        difference = np.linalg.norm(high - less) / np.linalg.norm(high)
        assert 1e-4 < difference < 2**-7  # bfloat16 has 8 bits, float32 24


@pytest.mark.parametrize(
    "layer", [layers.Conv(3, (7, 7), strides=(2, 2), padding="SAME"), layers.ConvTranspose(3)]
)
def test_other_backends_have_the_plain_form_with_the_same_parameters(layer, monkeypatch):
    x = normal(3, 2, 12, 14, 1)
    params = layer.clone(kernels=ON_CPU).init(jax.random.PRNGKey(0), x)
    on_cpu = layer.clone(kernels=ON_CPU).apply(params, x)
    monkeypatch.delattr(few_channels, "convolution")
    monkeypatch.delattr(transposed, "transposed_convolution")
    np.testing.assert_allclose(layer.clone(kernels=ON_ACCELERATOR).apply(params, x), on_cpu, atol=1e-5)


def test_the_backend_chooses_the_kernels(monkeypatch):
    assert default_kernels() == ON_CPU
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert default_kernels() == ON_ACCELERATOR


WIDE = layers.Conv(layers.MANY, (3, 3), padding="VALID")


@pytest.mark.parametrize(
    "layer, channels, form",
    [
        (WIDE, layers.MANY, (winograd, "convolution")),
        (layers.Conv(3, (7, 7)), 1, (few_channels, "convolution")),
        (layers.Conv(3, (7, 7)), 2, (few_channels, "convolution")),
        (layers.ConvTranspose(3), 2, (transposed, "transposed_convolution")),
    ],
)
def test_on_a_cpu_a_layer_takes_its_form_but_within_plain(layer, channels, form, monkeypatch):
    x = normal(3, 1, 8, 9, channels)
    plain, layer = layer.clone(kernels=PLAIN), layer.clone(kernels=ON_CPU)
    params = layer.init(jax.random.PRNGKey(0), x)
    in_its_form = layer.apply(params, x)
    monkeypatch.delattr(*form)
    np.testing.assert_allclose(plain.apply(params, x), in_its_form, atol=1e-5)
    with pytest.raises(AttributeError, match=form[1]):
        layer.apply(params, x)


@pytest.mark.parametrize(
    "layer",
    [
        pytest.param(layers.Conv(layers.MANY - 1, (3, 3), kernels=ON_CPU), id="narrow"),
        pytest.param(layers.Conv(layers.MANY, (3, 3), strides=(2, 2), kernels=ON_CPU), id="stride"),
    ],
)
def test_other_convolutions_of_three_by_three_stay_plain(layer, monkeypatch):
    monkeypatch.delattr(winograd, "convolution")
    x = normal(3, 1, 8, 9, layers.MANY)
    in_bfloat16 = layer.clone(dtype=jnp.bfloat16)
    params = layer.init(jax.random.PRNGKey(0), x)
    np.testing.assert_array_equal(in_bfloat16.apply(params, x), layer.apply(params, x))


def test_elsewhere_a_layer_computes_in_its_type():
    x = normal(3, 1, 8, 9, 4)
    for layer in (layers.Conv(3, (3, 3), dtype=jnp.bfloat16), layers.ConvTranspose(3, jnp.bfloat16)):
        y, params = layer.init_with_output(jax.random.PRNGKey(0), x)
        assert y.dtype == jnp.bfloat16
        assert params["params"]["kernel"].dtype == jnp.float32


@pytest.mark.parametrize("network", [Generator(2, 1, kernels=ON_CPU), Discriminator(2, kernels=ON_CPU)])
def test_every_convolution_of_a_network_has_its_kernels(network):
    seen = []

    def look(call, arguments, options, context):
        if isinstance(context.module, layers.Conv | layers.ConvTranspose):
            seen.append(context.module.kernels)
        return call(*arguments, **options)

    with nn.intercept_methods(look):
        jax.eval_shape(network.init, jax.random.PRNGKey(0), jnp.zeros((1, 64, 84, 1)))
    assert seen and set(seen) == {ON_CPU}


@pytest.mark.parametrize("network", [Generator, Discriminator])
def test_a_network_built_by_hand_has_the_kernels_of_the_backend(network):
    assert network(2).kernels == ON_CPU
