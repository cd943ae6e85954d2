"""The generator: an encoder, residual blocks at a quarter of the resolution, a decoder."""

import dataclasses
import functools

import flax.linen as nn
import jax
import jax.numpy as jnp

from cyclegan_jax.models.kernels import ON_ACCELERATOR, Kernels, default_kernels
from cyclegan_jax.models.layers import (
    WEIGHT_INIT,
    Conv,
    ConvTranspose,
    InstanceNorm,
    PositionEmbedding,
    reflect_pad,
)

# With identity logits, the last convolution starts with an output about as small, at every width, as
# WEIGHT_INIT gives at width 8. Begun at zero, one run of the demo fell behind its discriminators.
SMALL_FINAL_INIT = nn.initializers.variance_scaling(0.56**2, "fan_in", "truncated_normal")


class ResidualBlock(nn.Module):
    """ReLU(x + IN(conv(pad(ReLU(IN(conv(pad(x)))))))), 3×3 convolutions (paper, table I).

    Called as a scan's body: `(x, None) -> (y, None)`, [B, T, P, C] in and out.
    """

    dtype: jnp.dtype = jnp.float32
    kernels: Kernels = ON_ACCELERATOR

    @nn.compact
    def __call__(self, x: jax.Array, _: None = None) -> tuple[jax.Array, None]:
        conv = functools.partial(
            Conv, x.shape[-1], (3, 3), padding="VALID", dtype=self.dtype, kernels=self.kernels
        )
        y = conv()(reflect_pad(x, 1))
        y = nn.relu(InstanceNorm()(y))
        y = conv()(reflect_pad(y, 1))
        return nn.relu(x + InstanceNorm()(y)), None


class Generator(nn.Module):
    """Map phrases of one genre to the other (paper, table I; padding as the original code).

    [B, 64, 84, C] in {0, 1} or [0, 1] -> [B, 64, 84, C] note probabilities in (0, 1), float32; the method
    `logits` gives their logits. Channels: where notes sound and, if C is 2, where they begin; the paper has
    one. `identity_logits` is added to the logit of a cell that is on in x and taken
    from that of one that is off, so that a fresh generator leaves its input as it is. `positions` adds a
    learned position embedding before the residual blocks. `skips` are U-Net skip connections (Ronneberger et
    al. 2015): each layer of the decoder also gets the encoder's activations at its resolution, so that
    single cells need not pass the bottleneck. The paper has none of these.
    The parameters of the `blocks` residual blocks are stacked on a leading axis, whether `kernels` has the
    blocks in a loop or written out.
    """

    width: int = 64
    blocks: int = 10
    identity_logits: float = 0.0
    positions: bool = False
    skips: bool = False
    dtype: jnp.dtype = jnp.float32
    kernels: Kernels = dataclasses.field(default_factory=default_kernels)

    def __call__(self, x: jax.Array) -> jax.Array:
        return nn.sigmoid(self.logits(x))

    @nn.compact
    def logits(self, x: jax.Array) -> jax.Array:
        w, dtype, kernels, channels = self.width, self.dtype, self.kernels, x.shape[-1]
        conv = functools.partial(Conv, dtype=dtype, kernels=kernels)
        x = x.astype(jnp.float32)
        leaning = self.identity_logits * (2.0 * x - 1.0)
        x = conv(w, (7, 7), padding="VALID")(reflect_pad(x, 3))
        whole = x = nn.relu(InstanceNorm()(x))  # [B, 64, 84, w]
        x = conv(2 * w, (3, 3), strides=(2, 2), padding="SAME")(x)
        half = x = nn.relu(InstanceNorm()(x))  # [B, 32, 42, 2w]
        x = conv(4 * w, (3, 3), strides=(2, 2), padding="SAME")(x)
        x = nn.relu(InstanceNorm()(x))  # [B, 16, 21, 4w]
        if self.positions:
            x = PositionEmbedding()(x)
        residual_blocks = nn.scan(
            ResidualBlock,
            variable_axes={"params": 0},
            split_rngs={"params": True},
            length=self.blocks,
            unroll=self.blocks if kernels.unroll else 1,
        )
        x, _ = residual_blocks(dtype=dtype, kernels=kernels, name="residual_blocks")(x, None)
        x = ConvTranspose(2 * w, dtype, kernels)(x)
        x = nn.relu(InstanceNorm()(x))  # [B, 32, 42, 2w]
        if self.skips:
            x = jnp.concatenate([x, half], axis=-1)  # [B, 32, 42, 4w]
        x = ConvTranspose(w, dtype, kernels)(x)
        x = nn.relu(InstanceNorm()(x))  # [B, 64, 84, w]
        if self.skips:
            x = jnp.concatenate([x, whole], axis=-1)  # [B, 64, 84, 2w]
        start = SMALL_FINAL_INIT if self.identity_logits else WEIGHT_INIT
        x = conv(channels, (7, 7), padding="VALID", kernel_init=start)(reflect_pad(x, 3))
        return x.astype(jnp.float32) + leaning  # [B, 64, 84, C]
