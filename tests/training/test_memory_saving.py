"""Steps that make do with less memory: the same step, and what is held for it."""

import dataclasses

import jax
import numpy as np
import pytest
from support.train_steps import CONFIG, SGD, SURE, SWAPS_AT_THE_THIRD_STEP, batch_of, begin

from cyclegan_jax.config import PRESETS, RECIPES, Config
from cyclegan_jax.errors import UserError
from cyclegan_jax.models.kernels import PLAIN
from cyclegan_jax.pianoroll.packing import pack_bits
from cyclegan_jax.training.data_parallel import Parallel, check_divides
from cyclegan_jax.training.memory_saving import MemorySaving
from cyclegan_jax.training.objective import Objective
from cyclegan_jax.training.state import build_optimiser, state_shapes
from cyclegan_jax.training.train_step import build_train_step

STEPS = 3
FRESH = dataclasses.replace(CONFIG, noise="fresh")


@pytest.fixture(scope="module")
def histories():
    """By three draws of weights: states one after another, and the metrics of each step between them.

    Where rounding tips over a ReLU of one draw, on one kind of processor, it hardly does so in all.
    """
    step = jax.jit(build_train_step(FRESH, SGD))

    def walk(weights):
        states, metrics = [begin(key=SWAPS_AT_THE_THIRD_STEP, weights=weights)], []
        for number in range(STEPS):
            state, terms = step(states[-1], batch_of(number))
            states.append(state)
            metrics.append(terms)
        return jax.device_get((states, metrics))

    return [walk(weights) for weights in (SURE, SURE + 1, SURE + 2)]


@pytest.fixture(scope="module")
def history(histories):
    return histories[0]


def assert_the_same(state, expected):
    def check(found, leaf):
        np.testing.assert_allclose(found, leaf, rtol=0, atol=1e-4 * max(np.abs(leaf).max(), 1e-3))

    jax.tree.map(check, state, expected)


def assert_the_same_steps(step, history):
    states, metrics = history
    for number, expected_terms in enumerate(metrics):
        state, terms = step(states[number], batch_of(number))
        assert_the_same(state, states[number + 1])
        assert terms.keys() == expected_terms.keys()
        for name in terms:
            assert terms[name] == pytest.approx(expected_terms[name], rel=1e-4), name


@pytest.mark.slow
def test_a_step_that_saves_memory_is_the_same_step(histories):
    step = jax.jit(build_train_step(FRESH, SGD, memory=MemorySaving(accumulate=2, remat=True)))
    failures = []
    for history in histories:
        try:
            return assert_the_same_steps(step, history)
        except AssertionError as failure:
            failures.append(failure)
    raise failures[0]


@pytest.mark.slow
def test_without_a_cpu_microbatches_are_a_loop_of_the_same_step(history, monkeypatch):
    before = history[0][-2]

    def lowered(memory: MemorySaving) -> jax.stages.Lowered:
        return jax.jit(build_train_step(FRESH, SGD, memory=memory)).lower(before, batch_of(0))

    written_out = lowered(MemorySaving(accumulate=4)).as_text().count("stablehlo.while")
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    whole, looped = lowered(MemorySaving()), lowered(MemorySaving(accumulate=4))
    assert looped.as_text().count("stablehlo.while") >= written_out + 2
    (expected, _), (state, _) = (step.compile()(before, batch_of(0)) for step in (whole, looped))
    assert_the_same(state, expected)


@pytest.mark.nightly
def test_the_terms_of_robust_are_means_over_microbatches_too():
    config = Config(**{**CONFIG.__dict__, **RECIPES["robust"], "pool_size": 0, "ema_decay": 0.0})
    state = begin(
        key=0, **{name: getattr(config, name) for name in ("model", "positions", "skips", "pool_size")}
    )
    whole, parts = (
        jax.jit(build_train_step(config, SGD, memory=memory))(state, batch_of(0))[1]
        for memory in (MemorySaving(), MemorySaving(accumulate=4))
    )
    assert {"loss/chroma_ab", "loss/density_ba", "loss/cycle_a"} <= whole.keys() == parts.keys()
    for name in whole:
        assert float(parts[name]) == pytest.approx(float(whole[name]), rel=1e-3, abs=1e-6), name


def test_what_is_held_between_forward_and_back_shrinks_by_remat():
    state = begin(key=0)
    batch = batch_of(0)

    def held(remat: bool) -> int:
        objective = Objective(CONFIG, remat=remat)

        def pull_back(generators, a, b):
            return jax.vjp(
                lambda g: objective.generators(g, state.discriminators, a, b, lambda use: 0.0, 0)[0],
                generators,
            )[1]

        kept = jax.eval_shape(pull_back, state.generators, *(batch[name].astype(np.float32) for name in "ab"))
        return sum(leaf.size for leaf in jax.tree.leaves(kept))

    assert held(remat=True) < held(remat=False) / 4


def test_parts_over_devices_must_divide_the_batch():
    with pytest.raises(UserError, match=r"batch_size is 16\b.* devices by accumulate, 2 × 3\b"):
        check_divides(16, 2, 3)
    with pytest.raises(UserError, match=r"batch_size is 4\b.* 1 × 3\b"):
        Parallel(CONFIG, SGD, jax.devices()[:1], memory=MemorySaving(accumulate=3))
    with pytest.raises(UserError, match="accumulate is 0, but must be between 1"):
        MemorySaving(accumulate=0)


@pytest.mark.slow
def test_two_devices_in_parts_do_as_one(history):
    parallel = Parallel(FRESH, SGD, jax.devices()[:2], memory=MemorySaving(accumulate=2))
    before, after = history[0][-2:]
    batch = batch_of(STEPS - 1)
    table = parallel.hold(np.concatenate([pack_bits(rolls) for rolls in batch.values()]))
    rows = {name: 4 * place + np.arange(4) for place, name in enumerate(batch)}
    state, _ = parallel.steps(parallel.scatter(before), table, [rows])
    assert_the_same(parallel.gather(state), after)


@pytest.mark.slow
def test_the_papers_batch_of_16_fits_in_6_gib():
    sizes = {name: PRESETS["paper"][name] for name in ("width", "blocks", "batch_size")}
    config = Config(("a", "b"), ("a", "b"), "", steps=2, constant_steps=1, **sizes)
    optimiser = build_optimiser(config)
    state = state_shapes(config, optimiser)
    rolls = jax.ShapeDtypeStruct((config.batch_size, 64, 84, 1), np.bool_)
    step = jax.jit(build_train_step(config, optimiser, kernels=PLAIN), donate_argnums=0)
    memory = step.lower(state, dict.fromkeys("abm", rolls)).compile().memory_analysis()
    assert 1 < (memory.temp_size_in_bytes + memory.argument_size_in_bytes) / 2**30 < 6
