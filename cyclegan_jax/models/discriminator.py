"""The discriminator: three convolutions that score patches of a phrase."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from cyclegan_jax.models.layers import Conv, InstanceNorm, PositionEmbedding, leaky_relu


class Discriminator(nn.Module):
    """Score overlapping patches, higher for real than for fake (paper, table II).

    [B, 64, 84, 1] in [0, 1] plus noise -> [B, 16, 21, 1] unbounded scores, float32. With `positions` it
    knows beats and registers; the paper's scores a phrase alike wherever it lies.
    """

    width: int = 64
    positions: bool = False
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        w, dtype = self.width, self.dtype
        x = Conv(w, (7, 7), strides=(2, 2), padding="SAME", dtype=dtype)(x)
        if self.positions:
            x = PositionEmbedding()(x)
        x = leaky_relu(x)  # [B, 32, 42, w]
        x = Conv(4 * w, (7, 7), strides=(2, 2), padding="SAME", dtype=dtype)(x)
        x = leaky_relu(InstanceNorm()(x))  # [B, 16, 21, 4w]
        scores = Conv(1, (7, 7), padding="SAME", dtype=dtype)(x)
        return scores.astype(jnp.float32)  # [B, 16, 21, 1]
