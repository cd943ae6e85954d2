"""The loop: straight or stopped and taken up again, the same to the bit; and it stops on NaN."""

import dataclasses
import os
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest
from support.running import ONE_DEVICE, SMALLEST, run_command
from support.training_loop import (
    CONFIG,
    Stopped,
    assert_same_bits,
    log,
    metric_lines,
    run,
    saved,
    steps_saved,
    stop_at,
)

from cyclegan_jax.config import Config
from cyclegan_jax.errors import TrainingCollapsedError, TrainingDivergedError, UserError
from cyclegan_jax.training.cadence import Cadence
from cyclegan_jax.training.checkpoint import Checkpoints
from cyclegan_jax.training.data_parallel import Parallel
from cyclegan_jax.training.state import TrainState, build_optimiser, create_state
from launch.run.folder import RunFolder


class PoisonedParallel(Parallel):
    """Before its fourth step a weight is not a number."""

    def steps(self, state: TrainState, table: jax.Array, rows: list) -> tuple:
        if int(state.step) == 3:
            networks = dict(state.generators)
            networks["gen_ab"] = jax.tree.map(lambda leaf: leaf * np.nan, networks["gen_ab"])
            state = state.replace(generators=networks)
        return super().steps(state, table, rows)


@pytest.fixture(scope="module")
def straight(tmp_path_factory) -> tuple[Path, TrainState]:
    workdir = tmp_path_factory.mktemp("loop") / "straight"
    return workdir, run(workdir, evaluated=True)


@pytest.mark.slow
def test_ten_steps_straight_and_stopped_and_taken_up_again_are_the_same_to_the_bit(straight, tmp_path):
    workdir, state = straight
    with pytest.raises(Stopped):
        run(tmp_path, evaluated=True, watch=stop_at(7))
    assert steps_saved(tmp_path) == [5]
    asked = []
    resumed = run(tmp_path, evaluated=True, watch=asked.append)
    assert asked == [5, 6, 7, 8, 9]
    assert_same_bits(resumed, state)
    assert_same_bits(saved(tmp_path, 10), state)
    assert (tmp_path / "metrics.jsonl").read_bytes() == (workdir / "metrics.jsonl").read_bytes()


def test_the_state_that_is_compared_has_moved_in_every_part(straight):
    _, state = straight
    fresh = create_state(CONFIG, build_optimiser(CONFIG))
    assert int(state.step) == 10 and int(state.pool.filled) == 2
    np.testing.assert_array_equal(state.key, fresh.key)
    for name in ("generators", "discriminators", "generator_optimiser", "discriminator_optimiser", "pool"):
        before, after = (jax.tree.leaves(getattr(s, name)) for s in (fresh, state))
        assert all((np.asarray(a) != np.asarray(b)).any() for a, b in zip(before, after, strict=True)), name


