"""Losses: numbers worked out by hand."""

import jax.numpy as jnp
import pytest

from cyclegan_jax import losses


def test_fakes_that_pass_as_real_cost_nothing():
    assert losses.adversarial(jnp.ones((2, 16, 21, 1))) == 0.0


def test_adversarial_is_the_mean_squared_distance_from_one():
    scores = jnp.array([[1.0, 3.0], [0.0, -1.0]])
    assert losses.adversarial(scores) == pytest.approx((0 + 4 + 1 + 4) / 4)


def test_discrimination_wants_one_for_reals_and_zero_for_fakes():
    assert losses.discrimination(jnp.ones(3), jnp.zeros(3)) == 0.0
    assert losses.discrimination(jnp.zeros(3), jnp.ones(3)) == 1.0


def test_discrimination_is_half_the_sum_of_two_means():
    real, fake = jnp.array([[2.0, -1.0]]), jnp.array([[3.0, 1.0, 0.0, 2.0]])
    assert losses.discrimination(real, fake) == pytest.approx(0.5 * ((1 + 4) / 2 + (9 + 1 + 0 + 4) / 4))


def test_cycle_consistency_is_the_mean_absolute_difference():
    origin, cycled = jnp.array([[1.0, 0.0], [0.0, 1.0]]), jnp.array([[0.25, 0.5], [0.0, 0.75]])
    assert losses.cycle_consistency(origin, cycled) == pytest.approx((0.75 + 0.5 + 0.25) / 4)


def test_cycle_consistency_has_no_sign_and_no_weight():
    assert losses.cycle_consistency(jnp.zeros((3, 4)), jnp.ones((3, 4))) == 1.0
    assert losses.cycle_consistency(jnp.ones((3, 4)), jnp.zeros((3, 4))) == 1.0
