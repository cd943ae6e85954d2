"""The 3×3 transposed convolution of stride 2, in the form that XLA runs fastest on a CPU.

It is a product of matrices for each tap, and every output takes those that reach it. That is a quarter of the
multiplications of the definition, a convolution over an input widened by zeros. Results are the same, to
rounding.
"""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from cyclegan_jax.cpu_kernels.matmul import product


def transposed_convolution(x: jax.Array, kernel: jax.Array, dtype: jnp.dtype = jnp.float32) -> jax.Array:
    """Padded as SAME: [B, T, P, C] with [3, 3, C, D] -> [B, 2T, 2P, D].

    Outputs 2i get x[i − 1] k[0] + x[i] k[2], outputs 2i + 1 get x[i] k[1], along time and pitch alike.
    Of float32; multiplied in `dtype`.
    """
    cells = x.reshape(-1, x.shape[-1])

    def of_tap(tap: jax.Array) -> jax.Array:
        outputs: Any = product(cells, tap.reshape(tap.shape[-2:]), dtype)
        return outputs.reshape(*x.shape[:-1], -1)

    rows = [[of_tap(tap) for tap in _split(row, 1)] for row in _split(kernel, 0)]
    return _interleave([_interleave(row, axis=2) for row in rows], axis=1)


def _split(kernel: jax.Array, axis: int) -> Sequence[jax.Array]:
    """The taps along an axis; joining them pulls back, where that of slices adds up whole kernels."""
    return jax.lax.split(kernel, (1, 1, 1), axis)


def _interleave(taps: Sequence[jax.Array], axis: int) -> jax.Array:
    """Outputs of even and odd places, in turn, along an axis."""
    first, middle, last = taps
    borders = [(0, 0, 0)] * first.ndim
    borders[axis] = (1, -1, 0)  # by one place to later ones
    pair = jnp.stack([jax.lax.pad(first, jnp.zeros((), first.dtype), borders) + last, middle], axis + 1)
    return pair.reshape(*pair.shape[:axis], -1, *pair.shape[axis + 2 :])
