"""The state before the first step, the schedule and the optimiser."""

import dataclasses
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cyclegan_jax.config import Config
from cyclegan_jax.training.state import build_optimiser, create_state, draw_state, learning_rate, state_shapes

CONFIG = Config(
    pair=("jazz", "pop"),
    genres=("jazz", "pop"),
    fingerprint="",
    steps=10,
    constant_steps=5,
    width=4,
    blocks=1,
    batch_size=4,
    pool_size=2,
)
NETWORKS = ("gen_ab", "gen_ba", "disc_a", "disc_b", "disc_a_mixed", "disc_b_mixed")


def create(**changes):
    config = dataclasses.replace(CONFIG, **changes)
    return draw_state(config, build_optimiser(config))


@pytest.mark.slow
def test_the_state_made_by_one_program_is_the_one_drawn_and_has_its_shapes():
    made, drawn_now = create_state(CONFIG, build_optimiser(CONFIG)), jax.jit(create)()
    jax.tree.map(np.testing.assert_array_equal, made, drawn_now)
    shapes = state_shapes(CONFIG, build_optimiser(CONFIG))
    assert jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), made) == jax.tree.map(
        lambda leaf: (leaf.shape, leaf.dtype), shapes
    )


def drawn(*configs):
    """The key and some weights of states just begun; what is not asked for need not be compiled."""

    def some_of(network):
        norm = (
            network["residual_blocks"]["InstanceNorm_1"]
            if "residual_blocks" in network
            else network["InstanceNorm_0"]
        )
        return {"kernel": network["Conv_1"]["kernel"], "scale": norm["scale"], "offset": norm["offset"]}

    @jax.jit
    def draw():
        states = [create(**changes) for changes in configs]
        return [
            (s.key, jax.tree.map(some_of, s.generators | s.discriminators, is_leaf=is_network))
            for s in states
        ]

    return jax.device_get(draw())


def is_network(tree):
    return "Conv_1" in tree


@pytest.fixture(scope="module")
def begun():
    """base and full of seed 0, and base of seed 1."""
    names = ("base", "full", "reseeded")
    changes = [{"model": "base"}, {"model": "full"}, {"model": "base", "seed": 1}]
    return dict(zip(names, drawn(*changes), strict=True))


def test_a_state_begins_at_step_zero_with_an_empty_pool_and_still_optimisers():
    @jax.jit
    def begin():
        state = create()
        return state.step, state.pool, state.generator_optimiser, state.discriminator_optimiser

    step, pool, *optimisers = begin()
    assert step == 0 and step.dtype == jnp.int32
    assert pool.a.shape == pool.b.shape == (2, 4, 64, 84, 1)
    assert pool.filled == 0 and not np.any(pool.a) and not np.any(pool.b)
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(optimisers))


@pytest.mark.parametrize("model, discriminators", [("base", 2), ("partial", 4), ("full", 4)])
def test_base_has_two_discriminators_and_the_others_four_under_two_optimisers(model, discriminators):
    state = jax.eval_shape(lambda: create(model=model))
    assert list(state.generators) == ["gen_ab", "gen_ba"]
    assert set(state.discriminators) == set(NETWORKS[2 : 2 + discriminators])
    for part, optimiser in (
        (state.generators, state.generator_optimiser),
        (state.discriminators, state.discriminator_optimiser),
    ):
        assert jax.tree.structure(optimiser[0].mu) == jax.tree.structure(part)


def test_no_two_networks_begin_alike(begun):
    networks = begun["full"][1]
    assert set(networks) == set(NETWORKS)
    for kind in (NETWORKS[:2], NETWORKS[2:]):
        for one, other in itertools.combinations(kind, 2):
            for part in ("kernel", "scale"):
                assert not np.any(networks[one][part] == networks[other][part])


def test_full_begins_with_the_generators_discriminators_and_key_of_base(begun):
    (base_key, base), (key, networks) = begun["base"], begun["full"]
    shared = {name: networks[name] for name in NETWORKS[:4]}
    jax.tree.map(np.testing.assert_array_equal, (base_key, base), (key, shared))


def test_another_seed_gives_other_weights_and_another_key(begun):
    (key, networks), (other_key, others) = begun["base"], begun["reseeded"]
    for name, network in networks.items():
        assert not np.any(network["kernel"] == others[name]["kernel"])
    assert not np.array_equal(key, other_key)


def test_weights_scales_and_offsets_begin_as_specified(begun):
    parts = {
        part: np.concatenate([np.ravel(network[part]) for network in begun["full"][1].values()])
        for part in ("kernel", "scale", "offset")
    }
    assert np.abs(parts["kernel"]).max() <= 0.04
    assert parts["kernel"].std() == pytest.approx(0.0176, rel=0.03)
    assert parts["scale"].mean() == pytest.approx(1.0, abs=0.01)
    assert parts["scale"].std() == pytest.approx(0.02, rel=0.25)
    assert not np.any(parts["offset"])


@pytest.mark.parametrize(
    "constant, shares",
    [
        (5, {0: 1.0, 4: 1.0, 5: 1.0, 6: 0.8, 9: 0.2, 10: 0.0}),
        (0, {0: 1.0, 5: 0.5, 9: 0.1, 10: 0.0}),
        (8, {0: 1.0, 8: 1.0, 9: 0.5, 10: 0.0}),
        (10, {0: 1.0, 9: 1.0}),
    ],
)
def test_the_learning_rate_is_constant_then_falls_to_zero_at_the_end(constant, shares):
    schedule = learning_rate(dataclasses.replace(CONFIG, constant_steps=constant, learning_rate=0.5))
    for step, share in shares.items():
        assert schedule(step) == pytest.approx(0.5 * share, abs=1e-6)


def test_the_optimiser_is_adam_with_the_configs_numbers():
    config = dataclasses.replace(CONFIG, steps=4, constant_steps=2, learning_rate=0.1, beta1=0.3, beta2=0.8)
    optimiser, params = build_optimiser(config), jnp.array([1.0, -2.0])
    state, mean, square = optimiser.init(params), np.zeros(2), np.zeros(2)
    for number, rate in enumerate([0.1, 0.1, 0.1, 0.05], start=1):
        grads = np.array([0.5 * number, -3.0 / number])
        mean, square = 0.3 * mean + 0.7 * grads, 0.8 * square + 0.2 * grads**2
        step = (mean / (1 - 0.3**number)) / (np.sqrt(square / (1 - 0.8**number)) + 1e-8)
        updates, state = optimiser.update(jnp.asarray(grads), state, params)
        np.testing.assert_allclose(updates, -rate * step, rtol=1e-4)
