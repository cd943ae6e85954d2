"""Every choice of a config that differs from the paper's, against its term written out by hand."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_steps import CONFIG, RATE, SGD, batch_of, begin

from cyclegan_jax import config, losses, noise, notes, objective
from cyclegan_jax.objective import Objective
from cyclegan_jax.state import build_discriminator, build_generator
from cyclegan_jax.steps import build_train_step

A, B = (jnp.asarray(batch_of(5)[genre], jnp.float32) for genre in "ab")
DRAWS = {genre: jax.random.logistic(jax.random.PRNGKey(seed), A.shape) for seed, genre in enumerate("ab")}
LEVEL = {"judging": 0.05, "real": 0.1, "fake": 0.2}


@pytest.fixture(scope="module")
def state():
    return begin(key=0)


def terms_of(state, **changes):
    """Loss, fakes and terms of the generators, compiled in one piece."""
    changed = dataclasses.replace(CONFIG, **changes)
    loss, (fake_a, fake_b, terms) = jax.jit(
        lambda g, d: Objective(changed).generators(g, d, A, B, noise_of, DRAWS, 0)
    )(state.generators, state.discriminators)
    return float(loss), fake_a, fake_b, {name: float(value) for name, value in terms.items()}


def discriminate(changed, state, pairs):
    return jax.jit(lambda d: Objective(changed).discriminators(d, pairs, noise_of))(state.discriminators)


def noise_of(use):
    """A number for each use, so that none can stand in for another."""
    return jnp.full_like(A, LEVEL[use.split()[1]])


def logits(state, name, x, identity=0.0):
    generator = build_generator(dataclasses.replace(CONFIG, identity_logits=identity))
    return jax.jit(lambda p, x: generator.apply({"params": p}, x, method="logits"))(state.generators[name], x)


def score(state, name, x):
    return jax.jit(build_discriminator(CONFIG).apply)({"params": state.discriminators[name]}, x)


ROBUST = {
    "identity_logits": 0.5,
    "fakes": "notes",
    "adversarial": "hinge",
    "cycle": "margin",
    "note_weight": 6.0,
    "gamma_generators": 0.75,
    "lambda_chroma": 0.625,
    "lambda_density": 0.875,
    "density_b_over_a": (2.5, 1.25),
}


def test_every_term_of_the_robust_objective_by_hand(state):
    loss, fake_a, fake_b, terms = terms_of(state, **ROBUST)
    logits_b, logits_a = logits(state, "gen_ab", A, 0.5), logits(state, "gen_ba", B, 0.5)
    np.testing.assert_array_equal(fake_b, logits_b > 0)
    np.testing.assert_array_equal(fake_a, logits_a > 0)
    assert 0 < float(fake_b.mean()) < 1 and 0 < float(fake_a.mean()) < 1
    expected = {
        "loss/adv_ab": -score(state, "disc_b", fake_b + 0.05).mean(),
        "loss/adv_ba": -score(state, "disc_a", fake_a + 0.05).mean(),
        "loss/adv_ab_mixed": -score(state, "disc_b_mixed", fake_b + 0.05).mean(),
        "loss/adv_ba_mixed": -score(state, "disc_a_mixed", fake_a + 0.05).mean(),
        "loss/cycle_a": losses.weighted_margin(A, logits(state, "gen_ba", fake_b, 0.5), 6.0),
        "loss/cycle_b": losses.weighted_margin(B, logits(state, "gen_ab", fake_a, 0.5), 6.0),
        "loss/chroma_ab": losses.chroma_distance(A, jax.nn.sigmoid(logits_b)),
        "loss/chroma_ba": losses.chroma_distance(B, jax.nn.sigmoid(logits_a)),
        "loss/density_ab": losses.density_distance(A, logits_b > 0, (2.5, 1.25)),
        "loss/density_ba": losses.density_distance(B, logits_a > 0, (0.4, 0.8)),
    }
    assert {name: terms[name] for name in expected} == pytest.approx(
        {name: float(value) for name, value in expected.items()}, rel=1e-3, abs=1e-5
    )
    weights = {"adv": 1.0, "cycle": 3.0, "chroma": 0.625, "density": 0.875}
    total = sum(
        (0.75 if "mixed" in name else weights[name.split("/")[1].split("_")[0]]) * terms[name]
        for name in expected
    )
    assert loss == pytest.approx(total, rel=1e-5)
    assert set(terms) == {*expected, "loss/generators", "lambda_cycle"}


def test_the_cycle_weighs_more_as_the_rate_falls(state):
    """Through the whole step, which has to hand its own number on: 5 at first, 20 where an 11th would be."""
    changed = dataclasses.replace(CONFIG, steps=10, constant_steps=4, lambda_cycle=5.0, cycle_growth=4.0)
    step = jax.jit(build_train_step(changed, SGD))
    for number, weight in ((0, 5.0), (4, 5.0), (7, 12.5), (9, 17.5)):
        _, metrics = step(state.replace(step=jnp.asarray(number)), batch_of(5))
        cycle = metrics["loss/cycle_a"] + metrics["loss/cycle_b"]
        others = metrics["loss/adv_ab"] + metrics["loss/adv_ba"]
        assert float(metrics["loss/generators"]) == pytest.approx(float(others + weight * cycle), rel=1e-5)
        assert float(metrics["lambda_cycle"]) == pytest.approx(weight)


def test_sampled_fakes_come_from_the_draws(state):
    _, fake_a, fake_b, _ = terms_of(state, fakes="sampled")
    np.testing.assert_array_equal(fake_b, logits(state, "gen_ab", A) + DRAWS["b"] > 0)
    np.testing.assert_array_equal(fake_a, logits(state, "gen_ba", B) + DRAWS["a"] > 0)


def test_the_mixed_discriminators_move_the_generators_only_by_their_own_weight(state):
    def gradient(**changes):
        built = Objective(dataclasses.replace(CONFIG, **changes))
        return jax.jit(jax.grad(lambda g, d: built.generators(g, d, A, B, noise_of, DRAWS, 0)[0]))

    changed = state.discriminators | {
        name: jax.tree.map(lambda leaf: leaf * 1.5, state.discriminators[name])
        for name in ("disc_a_mixed", "disc_b_mixed")
    }
    for weight, reaches in ((0.0, False), (0.5, True)):
        take = gradient(gamma_generators=weight)
        one, other = (take(state.generators, d) for d in (state.discriminators, changed))
        differ = [
            bool((a != b).any()) for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
        ]
        assert any(differ) == reaches


def test_the_hinge_of_the_discriminators(state):
    changed = dataclasses.replace(CONFIG, adversarial="hinge")
    loss, terms = discriminate(changed, state, {"disc_a": (A, B)})
    real, fake = score(state, "disc_a", A + 0.1), score(state, "disc_a", B + 0.2)
    expected = losses.hinge_discrimination(real, fake)
    assert float(terms["loss/disc_a"]) == pytest.approx(float(expected), rel=1e-4)
    assert float(loss) == pytest.approx(float(expected), rel=1e-4)


@pytest.fixture(scope="module")
def step():
    """A step whose discriminators learn more slowly, and whose generators are averaged."""
    return jax.jit(build_train_step(dataclasses.replace(CONFIG, rate_d=0.25, ema_decay=0.5), SGD))


def test_discriminators_learn_at_their_own_rate(state, step):
    before = state.replace(ema=state.generators)
    after, _ = step(before, batch_of(1))
    for part, share in (("generator", 1.0), ("discriminator", 0.25)):
        gradients = getattr(after, f"{part}_optimiser")[0].trace
        jax.tree.map(
            lambda new, old, grad, share=share: np.testing.assert_allclose(
                new, old - share * RATE * grad, rtol=1e-6, atol=1e-7
            ),
            getattr(after, f"{part}s"),
            getattr(before, f"{part}s"),
            gradients,
        )


def test_the_average_follows_the_generators(state, step):
    first = state.replace(step=jnp.int32(100), ema=jax.tree.map(jnp.zeros_like, state.generators))
    second, _ = step(first, batch_of(1))
    third, _ = step(second, batch_of(2))
    for old, new, mean in zip(
        *(jax.tree.leaves(t) for t in (second.generators, third.generators, third.ema)), strict=True
    ):
        np.testing.assert_allclose(mean, 0.25 * old + 0.5 * new, rtol=1e-5, atol=1e-7)
    assert third.transferring is third.ema
    assert state.transferring is state.generators


def test_a_young_average_forgets_sooner(state, step):
    begun = state.replace(ema=jax.tree.map(jnp.zeros_like, state.generators))
    after, _ = step(begun, batch_of(1))
    for new, mean in zip(jax.tree.leaves(after.generators), jax.tree.leaves(after.ema), strict=True):
        np.testing.assert_allclose(mean, 0.9 * new, rtol=1e-5, atol=1e-7)


def test_straight_through_is_a_step_with_the_slope_of_a_ramp():
    x = jnp.array([-3.0, -1.9, -0.1, 0.0, 0.1, 1.9, 3.0])
    np.testing.assert_array_equal(notes.straight_through(x), [0, 0, 0, 0, 1, 1, 1])
    slope = jax.grad(lambda x: notes.straight_through(x).sum())(x)
    np.testing.assert_allclose(slope, [0, 0.25, 0.25, 0.25, 0.25, 0.25, 0])


def test_the_binary_concrete_draws_by_probability_with_the_slope_of_the_soft_draw():
    draws = jax.random.logistic(jax.random.PRNGKey(0), (20_000,))
    drawn = notes.sampled(jnp.full(20_000, -1.0), draws)
    assert set(np.unique(drawn)) == {0.0, 1.0}
    assert float(drawn.mean()) == pytest.approx(float(jax.nn.sigmoid(-1.0)), abs=0.01)
    x, draw = jnp.array([0.3, -2.0]), jnp.array([-0.5, 1.0])
    slope = jax.grad(lambda x: notes.sampled(x, draw).sum())(x)
    soft = jax.nn.sigmoid((x + draw) / notes.TEMPERATURE)
    np.testing.assert_allclose(slope, soft * (1 - soft) / notes.TEMPERATURE, rtol=1e-5)


def test_every_word_that_a_config_allows_has_its_meaning_and_no_other_has_one():
    assert set(config.FAKES) == set(notes.FAKES)
    assert set(config.NOISE) == set(noise.NOISE)
    assert set(config.ADVERSARIAL) == set(objective.ADVERSARIAL)
    assert set(config.CYCLE) == set(objective.CYCLE)
