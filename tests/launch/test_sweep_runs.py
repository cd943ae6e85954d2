"""Runs of a sweep trained side by side: taken up at a common step, given up alone, as a run alone."""

import dataclasses
from pathlib import Path

import jax
import numpy as np
import pytest
from support.training_loop import (
    CONFIG,
    EVERY_FIVE,
    Stopped,
    assert_same_bits,
    batches,
    evaluator,
    saved,
    stop_at,
)
from tqdm import tqdm

from cyclegan_jax.errors import UserError
from cyclegan_jax.training.checkpoint import Checkpoints
from cyclegan_jax.training.state import build_optimiser, create_state
from cyclegan_jax.training.vmapped_runs import VmappedRuns
from launch.run.folder import RunFolder
from launch.sweeps import runs as sweep_runs
from launch.sweeps.runs import SweptRun, in_groups, train_together

SIGMAS = (0.0, 0.5)


def runs_in(place: Path) -> list[SweptRun]:
    runs = []
    for sigma in SIGMAS:
        config = dataclasses.replace(CONFIG, sigma_d=sigma)
        runs.append(SweptRun(f"sigma_{sigma}", config, RunFolder(place / f"sigma_{sigma}")))
        runs[-1].folder.claim(config, place)
    return runs


def train(runs: list[SweptRun], **options) -> tqdm:
    total = sum(run.config.steps for run in runs)
    with tqdm(total=total, disable=False) as bar:
        train_together(runs, EVERY_FIVE, batches(**options), evaluator(), bar)
    return bar


@pytest.fixture(scope="module")
def straight(tmp_path_factory) -> list[SweptRun]:
    runs = runs_in(tmp_path_factory.mktemp("straight"))
    assert train(runs).n == 2 * CONFIG.steps
    return runs


def metrics_of(run: SweptRun) -> bytes:
    return (run.folder.workdir / "metrics.jsonl").read_bytes()


@pytest.mark.slow
def test_stopped_and_taken_up_again_they_end_as_they_would_have(straight, tmp_path):
    runs = runs_in(tmp_path)
    with pytest.raises(Stopped):
        train(runs, watch=stop_at(7))
    asked = []
    bar = train(runs, watch=asked.append)
    assert sorted(asked) == [5, 6, 7, 8, 9]
    assert bar.n == 2 * CONFIG.steps
    for one, other in zip(runs, straight, strict=True):
        assert_same_bits(
            saved(one.folder.workdir, 10, one.config), saved(other.folder.workdir, 10, other.config)
        )
        assert metrics_of(one) == metrics_of(other)


@pytest.mark.slow
def test_a_run_that_saved_once_more_than_the_other_goes_back_to_the_common_step(straight, tmp_path):
    runs = runs_in(tmp_path)
    with pytest.raises(Stopped):
        train(runs, watch=stop_at(7))
    like = create_state(CONFIG, build_optimiser(CONFIG))
    with Checkpoints(runs[0].folder.checkpoints) as store:
        store.save(6, jax.device_get(store.restore(5, like)), runs[0].config)
    assert [len(group) for group in in_groups(runs, 2)] == [2]
    train(runs)
    for one, other in zip(runs, straight, strict=True):
        assert metrics_of(one) == metrics_of(other)


def test_runs_that_stand_far_apart_train_apart(monkeypatch, tmp_path):
    runs = runs_in(tmp_path)
    stands = {"sigma_0.0": [2000, 7500, 8000], "sigma_0.5": [2000, 3500, 4000]}
    for run in runs:
        run.folder.checkpoints.mkdir()

    class Stored:
        def __init__(self, folder: Path, *, read_only: bool) -> None:
            self.name = folder.parent.name

        def __enter__(self) -> "Stored":
            return self

        def __exit__(self, *error: object) -> None:
            pass

        def steps(self) -> list[int]:
            return stands[self.name]

    monkeypatch.setattr(sweep_runs, "Checkpoints", Stored)
    assert [len(group) for group in in_groups(runs, 2)] == [1, 1]
    stands["sigma_0.5"] = [2000, 7000, 7500]
    assert [len(group) for group in in_groups(runs, 2)] == [2]
    assert [len(group) for group in in_groups(runs, 1)] == [1, 1]


@pytest.mark.slow
def test_a_run_that_diverges_is_given_up_and_the_other_goes_on(straight, tmp_path, monkeypatch):
    runs = runs_in(tmp_path)
    whole = VmappedRuns.metrics

    def poisoned(self, metrics: dict, run: int) -> dict:
        numbers = whole(self, metrics, run)
        return numbers | {"loss/cycle_a": np.float32(np.nan)} if run == 0 else numbers

    monkeypatch.setattr(VmappedRuns, "metrics", poisoned)
    assert train(runs).n == 2 * CONFIG.steps
    assert "loss/cycle_a is nan at step 1" in runs[0].error and runs[0].is_over
    assert not runs[0].folder.checkpoints.joinpath("5").exists()
    assert runs[1].error is None and metrics_of(runs[1]) == metrics_of(straight[1])


@pytest.mark.slow
def test_when_all_have_diverged_no_more_steps_are_made(tmp_path, monkeypatch):
    runs = runs_in(tmp_path)
    steps, whole = [], VmappedRuns.step

    def counted(self, states: object, batch: dict) -> tuple:
        steps.append(len(steps) + 1)
        return whole(self, states, batch)

    monkeypatch.setattr(VmappedRuns, "step", counted)
    monkeypatch.setattr(VmappedRuns, "metrics", lambda self, metrics, run: {"loss/x": np.float32(np.inf)})
    assert train(runs).n == 2 * CONFIG.steps
    assert steps == [1]
    assert all(run.is_over for run in runs)


@pytest.mark.slow
def test_a_checkpoint_of_another_config_is_refused(tmp_path):
    runs = runs_in(tmp_path)
    like = create_state(CONFIG, build_optimiser(CONFIG))
    other = dataclasses.replace(CONFIG, gamma=0.5)
    for run in runs:
        with Checkpoints(run.folder.checkpoints) as store:
            store.save(5, jax.device_get(like), other)
    with pytest.raises(UserError, match="gamma"):
        train(runs)
