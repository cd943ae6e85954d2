"""Two real processes of two devices each compute what one process on one device does."""

import json
import sys
from pathlib import Path

import jax
import numpy as np
import pytest
from support.many_devices import STEPS, assert_alike, assert_same_first_step, walk
from support.running import CLUSTER, PATIENCE, SMALLEST, run_command, two_started
from support.train_steps import SWAPS_AT_THE_THIRD_STEP, begin

RELATIVE = 1e-4

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


def work(port: str, process: str, out: str) -> None:
    """One of two processes: three steps of plain SGD, which the first one saves, leaf by leaf."""
    jax.distributed.initialize(f"127.0.0.1:{port}", 2, int(process))
    assert (jax.local_device_count(), jax.device_count()) == (2, 4)
    walked = walk(4, begin(key=SWAPS_AT_THE_THIRD_STEP))
    if process == "0":
        np.savez(out, *jax.tree.leaves(walked))


def run_two(words: list[str], cwd: Path) -> list[str]:
    """What each of two processes printed that were started by a command line and ended well."""
    with two_started(words, cwd) as both:
        printed = [process.communicate(timeout=PATIENCE) for process in both]
    assert [process.returncode for process in both] == [0, 0], "\n".join(err for _, err in printed)
    return [out for out, _ in printed]


def test_losses_gradients_and_three_steps_by_plain_sgd_are_those_of_one_device(tmp_path):
    out = tmp_path / "walked.npz"
    run_two([sys.executable, __file__, "{port}", "{process}", str(out)], cwd=tmp_path)
    alone = walk(1, begin(key=SWAPS_AT_THE_THIRD_STEP))
    with np.load(out) as saved:
        together = jax.tree.unflatten(jax.tree.structure(alone), list(saved.values()))
    assert_same_first_step(together, alone)
    for part in ("generators", "discriminators", "pool", "step", "key"):
        assert_alike(getattr(together[0][STEPS], part), getattr(alone[0][STEPS], part))


def test_the_command_trains_as_two_processes_and_only_the_first_writes(run_dir, demo_dir, tmp_path):
    cadence = ("--log_every=1", "--eval_every=6")
    flags = ["--pair=jazz_pop", f"--data_dir={demo_dir}", "--steps=6", *SMALLEST, *cadence]
    alone = run_command("train", *flags, "--workdir=alone", cwd=tmp_path)
    assert alone.returncode == 0, alone.stderr

    words = [sys.executable, "-m", "launch.train", *flags, "--workdir=together", *CLUSTER]
    printed = run_two(words, cwd=tmp_path)
    assert "Total strength" in printed[0] and "Total strength" not in printed[1]
    one, two = tmp_path / "alone", tmp_path / "together"
    assert files(two) == files(one)

    expected, found = (
        [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]
        for workdir in (one, two)
    )
    assert [row["step"] for row in found] == [1, 2, 3, 4, 5, 6, 6]
    assert found[0].keys() == expected[0].keys()
    for name, value in expected[0].items():
        assert found[0][name] == pytest.approx(value, rel=RELATIVE), name


def files(workdir: Path) -> set[str]:
    """Names of the files that a run writes, but for those whose names differ from run to run."""
    return {
        str(path.relative_to(workdir))
        for path in workdir.rglob("*")
        if path.is_file() and not {"state", "tensorboard"} & set(path.relative_to(workdir).parts)
    }


if __name__ == "__main__":
    work(*sys.argv[1:])
