"""3×3 convolutions with 16 multiplications for every four outputs in place of 36.

Winograd's minimal filtering F(2 × 2, 3 × 3) (Lavin and Gray 2016, arXiv 1509.09308, section 4.1): cells
are taken in overlapping tiles of 4 × 4, which become tiles of 2 × 2. Along each of the two axes

    v = (d0 − d2, d1 + d2, d2 − d1, d1 − d3)
    u = (g0, (g0 + g1 + g2) / 2, (g0 − g1 + g2) / 2, g2)
    y = (m0 + m1 + m2, m1 − m2 − m3), where m = u · v, summed over channels.

The products are those of 16 pairs of matrices, and so are those of both gradients. Results are the plain
convolution's, to rounding.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

TILE = 4


def convolution(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """Cross-correlation without padding, stride 1: [B, T, P, C] with [3, 3, C, D] -> [B, T − 2, P − 2, D]."""
    batch, steps, pitches, channels = x.shape
    tiles = [-(-(size - 2) // 2) for size in (steps, pitches)]
    ends = [2 * count + 2 - size for count, size in zip(tiles, (steps, pitches), strict=True)]
    x = jnp.pad(x, ((0, 0), *((0, end) for end in ends), (0, 0)))

    inputs = [v for part in _of_inputs(_cells(x, 1)) for v in _of_inputs(_cells(part, 2))]
    weights = [u for part in _of_weights(kernel) for u in _of_weights(part)]
    products = [
        jnp.dot(v.reshape(-1, channels), u).reshape(batch, *tiles, -1)
        for v, u in zip(inputs, weights, strict=True)
    ]
    along_pitches = [_of_products(products[first : first + TILE], 2) for first in range(0, TILE**2, TILE)]
    return _of_products(along_pitches, 1)[:, : steps - 2, : pitches - 2]


def _cells(x: jax.Array, axis: int) -> list[jax.Array]:
    """The first cells of all tiles along an axis, the second ones and so on."""
    count = x.shape[axis] // 2 - 1
    return [jax.lax.slice_in_dim(x, at, at + 2 * count - 1, 2, axis) for at in range(TILE)]


def _of_inputs(d: Sequence[jax.Array]) -> list[jax.Array]:
    return [d[0] - d[2], d[1] + d[2], d[2] - d[1], d[1] - d[3]]


def _of_weights(g: jax.Array) -> list[jax.Array]:
    outer, middle = (g[0] + g[2]) / 2, g[1] / 2
    return [g[0], outer + middle, outer - middle, g[2]]


def _of_products(m: Sequence[jax.Array], axis: int) -> jax.Array:
    """The outputs of tiles, put in their places along an axis."""
    pair = jnp.stack([m[0] + m[1] + m[2], m[1] - m[2] - m[3]], axis + 1)
    return pair.reshape(*pair.shape[:axis], -1, *pair.shape[axis + 2 :])
