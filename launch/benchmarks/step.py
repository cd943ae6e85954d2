"""Timing a train step, a transfer and the input, in this process and on made-up phrases."""

import json
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np

from cyclegan_jax.config import Config
from cyclegan_jax.datasets.pipeline.batches import PairBatches
from cyclegan_jax.models.build import build_generator
from cyclegan_jax.models.kernels import PLAIN
from cyclegan_jax.pianoroll.roll import phrase_shape
from cyclegan_jax.training.cadence import Cadence
from cyclegan_jax.training.data_parallel import Parallel
from cyclegan_jax.training.memory_saving import KEEP_ALL, MemorySaving
from cyclegan_jax.training.state import TrainState, build_optimiser, create_state, state_shapes
from cyclegan_jax.training.train_step import build_train_step
from launch.run.folder import RunFolder
from launch.run.loop import train

DENSITY = 0.05  # share of cells that are on, about that of music
BATCHES = 16  # of phrases a genre


def made_up_batches(config: Config) -> PairBatches:
    """Batches of random rolls, as dense as music, for a run of this config."""
    rng = np.random.default_rng(0)
    shape = (BATCHES * config.batch_size, *phrase_shape(config.channels))
    a, b = (rng.random(shape) < DENSITY for _ in range(2))
    return PairBatches(a, b, [a, b] if config.mixed else [], config.batch_size, config.seed)


class StepTimer:
    """The train step of a config, compiled, on phrases that lie on the device.

    `at_once`: steps a program, as `launch.train --steps_per_dispatch` has it.
    `first_seconds`: how long its first steps took, compilation included.
    """

    def __init__(self, config: Config, at_once: int, memory: MemorySaving = KEEP_ALL) -> None:
        optimiser = build_optimiser(config)
        batches = made_up_batches(config)
        self._parallel = Parallel(config, optimiser, memory=memory)
        self._table = self._parallel.hold(batches.packed())
        self._rows = [batches.rows(step) for step in range(at_once)]
        self._state = self._parallel.scatter(create_state(config, optimiser))
        self.first_seconds = self.seconds() * at_once

    def seconds(self) -> float:
        """Seconds a step, by one program."""

        def advance() -> TrainState:
            self._state, _ = self._parallel.steps(self._state, self._table, self._rows)
            return self._state

        return seconds_of(advance) / len(self._rows)


def seconds_of(work: Callable[[], Any]) -> float:
    """Seconds until the result is there."""
    start = time.perf_counter()
    jax.block_until_ready(work())
    return time.perf_counter() - start


def step_operations(config: Config) -> float:
    """Floating-point operations of a step, as XLA counts them: plain convolutions, blocks written out.

    Additions and multiplications count one each. Of a whole batch, both genres.
    """
    optimiser = build_optimiser(config)
    state = state_shapes(config, optimiser)
    names = ("a", "b", "m") if config.mixed else ("a", "b")
    rolls = jax.ShapeDtypeStruct((config.batch_size, *phrase_shape(config.channels)), np.bool_)
    step = jax.jit(build_train_step(config, optimiser, kernels=PLAIN))
    return _operations(step.lower(state, dict.fromkeys(names, rolls)))


def transfer_operations(config: Config) -> float:
    """The same of a transfer of a batch of one genre."""
    params = state_shapes(config, build_optimiser(config)).generators["gen_ab"]
    rolls = jax.ShapeDtypeStruct((config.batch_size, *phrase_shape(config.channels)), np.bool_)
    generate = jax.jit(build_generator(config, PLAIN).apply)
    return _operations(generate.lower({"params": params}, rolls))


def _operations(lowered: jax.stages.Lowered) -> float:
    analysis = lowered.cost_analysis()
    assert analysis is not None  # on every backend that JAX has
    return analysis["flops"]


def peak_memory() -> float:
    """MiB that were taken at most so far: of the device, by its own count, or of this process on a CPU."""
    stats = jax.local_devices()[0].memory_stats()
    if stats:
        return stats["peak_bytes_in_use"] / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


class TransferTimer:
    """One generator of a config, compiled, on a batch that lies on the device."""

    def __init__(self, config: Config) -> None:
        self._params = {"params": create_state(config, build_optimiser(config)).generators["gen_ab"]}
        self._generate = jax.jit(build_generator(config).apply)
        self._phrases = jax.device_put(made_up_batches(config).batch(0)["a"])
        self.seconds()

    def seconds(self) -> float:
        """Seconds a batch."""
        return seconds_of(lambda: self._generate(self._params, self._phrases))


def time_input(config: Config, times: int) -> dict[str, float]:
    """Phrases of a genre a second: row numbers of phrases held, and batches streamed from memory."""
    batches = made_up_batches(config)
    steps = times * batches.steps_per_epoch
    start = time.perf_counter()
    for step in range(steps):
        batches.rows(step)
    held = time.perf_counter()
    for _ in batches.stream(0, steps):
        pass
    phrases = steps * config.batch_size
    return {"held": phrases / (held - start), "streamed": phrases / (time.perf_counter() - held)}


def time_loop(config: Config, cadence: Cadence, memory: MemorySaving = KEEP_ALL) -> float:
    """Seconds a step of a run's loop, logging and all, from its first line of metrics to its last."""
    with tempfile.TemporaryDirectory(prefix="benchmark_") as name:
        folder = RunFolder(Path(name))
        folder.claim(config, Path(name))
        train(config, cadence, made_up_batches(config), None, folder, memory=memory)
        lines = [json.loads(line) for line in folder.timing.read_text().splitlines()]
    return (lines[-1]["time"] - lines[0]["time"]) / (lines[-1]["step"] - lines[0]["step"])