def test_what_a_run_leaves(straight):
    workdir, state = straight
    rows = metric_lines(workdir)
    assert [(row["step"], row["epoch"]) for row in rows] == [(step, (step + 2) // 3) for step in range(1, 11)]
    assert {"loss/cycle_a", "loss/disc_b_mixed", "grad_norm/generators"} < rows[0].keys()
    evaluations = [row for row in log(workdir) if "validation/score" in row]
    assert [row["step"] for row in evaluations] == [5, 10]
    assert {path.name for path in (workdir / "samples").iterdir()} == {"step_000005", "step_000010"}
    assert steps_saved(workdir) == [5, 10]
    with Checkpoints(workdir / "checkpoints", read_only=True) as checkpoints:
        assert checkpoints.best() == max((row["validation/score"], row["step"]) for row in evaluations)[1]
        assert checkpoints.config(10) == CONFIG
    assert_same_bits(saved(workdir, 10), state)


def test_a_finished_run_is_not_trained_on(straight, tmp_path):
    workdir, state = straight
    again = run(workdir, evaluated=True, watch=stop_at(10))
    assert_same_bits(again, state)


def test_a_checkpoint_of_another_config_is_not_trained_on_whatever_config_json_says(straight):
    workdir, _ = straight
    other = dataclasses.replace(CONFIG, gamma=0.5)
    with pytest.raises(UserError, match=r"^gamma is 0\.5, .* has 1\.0;"):
        run(workdir, config=other)


@pytest.mark.slow
def test_a_longer_run_trains_on_by_the_schedule_of_the_new_config(tmp_path):
    shorter = dataclasses.replace(CONFIG, steps=4, constant_steps=0)
    run(tmp_path, config=shorter)
    before = saved(tmp_path, 4)
    asked = []
    after = run(tmp_path, watch=asked.append)
    assert asked == [4, 5, 6, 7, 8, 9]
    assert int(after.step) == 10
    moved = jax.tree.map(lambda a, b: np.abs(a - b).max(), before.generators, after.generators)
    assert max(jax.tree.leaves(moved)) > CONFIG.learning_rate, "the old schedule had come down to 0"


@pytest.mark.parametrize(
    ("cadence", "last_good"),
    [
        pytest.param(Cadence(log_every=1, eval_every=100, save_every=3), 3, id="seen at a logged step"),
        pytest.param(Cadence(log_every=100, eval_every=100, save_every=2), 2, id="seen before a checkpoint"),
        pytest.param(Cadence(log_every=100, eval_every=2), 2, id="seen before an evaluation"),
    ],
)
def test_a_loss_that_is_not_a_number_stops_the_run_and_the_last_good_checkpoint_stays(
    tmp_path, cadence, last_good, monkeypatch
):
    monkeypatch.setattr("launch.run.loop.Parallel", PoisonedParallel)
    with pytest.raises(TrainingDivergedError, match=r"^(loss|grad_norm)/\w+ is nan at step 4;"):
        run(tmp_path, cadence)
    assert steps_saved(tmp_path) == [last_good]
    leaves = jax.tree.leaves(saved(tmp_path, last_good))
    assert all(np.isfinite(leaf).all() for leaf in leaves)


@pytest.mark.nightly
def test_a_killed_command_taken_up_again_ends_as_one_that_was_not(run_dir, demo_dir, tmp_path):
    flags = ["--pair=jazz_pop", f"--data_dir={demo_dir}", "--steps=6", "--log_every=2", *SMALLEST]
    flags += ["--workdir=run", "--save_every=2", "--eval_every=3"]
    environment = {**os.environ, "XLA_FLAGS": ONE_DEVICE}
    words = [sys.executable, "-m", "launch.train", *flags]
    child = subprocess.Popen(words, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 250
        while not (tmp_path / "run" / "checkpoints" / "2" / "manifest.json").exists():
            assert child.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        child.kill()
        child.wait()
    assert not (tmp_path / "run" / "checkpoints" / "6").exists()

    resumed = run_command("train", *flags, cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert "2/6 [00:00" in resumed.stderr or "3/6 [00:00" in resumed.stderr
    assert " 0/6 [" not in resumed.stderr
    config = RunFolder(run_dir).config()
    assert_same_bits(saved(tmp_path / "run", 6, config), saved(run_dir, 6, config))
    assert metric_lines(tmp_path / "run") == metric_lines(run_dir)


class BlankTransfer:
    """In place of the trained one: nothing is left of any phrase."""

    def __init__(self, config: Config, generators: dict) -> None:
        self.config = config

    def generate(self, phrases: np.ndarray, to: str) -> np.ndarray:
        return np.zeros(phrases.shape, np.float32)


@pytest.mark.slow
def test_a_collapse_is_told_and_stops_the_run_only_where_asked(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr("launch.run.loop.Transfer", BlankTransfer)
    run(tmp_path / "told", evaluated=True)
    said = "".join(capfd.readouterr())
    assert said.count("blank_share of a_to_b is 1.000, but should be at most 0.05") == 2
    with pytest.raises(TrainingCollapsedError, match="collapsed by step 5"):
        run(tmp_path / "stopped", evaluated=True, stop_on_collapse=True)
    assert steps_saved(tmp_path / "told") == [5, 10]
    assert steps_saved(tmp_path / "stopped") == [5]
