"""The genre classifier: it evaluates a transfer, never part of the training objective."""

import flax.linen as nn
import jax

from cyclegan_jax.models.layers import Conv, InstanceNorm, leaky_relu


class Classifier(nn.Module):
    """Tell two genres apart, octave by octave first, then ever longer stretches (paper, table III).

    [B, 64, 84, 1] in {-1, 1} -> [B, 2] logits, index 0 for genre A and 1 for genre B.
    """

    width: int = 64

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        w = self.width
        x = leaky_relu(Conv(w, (1, 12), strides=(1, 12), padding="SAME")(x))  # [B, 64, 7, w]
        x = Conv(2 * w, (4, 1), strides=(4, 1), padding="SAME")(x)
        x = leaky_relu(InstanceNorm()(x))  # [B, 16, 7, 2w]
        x = Conv(4 * w, (2, 1), strides=(2, 1), padding="SAME")(x)
        x = leaky_relu(InstanceNorm()(x))  # [B, 8, 7, 4w]
        x = Conv(8 * w, (8, 1), strides=(8, 1), padding="SAME")(x)
        x = leaky_relu(InstanceNorm()(x))  # [B, 1, 7, 8w]
        x = Conv(2, (1, 7), strides=(1, 7), padding="SAME")(x)
        return x[:, 0, 0, :]  # [B, 2]
