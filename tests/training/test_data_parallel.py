"""Any number of devices is the same training, and the comparison notices when it is not."""

import dataclasses
import re

import jax
import numpy as np
import pytest
from support.many_devices import LOSSES, STEPS, assert_alike, assert_same_first_step, gradients, step, walk
from support.train_steps import (
    CONFIG,
    SGD,
    SWAPS_AT_THE_THIRD_STEP,
    batch_of,
    begin,
)

from cyclegan_jax.errors import UserError
from cyclegan_jax.pianoroll.packing import as_table
from cyclegan_jax.training import train_step as steps
from cyclegan_jax.training.data_parallel import Parallel, check_divides, from_first_process


@pytest.fixture(scope="module")
def begun():
    return begin(key=SWAPS_AT_THE_THIRD_STEP)


@pytest.fixture(scope="module")
def alone(begun):
    return walk(1, begun)


@pytest.fixture(scope="module")
def four(begun):
    return walk(4, begun)


def test_one_and_four_devices_have_the_same_losses_and_averaged_gradients_at_step_one(alone, four):
    assert_same_first_step(alone, four)
    assert all(np.abs(leaf).max() > 1e-4 for leaf in jax.tree.leaves(gradients(alone[0])))


def test_one_and_four_devices_have_the_same_parameters_after_three_steps(alone, four):
    for part in ("generators", "discriminators", "step", "key"):
        assert_alike(getattr(alone[0][-1], part), getattr(four[0][-1], part))
    for one, other in zip(alone[1], four[1], strict=True):
        assert_alike(*({n: v for n, v in m.items() if "grad" not in n} for m in (one, other)))


def test_one_and_four_devices_have_the_same_pool(alone, four):
    filled_two, swapped = (alone[0][number].pool for number in (2, 3))
    assert filled_two.filled == 2
    assert np.any(filled_two.a != swapped.a) and np.any(filled_two.b != swapped.b)
    for one, other in zip(alone[0], four[0], strict=True):
        assert_alike(one.pool, other.pool)


@pytest.mark.slow
@pytest.mark.parametrize(
    "reduce",
    [
        lambda tree, devices: jax.lax.psum(tree, steps.AXIS) if devices > 1 else tree,
        lambda tree, devices: tree,
    ],
    ids=["summed", "left_unaveraged"],
)
def test_gradients_not_averaged_are_noticed(alone, begun, monkeypatch, reduce):
    def broken(tree, devices):
        *grads, metrics = tree
        return *reduce(tuple(grads), devices), averaged(metrics, devices)

    averaged = steps.mean_over_devices
    monkeypatch.setattr(steps, "mean_over_devices", broken)
    with pytest.raises(AssertionError):
        assert_same_first_step(alone, walk(4, begun, steps=1))


@pytest.mark.slow
@pytest.mark.parametrize("devices", [1, 4])
def test_steps_in_one_loop_are_the_steps_one_by_one(begun, alone, devices):
    parallel = Parallel(CONFIG, SGD, jax.devices()[:devices], looped=True)
    table, rows = as_table(batch_of(number) for number in range(STEPS))
    state, means = parallel.steps(parallel.scatter(begun), parallel.hold(table), rows)
    state, (states, metrics) = parallel.gather(state), alone
    for part in ("generators", "discriminators", "step", "pool"):
        assert_alike(getattr(states[-1], part), getattr(state, part))
    for name in LOSSES:
        assert means[name] == pytest.approx(np.mean([m[name] for m in metrics]), rel=1e-4)


@pytest.mark.slow
def test_without_a_pool_and_mixed_genres_there_are_still_rows_to_map_over():
    parallel = Parallel(dataclasses.replace(CONFIG, model="base", pool_size=0), SGD, jax.devices()[:2])
    table, rows = as_table({name: batch_of(number)[name] for name in "ab"} for number in range(2))
    state = parallel.scatter(begin(key=0, model="base", pool_size=0))
    state, metrics = parallel.steps(state, parallel.hold(table), rows)
    assert int(state.step) == 2 and np.isfinite(metrics["loss/generators"])


def test_cpu_devices_share_what_is_free_on_the_host(monkeypatch):
    monkeypatch.setattr("cyclegan_jax.training.data_parallel.free_on_host", lambda: 1000)
    assert [Parallel(CONFIG, SGD, jax.devices()[:n]).free_memory() for n in (1, 4)] == [1000, 250]


