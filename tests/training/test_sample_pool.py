"""The pool of past fakes: filled first, then one half of the batches are exchanged."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cyclegan_jax.training.sample_pool import SamplePool, create_pool, exchange

SIZE = 5
DRAWS = 4000


class ImagePool:
    """The original code's pool, its draws handed in; lists of [a, b]."""

    def __init__(self, size):
        self.size, self.held = size, []

    def __call__(self, a, b, swap, slot_a, slot_b):
        if len(self.held) < self.size:
            self.held.append([a, b])
            return a, b
        if not swap:
            return a, b
        past_a, self.held[slot_a][0] = self.held[slot_a][0], a
        past_b, self.held[slot_b][1] = self.held[slot_b][1], b
        return past_a, past_b


def batch(number):
    """Two phrases, told apart by their sign."""
    return jnp.array([number, -number], jnp.float32)


@pytest.fixture(scope="module")
def draws():
    """Many independent exchanges with the full pool a = 0..4, b = 100..104 and the fresh pair 50, 150."""
    a = jnp.stack([batch(i) for i in range(SIZE)])
    pool = SamplePool(a=a, b=a + jnp.array([[100.0, -100.0]]), filled=jnp.int32(SIZE))
    keys = jax.random.split(jax.random.PRNGKey(0), DRAWS)
    return pool, *jax.vmap(lambda key: exchange(pool, batch(50), batch(150), key))(keys)


def test_an_empty_pool_holds_nothing():
    pool = create_pool(3, (4, 64, 84, 1))
    assert pool.a.shape == pool.b.shape == (3, 4, 64, 84, 1)
    assert pool.a.dtype == pool.b.dtype == jnp.float32
    assert pool.filled == 0 and pool.filled.shape == () and pool.filled.dtype == jnp.int32


def test_while_it_fills_each_batch_is_stored_in_turn_and_handed_on():
    pool = create_pool(SIZE, (2,))
    for number in range(1, SIZE + 1):
        key = jax.random.PRNGKey(number)
        pool, handed_a, handed_b = exchange(pool, batch(number), batch(number + 10), key)
        np.testing.assert_array_equal(handed_a, batch(number))
        np.testing.assert_array_equal(handed_b, batch(number + 10))
        stored = [*range(1, number + 1), *[0] * (SIZE - number)]
        np.testing.assert_array_equal(pool.a[:, 0], stored)
        np.testing.assert_array_equal(pool.b[:, 0], [n + 10 if n else 0 for n in stored])
        assert pool.filled == number


def test_one_half_of_the_batches_are_exchanged_a_and_b_together(draws):
    _, _, handed_a, handed_b = draws
    swapped = handed_a[:, 0] != 50
    np.testing.assert_array_equal(swapped, handed_b[:, 0] != 150)
    assert swapped.mean() == pytest.approx(0.5, abs=0.03)


def test_slots_of_a_and_b_are_drawn_evenly_and_apart(draws):
    _, _, handed_a, handed_b = draws
    swapped = np.asarray(handed_a[:, 0] != 50)
    slots_a, slots_b = (np.asarray(handed[:, 0], int)[swapped] % 100 for handed in (handed_a, handed_b))
    table = np.zeros((SIZE, SIZE))
    np.add.at(table, (slots_a, slots_b), 1)
    expected = swapped.sum() / SIZE**2
    chi_squared = ((table - expected) ** 2 / expected).sum()
    assert chi_squared < 51.2  # one in a thousand, 24 degrees of freedom


def test_exactly_the_slot_handed_out_is_replaced(draws):
    before, after, handed_a, handed_b = draws
    for old, new, handed, fresh in ((before.a, after.a, handed_a, 50), (before.b, after.b, handed_b, 150)):
        taken = np.asarray(handed)[:, None] == np.asarray(old)
        np.testing.assert_array_equal(new, np.where(taken, batch(fresh), old))
        np.testing.assert_array_equal(taken[:, :, 0].sum(axis=1), np.asarray(handed[:, 0]) != fresh)


def test_a_batch_stays_together(draws):
    _, _, handed_a, handed_b = draws
    np.testing.assert_array_equal(handed_a[:, 0], -handed_a[:, 1])
    np.testing.assert_array_equal(handed_b[:, 0], -handed_b[:, 1])


def test_a_full_pool_stays_full(draws):
    assert set(np.asarray(draws[1].filled).tolist()) == {SIZE}


def test_equal_keys_draw_equally_whatever_part_of_the_batch_is_held(draws):
    before, after, handed_a, handed_b = draws
    key = jax.random.split(jax.random.PRNGKey(0), DRAWS)[7]
    half = SamplePool(a=before.a[:, :1], b=before.b[:, :1], filled=before.filled)
    pool, part_a, part_b = exchange(half, batch(50)[:1], batch(150)[:1], key)
    np.testing.assert_array_equal(pool.a, after.a[7, :, :1])
    np.testing.assert_array_equal(part_a, handed_a[7, :1])
    np.testing.assert_array_equal(part_b, handed_b[7, :1])


def test_a_pool_of_size_zero_is_none_and_hands_all_through():
    assert create_pool(0, (2,)) is None
    pool, handed_a, handed_b = exchange(None, batch(1), batch(2), jax.random.PRNGKey(0))
    np.testing.assert_array_equal(handed_a, batch(1))
    np.testing.assert_array_equal(handed_b, batch(2))
    assert pool is None


def test_sixty_exchanges_inside_jit_replay_the_originals_pool():
    jitted, original, pool, swaps = jax.jit(exchange), ImagePool(SIZE), create_pool(SIZE, (2,)), 0
    for number in range(1, 61):
        held_a, held_b = (np.asarray(past)[:, 0].tolist() for past in (pool.a, pool.b))
        pool, handed_a, handed_b = jitted(
            pool, batch(number), batch(number + 100), jax.random.PRNGKey(number)
        )
        a, b = float(handed_a[0]), float(handed_b[0])
        swap = a != number
        slots = (held_a.index(a), held_b.index(b)) if swap else (0, 0)
        assert (a, b) == original(number, number + 100, swap, *slots)
        np.testing.assert_array_equal(pool.a[: len(original.held), 0], [a for a, _ in original.held])
        np.testing.assert_array_equal(pool.b[: len(original.held), 0], [b for _, b in original.held])
        swaps += swap
    assert 15 < swaps < 40
