"""The pool of past fakes that steadies the discriminators, inside jit.

Shrivastava et al. 2017, arXiv 1612.07828, section 2.3.
"""

import flax.struct
import jax
import jax.numpy as jnp


@flax.struct.dataclass
class SamplePool:
    """The last batches of fakes of either genre.

    `a`, `b`: [pool, batch, 64, 84, C] in [0, 1], float32. `filled`: batches held, a scalar.
    """

    a: jax.Array
    b: jax.Array
    filled: jax.Array


def create_pool(size: int, batch_shape: tuple[int, ...]) -> SamplePool | None:
    """An empty pool of `size` batches of `batch_shape` ([batch, 64, 84, C]); none for size 0."""
    if size == 0:
        return None
    shape = (size, *batch_shape)
    return SamplePool(a=jnp.zeros(shape), b=jnp.zeros(shape), filled=jnp.zeros((), jnp.int32))


def exchange(
    pool: SamplePool | None, fake_a: jax.Array, fake_b: jax.Array, key: jax.Array
) -> tuple[SamplePool | None, jax.Array, jax.Array]:
    """Hand fakes to the discriminators by way of the pool, as the original code does.

    While the pool fills, the batch is stored and passed on. Then, with probability ½, it is passed on and
    not stored. Else a past batch of A and one of B, drawn independently, are passed on, and the new ones
    take their places. Without a pool every batch is passed on. `fake_a`, `fake_b`: [batch, 64, 84, C].
    Returns the pool and two batches of that shape. `key` must be the same on every device, because each has
    a part of the same batches.
    """
    if pool is None:
        return None, fake_a, fake_b
    size = pool.a.shape[0]
    coin_key, a_key, b_key = jax.random.split(key, 3)
    filling = pool.filled < size
    swap = ~filling & jax.random.bernoulli(coin_key)

    def turn_over(past: jax.Array, fresh: jax.Array, draw_key: jax.Array) -> tuple[jax.Array, jax.Array]:
        slot = jnp.where(filling, pool.filled, jax.random.randint(draw_key, (), 0, size))
        held = past[slot]
        kept = past.at[slot].set(jnp.where(filling | swap, fresh, held))
        return kept, jnp.where(swap, held, fresh)

    pool_a, handed_a = turn_over(pool.a, fake_a, a_key)
    pool_b, handed_b = turn_over(pool.b, fake_b, b_key)
    filled = jnp.minimum(pool.filled + 1, size)
    return SamplePool(a=pool_a, b=pool_b, filled=filled), handed_a, handed_b
