"""Commands of the project as processes that a test runs, watches, signals and kills."""

import contextlib
import fcntl
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

# The smallest nets that take every path of the code.
SMALLEST = ("--preset=tiny", "--width=4", "--blocks=1", "--batch_size=4", "--pool_size=2")
RUN_FLAGS = ("--pair=jazz_pop", "--workdir=run", "--steps=6", "--log_every=2", "--eval_every=3", *SMALLEST)
PATIENCE = 500.0  # seconds
# LLVM's first level compiles a step in two thirds of the time, and the small steps of tests are as fast.
ONE_DEVICE = "--xla_backend_optimization_level=1"
# A collective operation that waits for 40 s ends its process. On cores that are busy with other tests it may.
PATIENT_COLLECTIVES = (
    "--xla_cpu_collective_call_terminate_timeout_seconds=300 --xla_cpu_collective_timeout_seconds=300"
)
CLUSTER = ("--coordinator=127.0.0.1:{port}", "--num_processes=2", "--process_id={process}")


def run_command(
    name: str, *arguments: object, cwd: Path, timeout: float = 560, **variables: str
) -> subprocess.CompletedProcess:
    """`python -m launch.<name>` in a process of its own, on one device unless XLA_FLAGS is given."""
    environment = {**os.environ, "PYTHONPATH": "", "XLA_FLAGS": ONE_DEVICE, **variables}
    words = [sys.executable, "-m", f"launch.{name}", *map(str, arguments)]
    return subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, timeout=timeout)


@contextmanager
def started(name: str, *arguments: object, cwd: Path, **variables: str) -> Iterator[subprocess.Popen]:
    """`python -m launch.<name>` on one device; killed at the end of the block if it still runs."""
    environment = {**os.environ, "PYTHONPATH": "", "XLA_FLAGS": ONE_DEVICE, **variables}
    words = [sys.executable, "-m", f"launch.{name}", *map(str, arguments)]
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as in the background, and would be so there
        signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(
        words, cwd=cwd, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def several_devices(count: int) -> str:
    """The XLA_FLAGS of a process with so many virtual devices."""
    return f"{ONE_DEVICE} --xla_force_host_platform_device_count={count} {PATIENT_COLLECTIVES}"


def free_port() -> int:
    """One below those that systems give to connections, which might take it meanwhile."""
    while True:
        with socket.socket() as free, contextlib.suppress(OSError):
            free.bind(("127.0.0.1", random.randrange(20_000, 32_000)))
            return free.getsockname()[1]


@contextmanager
def no_other_pair() -> Iterator[None]:
    """One worker at a time: two pairs of processes that train together starve each other on a few cores."""
    shared = Path(os.environ["JAX_COMPILATION_CACHE_DIR"])
    shared.mkdir(parents=True, exist_ok=True)
    with (shared / "pair.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def two_started(words: list[str], cwd: Path) -> Iterator[list[subprocess.Popen]]:
    """A command line twice, `{port}` and `{process}` filled in, on two devices each; killed at the end."""
    port = free_port()
    environment = {**os.environ, "XLA_FLAGS": several_devices(2)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with no_other_pair():
        both = [
            subprocess.Popen(
                [w.format(port=port, process=p) for w in words], cwd=cwd, env=environment, **pipes
            )
            for p in (0, 1)
        ]
        try:
            yield both
        finally:
            for process in both:
                process.kill()
                process.communicate()


def wait_until(condition: Callable[[], object], process: subprocess.Popen, every: float = 0.02) -> None:
    """Until `condition` is true; fails where the process has ended before."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if process.poll() is not None:
            raise AssertionError(f"ended with {process.returncode}: {process.stderr.read()}")
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(every)


def train_flags(demo_dir: Path, steps: int, *more: str) -> list[str]:
    """A run of the smallest nets, jazz to pop, in the folder `run`."""
    flags = ["--pair=jazz_pop", f"--data_dir={demo_dir}", f"--steps={steps}", "--workdir=run"]
    return [*flags, *SMALLEST, *more]


def log(workdir: Path) -> list[dict]:
    """The lines of `metrics.jsonl` so far."""
    path = workdir / "metrics.jsonl"
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def last_line(text: str) -> str:
    """The last line that says something, without what a progress bar has written over."""
    return [line for line in text.replace("\r", "\n").splitlines() if line.strip()][-1]
