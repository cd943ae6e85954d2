"""`kill -9` at each point of a save and of an evaluation: what is taken up again ends the same to the bit."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support import killed_training
from support.killed_training import POINTS, train
from support.training_loop import assert_same_bits, log, saved

from cyclegan_jax.training.checkpoint import Checkpoints
from cyclegan_jax.training.state import TrainState

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def untouched(tmp_path_factory) -> tuple[Path, TrainState]:
    """Workdir and last state of the training that nobody killed."""
    workdir = tmp_path_factory.mktemp("untouched")
    return workdir, train(workdir)


@pytest.mark.parametrize("point", POINTS)
def test_a_training_killed_there_goes_on_to_the_same_end(untouched, tmp_path, point):
    words = [sys.executable, killed_training.__file__, str(tmp_path), point]
    done = subprocess.run(words, capture_output=True, text=True, timeout=500)
    assert done.returncode == -signal.SIGKILL, f"it never came to that point: {done.stderr}"

    workdir, state = untouched
    assert_same_bits(train(tmp_path), state)
    assert (tmp_path / "metrics.jsonl").read_bytes() == (workdir / "metrics.jsonl").read_bytes()
    logged = [row["step"] for row in log(tmp_path) if "epoch" in row]
    assert logged == list(range(1, 11))
    assert not list(tmp_path.rglob(".written.*")) and not list(tmp_path.rglob(".going.*"))
    with Checkpoints(tmp_path / "checkpoints", read_only=True) as ours:
        with Checkpoints(workdir / "checkpoints", read_only=True) as theirs:
            assert ours.steps()[-3:] == theirs.steps()[-3:] == [6, 8, 10]
            assert ours.best() == theirs.best()
        assert ours.is_evaluated(8) and ours.is_evaluated(10)
    assert_same_bits(saved(tmp_path, 10), state)
    for name in ("samples/step_000008/phrases.png", "samples/step_000010/phrases.png"):
        assert (tmp_path / name).read_bytes() == (workdir / name).read_bytes()
