"""What the networks share: initialisers, convolutions, instance norm, padding, positions, LeakyReLU.

Convolutions take the form that their `kernels` name (see `kernels.py`), with the same parameters. `dtype`
is what networks multiply in; parameters and the statistics of norms are always float32. On a GPU or TPU,
activations between layers have that type too. On a CPU they stay float32, and only the products of matrices
in the wide 3×3 and the transposed convolutions take bfloat16. Around everything else XLA would convert to
float32 and back there, which made a step of width 64 slower than in float32.
"""

from collections.abc import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp

from cyclegan_jax.cpu_kernels import few_channels, transposed, winograd
from cyclegan_jax.cpu_kernels.space_to_depth import LAYOUT
from cyclegan_jax.models.kernels import ON_ACCELERATOR, Kernels

MANY = 64  # channels from which a 3×3 convolution gains by fewer multiplications
EPSILON = 1e-5  # of instance norm
WEIGHT_INIT = nn.initializers.truncated_normal(stddev=0.02)


def convolve(
    x: jax.Array,
    kernel: jax.Array,
    strides: tuple[int, int],
    padding: str | Sequence[tuple[int, int]],
    dtype: jnp.dtype = jnp.float32,
    kernels: Kernels = ON_ACCELERATOR,
) -> jax.Array:
    """Cross-correlation in the form that `kernels` names, equal to rounding.

    [B, T, P, C] with [t, p, C, D] -> [B, T', P', D], padded with zeros as in `jax.lax`. XLA's own form
    multiplies in `dtype`, which is what comes out. Of the CPU's forms float32 comes out: kernels of 7×7
    from or to one or two channels run as in `few_channels.py`, wide ones of 3×3 as in `winograd.py`, which
    multiplies in `dtype`; all else is XLA's form in float32.
    """
    if not kernels.cpu_forms:
        return _convolve_plainly(x.astype(dtype), kernel.astype(dtype), strides, padding)
    x = x.astype(jnp.float32)
    taps, channels = kernel.shape[:2], kernel.shape[2:]
    if taps == (3, 3) and strides == (1, 1) and min(channels) >= MANY:
        return winograd.convolution(_pad(x, kernel, strides, padding), kernel, dtype)
    if taps == (7, 7) and min(channels) <= few_channels.FEW:
        return few_channels.convolution(_pad(x, kernel, strides, padding), kernel, strides)
    return _convolve_plainly(x, kernel, strides, padding)


def _convolve_plainly(
    x: jax.Array, kernel: jax.Array, strides: tuple[int, int], padding: str | Sequence[tuple[int, int]]
) -> jax.Array:
    return jax.lax.conv_general_dilated(x, kernel, strides, padding, dimension_numbers=LAYOUT)


def _pad(
    x: jax.Array, kernel: jax.Array, strides: tuple[int, int], padding: str | Sequence[tuple[int, int]]
) -> jax.Array:
    if isinstance(padding, str):
        padding = jax.lax.padtype_to_pads(x.shape[1:3], kernel.shape[:2], strides, padding)
    return jnp.pad(x, ((0, 0), *padding, (0, 0)))


class Conv(nn.Module):
    """A convolution without bias: [B, T, P, C] -> [B, T', P', features], in the dtype of `convolve`."""

    features: int
    kernel_size: tuple[int, int]
    strides: tuple[int, int] = (1, 1)
    padding: str | Sequence[tuple[int, int]] = "SAME"
    dtype: jnp.dtype = jnp.float32
    kernel_init: nn.initializers.Initializer = WEIGHT_INIT
    kernels: Kernels = ON_ACCELERATOR

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        kernel = self.param("kernel", self.kernel_init, (*self.kernel_size, x.shape[-1], self.features))
        return convolve(x, kernel, self.strides, self.padding, self.dtype, self.kernels)


