"""What the networks share: initialisers, convolutions, instance norm, padding, places, LeakyReLU."""

import contextlib
import contextvars
import functools
from collections.abc import Callable, Iterator, Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp

from cyclegan_jax import blocked_convolutions, single_channel, winograd

Convolution = Callable[[jax.Array, jax.Array], jax.Array]
MANY = 64  # channels from which a 3×3 convolution gains by fewer multiplications
WEIGHT_INIT = nn.initializers.truncated_normal(stddev=0.02)
_plain = contextvars.ContextVar("plain", default=False)


@contextlib.contextmanager
def plain() -> Iterator[None]:
    """Networks built and traced within are of XLA's own convolutions and written out, on any backend.

    For what is counted or compared.
    """
    token = _plain.set(True)
    try:
        yield
    finally:
        _plain.reset(token)


def is_plain() -> bool:
    """Whether this is within `plain`."""
    return _plain.get()


def _cpu_forms() -> bool:
    return jax.default_backend() == "cpu" and not is_plain()


def convolve(
    x: jax.Array,
    kernel: jax.Array,
    strides: tuple[int, int],
    padding: str | Sequence[tuple[int, int]],
    **options: object,
) -> jax.Array:
    """`jax.lax.conv_general_dilated`, in the form that is fastest on this backend, equal to rounding.

    On a CPU, kernels of 7×7 from or to a single channel run as in `single_channel.py`, wide ones of 3×3 as
    in `winograd.py`. The options are those that `nn.Conv` hands over without dilation or groups; those forms
    know of none.
    """
    form = _form_for_cpu(kernel, tuple(strides)) if _cpu_forms() else None
    if form:
        if isinstance(padding, str):
            padding = jax.lax.padtype_to_pads(x.shape[1:3], kernel.shape[:2], strides, padding)
        return form(jnp.pad(x, ((0, 0), *padding, (0, 0))), kernel)
    return jax.lax.conv_general_dilated(x, kernel, strides, padding, **options)


def _form_for_cpu(kernel: jax.Array, strides: tuple[int, int]) -> Convolution | None:
    """The form without padding for a kernel, where there is a faster one than XLA's own."""
    taps, channels = kernel.shape[:2], kernel.shape[2:]
    if taps == (7, 7) and 1 in channels:
        return functools.partial(single_channel.convolution, strides=strides)
    wide = min(channels) >= MANY and kernel.dtype == jnp.float32
    return winograd.convolution if taps == (3, 3) and strides == (1, 1) and wide else None


Conv = functools.partial(nn.Conv, use_bias=False, kernel_init=WEIGHT_INIT, conv_general_dilated=convolve)


class ConvTranspose(nn.Module):
    """The 3×3 transposed convolution of stride 2, padded as SAME, without bias.

    [B, T, P, C] -> [B, 2T, 2P, features], in `dtype`. On a CPU as a convolution of blocks, whose weight
    gradient is some 15 times as fast, equal to rounding.
    """

    features: int
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        kernel = self.param("kernel", WEIGHT_INIT, (3, 3, x.shape[-1], self.features))
        x, kernel = x.astype(self.dtype), kernel.astype(self.dtype)
        if _cpu_forms():
            return blocked_convolutions.transposed_convolution(x, kernel)
        return jax.lax.conv_transpose(x, kernel, (2, 2), "SAME")


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

    epsilon: float = 1e-5

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        scale = self.param("scale", scale_init, (x.shape[-1],))
        offset = self.param("offset", nn.initializers.zeros_init(), (x.shape[-1],))
        wide = x.astype(jnp.float32)
        mean = wide.mean(axis=(1, 2), keepdims=True)
        variance = jnp.square(wide - mean).mean(axis=(1, 2), keepdims=True)
        normal = (wide - mean) * jax.lax.rsqrt(variance + self.epsilon)
        return (normal * scale + offset).astype(x.dtype)


class PositionEmbedding(nn.Module):
    """Add a learned map, so that what follows can tell steps of the bar and registers apart.

    Convolutions treat all places alike, but beats and octaves are not. The map starts as N(0, 0.02).
    [B, T, P, C] -> [B, T, P, C] in x's dtype; T and P must be those it was created with.
    """

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        embedding = self.param("embedding", nn.initializers.normal(0.02), x.shape[1:])
        return x + embedding.astype(x.dtype)
