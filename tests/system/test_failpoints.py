"""Killed at each point of a save and of an evaluation: what is taken up again ends the same to the bit.

One training leaves a copy of its folder at each point: what `kill -9` there would leave. Real commands are
killed in `test_killed.py`.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import killed_training
from support.killed_training import POINTS, train
from support.training_loop import assert_same_bits, log, saved

from cyclegan_jax.training.checkpoint import Checkpoints

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def untouched(tmp_path_factory) -> Path:
    """Workdir of the training that was copied and went on; the copies lie beside it, by point."""
    place = tmp_path_factory.mktemp("untouched")
    (place / "copies").mkdir()
    words = [sys.executable, killed_training.__file__, str(place / "run"), str(place / "copies")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    return place / "run"


@pytest.mark.parametrize("point", POINTS)
def test_a_training_killed_there_goes_on_to_the_same_end(untouched, tmp_path, point):
    copy = untouched.parent / "copies" / point
    assert copy.exists(), "the training never came to that point"
    shutil.copytree(copy, tmp_path, dirs_exist_ok=True)

    assert_same_bits(train(tmp_path), saved(untouched, 10))
    assert (tmp_path / "metrics.jsonl").read_bytes() == (untouched / "metrics.jsonl").read_bytes()
    logged = [row["step"] for row in log(tmp_path) if "epoch" in row]
    assert logged == list(range(1, 11))
    assert not list(tmp_path.rglob(".written.*")) and not list(tmp_path.rglob(".going.*"))
    with Checkpoints(tmp_path / "checkpoints", read_only=True) as ours:
        with Checkpoints(untouched / "checkpoints", read_only=True) as theirs:
            assert ours.steps()[-3:] == theirs.steps()[-3:] == [6, 8, 10]
            assert ours.best() == theirs.best()
        assert ours.is_evaluated(8) and ours.is_evaluated(10)
    assert_same_bits(saved(tmp_path, 10), saved(untouched, 10))
    for name in ("samples/step_000008/phrases.png", "samples/step_000010/phrases.png"):
        assert (tmp_path / name).read_bytes() == (untouched / name).read_bytes()
