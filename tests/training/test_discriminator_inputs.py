"""What discriminators see of fakes: straight-through notes, and where they begin."""

import jax
import jax.numpy as jnp
import numpy as np

from cyclegan_jax.pianoroll.features import begun
from cyclegan_jax.training.discriminator_inputs import straight_through, strike


def test_binary_fakes_begin_notes_where_a_transfer_does():
    cells = np.random.default_rng(0).random((3, 64, 84, 2)) < 0.5
    np.testing.assert_array_equal(strike(jnp.asarray(cells, jnp.float32)), begun(cells))
    np.testing.assert_array_equal(strike(jnp.asarray(cells[..., :1], jnp.float32)), cells[..., :1])


def test_an_onset_is_asked_for_by_striking_and_not_by_a_hole_before_it():
    logits = jnp.zeros((1, 64, 84, 2)).at[0, 4:8, 30, 0].set(1.0).at[..., 1].add(-1.0)
    missed = jax.grad(lambda logits: strike(straight_through(logits))[0, 6, 30, 1])(logits)
    assert strike(straight_through(logits))[0, 6, 30, 1] == 0
    assert float(missed[0, 6, 30, 1]) > 0
    assert np.flatnonzero(missed).tolist() == [np.ravel_multi_index((0, 6, 30, 1), logits.shape)]
