"""SIGTERM and Ctrl-C: the state is saved, one line says so, and the process ends in time by its code."""

import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.midi_bytes import GOOD
from support.running import SMALLEST, last_line, log, started, train_flags, wait_until
from support.training_loop import assert_same_bits, run, steps_saved

from cyclegan_jax.training.checkpoint import Checkpoints
from cyclegan_jax.training.state import TrainState
from launch.process import signals as stopping
from launch.process.signals import StoppedError

CODES = {signal.SIGTERM: 75, signal.SIGINT: 130}
SECONDS = 10.0  # from a signal to the end
LAST_SECONDS = 5.0  # that launch.serve gives a song in hand

# Stopped while the garbage collector calls back, which swallows what is raised there.
SWALLOWED = """
import gc, signal, time
from launch.process.runner import run

def stop(phase, info):
    gc.callbacks.remove(stop)
    signal.raise_signal(signal.SIGTERM)

def main(arguments):
    gc.callbacks.append(stop)
    gc.collect()
    time.sleep(60)

run(main)
"""


@pytest.fixture
def handled(monkeypatch):
    """The handlers in this process, without the thread that would end it."""
    before = {number: signal.signal(number, stopping._note) for number in CODES}
    monkeypatch.setattr(stopping._Asked, "number", None)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="module")
def unstopped(tmp_path_factory) -> tuple[Path, TrainState]:
    """Workdir and last state of the run that nobody stopped."""
    workdir = tmp_path_factory.mktemp("unstopped")
    return workdir, run(workdir, evaluated=True)


def end_of(process: subprocess.Popen, since: float) -> str:
    """What it said on stderr; it must end in time."""
    _, said = process.communicate(timeout=60)
    assert time.monotonic() - since < SECONDS
    return said


@pytest.mark.slow
@pytest.mark.parametrize("number, step", [(signal.SIGTERM, 4), (signal.SIGINT, 6)])
def test_a_run_stopped_and_taken_up_again_is_the_same_to_the_bit(
    unstopped, tmp_path, handled, number, step, monkeypatch
):
    workdir, state = unstopped

    def signalled(now: int) -> None:
        if now == step:
            signal.raise_signal(number)

    with pytest.raises(StoppedError, match=f"stopped at step {step + 1} of 10, which is saved") as stop:
        run(tmp_path, evaluated=True, watch=signalled)
    assert stop.value.code == CODES[number]
    assert max(steps_saved(tmp_path)) == step + 1
    assert log(tmp_path)[-1]["step"] == step + 1 and "epoch" in log(tmp_path)[-1]
    monkeypatch.setattr(stopping._Asked, "number", None)
    resumed = run(tmp_path, evaluated=True)
    assert_same_bits(resumed, state)
    assert (tmp_path / "metrics.jsonl").read_bytes() == (workdir / "metrics.jsonl").read_bytes()


@pytest.mark.slow
def test_an_evaluation_that_is_broken_off_comes_again(unstopped, tmp_path, handled, monkeypatch):
    workdir, state = unstopped
    from launch.run import loop

    evaluation = loop.validate

    def broken_off(*arguments: object) -> tuple:
        result = evaluation(*arguments)
        signal.raise_signal(signal.SIGTERM)
        return result

    with monkeypatch.context() as patched:
        patched.setattr(loop, "validate", broken_off)
        with pytest.raises(StoppedError):
            run(tmp_path, evaluated=True)
    with Checkpoints(tmp_path / "checkpoints", read_only=True) as checkpoints:
        assert checkpoints.steps() == [5] and not checkpoints.is_evaluated(5)
    assert "validation/score" in log(tmp_path)[-1], "its line was written, its score was not"
    monkeypatch.setattr(stopping._Asked, "number", None)
    assert_same_bits(run(tmp_path, evaluated=True), state)
    assert (tmp_path / "metrics.jsonl").read_bytes() == (workdir / "metrics.jsonl").read_bytes()
    with Checkpoints(tmp_path / "checkpoints", read_only=True) as checkpoints:
        assert checkpoints.is_evaluated(5)


