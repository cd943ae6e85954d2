"""Noise on what discriminators see, which smooths them between the corners that notes are."""

import zlib
from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp

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
