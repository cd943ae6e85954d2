"""3×3 convolutions with 16 multiplications for every four outputs in place of 36.

Winograd's minimal filtering F(2 × 2, 3 × 3) (Lavin and Gray 2016, arXiv 1509.09308, section 4.1): cells d
are taken in overlapping tiles of 4 × 4, which become outputs y in tiles of 2 × 2. Along each of the two axes

    v = (d0 − d2, d1 + d2, d2 − d1, d1 − d3)
    u = (g0, (g0 + g1 + g2) / 2, (g0 − g1 + g2) / 2, g2)
    y = (m0 + m1 + m2, m1 − m2 − m3), where m = u · v, summed over channels.

So the work is in the products of 16 pairs of matrices. The pullbacks are written by hand, of 16 products
each: those that JAX derives add up overlapping tiles, which XLA is slow at on a CPU. Results are the plain
convolution's, to rounding.
"""

import functools
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp

from cyclegan_jax.cpu_kernels.matmul import dot

Parts = list[jax.Array]
TURNED = (3, 1, 2, 0)  # where the parts u of a kernel turned by 180° are among its own


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def convolution(x: jax.Array, kernel: jax.Array, dtype: jnp.dtype = jnp.float32) -> jax.Array:
    """Cross-correlation without padding, stride 1: [B, T, P, C] with [3, 3, C, D] -> [B, T − 2, P − 2, D].

    Of float32; multiplied in `dtype`.
    """
    return _filter(x, _parts_of_kernel(kernel), dtype, contracted=0)


def _pull_back(
    dtype: jnp.dtype, saved: tuple[jax.Array, jax.Array], gradient: jax.Array
) -> tuple[jax.Array, jax.Array]:
    x, kernel = saved
    parts = _parts_of_kernel(kernel)
    turned = [parts[4 * along_time + along_pitch] for along_time in TURNED for along_pitch in TURNED]
    around = jnp.pad(gradient, ((0, 0), (2, 2), (2, 2), (0, 0)))
    of_x = _filter(around, turned, dtype, contracted=1)

    inputs = _along_both(_of_inputs, _to_even(x), tile=4)
    outputs = _along_both(_of_gradient, _to_even(gradient), tile=2)
    of_parts = [_product(v, m, dtype, (0, 0)) for v, m in zip(inputs, outputs, strict=True)]
    by_pitch = zip(*(_of_weights_back(of_parts[first : first + 4]) for first in range(0, 16, 4)), strict=True)
    of_kernel = jnp.stack([jnp.stack(_of_weights_back(column)) for column in by_pitch], axis=1)
    return of_x, of_kernel


convolution.defvjp(lambda x, kernel, dtype: (convolution(x, kernel, dtype), (x, kernel)), _pull_back)


def _filter(x: jax.Array, weights: Parts, dtype: jnp.dtype, contracted: int) -> jax.Array:
    """The convolution by the parts of a kernel, [C, D] each, or [D, C] with 1 as `contracted`."""
    batch, steps, pitches, _ = x.shape
    inputs = _along_both(_of_inputs, _to_even(x), tile=4)
    tiles = inputs[0].shape[1:3]
    products = [
        _product(v, u, dtype, (1, contracted)).reshape(batch, *tiles, -1)
        for v, u in zip(inputs, weights, strict=True)
    ]
    along_pitches = [_of_products(products[first : first + 4], 2) for first in range(0, 16, 4)]
    return _of_products(along_pitches, 1)[:, : steps - 2, : pitches - 2]


def _product(a: jax.Array, b: jax.Array, dtype: jnp.dtype, contracted: tuple[int, int]) -> jax.Array:
    """Of two matrices, all axes but the last taken as one; multiplied in `dtype`."""
    a, b = (operand.reshape(-1, operand.shape[-1]) for operand in (a, b))
    return dot(a, b, dtype, contracted)


def _to_even(x: jax.Array) -> jax.Array:
    """With a further step and pitch of zeros where their numbers are odd."""
    ends = [(0, size % 2) for size in x.shape[1:3]]
    return jnp.pad(x, ((0, 0), *ends, (0, 0)))


def _along_both(rule: Callable[[Parts], Parts], x: jax.Array, tile: int) -> Parts:
    """What a rule makes of the cells of tiles that begin at every other one, along time, then pitch."""

    def cells(x: jax.Array, axis: int) -> Parts:
        last = x.shape[axis] - tile
        return [jax.lax.slice_in_dim(x, at, at + last + 1, 2, axis) for at in range(tile)]

    return [part for row in rule(cells(x, 1)) for part in rule(cells(row, 2))]


def _parts_of_kernel(kernel: jax.Array) -> Parts:
    return [part for row in _of_weights(kernel) for part in _of_weights(row)]


def _of_inputs(d: Parts) -> Parts:
    return [d[0] - d[2], d[1] + d[2], d[2] - d[1], d[1] - d[3]]


def _of_weights(g: Sequence[jax.Array] | jax.Array) -> Parts:
    outer, middle = (g[0] + g[2]) / 2, g[1] / 2
    return [g[0], outer + middle, outer - middle, g[2]]


def _of_weights_back(u: Sequence[jax.Array]) -> Parts:
    """From gradients of u to those of g."""
    outer = (u[1] + u[2]) / 2
    return [u[0] + outer, (u[1] - u[2]) / 2, outer + u[3]]


def _of_gradient(y: Parts) -> Parts:
    """From gradients of y to those of m."""
    return [y[0], y[0] + y[1], y[0] - y[1], -y[1]]


def _of_products(m: Sequence[jax.Array], axis: int) -> jax.Array:
    """The outputs of tiles, put in their places along an axis."""
    pair = jnp.stack([m[0] + m[1] + m[2], m[1] - m[2] - m[3]], axis + 1)
    return pair.reshape(*pair.shape[:axis], -1, *pair.shape[axis + 2 :])
