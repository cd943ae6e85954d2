"""Time training and transfer on this machine: the step, the loop around it, the input, start-up, a song.

With `--peer` a PyTorch script is timed in turn with our step, and the ratio of the two is printed.
"""

import dataclasses
import json
import os
import re
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
from absl import flags
from tqdm import tqdm

from cyclegan_jax.atomic_files import write_whole
from cyclegan_jax.config import PRESETS, RECIPES, Config, check_range
from cyclegan_jax.errors import UserError
from cyclegan_jax.training.cadence import Cadence
from cyclegan_jax.training.memory_saving import MemorySaving
from launch.benchmarks import commands as command_figures
from launch.benchmarks import step as step_figures
from launch.benchmarks.pytorch_peer import Peer, peer_config
from launch.benchmarks.step import StepTimer, TransferTimer
from launch.flags import memory as memory_flags
from launch.flags.resolve import resolve_dtype, resolve_pool_size, resolve_preset
from launch.flags.shared import JSON, ROUNDS, STEPS
from launch.flags.training import DTYPE, PRESET, RECIPE, SIZES
from launch.process.runner import refuse_arguments, run
from launch.run.feed import default_steps_per_dispatch

flags.adopt_module_key_flags(memory_flags)
MEASURES = ("step", "transfer", "input", "loop", "start", "song")
DEFAULT_RECIPE, DEFAULT_ROUNDS, DEFAULT_STEPS = "paper", 5, 10
for flag in (PRESET, RECIPE, *SIZES.values(), DTYPE, ROUNDS, STEPS, JSON):
    flags.declare_key_flag(flag.name)
MEASURE = flags.DEFINE_multi_enum("measure", MEASURES, MEASURES, "What to time; may be given several times.")
PEER_FLAG = flags.DEFINE_string(
    "peer", None, "PyTorch script to time in turn with ours, which then has its network."
)
PEAK_TFLOPS = flags.DEFINE_float("peak_tflops", None, "Peak of the device; common devices are known.", 1e-3)

LOOP_LOG_LINES = 5
# Dense bfloat16 peaks by the makers' data sheets, of devices whose `device_kind` begins with these words.
PEAKS = {
    "NVIDIA H100 PCIe": 756.0,
    "NVIDIA H100": 989.0,
    "NVIDIA H200": 989.0,
    "NVIDIA A100": 312.0,
    "NVIDIA L4": 121.0,
    "NVIDIA A10": 125.0,
    "TPU v4": 275.0,
    "TPU v5 lite": 197.0,
    "TPU v5": 459.0,
    "TPU v6": 918.0,
}


def main(arguments: list[str]) -> None:
    """Measure, print, and write the figures."""
    refuse_arguments(arguments)
    _steps()  # a wrong number is refused before anything is timed
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # leaves memory for the peer
    jax.config.update("jax_enable_compilation_cache", False)
    config, memory = _config(), memory_flags.memory()
    # The peer waits for each of its steps. So beside a peer we wait for each of ours, too.
    at_once = 1 if PEER_FLAG.value else default_steps_per_dispatch(Cadence().log_every)
    figures: dict[str, Any] = {
        "device": jax.devices()[0].device_kind,
        "devices": jax.device_count(),
        "jax": jax.__version__,
        "config": config.to_dict(),
        "memory": dataclasses.asdict(memory),
    }
    for name, part in _measured(config, at_once, memory):
        figures[name] = part
        print(f"{name}: {json.dumps(part, indent=2)}", flush=True)
    if JSON.value:
        write_whole(Path(JSON.value), json.dumps(figures, indent=2) + "\n")


def _steps() -> int:
    steps = DEFAULT_STEPS if STEPS.value is None else STEPS.value
    check_range("steps", steps, 1, 2**31 - 1)
    return steps


