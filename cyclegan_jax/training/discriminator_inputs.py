"""What discriminators see: fakes binarised by a straight-through estimator, and instance noise."""

import enum
import zlib
from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp

WINDOW = 2.0  # logits within ± this are moved by the discriminators' gradients


def straight_through(logits: jax.Array) -> jax.Array:
    """Notes where the logit is above 0; backwards, the slope of a ramp from −`WINDOW` to `WINDOW`.

    The clipped straight-through estimator (Hubara et al. 2016, arXiv 1602.02830, eq. 4): the gradient of a
    cell does not vanish as its probability nears 0 or 1, until its logit leaves the window. Any shape ->
    {0, 1}, the same shape.
    """
    ramp = jnp.clip(logits / (2 * WINDOW) + 0.5, 0.0, 1.0)
    return ramp + jax.lax.stop_gradient((logits > 0) - ramp)


def strike(fakes: jax.Array) -> jax.Array:
    """Fakes whose second channel, if they have one, is on where a note begins: [B, 64, 84, C] -> the same.

    A note begins where a cell sounds that is struck, or behind a silent one: s_t (1 − s_{t−1} (1 − o_t)). In
    the first step of a phrase it must be struck, since it may be held from before. No gradient goes to
    s_{t−1}. Otherwise a discriminator that misses an onset would ask for a hole before it.
    """
    if fakes.shape[-1] == 1:
        return fakes
    sounds, struck = fakes[..., :1], fakes[..., 1:]
    border = ((0, 0), (1, 0), (0, 0), (0, 0))
    before = jnp.pad(jax.lax.stop_gradient(sounds[:, :-1]), border, constant_values=1.0)
    return jnp.concatenate([sounds, sounds * (1.0 - before * (1.0 - struck))], axis=-1)


# How discriminators and the second generator get the fakes.
FAKES: Mapping[str, Callable[[jax.Array], jax.Array]] = {
    "probabilities": jax.nn.sigmoid,
    "notes": straight_through,
}


class NoiseUse(enum.Enum):
    """What a draw of noise is added to: a discriminator's input, in the generators' loss or in its own.

    A value is the key of its draw, so another value would change every run.
    """

    DISC_A_GENERATED = "disc_a judging"
    DISC_B_GENERATED = "disc_b judging"
    DISC_A_REAL = "disc_a real"
    DISC_A_FAKE = "disc_a fake"
    DISC_B_REAL = "disc_b real"
    DISC_B_FAKE = "disc_b fake"
    DISC_A_MIXED_REAL = "disc_a_mixed real"
    DISC_A_MIXED_FAKE = "disc_a_mixed fake"
    DISC_B_MIXED_REAL = "disc_b_mixed real"
    DISC_B_MIXED_FAKE = "disc_b_mixed fake"


# Noise by its use, [B, 64, 84, C].
Noise = Callable[[NoiseUse], jax.Array]


def shared(key: jax.Array, shape: tuple[int, ...], sigma: jax.Array | float) -> Noise:
    """One draw of |N(0, σ)| for every use, as the original code has it."""
    drawn = jnp.abs(sigma * jax.random.normal(key, shape))
    return lambda use: drawn


def fresh(key: jax.Array, shape: tuple[int, ...], sigma: jax.Array | float) -> Noise:
    """A draw of N(0, σ) of its own for every use; signed, as the paper's text has it."""

    def draw(use: NoiseUse) -> jax.Array:
        return sigma * jax.random.normal(jax.random.fold_in(key, zlib.crc32(use.value.encode())), shape)

    return draw


NOISE: Mapping[str, Callable[..., Noise]] = {"shared": shared, "fresh": fresh}
