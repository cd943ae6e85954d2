"""A run goes on on other devices than it was saved on, as it would have gone on there."""

import dataclasses
import sys
from pathlib import Path

import jax
import numpy as np
import pytest
from support.many_devices import LOSSES, assert_alike, step, walk
from support.running import PATIENCE, two_started
from support.train_steps import CONFIG, SGD, SWAPS_AT_THE_THIRD_STEP, begin
from support.training_loop import CONFIG as TRAINED
from support.training_loop import EVERY_FIVE, rolls, run

from cyclegan_jax.models.phrase_transfer import Transfer
from cyclegan_jax.training.checkpoint import Checkpoints
from cyclegan_jax.training.data_parallel import Parallel

SAVED = 2

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


def go_on(folder, devices):
    """The state and the losses after the first step that follows a checkpoint."""
    parallel = Parallel(CONFIG, SGD, devices)
    with Checkpoints(folder, read_only=True) as checkpoints:
        state = checkpoints.restore(SAVED, begin(key=SWAPS_AT_THE_THIRD_STEP))
    state, metrics = step(parallel, parallel.scatter(state), SAVED)
    return parallel.gather(state), jax.device_get(metrics)


def work(port: str, process: str, folder: str, out: str) -> None:
    """One of two processes that go on; the first one saves what came of it, leaf by leaf."""
    jax.distributed.initialize(f"127.0.0.1:{port}", 2, int(process))
    assert (jax.local_device_count(), jax.device_count()) == (2, 4)
    found = go_on(Path(folder), None)
    if process == "0":
        np.savez(out, *jax.tree.leaves(found))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A checkpoint of two steps on four devices, and the step that followed there."""
    states, metrics = walk(4, begin(key=SWAPS_AT_THE_THIRD_STEP))
    folder = tmp_path_factory.mktemp("four") / "checkpoints"
    with Checkpoints(folder) as checkpoints:
        checkpoints.save(SAVED, states[SAVED], CONFIG)
    return folder, states[SAVED + 1], metrics[SAVED]


def assert_same_step(found, saved) -> None:
    _, expected, losses = saved
    state, numbers = found
    for name in LOSSES:
        assert numbers[name] == pytest.approx(losses[name], rel=1e-4), name
    assert_alike(expected.generator_optimiser[0].trace, state.generator_optimiser[0].trace)
    assert_alike(expected.discriminator_optimiser[0].trace, state.discriminator_optimiser[0].trace)
    assert_alike(expected.pool, state.pool)


@pytest.mark.parametrize("devices", [1, 2, 4])
def test_the_first_step_after_a_restore_is_the_one_that_would_have_come(saved, devices):
    assert_same_step(go_on(saved[0], jax.devices()[:devices]), saved)


def test_so_it_is_on_two_processes_of_two_devices(saved, tmp_path):
    out = tmp_path / "found.npz"
    words = [sys.executable, __file__, "{port}", "{process}", str(saved[0]), str(out)]
    with two_started(words, tmp_path) as both:
        said = [process.communicate(timeout=PATIENCE)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    alone = go_on(saved[0], jax.devices()[:1])
    with np.load(out) as leaves:
        assert_same_step(jax.tree.unflatten(jax.tree.structure(alone), list(leaves.values())), saved)


def test_what_was_trained_in_bfloat16_transfers_alike_in_float32_on_a_cpu(tmp_path):
    config = dataclasses.replace(TRAINED, dtype="bfloat16")
    networks = run(tmp_path, EVERY_FIVE, config).transferring
    assert all(leaf.dtype == np.float32 for leaf in jax.tree.leaves(networks))
    phrases = rolls(7, 5)
    found, exact = (
        Transfer(dataclasses.replace(config, dtype=dtype), networks).generate(phrases, to="pop")
        for dtype in ("bfloat16", "float32")
    )
    assert found.std() > 0.01
    np.testing.assert_allclose(found, exact, atol=0.05)


if __name__ == "__main__":
    work(*sys.argv[1:])
