"""Timing whole commands as a user starts them: the way to the first training step, and a song's transfer."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import jax
import numpy as np

from cyclegan_jax.config import Config
from cyclegan_jax.midi.io import write_midi
from cyclegan_jax.midi.reader import Tempo
from cyclegan_jax.pianoroll.roll import BEATS_PER_BAR, PITCHES, STEPS_PER_BEAT
from cyclegan_jax.training.checkpoint import Checkpoints
from cyclegan_jax.training.state import build_optimiser, create_state
from launch.benchmarks.step import DENSITY
from launch.run.folder import RunFolder

PAIR = "jazz_pop"
TEMPO = 120.0  # beats per minute of the song
MINUTES = 3
NO_DATASET = ("data", "genre_rolls", "none", "0.0.0")  # where the run's dataset would be
MOST_SECONDS = 600  # that a command may take
# Runs a command and prints its seconds and its peak KiB. It is a process of its own, for a child's peak
# begins at that of the process which starts it.
WATCH = """
import json, resource, subprocess, sys, time
start = time.perf_counter()
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
seconds = time.perf_counter() - start
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]))
"""


def time_start(data_dir: Path | None = None) -> dict[str, float]:
    """Seconds from the command to the end of the first step of the demo's `tiny` run, dataset built.

    `cold`: with nothing compiled before; `warm`: with the compilation cache that the cold start has left.
    `data_dir` has the demo dataset and the classifier beside it; without it they are made first.
    """
    with tempfile.TemporaryDirectory(prefix="benchmark_start_") as name:
        place = Path(name)
        if data_dir is None:
            data_dir = place / "data"
            _to_first_step(place, "prepared", data_dir, {})
        cache = {"JAX_COMPILATION_CACHE_DIR": str(place / "cache")}
        return {start: _to_first_step(place, start, data_dir, cache) for start in ("cold", "warm")}


def _to_first_step(place: Path, workdir: str, data_dir: Path, cache: dict[str, str]) -> float:
    words = [f"--pair={PAIR}", "--preset=tiny", f"--data_dir={data_dir}", "--log_every=1"]
    words += [f"--workdir={place / workdir}"]
    log = RunFolder(place / workdir).metrics
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "launch.train", *words],
        env={**os.environ, **cache},
        stdout=subprocess.DEVNULL,
    )
    try:
        while not (log.exists() and log.read_text().endswith("\n")):
            if process.poll() is not None or time.perf_counter() - start > MOST_SECONDS:
                raise RuntimeError(
                    f"launch.train {' '.join(words)} has made no step; it ended with {process.poll()}"
                )
            time.sleep(0.02)
        return time.perf_counter() - start
    finally:
        process.kill()
        process.wait()


def time_song(config: Config) -> dict[str, dict[str, float]]:
    """Seconds and peak MiB of `launch.transfer` on a song of three minutes, by untrained nets of a config.

    `cold` and `warm` as for `time_start`.
    """
    with tempfile.TemporaryDirectory(prefix="benchmark_song_") as name:
        folder, song = RunFolder(Path(name) / "run"), Path(name) / "song.mid"
        folder.claim(config, Path(name, *NO_DATASET))
        with Checkpoints(folder.checkpoints) as checkpoints:
            state = jax.device_get(create_state(config, build_optimiser(config)))
            checkpoints.save(0, state, config)
        steps = int(MINUTES * TEMPO / BEATS_PER_BAR) * BEATS_PER_BAR * STEPS_PER_BEAT
        roll = np.random.default_rng(0).random((steps, PITCHES)) < DENSITY
        write_midi(song, roll, (Tempo(0, TEMPO),))
        words = [f"--workdir={folder.workdir}", f"--to={config.pair[1]}", "--overwrite", str(song)]
        return {cache: _transfer(Path(name), words) for cache in ("cold", "warm")}


def _transfer(place: Path, words: list[str]) -> dict[str, float]:
    command = [sys.executable, "-m", "launch.transfer", f"--out_dir={place}", *words]
    environment = {**os.environ, "JAX_COMPILATION_CACHE_DIR": str(place / "cache")}
    watched = [sys.executable, "-c", WATCH, *command]
    done = subprocess.run(
        watched, env=environment, stdout=subprocess.PIPE, text=True, check=True, timeout=MOST_SECONDS
    )
    seconds, kib = json.loads(done.stdout)
    return {"seconds": seconds, "peak_mib": kib / 2**10}
