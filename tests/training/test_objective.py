"""Every choice of a config that differs from the paper's, against its term written out by hand."""

import dataclasses
import zlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support.train_steps import CONFIG, SGD, batch_of, begin

from cyclegan_jax.config import Config
from cyclegan_jax.models.build import build_discriminator, build_generator
from cyclegan_jax.pianoroll.features import begun
from cyclegan_jax.training import discriminator_inputs, losses, objective
from cyclegan_jax.training.discriminator_inputs import NoiseUse
from cyclegan_jax.training.objective import Objective
from cyclegan_jax.training.train_step import build_train_step

A, B = (jnp.asarray(batch_of(5)[genre], jnp.float32) for genre in "ab")
LEVEL = {"judging": 0.05, "real": 0.1, "fake": 0.2}


@pytest.fixture(scope="module")
def state():
    return begin(key=0)


def terms_of(state, **changes):
    """Loss, fakes and terms of the generators, compiled in one piece."""
    changed = dataclasses.replace(CONFIG, **changes)
    loss, (fake_a, fake_b, terms) = jax.jit(
        lambda g, d: Objective(changed).generators(g, d, A, B, noise_of, 0)
    )(state.generators, state.discriminators)
    return float(loss), fake_a, fake_b, {name: float(value) for name, value in terms.items()}


def discriminate(changed, state, pairs):
    return jax.jit(lambda d: Objective(changed).discriminators(d, pairs, noise_of))(state.discriminators)


def noise_of(use):
    """A number for each use, so that none can stand in for another."""
    return jnp.full_like(A, LEVEL[use.value.split()[1]])


def logits(state, name, x, identity=0.0):
    generator = build_generator(dataclasses.replace(CONFIG, identity_logits=identity))
    return jax.jit(lambda p, x: generator.apply({"params": p}, x, method="logits"))(state.generators[name], x)


def score(state, name, x):
    return jax.jit(build_discriminator(CONFIG).apply)({"params": state.discriminators[name]}, x)


ROBUST = {
    "identity_logits": 0.5,
    "fakes": "notes",
    "adversarial": "hinge",
    "cycle": "cross_entropy",
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
        "loss/cycle_a": losses.cycle_cross_entropy(A, logits(state, "gen_ba", fake_b, 0.5)),
        "loss/cycle_b": losses.cycle_cross_entropy(B, logits(state, "gen_ab", fake_a, 0.5)),
        "loss/chroma_ab": losses.chroma_distance(A, jax.nn.sigmoid(logits_b)),
        "loss/chroma_ba": losses.chroma_distance(B, jax.nn.sigmoid(logits_a)),
        "loss/density_ab": losses.density_distance(A, logits_b > 0, (2.5, 1.25)),
        "loss/density_ba": losses.density_distance(B, logits_a > 0, (0.4, 0.8)),
    }
    assert {name: terms[name] for name in expected} == pytest.approx(
        {name: float(value) for name, value in expected.items()}, rel=1e-3, abs=1e-5
    )
    weights = {"adv": 1.0, "cycle": 3.0, "chroma": 0.625, "density": 0.875}
    total = sum(weights[name.split("/")[1].split("_")[0]] * terms[name] for name in expected)
    assert loss == pytest.approx(total, rel=1e-5)
    assert set(terms) == {*expected, "loss/generators", "weight_growth"}


@pytest.mark.slow
def test_with_onsets_cycle_consistency_is_added_over_channels_and_fakes_begin_notes():
    """Density counts the fakes' onsets; chroma is of what sounds."""
    config = dataclasses.replace(CONFIG, **ROBUST, onsets=True)
    both = begun(np.random.default_rng(5).random((2, 4, 64, 84, 2)).reshape(-1, 64, 84, 2) < 0.2)
    a, b = jnp.asarray(both.reshape(2, 4, 64, 84, 2), jnp.float32)
    state, generator = begin(key=0, onsets=True), build_generator(config)

    def logits_of(name: str, x: jax.Array) -> jax.Array:
        return jax.jit(lambda p, x: generator.apply({"params": p}, x, method="logits"))(
            state.generators[name], x
        )

    _, (_, fake_b, terms) = jax.jit(
        lambda g, d: Objective(config).generators(g, d, a, b, lambda use: jnp.zeros_like(a), 0)
    )(state.generators, state.discriminators)
    logits_b = logits_of("gen_ab", a)
    np.testing.assert_array_equal(fake_b, begun(np.asarray(logits_b > 0)))
    cycle = logits_of("gen_ba", fake_b)
    by_channel = [losses.cycle_cross_entropy(a[..., n], cycle[..., n]) for n in range(2)]
    expected = {
        "loss/cycle_a": sum(by_channel),
        "loss/density_ab": losses.density_distance(a, fake_b, (2.5, 1.25)),
        "loss/chroma_ab": losses.chroma_distance(a[..., :1], jax.nn.sigmoid(logits_b[..., :1])),
    }
    for name, value in expected.items():
        assert float(terms[name]) == pytest.approx(float(value), rel=1e-3, abs=1e-5), name


