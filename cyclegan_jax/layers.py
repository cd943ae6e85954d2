"""What the networks share: initialisers, instance norm, reflection padding, LeakyReLU."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp

WEIGHT_INIT = nn.initializers.truncated_normal(stddev=0.02)

Conv = functools.partial(nn.Conv, use_bias=False, kernel_init=WEIGHT_INIT)
ConvTranspose = functools.partial(nn.ConvTranspose, use_bias=False, kernel_init=WEIGHT_INIT)


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
