"""A training of a few steps in this process, its data and what it saved."""

import dataclasses
import functools
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import jax
import numpy as np
import optax
import pytest

from cyclegan_jax.config import Config
from cyclegan_jax.datasets.pipeline.batches import PairBatches
from cyclegan_jax.datasets.pipeline.phrases import Phrases
from cyclegan_jax.evaluation.evaluate import Classifiers
from cyclegan_jax.training.cadence import Cadence
from cyclegan_jax.training.checkpoint import Checkpoints
from cyclegan_jax.training.data_parallel import Parallel
from cyclegan_jax.training.memory_saving import MemorySaving
from cyclegan_jax.training.state import TrainState, build_optimiser, state_shapes
from launch.run import loop
from launch.run.folder import RunFolder
from launch.run.log import SHOWN
from launch.run.loop import Evaluator, train

CONFIG = Config(
    pair=("jazz", "pop"),
    genres=("jazz", "pop"),
    fingerprint="",
    steps=10,
    constant_steps=5,
    width=4,
    blocks=1,
    batch_size=4,
    pool_size=2,
    sigma_d=0.1,
)
EVERY_FIVE = Cadence(log_every=1, eval_every=5)
SAVED_EVERY_TWO = Cadence(log_every=100, eval_every=100, save_every=2)
METRICS = {f"loss/{name}": 0.5 for name in SHOWN} | {"grad_norm/generators": 2.0}  # of one step


def rolls(seed: int, count: int) -> np.ndarray:
    return np.random.default_rng(seed).random((count, 64, 84, 1)) < 0.05


class Stopped(BaseException):
    """What a killed process looks like from inside."""


@dataclasses.dataclass(frozen=True, eq=False)
class WatchedBatches(PairBatches):
    """Calls `watch(step)` when a step's rows are drawn; three steps an epoch."""

    watch: Callable[[int], None] = lambda step: None

    def rows(self, step: int) -> dict:
        self.watch(step)
        return super().rows(step)


def batches(**options: object) -> WatchedBatches:
    a, b = rolls(1, 12), rolls(2, 14)
    return WatchedBatches(a, b, [a, b], CONFIG.batch_size, CONFIG.seed, **options)


def stop_at(stop: int) -> Callable[[int], None]:
    def watch(step: int) -> None:
        if step == stop:
            raise Stopped

    return watch


class PitchClassifier:
    accuracy = 1.0

    def probabilities(self, phrases: np.ndarray) -> np.ndarray:
        low = phrases[:, :, :42].mean(axis=(1, 2, 3)) > phrases[:, :, 42:].mean(axis=(1, 2, 3))
        return np.stack([low, ~low], axis=1).astype(float)


def evaluator() -> Evaluator:
    held_out = {
        genre: Phrases(rolls=rolls(seed, 5), tempos=np.full(5, 100.0), songs=1)
        for seed, genre in enumerate(CONFIG.pair, start=3)
    }
    return Evaluator(Classifiers(PitchClassifier(), PitchClassifier()), held_out, held_out)


@functools.cache
def traced_once(config: Config, devices: tuple[jax.Device, ...], memory: MemorySaving) -> Parallel:
    return Parallel(config, build_optimiser(config), devices, memory=memory)


def shared_parallel(
    config: Config,
    optimiser: optax.GradientTransformation,
    devices: Sequence[jax.Device],
    *,
    memory: MemorySaving,
) -> Parallel:
    """In place of a Parallel for each training: tracing takes longer than ten steps."""
    return traced_once(config, tuple(devices), memory)


def run(
    workdir: Path,
    cadence: Cadence = EVERY_FIVE,
    config: Config = CONFIG,
    *,
    evaluated: bool = False,
    stop_on_collapse: bool = False,
    rollback: bool = False,
    **options,
) -> TrainState:
    folder = RunFolder(workdir)
    folder.claim(config, workdir)
    one = evaluator() if evaluated else None
    with pytest.MonkeyPatch.context() as patched:
        if loop.Parallel is Parallel:  # not one that a test has put there
            patched.setattr(loop, "Parallel", shared_parallel)
        return train(
            config,
            cadence,
            batches(**options),
            one,
            folder,
            devices=jax.devices()[:1],
            stop_on_collapse=stop_on_collapse,
            rollback=rollback,
        )


@functools.cache
def shapes(config: Config) -> TrainState:
    return state_shapes(config, build_optimiser(config))


def saved(workdir: Path, step: int, config: Config = CONFIG) -> TrainState:
    with Checkpoints(workdir / "checkpoints", read_only=True) as checkpoints:
        return checkpoints.restore(step, shapes(config))


def steps_saved(workdir: Path) -> list[int]:
    return sorted(int(path.name) for path in (workdir / "checkpoints").iterdir() if path.name.isdecimal())


def log(workdir: Path) -> list[dict]:
    return [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]


def assert_same_bits(one: TrainState, other: TrainState) -> None:
    def compare(path: tuple, a: np.ndarray, b: np.ndarray) -> None:
        assert a.dtype == b.dtype, path
        np.testing.assert_array_equal(a, b, err_msg=jax.tree_util.keystr(path))

    jax.tree_util.tree_map_with_path(compare, one, other)


def metric_lines(workdir: Path) -> list[dict]:
    return [row for row in log(workdir) if "epoch" in row]


def poisoned(monkeypatch: pytest.MonkeyPatch, steps: dict[int, int]) -> None:
    """Before a step the weights of one generator become NaN, so many times; by number of steps done."""
    whole = Parallel.steps

    def poison(self: Parallel, state: TrainState, table: jax.Array, rows: list) -> tuple:
        if steps.get(int(state.step), 0) > 0:
            steps[int(state.step)] -= 1
            networks = dict(state.generators)
            networks["gen_ab"] = jax.tree.map(lambda leaf: leaf * np.nan, networks["gen_ab"])
            state = state.replace(generators=networks)
        return whole(self, state, table, rows)

    monkeypatch.setattr("launch.run.loop.Parallel.steps", poison)
