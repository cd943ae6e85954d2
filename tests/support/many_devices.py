"""Steps on several devices, and when two of them are alike."""

import jax
import numpy as np

from cyclegan_jax.pianoroll.packing import as_table
from cyclegan_jax.training.data_parallel import Parallel
from support.train_steps import (
    CONFIG,
    DISCRIMINATOR_METRICS,
    GENERATOR_METRICS,
    MIXED_METRICS,
    SGD,
    batch_of,
)

STEPS = 3
LOSSES = GENERATOR_METRICS | DISCRIMINATOR_METRICS | MIXED_METRICS


def assert_alike(one, other):
    """Every leaf to a relative 1e-4 of its size."""

    def check(path, x, y):
        difference = np.linalg.norm(np.float64(x) - np.float64(y))
        assert difference <= 1e-4 * np.linalg.norm(np.float64(x)), jax.tree_util.keystr(path)

    jax.tree_util.tree_map_with_path(check, one, other)


def step(parallel, state, number):
    """The step of a number, by its batch."""
    table, rows = as_table([batch_of(number)])
    return parallel.steps(state, parallel.hold(table), rows)


def walk(devices, begun, steps=STEPS):
    """Gathered states, the first before any step, and metrics of some steps over some devices."""
    parallel = Parallel(CONFIG, SGD, jax.devices()[:devices])
    state = parallel.scatter(begun)
    states, metrics = [parallel.gather(state)], []
    for number in range(steps):
        state, numbers = step(parallel, state, number)
        states.append(parallel.gather(state))
        metrics.append(jax.device_get(numbers))
    return states, metrics


def gradients(states):
    """The averaged gradients of the first step."""
    first = states[1]
    return first.generator_optimiser[0].trace, first.discriminator_optimiser[0].trace


def assert_same_first_step(one, other):
    assert_alike(one[1][0], other[1][0])
    assert_alike(gradients(one[0]), gradients(other[0]))
