"""A run goes on on other devices than it was saved on, as it would have gone on there."""

import jax
import pytest
from test_parallel import LOSSES, assert_alike, step, walk
from test_steps import CONFIG, SGD, SWAPS_AT_THE_THIRD_STEP, begin

from cyclegan_jax.checkpoint import Checkpoints
from cyclegan_jax.parallel import Parallel

SAVED = 2

pytestmark = pytest.mark.slow


def go_on(folder, devices):
    """The state and the losses after the first step that follows a checkpoint."""
    parallel = Parallel(CONFIG, SGD, jax.devices()[:devices])
    with Checkpoints(folder, read_only=True) as checkpoints:
        state = checkpoints.restore(SAVED, begin(key=SWAPS_AT_THE_THIRD_STEP))
    state, metrics = step(parallel, parallel.scatter(state), SAVED)
    return parallel.gather(state), jax.device_get(metrics)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A checkpoint of two steps on four devices, and the step that followed there."""
    states, metrics = walk(4, begin(key=SWAPS_AT_THE_THIRD_STEP))
    folder = tmp_path_factory.mktemp("four") / "checkpoints"
    with Checkpoints(folder) as checkpoints:
        checkpoints.save(SAVED, states[SAVED], CONFIG)
    return folder, states[SAVED + 1], metrics[SAVED]


@pytest.mark.parametrize("devices", [1, 2, 4])
def test_the_first_step_after_a_restore_is_the_one_that_would_have_come(saved, devices):
    folder, expected, losses = saved
    found, numbers = go_on(folder, devices)
    for name in LOSSES:
        assert numbers[name] == pytest.approx(losses[name], rel=1e-4), name
    assert_alike(expected.generator_optimiser[0].trace, found.generator_optimiser[0].trace)
    assert_alike(expected.discriminator_optimiser[0].trace, found.discriminator_optimiser[0].trace)
    assert_alike(expected.pool, found.pool)