@pytest.mark.slow
def test_cycle_and_density_weigh_more_as_the_rate_falls(state):
    """Through the whole step, which has to hand its own number on: 1 at first, 4 where an 11th would be."""
    changes = {"lambda_cycle": 5.0, "weight_growth": 4.0, "lambda_chroma": 0.625, "lambda_density": 0.875}
    changed = dataclasses.replace(CONFIG, steps=10, constant_steps=4, **changes)
    step = jax.jit(build_train_step(changed, SGD))
    for number, growth in ((0, 1.0), (4, 1.0), (7, 2.5), (9, 3.5)):
        _, metrics = step(state.replace(step=jnp.asarray(number)), batch_of(5))
        adversarial = metrics["loss/adv_ab"] + metrics["loss/adv_ba"]
        cycle = metrics["loss/cycle_a"] + metrics["loss/cycle_b"]
        chroma = metrics["loss/chroma_ab"] + metrics["loss/chroma_ba"]
        density = metrics["loss/density_ab"] + metrics["loss/density_ba"]
        expected = adversarial + 0.625 * chroma + growth * (5.0 * cycle + 0.875 * density)
        assert float(metrics["loss/generators"]) == pytest.approx(float(expected), rel=1e-5)
        assert float(metrics["weight_growth"]) == pytest.approx(growth)


def test_the_mixed_discriminators_have_no_part_in_the_generators_loss(state):
    take = jax.jit(jax.grad(lambda g, d: Objective(CONFIG).generators(g, d, A, B, noise_of, 0)[0]))

    def moves(*names: str) -> bool:
        changed = {name: jax.tree.map(lambda leaf: leaf * 1.5, state.discriminators[name]) for name in names}
        one, other = (
            take(state.generators, d) for d in (state.discriminators, state.discriminators | changed)
        )
        leaves = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
        return any(bool((a != b).any()) for a, b in leaves)

    assert moves("disc_a") and moves("disc_b")
    assert not moves("disc_a_mixed", "disc_b_mixed")


def test_the_hinge_of_the_discriminators(state):
    changed = dataclasses.replace(CONFIG, adversarial="hinge")
    loss, terms = discriminate(changed, state, {"disc_a": (A, B)})
    real, fake = score(state, "disc_a", A + 0.1), score(state, "disc_a", B + 0.2)
    expected = losses.hinge_discrimination(real, fake)
    assert float(terms["loss/disc_a"]) == pytest.approx(float(expected), rel=1e-4)
    assert float(loss) == pytest.approx(float(expected), rel=1e-4)


@pytest.fixture(scope="module")
def step():
    """A step whose generators are averaged."""
    return jax.jit(build_train_step(dataclasses.replace(CONFIG, ema_decay=0.5), SGD))


@pytest.mark.slow
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


def test_draws_of_noise_are_keyed_by_these_strings_and_a_typo_is_an_error():
    inputs = [f"{name} {kind}" for name in ("disc_a", "disc_b") for kind in ("judging", "real", "fake")]
    inputs += [f"{name}_mixed {kind}" for name in ("disc_a", "disc_b") for kind in ("real", "fake")]
    assert {use.value for use in NoiseUse} == set(inputs)
    key = jax.random.key(3)
    drawn = discriminator_inputs.fresh(key, (2, 3), 0.5)(NoiseUse.DISC_A_REAL)
    expected = 0.5 * jax.random.normal(jax.random.fold_in(key, zlib.crc32(b"disc_a real")), (2, 3))
    np.testing.assert_array_equal(drawn, expected)
    with pytest.raises(ValueError, match="disc_a reel"):
        NoiseUse("disc_a reel")


def test_straight_through_is_a_step_with_the_slope_of_a_ramp():
    x = jnp.array([-3.0, -1.9, -0.1, 0.0, 0.1, 1.9, 3.0])
    np.testing.assert_array_equal(discriminator_inputs.straight_through(x), [0, 0, 0, 0, 1, 1, 1])
    slope = jax.grad(lambda x: discriminator_inputs.straight_through(x).sum())(x)
    np.testing.assert_allclose(slope, [0, 0.25, 0.25, 0.25, 0.25, 0.25, 0])


def test_every_word_that_a_config_allows_has_its_meaning_and_no_other_has_one():
    meanings = {
        "fakes": discriminator_inputs.FAKES,
        "noise": discriminator_inputs.NOISE,
        "adversarial": objective.ADVERSARIAL,
        "cycle": objective.CYCLE,
    }
    choices = {field.name: field.metadata.get("choices") for field in dataclasses.fields(Config)}
    for name, functions in meanings.items():
        assert set(choices[name]) == set(functions)
