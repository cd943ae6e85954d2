"""The train step, against the objective written out by hand, with plain SGD in Adam's place."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from support.train_steps import (
    CONFIG,
    DISCRIMINATOR_METRICS,
    GENERATOR_METRICS,
    MIXED_METRICS,
    NORMS,
    RATE,
    SGD,
    STEPS,
    SWAPS_AT_THE_THIRD_STEP,
    batch_of,
    begin,
)

from cyclegan_jax.models.build import build_discriminator, build_generator
from cyclegan_jax.training.discriminator_inputs import NoiseUse, fresh, shared
from cyclegan_jax.training.sample_pool import exchange
from cyclegan_jax.training.train_step import build_train_step


@pytest.fixture(scope="module")
def step():
    return jax.jit(build_train_step(CONFIG, SGD))


@pytest.fixture(scope="module")
def begun():
    return begin(key=SWAPS_AT_THE_THIRD_STEP)


@pytest.fixture(scope="module")
def path(step, begun):
    """State before, batch, state after and metrics of some steps on end."""
    walked, state = [], begun
    for number in range(STEPS):
        after, metrics = step(state, batch_of(number))
        walked.append((state, batch_of(number), after, metrics))
        state = after
    return walked


@jax.jit
def score(params, x):
    return build_discriminator(CONFIG).apply({"params": params}, x)


@jax.jit
def transfer(params, x):
    return build_generator(CONFIG).apply({"params": params}, x)


@jax.jit
def reference(state, batch):
    """The specification in one piece: each network's gradient taken with all others held."""
    a, b, m = (batch[name].astype(jnp.float32) for name in "abm")
    noise_key, pool_key, _ = jax.random.split(jax.random.fold_in(state.key, state.step), 3)
    noise = jnp.abs(0.3 * jax.random.normal(noise_key, a.shape))
    before = state.discriminators

    def generators_loss(generators):
        fake_b, fake_a = transfer(generators["gen_ab"], a), transfer(generators["gen_ba"], b)
        cycle_a, cycle_b = transfer(generators["gen_ba"], fake_b), transfer(generators["gen_ab"], fake_a)
        fooled = jnp.mean((score(before["disc_b"], fake_b + noise) - 1) ** 2)
        fooled += jnp.mean((score(before["disc_a"], fake_a + noise) - 1) ** 2)
        return fooled + 3.0 * (jnp.mean(jnp.abs(cycle_a - a)) + jnp.mean(jnp.abs(cycle_b - b)))

    fake_a, fake_b = transfer(state.generators["gen_ba"], b), transfer(state.generators["gen_ab"], a)
    _, past_a, past_b = exchange(state.pool, fake_a, fake_b, pool_key)

    def judge(params, real, fake):
        return 0.5 * (
            jnp.mean((score(params, real + noise) - 1) ** 2) + jnp.mean(score(params, fake + noise) ** 2)
        )

    def discriminators_loss(params):
        plain = judge(params["disc_a"], a, past_a) + judge(params["disc_b"], b, past_b)
        mixed = judge(params["disc_a_mixed"], m, past_a) + judge(params["disc_b_mixed"], m, past_b)
        return plain + 0.25 * mixed

    handed_past = jnp.any(past_a != fake_a)
    generators = jax.value_and_grad(generators_loss)(state.generators)
    return generators, jax.value_and_grad(discriminators_loss)(state.discriminators), handed_past


def assert_descended(grads, before, after, trace):
    """These were the gradients, and the parameters have gone down them."""

    def check(grad, found, old, new):
        np.testing.assert_allclose(found, grad, rtol=0, atol=1e-4 * np.abs(grad).max())
        np.testing.assert_allclose(new, old - RATE * found, rtol=1e-6, atol=1e-7)

    jax.tree.map(check, grads, trace, before, after)


@pytest.mark.slow
def test_each_step_follows_the_gradients_of_the_written_out_objective(path):
    handed = []
    for before, batch, after, metrics in path:
        (g_loss, g_grads), (d_loss, d_grads), handed_past = reference(before, batch)
        assert metrics["loss/generators"] == pytest.approx(float(g_loss), rel=1e-5)
        assert metrics["loss/discriminators"] == pytest.approx(float(d_loss), rel=1e-5)
        trace = after.generator_optimiser[0].trace
        assert_descended(g_grads, before.generators, after.generators, trace)
        trace = after.discriminator_optimiser[0].trace
        assert_descended(d_grads, before.discriminators, after.discriminators, trace)
        assert metrics["grad_norm/generators"] == pytest.approx(float(optax.tree.norm(g_grads)), rel=1e-3)
        assert metrics["grad_norm/discriminators"] == pytest.approx(float(optax.tree.norm(d_grads)), rel=1e-3)
        handed.append(bool(handed_past))
    assert not any(handed[:2]) and 0 < sum(handed[2:]) < STEPS - 2, "the pool must fill, swap and pass"


