"""Several runs in one program do what each does alone."""

import dataclasses

import jax
import numpy as np
import pytest
from support.train_steps import CONFIG, SGD, batch_of, begin

from cyclegan_jax.training import vmapped_runs as module
from cyclegan_jax.training.train_step import build_train_step
from cyclegan_jax.training.vmapped_runs import VmappedRuns, how_many_fit

CONFIGS = [dataclasses.replace(CONFIG, sigma_d=sigma) for sigma in (0.1, 0.3)]


@pytest.fixture(autouse=True)
def plain_descent(monkeypatch):
    """Adam would blow rounding up to the size of the learning rate."""
    monkeypatch.setattr(module, "build_optimiser", lambda config: SGD)


def assert_alike(one, other, share=0.05):
    """To a share of the largest number of each leaf: norms and kinks blow rounding up."""

    def check(a, b):
        np.testing.assert_allclose(a, b, rtol=0, atol=share * np.abs(b).max() + 1e-6)

    jax.tree.map(check, one, other)


def step_once(configs):
    vmapped = VmappedRuns(configs)
    states = vmapped.stack([begin(key=1)] * len(configs))
    states, metrics = vmapped.step(states, batch_of(0))
    runs = range(len(configs))
    return [vmapped.state(states, run) for run in runs], [vmapped.metrics(metrics, run) for run in runs]


@pytest.mark.slow
def test_runs_side_by_side_are_as_runs_alone_each_with_its_own_noise():
    states, metrics = step_once(CONFIGS)
    for config, state, numbers in zip(CONFIGS, states, metrics, strict=True):
        alone, expected = jax.jit(build_train_step(config, SGD))(begin(key=1), batch_of(0))
        assert_alike(state, alone)
        assert_alike(numbers, expected, share=1e-3)
    assert float(metrics[0]["loss/disc_a"]) != pytest.approx(float(metrics[1]["loss/disc_a"]), rel=1e-3)


@pytest.mark.slow
def test_a_run_alone_has_no_axis_added():
    (state,), (metrics,) = step_once(CONFIGS[1:])
    alone, expected = jax.jit(build_train_step(CONFIGS[1], SGD))(begin(key=1), batch_of(0))
    assert jax.tree.map(np.shape, state) == jax.tree.map(np.shape, alone)
    assert_alike(state, alone, share=1e-4)
    assert_alike(metrics, expected, share=1e-4)


class Card:
    """A device with so much memory."""

    platform = "gpu"

    def __init__(self, room: int) -> None:
        self.room = room

    def memory_stats(self) -> dict[str, int]:
        return {"bytes_limit": self.room}


@pytest.mark.parametrize("room, fit", [(10**9, 5), (300, 3), (130, 2), (50, 1)])
def test_as_many_as_fit_by_halving(monkeypatch, room, fit):
    monkeypatch.setattr(jax, "devices", lambda: [Card(room)])
    monkeypatch.setattr(VmappedRuns, "__init__", lambda self, configs: setattr(self, "count", len(configs)))
    monkeypatch.setattr(VmappedRuns, "bytes_needed", lambda self, plain, batch: 50 * self.count)
    assert how_many_fit([CONFIG] * 5, batch_of(0)) == fit


def test_one_at_a_time_on_a_cpu():
    assert how_many_fit(CONFIGS, batch_of(0)) == 1


@pytest.mark.slow
def test_xlas_account_grows_with_the_runs():
    plain, batch = jax.eval_shape(lambda: begin(key=1)), batch_of(0)
    one, two = (VmappedRuns(CONFIGS[:count]).bytes_needed(plain, batch) for count in (1, 2))
    assert 1.5 * one < two < 3 * one