def test_a_signal_amid_a_callback_that_swallows_exceptions_is_not_lost(tmp_path):
    (tmp_path / "swallowed.py").write_text(SWALLOWED)
    done = subprocess.run(
        [sys.executable, "swallowed.py"], cwd=tmp_path, capture_output=True, text=True, timeout=50
    )
    assert (done.returncode, done.stderr) == (75, "stopped; what was finished is kept.\n")


@pytest.mark.slow
@pytest.mark.parametrize("number", CODES)
def test_a_command_that_trains_saves_says_so_and_ends_by_its_code(demo_dir, run_dir, tmp_path, number):
    flags = train_flags(demo_dir, 10**6, "--log_every=1")
    with started("train", *flags, cwd=tmp_path) as process:
        wait_until(lambda: len(log(tmp_path / "run")) >= 3, process)
        process.send_signal(number)
        said = end_of(process, time.monotonic())
    assert process.returncode == CODES[number] and "Traceback" not in said
    step = log(tmp_path / "run")[-1]["step"]
    assert last_line(said).startswith(f"stopped at step {step} of 1000000, which is saved;")
    with Checkpoints(tmp_path / "run" / "checkpoints", read_only=True) as checkpoints:
        assert checkpoints.latest() == step


@pytest.mark.slow
@pytest.mark.parametrize("signals", [1, 2])
def test_deep_in_a_compiler_it_ends_in_time_and_at_once_if_told_twice(demo_dir, run_dir, tmp_path, signals):
    flags = train_flags(demo_dir, 100, "--width=64", "--blocks=10")
    cache = {"JAX_COMPILATION_CACHE_DIR": str(tmp_path / "cache")}
    with started("train", *flags, cwd=tmp_path, **cache) as process:
        wait_until((tmp_path / "run" / "metrics.jsonl").exists, process)
        time.sleep(2)
        sent = time.monotonic()
        for _ in range(signals):
            process.send_signal(signal.SIGTERM)
            time.sleep(0.2)
        said = end_of(process, sent)
    assert time.monotonic() - sent < (SECONDS if signals == 1 else 5)
    assert process.returncode == 75 and "Traceback" not in said
    assert "the newest checkpoint, if there is one, is whole" in last_line(said)
    assert log(tmp_path / "run") == []


# Once warm, its networks take a minute.
SERVING_SLOWLY = """
import runpy, time
from cyclegan_jax.transfer.model import Model
def network(model, to):
    print("begun", flush=True)
    time.sleep(60)
Model.warm_up = lambda model: setattr(Model, "network", network)
runpy.run_module("launch.serve", run_name="__main__", alter_sys=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("signals", [1, 2])
def test_the_local_page_ends_by_0_and_in_time_amid_a_song(model_path, tmp_path, signals):
    words = [sys.executable, "-c", SERVING_SLOWLY, f"--model={model_path}", "--port=0"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(words, cwd=tmp_path, **pipes) as process, socket.socket() as browser:
        port = re.search(r":(\d+)/", process.stdout.readline())[1]
        browser.connect(("127.0.0.1", int(port)))
        head = f"POST /transfer?to=pop HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: audio/midi\r\n"
        browser.sendall(f"{head}Content-Length: {len(GOOD)}\r\n\r\n".encode() + GOOD)
        assert process.stdout.readline() == "begun\n"
        sent = time.monotonic()
        for _ in range(signals):
            process.send_signal(signal.SIGINT)
            time.sleep(0.2)
        said = end_of(process, sent)
    assert (process.returncode, said) == (0, "")
    assert (time.monotonic() - sent < LAST_SECONDS) == (signals == 2)


@pytest.mark.slow
@pytest.mark.parametrize("number", CODES)
def test_before_there_is_a_run_it_just_ends(tmp_path, number):
    flags = ["--pair=jazz_pop", "--data_dir=data", "--workdir=run", *SMALLEST]
    with started("train", *flags, cwd=tmp_path) as process:
        wait_until(lambda: list(Path(tmp_path).glob("data/.building-*")), process)
        process.send_signal(number)
        said = end_of(process, time.monotonic())
    assert process.returncode == CODES[number] and "Traceback" not in said
    assert last_line(said) == "stopped; what was finished is kept."
    assert not (tmp_path / "run").exists() and not list(Path(tmp_path).glob("data/.building-*"))