def test_the_pool_holds_fakes_from_before_the_update(path):
    before, batch, after, _ = path[0]
    a, b = batch["a"].astype(np.float32), batch["b"].astype(np.float32)
    made_a, made_b = transfer(before.generators["gen_ba"], b), transfer(before.generators["gen_ab"], a)
    np.testing.assert_allclose(after.pool.a[0], made_a, atol=1e-5)
    np.testing.assert_allclose(after.pool.b[0], made_b, atol=1e-5)
    assert np.abs(transfer(after.generators["gen_ab"], a) - made_b).max() > 1e-3


def test_terms_add_up_with_the_configs_weights(path):
    for *_, metrics in path:
        m = {name: float(value) for name, value in metrics.items()}
        cycle = m["loss/cycle_a"] + m["loss/cycle_b"]
        mixed = m["loss/disc_a_mixed"] + m["loss/disc_b_mixed"]
        assert m["loss/generators"] == pytest.approx(m["loss/adv_ab"] + m["loss/adv_ba"] + 3.0 * cycle)
        assert m["loss/discriminators"] == pytest.approx(m["loss/disc_a"] + m["loss/disc_b"] + 0.25 * mixed)


def test_terms_are_named_by_direction_and_domain(path):
    before, batch, _, metrics = path[0]
    gens, a = before.generators, batch["a"].astype(np.float32)
    cycled = transfer(gens["gen_ba"], transfer(gens["gen_ab"], a))
    assert metrics["loss/cycle_a"] == pytest.approx(float(jnp.abs(cycled - a).mean()), rel=1e-4)
    noise = shared(jax.random.split(jax.random.fold_in(before.key, 0), 3)[0], a.shape, 0.3)(
        NoiseUse.DISC_A_REAL
    )
    scores = score(before.discriminators["disc_b"], transfer(gens["gen_ab"], a) + noise)
    assert metrics["loss/adv_ab"] == pytest.approx(float(jnp.square(scores - 1).mean()), rel=1e-4)


def test_a_step_is_pure_and_counts(path, step):
    before, batch, after, metrics = path[2]
    again, metrics_again = step(before, batch)
    jax.tree.map(np.testing.assert_array_equal, (after, metrics), (again, metrics_again))
    assert [int(state.step) for state, *_ in path] == list(range(STEPS))
    np.testing.assert_array_equal(after.key, before.key)


def test_each_step_draws_anew_from_the_key_and_the_step(path, step):
    before, batch, _, metrics = path[0]
    for changed in (before.replace(step=before.step + 1), before.replace(key=jax.random.PRNGKey(6))):
        other = step(changed, batch)[1]
        assert other["loss/disc_a"] != metrics["loss/disc_a"]
        assert other["loss/cycle_a"] == metrics["loss/cycle_a"]


def test_metrics_have_these_names_and_are_finite_scalars(path):
    metrics = path[-1][-1]
    assert set(metrics) == GENERATOR_METRICS | DISCRIMINATOR_METRICS | NORMS | MIXED_METRICS
    assert all(value.shape == () and np.isfinite(value) for value in metrics.values())


@pytest.mark.slow
@pytest.mark.parametrize("model", ["base", "partial"])
def test_every_model_trains_the_generators_of_full_to_the_bit(path, model):
    state = begin(key=SWAPS_AT_THE_THIRD_STEP, model=model)
    step = jax.jit(build_train_step(dataclasses.replace(CONFIG, model=model), SGD))
    for number in range(3):
        batch = batch_of(number)
        if model == "base":
            del batch["m"]
        state, metrics = step(state, batch)
    full = path[2][2]
    jax.tree.map(np.testing.assert_array_equal, state.generators, full.generators)
    jax.tree.map(np.testing.assert_array_equal, state.pool, full.pool)
    mixed = MIXED_METRICS if model == "partial" else set()
    assert set(metrics) == GENERATOR_METRICS | DISCRIMINATOR_METRICS | NORMS | mixed
    assert len(state.discriminators) == 2 + len(mixed)


def test_noise_is_the_absolute_value_of_a_normal_draw():
    noise = np.asarray(shared(jax.random.PRNGKey(0), (100_000,), 0.3)(NoiseUse.DISC_A_REAL))
    assert noise.min() >= 0.0
    assert noise.mean() == pytest.approx(0.3 * np.sqrt(2 / np.pi), rel=0.01)
    assert np.square(noise).mean() == pytest.approx(0.09, rel=0.02)


def test_shared_noise_is_one_draw_and_fresh_noise_is_signed_and_one_a_use():
    key, shape = jax.random.PRNGKey(3), (100_000,)
    one, other = (shared(key, shape, 0.3)(use) for use in (NoiseUse.DISC_A_REAL, NoiseUse.DISC_A_FAKE))
    np.testing.assert_array_equal(one, other)
    drawn = fresh(key, shape, 0.3)
    one, other = (np.asarray(drawn(use)) for use in (NoiseUse.DISC_A_REAL, NoiseUse.DISC_A_FAKE))
    assert abs(one.mean()) < 0.005 and one.std() == pytest.approx(0.3, rel=0.01)
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.02
    np.testing.assert_array_equal(one, drawn(NoiseUse.DISC_A_REAL))


@pytest.mark.parametrize("kind", [shared, fresh])
def test_no_noise_at_sigma_zero(kind):
    assert not np.any(kind(jax.random.PRNGKey(0), (10,), 0.0)(NoiseUse.DISC_A_REAL))
