"""What discriminators see: binarised fakes by a straight-through estimator, and instance noise."""

import zlib
from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp

WINDOW = 2.0  # logits within ± this can be moved by what the discriminators say


def straight_through(logits: jax.Array) -> jax.Array:
    """Notes where the logit is above 0; backwards, the slope of a ramp from −`WINDOW` to `WINDOW`.

    The clipped straight-through estimator (Hubara et al. 2016, arXiv 1602.02830, eq. 4): a cell's
    gradient does not fade as the cell grows sure, until it is past the window. Any shape -> {0, 1}, the
    same.
    """
    ramp = jnp.clip(logits / (2 * WINDOW) + 0.5, 0.0, 1.0)
    return ramp + jax.lax.stop_gradient((logits > 0) - ramp)


# How discriminators and the second generator get the fakes.
FAKES: Mapping[str, Callable[[jax.Array], jax.Array]] = {
    "probabilities": jax.nn.sigmoid,
    "notes": straight_through,
}

# Noise by its use, such as "disc_a real": [B, 64, 84, 1].
Noise = Callable[[str], jax.Array]


def shared(key: jax.Array, shape: tuple[int, ...], sigma: jax.Array | float) -> Noise:
    """One draw of |N(0, σ)| for every use, as the original code has it."""
    drawn = jnp.abs(sigma * jax.random.normal(key, shape))
    return lambda use: drawn


def fresh(key: jax.Array, shape: tuple[int, ...], sigma: jax.Array | float) -> Noise:
    """A draw of N(0, σ) of its own for every use; signed, as the paper's text has it."""
    return lambda use: sigma * jax.random.normal(jax.random.fold_in(key, zlib.crc32(use.encode())), shape)


NOISE: Mapping[str, Callable[..., Noise]] = {"shared": shared, "fresh": fresh}