def _config() -> Config:
    for flag in (SIZES["blocks"], RECIPE):
        if PEER_FLAG.value and flag.present:
            raise UserError(f"{flag.name} is given, but beside a peer ours has the peer's; leave it out.")
    sizes = PRESETS[resolve_preset(PRESET.value, jax.default_backend())]
    chosen = {name: sizes[name] for name in ("width", "blocks", "batch_size")}
    given = {flag.name: flag.value for flag in SIZES.values() if flag.value is not None}
    options: dict[str, Any] = {**RECIPES[RECIPE.value or DEFAULT_RECIPE], **chosen, **given}
    options["dtype"] = resolve_dtype(DTYPE.value, jax.default_backend())
    options["pool_size"] = resolve_pool_size("auto", options.get("model", Config.model))
    steps = LOOP_LOG_LINES * Cadence().log_every
    config = Config(("a", "b"), ("a", "b"), "", steps=steps, constant_steps=steps // 2, **options)
    return peer_config(config) if PEER_FLAG.value else config


def _measured(config: Config, at_once: int, memory: MemorySaving) -> Iterator[tuple[str, Any]]:
    """The figures that were asked for, each as soon as it is measured."""
    wanted = MEASURE.value
    if {"step", "transfer"} & set(wanted):
        yield from measure_in_turn(config, at_once, memory).items()
    if "input" in wanted:
        yield "input", {"phrases_per_second": step_figures.time_input(config, _steps())}
    if "loop" in wanted:
        yield "loop", measure_loop(config, at_once, memory)
    if "start" in wanted:
        yield "start", {"seconds_to_first_step": command_figures.time_start()}
    if "song" in wanted:
        yield "song", command_figures.time_song(config)


def measure_loop(config: Config, at_once: int, memory: MemorySaving) -> dict[str, Any]:
    """Seconds a step of the training loop, and how much slower that is than the step alone, timed in turn."""
    cadence = Cadence(eval_every=config.steps, steps_per_dispatch=at_once)
    timer = StepTimer(config, at_once, memory)
    loops, lost = [], []
    for _ in tqdm(range(ROUNDS.value or DEFAULT_ROUNDS), unit=" rounds"):
        before = statistics.median(timer.seconds() for _ in range(_steps()))
        loops.append(step_figures.time_loop(config, cadence, memory))
        after = statistics.median(timer.seconds() for _ in range(_steps()))
        lost.append(loops[-1] / statistics.mean((before, after)) - 1.0)
    return {"seconds": statistics.median(loops), "lost": statistics.median(lost), "each": lost}


def measure_in_turn(config: Config, at_once: int, memory: MemorySaving) -> dict[str, dict[str, Any]]:
    """Our step and our transfer of a batch, timed in turn with the peer's; the medians, and their ratios."""
    peer = Peer(Path(PEER_FLAG.value), config, _steps()) if PEER_FLAG.value else None
    timers = {"step": StepTimer(config, at_once, memory), "transfer": TransferTimer(config)}
    ours: dict[str, list[float]] = {name: [] for name in timers}
    theirs: list[dict[str, float]] = []
    for _ in tqdm(range(ROUNDS.value or DEFAULT_ROUNDS), unit=" rounds"):
        for name, timer in timers.items():
            ours[name].append(statistics.median(timer.seconds() for _ in range(_steps())))
        if peer:
            theirs.append(peer.round())
    figures = {
        name: _speed(config, rounds, [least[name] for least in theirs]) for name, rounds in ours.items()
    }
    figures["step"] |= {
        "compile_seconds": timers["step"].first_seconds - at_once * figures["step"]["seconds"],
        **_work(config, step_figures.step_operations(config), figures["step"]["seconds"], jax.device_count()),
        "peak_memory_mib": step_figures.peak_memory(),
    }
    operations = step_figures.transfer_operations(config)
    figures["transfer"] |= _work(config, operations, figures["transfer"]["seconds"], devices=1)
    if peer:
        figures["peer"] = {"rounds": peer.figures, "failed": peer.failures}
    return figures


def _speed(config: Config, ours: list[float], theirs: list[float]) -> dict[str, Any]:
    """Median seconds, phrases of one genre a second and, if the peer was timed, the ratios."""
    seconds = statistics.median(ours)
    speed: dict[str, Any] = {"seconds": seconds, "phrases_per_second": config.batch_size / seconds}
    if theirs:
        ratios = [our / their for our, their in zip(ours, theirs, strict=True)]
        speed["ratio"] = {"median": statistics.median(ratios), "each": ratios}
    return speed


def _work(config: Config, operations: float, seconds: float, devices: int) -> dict[str, float | None]:
    """Operations a phrase and a second, and their share of the device's peak, None where that is unknown."""
    tflops = operations / seconds / 1e12
    peak = PEAK_TFLOPS.value or known_peak(jax.devices()[0].device_kind)
    return {
        "gflop_per_phrase": operations / config.batch_size / 1e9,
        "tflops": tflops,
        "share_of_peak": tflops / (peak * devices) if peak else None,
    }


def known_peak(kind: str) -> float | None:
    """Dense bfloat16 TFLOP/s of a kind of device, by JAX's name for it; None for an unknown one."""
    return next((peak for name, peak in PEAKS.items() if re.match(rf"{name}\b", kind)), None)


if __name__ == "__main__":
    run(main)