@pytest.mark.slow
@pytest.mark.parametrize("count, loops", [(1, 0), (2, 1)])
def test_one_step_is_no_loop_which_a_cpu_runs_on_one_thread(begun, count, loops):
    parallel = Parallel(CONFIG, SGD, jax.devices()[:1])
    table, rows = as_table(batch_of(number) for number in range(count))
    program = parallel.lower(parallel.scatter(begun), parallel.hold(table), rows).compile().as_text()
    over_weights = [line for line in program.splitlines() if " while(" in line and "f32[7,7," in line]
    assert len(over_weights) == loops


def test_a_step_has_one_all_reduce_for_all_gradients_and_metrics_and_no_other_traffic(begun):
    parallel = Parallel(CONFIG, SGD)
    table, rows = as_table([batch_of(0)])
    program = parallel.lower(parallel.scatter(begun), parallel.hold(table), rows).compile().as_text()
    traffic = re.findall(r"= (\(.*?\)|\S+) ((?:all-|reduce-scatter|collective|ragged)[\w-]*)\(", program)
    assert [operation for _, operation in traffic] == ["all-reduce"]
    ((reduced, _),) = traffic
    parameters = jax.tree.leaves((begun.generators, begun.discriminators))
    assert reduced.count("f32[") == len(parameters) + len(LOSSES)
    assert reduced.count("f32[]") == len(LOSSES)


def test_the_step_compiles_once(begun, caplog):
    parallel = Parallel(CONFIG, SGD)
    state, compilations = parallel.scatter(begun), []
    for number in range(STEPS):
        caplog.clear()
        with jax.log_compiles():
            state, _ = step(parallel, state, number)
        compilations.append(sum("Finished XLA compilation" in message for message in caplog.messages))
        if number == 1:
            state = parallel.scatter(parallel.gather(state))
    assert compilations == [1, 0, 0]


@pytest.mark.parametrize("devices", [1, 2, 4])
@pytest.mark.parametrize("pool_size", [0, 3])
def test_a_state_laid_out_and_taken_in_again_is_the_same(devices, pool_size):
    state = begin(key=0, pool_size=pool_size)
    if pool_size:
        a, b = np.random.default_rng(0).random((2, *state.pool.a.shape), np.float32)
        state = state.replace(pool=state.pool.replace(a=a, b=b))
    config = dataclasses.replace(CONFIG, pool_size=pool_size)
    parallel = Parallel(config, SGD, jax.devices()[:devices])
    laid_out = parallel.scatter(state)
    if pool_size:
        assert laid_out.pool.a.shape == laid_out.pool.b.shape == (3, devices, 4 // devices, 64, 84, 1)
    again = parallel.gather(laid_out)
    assert jax.tree.structure(again) == jax.tree.structure(state)
    jax.tree.map(np.testing.assert_array_equal, again, jax.device_get(state))


def test_each_device_has_its_own_phrases_of_every_batch_in_the_pool(begun):
    numbered = begun.pool.a + np.arange(8.0, dtype=np.float32).reshape(2, 4, 1, 1, 1)
    state = begun.replace(pool=begun.pool.replace(a=numbered))
    laid_out = Parallel(CONFIG, SGD, jax.devices()[:2]).scatter(state)
    for place, shard in enumerate(laid_out.pool.a.addressable_shards):
        held = np.asarray(shard.data)[..., 0, 0, 0].reshape(2, 2)
        np.testing.assert_array_equal(held, [[2 * place, 2 * place + 1], [2 * place + 4, 2 * place + 5]])


def test_the_state_given_is_not_used_up(alone, four, begun):
    for states, _ in (alone, four):
        jax.tree.map(np.testing.assert_array_equal, states[0], jax.device_get(begun))


@pytest.mark.parametrize("batch_size, devices", [(4, 3), (6, 4), (2, 4)])
def test_a_batch_that_does_not_divide_is_an_error_with_both_numbers(batch_size, devices):
    with pytest.raises(UserError, match=rf"batch_size is {batch_size}\b.* devices, {devices}\b"):
        check_divides(batch_size, devices)


def test_devices_are_counted_before_anything_is_built():
    with pytest.raises(UserError, match=r"batch_size is 4\b.* devices, 3\b"):
        Parallel(CONFIG, SGD, jax.devices()[:3])
    assert len(Parallel(CONFIG, SGD).local_devices) == 4


def test_a_process_alone_has_the_first_ones_value():
    assert from_first_process(0.123456789, "test") == 0.123456789
