"""The discriminator: three convolutions that score patches of a phrase."""

import dataclasses
import functools

import flax.linen as nn
import jax
import jax.numpy as jnp

from cyclegan_jax.models.kernels import Kernels, default_kernels
from cyclegan_jax.models.layers import Conv, InstanceNorm, PositionEmbedding, leaky_relu


class Discriminator(nn.Module):
    """Score overlapping patches, higher for real than for fake (paper, table II).

    [B, 64, 84, C] in [0, 1] plus noise -> [B, 16, 21, 1] unbounded scores, float32. With `positions` it
    has a position embedding, so that it knows beats and registers; the paper's has none.
    """

    width: int = 64
    positions: bool = False
    dtype: jnp.dtype = jnp.float32
    kernels: Kernels = dataclasses.field(default_factory=default_kernels)

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        w = self.width
        conv = functools.partial(Conv, padding="SAME", dtype=self.dtype, kernels=self.kernels)
        x = conv(w, (7, 7), strides=(2, 2))(x)
        if self.positions:
            x = PositionEmbedding()(x)
        x = leaky_relu(x)  # [B, 32, 42, w]
        x = conv(4 * w, (7, 7), strides=(2, 2))(x)
        x = leaky_relu(InstanceNorm()(x))  # [B, 16, 21, 4w]
        scores = conv(1, (7, 7))(x)
        return scores.astype(jnp.float32)  # [B, 16, 21, 1]