class ConvTranspose(nn.Module):
    """The 3×3 transposed convolution of stride 2, padded as SAME, without bias.

    [B, T, P, C] -> [B, 2T, 2P, features], multiplied in `dtype`. XLA's own form gives `dtype`; the CPU's, of
    `cpu_kernels/transposed.py`, gives float32.
    """

    features: int
    dtype: jnp.dtype = jnp.float32
    kernels: Kernels = ON_ACCELERATOR

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        kernel = self.param("kernel", WEIGHT_INIT, (3, 3, x.shape[-1], self.features))
        if self.kernels.cpu_forms:
            return transposed.transposed_convolution(x.astype(jnp.float32), kernel, self.dtype)
        return jax.lax.conv_transpose(x.astype(self.dtype), kernel.astype(self.dtype), (2, 2), "SAME")


def leaky_relu(x: jax.Array) -> jax.Array:
    """max(x, 0.2 x), elementwise (paper, section IV-B)."""
    return jax.nn.leaky_relu(x, negative_slope=0.2)


def reflect_pad(x: jax.Array, amount: int) -> jax.Array:
    """Mirror `amount` steps and pitches at each border, the border itself not repeated.

    [B, T, P, C] -> [B, T + 2 amount, P + 2 amount, C]; `amount` must be below T and P.
    """
    border = (amount, amount)
    return jnp.pad(x, ((0, 0), border, border, (0, 0)), mode="reflect")


def scale_init(key: jax.Array, shape: tuple[int, ...], dtype: jnp.dtype = jnp.float32) -> jax.Array:
    """N(1, 0.02), as the original code starts its norms' scales."""
    return 1.0 + 0.02 * jax.random.normal(key, shape, dtype)


class InstanceNorm(nn.Module):
    """Normalise each channel of each sample over time and pitch, then scale and offset.

    y = scale · (x − mean) / √(var + 1e-5) + offset, with the biased variance
    (Ulyanov et al. 2016, arXiv 1607.08022). [B, T, P, C] -> [B, T, P, C] in x's dtype; the
    statistics are always float32.
    """

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        scale = self.param("scale", scale_init, (x.shape[-1],))
        offset = self.param("offset", nn.initializers.zeros_init(), (x.shape[-1],))
        return normalise(x, scale, offset)


@jax.custom_vjp
def normalise(x: jax.Array, scale: jax.Array, offset: jax.Array) -> jax.Array:
    """What InstanceNorm does, with a pullback of its own, which reads x fewer times than JAX's.

    x is kept for the pullback in its own dtype; everything is computed in float32.
    """
    return _normalise(x, scale, offset)[0]


def _normalise(x: jax.Array, scale: jax.Array, offset: jax.Array) -> tuple[jax.Array, tuple[jax.Array, ...]]:
    wide = x.astype(jnp.float32)
    mean = wide.mean(axis=(1, 2), keepdims=True)
    variance = jnp.square(wide - mean).mean(axis=(1, 2), keepdims=True)
    inverse_deviation = jax.lax.rsqrt(variance + EPSILON)
    scale, offset = (jnp.expand_dims(of_channel, (0, 1, 2)) for of_channel in (scale, offset))
    y = (wide - mean) * (inverse_deviation * scale) + offset
    return y.astype(x.dtype), (x, mean, inverse_deviation, scale)


def _pull_back_normalise(
    saved: tuple[jax.Array, ...], gradient: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array]:
    x, mean, inverse_deviation, scale = saved
    wide = gradient.astype(jnp.float32)
    normal = (x.astype(jnp.float32) - mean) * inverse_deviation
    of_offset = wide.sum(axis=(1, 2), keepdims=True)
    of_scale = (wide * normal).sum(axis=(1, 2), keepdims=True)
    cells = x.shape[1] * x.shape[2]
    of_x = inverse_deviation * scale * (wide - (normal * of_scale + of_offset) / cells)
    return of_x.astype(x.dtype), of_scale.sum(axis=(0, 1, 2)), of_offset.sum(axis=(0, 1, 2))


normalise.defvjp(_normalise, _pull_back_normalise)


class PositionEmbedding(nn.Module):
    """Add a learned map, so that what follows can tell steps of the bar and registers apart.

    Convolutions treat all places alike, but beats and octaves are not. The map starts as N(0, 0.02).
    [B, T, P, C] -> [B, T, P, C] in x's dtype; T and P must be those it was created with.
    """

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        embedding = self.param("embedding", nn.initializers.normal(0.02), x.shape[1:])
        return x + jnp.expand_dims(embedding.astype(x.dtype), 0)
