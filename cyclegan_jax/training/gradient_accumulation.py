"""Gradient accumulation: a batch goes through in parts, and only one part's activations are in memory.

All losses are means over phrases, so the mean of the microbatches' gradients is the batch's, to rounding. A
step goes through the batch twice: for the generators, then, once the pool has seen the whole batch, for the
discriminators. Each microbatch draws the noise of the whole batch and slices it, so the draws are the same.
On a CPU this saves no memory: loops are slow there, so the microbatches are written out. The number of
microbatches is not in a run's config, so a run may be resumed on a GPU with less memory.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

Tree = Any


def in_microbatches(
    work: Callable[[jax.Array | int, Tree], tuple[Tree, Tree]], batch: Tree, parts: int, *, unroll: bool
) -> tuple[Tree, Tree]:
    """Call `work(number, microbatch)` for `parts` microbatches; its results by phrase, and means of others.

    `batch`: arrays [B, ...], B a multiple of `parts`. `work`, a pure function, returns arrays by phrase,
    [B / parts, ...], which are joined to [B, ...], and others, such as gradients, of which the means are
    taken. With one part it is called as it is. With `unroll` the calls are written out in place of a loop,
    and may be held in memory at once.
    """
    if parts == 1:
        return work(0, batch)
    apart = jax.tree.map(lambda array: array.reshape(parts, -1, *array.shape[1:]), batch)

    def add(sums: Tree, numbered: tuple[jax.Array, Tree]) -> tuple[Tree, Tree]:
        by_phrase, more = work(*numbered)
        return jax.tree.map(jnp.add, sums, more), by_phrase

    numbered = (jnp.arange(parts), apart)
    # The sums need shapes to begin with, which only the work itself knows.
    _, of_one = jax.eval_shape(work, *jax.tree.map(lambda array: array[0], numbered))
    nothing = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), of_one)
    sums, by_phrase = jax.lax.scan(add, nothing, numbered, unroll=unroll)
    joined = jax.tree.map(lambda array: array.reshape(-1, *array.shape[2:]), by_phrase)
    return joined, jax.tree.map(lambda total: total / parts, sums)


def slice_of(whole: jax.Array, part: jax.Array | int, parts: int) -> jax.Array:
    """One of equal parts: [B, ...] -> [B / parts, ...]."""
    if parts == 1:
        return whole
    size = whole.shape[0] // parts
    return jax.lax.dynamic_slice_in_dim(whole, part * size, size)
