"""Two real processes of two devices each compute what one process on one device does."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import optax
import pytest

from cyclegan_jax.config import Config
from cyclegan_jax.datasets.pipeline.batches import PairBatches
from cyclegan_jax.datasets.pipeline.phrases import load_phrases
from cyclegan_jax.parallel import Parallel
from cyclegan_jax.state import build_optimiser, create_state
from launch.run_folder import RunFolder

RELATIVE = 1e-4
SECONDS = 280  # to wait for both
SGD = optax.sgd(0.002)  # steps much larger make the losses explode, and rounding errors with them

pytestmark = pytest.mark.timeout(2 * SECONDS)

CONFIG = Config(
    pair=("jazz", "pop"),
    genres=(),
    fingerprint="",
    steps=3,
    constant_steps=3,
    model="base",
    width=4,
    blocks=1,
    batch_size=4,
    pool_size=1,
    sigma_d=0.1,
)


def three_steps_of_sgd(devices: list[jax.Device] | None = None) -> dict[str, np.ndarray]:
    """The whole state after three steps by plain SGD, by name of leaf."""
    a, b = np.random.default_rng(0).random((2, 12, 64, 84, 1)) < 0.1
    batches = PairBatches(a, b, [], CONFIG.batch_size, CONFIG.seed)
    parallel = Parallel(CONFIG, SGD, devices)
    state = parallel.scatter(create_state(CONFIG, SGD))
    for step in range(CONFIG.steps):
        state, _ = parallel.step(state, batches.batch(step))
    leaves, _ = jax.tree_util.tree_flatten_with_path(parallel.gather(state))
    return {jax.tree_util.keystr(path): leaf for path, leaf in leaves}


def distance(found: np.ndarray, expected: np.ndarray) -> float:
    """How far apart two arrays are, relative to the size of the second one."""
    difference = np.linalg.norm(np.float64(found) - np.float64(expected))
    return float(difference / max(np.linalg.norm(np.float64(expected)), 1e-30))


def work(port: str, process: str, out: str) -> None:
    """One of two processes; the first one saves the state."""
    jax.distributed.initialize(f"127.0.0.1:{port}", 2, int(process))
    assert (jax.local_device_count(), jax.device_count()) == (2, 4)
    leaves = three_steps_of_sgd()
    if process == "0":
        np.savez(out, **leaves)


def run_two(words: list[str], cwd: Path) -> list[str]:
    """Start a command line twice, `{port}` and `{process}` filled in; what each printed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    children = [
        subprocess.Popen(
            [word.format(port=port, process=process) for word in words],
            cwd=cwd,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for process in (0, 1)
    ]
    try:
        printed = [child.communicate(timeout=SECONDS) for child in children]
        assert [child.returncode for child in children] == [0, 0], "\n".join(err for _, err in printed)
        return [out for out, _ in printed]
    finally:
        for child in children:
            child.kill()
            child.wait()


def test_three_steps_by_plain_sgd_end_in_the_same_parameters(tmp_path):
    out = tmp_path / "state.npz"
    run_two([sys.executable, __file__, "{port}", "{process}", str(out)], cwd=tmp_path)
    alone = three_steps_of_sgd(jax.devices()[:1])
    fresh, _ = jax.tree_util.tree_flatten_with_path(create_state(CONFIG, SGD))
    start = {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in fresh}
    with np.load(out) as together:
        assert set(together) == set(alone) == set(start)
        for name, leaf in alone.items():
            assert distance(together[name], leaf) <= RELATIVE, name
    assert max(distance(start[name], leaf) for name, leaf in alone.items() if "kernel" in name) > 0.01


def test_the_command_trains_as_two_processes_and_only_the_first_writes(run_dir, demo_dir, tmp_path):
    from conftest import SMALLEST

    flags = ["--pair=jazz_pop", f"--data_dir={demo_dir}", "--workdir=run", "--steps=1", "--log_every=1"]
    cluster = ["--coordinator=127.0.0.1:{port}", "--num_processes=2", "--process_id={process}"]
    words = [sys.executable, "-m", "launch.train", *flags, *SMALLEST, "--sigma_d=0.1", *cluster]
    printed = run_two(words, cwd=tmp_path)
    assert "Total strength" in printed[0] and "Total strength" not in printed[1]

    workdir = tmp_path / "run"
    rows = [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]
    assert ["epoch" in row for row in rows] == [True, False], "one tick, one evaluation"
    assert {path.name for path in (workdir / "checkpoints").iterdir()} == {"1"}
    assert (workdir / "evaluation.json").exists()
    assert {path.name for path in workdir.parent.iterdir()} == {"run"}

    config = RunFolder(workdir).config()
    phrases = load_phrases(RunFolder(workdir).dataset_folder(), "train", config.genres)
    a, b = (phrases[genre].rolls for genre in config.pair)
    mixed = [phrases[genre].rolls for genre in config.genres]
    batch = PairBatches(a, b, mixed, config.batch_size, config.seed).batch(0)
    optimiser = build_optimiser(config)
    alone = Parallel(config, optimiser, jax.devices()[:1])
    _, expected = alone.step(alone.scatter(create_state(config, optimiser)), batch)
    assert rows[0].keys() - {"step", "epoch"} == expected.keys()
    for name, value in expected.items():
        assert rows[0][name] == pytest.approx(float(value), rel=RELATIVE), name


if __name__ == "__main__":
    work(*sys.argv[1:])
