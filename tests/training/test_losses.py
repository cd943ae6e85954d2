"""Losses: numbers worked out by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support.rolls_by_hand import rolls, struck

from cyclegan_jax.training import losses
from cyclegan_jax.training.losses import (
    chroma_distance,
    cycle_cross_entropy,
    density_distance,
    hinge_adversarial,
    hinge_discrimination,
)


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


def test_hinge_losses_by_hand():
    real, fake = jnp.array([[2.0, 0.5], [-1.0, 1.0]]), jnp.array([0.0, -3.0, 1.0, -0.5])
    assert float(hinge_adversarial(fake)) == pytest.approx(0.625)
    assert float(hinge_discrimination(real, fake)) == pytest.approx((0.5 + 2) / 4 + (1 + 2 + 0.5) / 4)
    assert float(hinge_discrimination(jnp.zeros(3), jnp.zeros(3))) == 2


def test_cycle_cross_entropy_by_hand():
    origin, logits = jnp.array([1.0, 1.0, 0.0, 0.0]), jnp.array([0.25, 2.0, 0.5, -3.0])
    by_cell = np.log1p(np.exp([-0.25, -2.0, 0.5, -3.0]))
    assert float(cycle_cross_entropy(origin, logits)) == pytest.approx(by_cell.mean(), rel=1e-5)


def phrase(*notes: tuple[int, int, int]) -> np.ndarray:
    return rolls(*((0, *note) for note in notes), phrases=1).astype(np.float32)


def test_chroma_distance_knows_octaves_from_other_pitches():
    tune = phrase((0, 4, 12), (4, 8, 19))
    assert float(chroma_distance(tune, tune)) == pytest.approx(0, abs=1e-3)
    assert float(chroma_distance(tune, phrase((0, 2, 24), (5, 6, 7)))) == pytest.approx(0, abs=1e-3)
    assert float(chroma_distance(tune, phrase((0, 4, 13), (4, 8, 20)))) == pytest.approx(1, abs=1e-3)
    assert float(chroma_distance(tune, phrase((0, 4, 12)))) == pytest.approx(0.5, abs=1e-3)
    with_a_third = phrase((0, 4, 12), (0, 4, 16), (4, 8, 19))
    assert float(chroma_distance(tune, with_a_third)) == pytest.approx((1 - 0.5**0.5) / 2, abs=1e-3)


THREE_NOTES = phrase((0, 4, 12), (4, 8, 12), (4, 8, 19), (60, 64, 3))  # the first two are one
SIX_NOTES = phrase(*((step, step + 1, step) for step in range(0, 12, 2)))


def test_a_note_struck_again_counts_with_a_channel_of_onsets():
    held = phrase((0, 8, 12))
    twice = struck(held, (0, 0, 12), (0, 4, 12))
    once = struck(held, (0, 0, 12))
    asked = np.log1p(2) - np.log1p(1) - 0.15
    assert float(density_distance(twice, once, (1.0, 1.0))) == pytest.approx(asked**2, rel=1e-5)
    assert float(density_distance(once, twice, (2.0, 1.0))) == 0


def test_density_distance_counts_notes_by_their_onsets_and_cells_against_the_ratios():
    def away(*logarithms: float) -> float:
        return pytest.approx(sum((abs(d) - 0.15) ** 2 for d in logarithms), rel=1e-4)

    assert float(density_distance(THREE_NOTES, SIX_NOTES, (2.0, 6 / 16))) == pytest.approx(0, abs=1e-6)
    assert float(density_distance(THREE_NOTES, THREE_NOTES, (1.15, 0.86))) == 0
    assert float(density_distance(THREE_NOTES, SIX_NOTES, (1.0, 6 / 16))) == away(np.log(7 / 4))
    assert float(density_distance(SIX_NOTES, THREE_NOTES, (0.5, 1.0))) == away(np.log(17 / 7))
    assert float(density_distance(phrase(), SIX_NOTES, (9.0, 9.0))) == away(np.log(7), np.log(7))


def test_density_distance_is_a_mean_over_phrases_with_a_slope_toward_what_is_asked():
    origin, made = np.concatenate([SIX_NOTES, SIX_NOTES]), np.concatenate([THREE_NOTES, phrase()])
    alone = [float(density_distance(SIX_NOTES, one, (1.0, 1.0))) for one in (THREE_NOTES, phrase())]
    assert float(density_distance(origin, made, (1.0, 1.0))) == pytest.approx(sum(alone) / 2, rel=1e-5)
    slope = np.asarray(jax.grad(lambda made: density_distance(origin, made, (0.5, 1.0)))(jnp.asarray(made)))
    assert slope[0, 40, 30] > 0 > slope[1, 40, 30]


@pytest.mark.parametrize(
    "term",
    [
        chroma_distance,
        lambda origin, made: density_distance(origin, made, (2.0, 0.5)),
        lambda origin, made: cycle_cross_entropy(origin, 4 * made - 2),
    ],
)
def test_a_batch_costs_the_mean_of_its_halves_as_on_two_devices(term):
    origin = np.concatenate([SIX_NOTES, phrase((0, 64, 30), (0, 64, 37)), THREE_NOTES, phrase()])
    made = np.concatenate([THREE_NOTES, phrase((0, 9, 31)), SIX_NOTES, THREE_NOTES])
    whole, halves = term(origin, made), [term(origin[half], made[half]) for half in np.split(np.arange(4), 2)]
    assert float(halves[0]) != pytest.approx(float(halves[1]), rel=0.01)
    assert float(whole) == pytest.approx(float(sum(halves)) / 2, rel=1e-5)


def test_chroma_distance_counts_beats_of_the_origin_alone_and_has_a_finite_gradient():
    tune, more = phrase((0, 4, 12)), phrase((0, 4, 12), (8, 12, 40))
    assert float(chroma_distance(tune, more)) == pytest.approx(0, abs=1e-3)
    assert float(chroma_distance(phrase(), more)) == 0
    for origin, made in ((tune, phrase()), (phrase(), tune)):
        slope = np.asarray(
            jax.grad(lambda made, origin=origin: chroma_distance(origin, made))(jnp.asarray(made))
        )
        assert np.isfinite(slope).all()
