"""`kill -9` at any moment: what is taken up again ends as what was never touched, to the bit."""

import json
import random
import time
from pathlib import Path

import pytest
from running import log, run_command, started, train_flags, wait_until
from test_loop import assert_same_bits, saved

from launch.run_folder import RunFolder

KILLS, INSIDE_A_SAVE = 20, 6
STEPS = 200
CADENCE = ("--log_every=3", "--save_every=5", "--eval_every=100")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def untouched(demo_dir, run_dir, tmp_path_factory) -> Path:
    """The workdir of the run that nobody killed."""
    place = tmp_path_factory.mktemp("untouched")
    done = run_command("train", *train_flags(demo_dir, STEPS, *CADENCE), cwd=place)
    assert done.returncode == 0, done.stderr
    return place / "run"


def half_saved(workdir: Path) -> list[Path]:
    """What lies there in the middle of a save alone."""
    return list(workdir.glob("checkpoints/*/state.orbax-checkpoint-tmp"))


def kill_amid_a_save(flags: list[str], place: Path) -> bool:
    """Whether it was killed before it ended."""
    with started("train", *flags, cwd=place) as process:
        try:
            wait_until(lambda: half_saved(place / "run"), process, every=0.0005)
        except AssertionError:
            return False
        process.kill()
        process.wait()
    return True


def kill_after(seconds: float, flags: list[str], place: Path) -> bool:
    """Seconds from when the loop begins, negative ones before that."""
    with started("train", *flags, cwd=place) as process:
        begun = (place / "run" / "started.jsonl").stat().st_mtime_ns if log(place / "run") else 0
        if seconds < 0:
            time.sleep(6 + seconds)
        else:
            marker = place / "run" / "started.jsonl"
            wait_until(lambda: marker.exists() and marker.stat().st_mtime_ns > begun, process)
            time.sleep(seconds)
        ended = process.poll() is not None
        process.kill()
        process.wait()
    return not ended


def test_twenty_kills_leave_no_trace_in_what_was_trained(untouched, demo_dir, tmp_path):
    flags = train_flags(demo_dir, STEPS, *CADENCE)
    chance = random.Random(0)
    plan = ["save"] * INSIDE_A_SAVE + ["moment"] * (KILLS - INSIDE_A_SAVE)
    chance.shuffle(plan)
    killed, halves = 0, 0
    for kind in plan:
        before = len(half_saved(tmp_path / "run"))
        if kind == "save":
            killed += kill_amid_a_save(flags, tmp_path)
            halves += len(half_saved(tmp_path / "run")) > before or bool(
                list(tmp_path.glob("run/checkpoints/*/state.orbax-checkpoint-tmp"))
            )
        else:
            killed += kill_after(chance.uniform(-3, 9), flags, tmp_path)
    print(f"{killed} of {KILLS} kills met a living process, {halves} of them left half a checkpoint")
    assert killed >= KILLS // 2 and halves >= 1
    done = run_command("train", *flags, cwd=tmp_path)
    assert done.returncode == 0, done.stderr

    workdir = tmp_path / "run"
    config = RunFolder(untouched).config()
    assert RunFolder(workdir).config() == config
    assert_same_bits(saved(workdir, STEPS, config), saved(untouched, STEPS, config))
    assert (workdir / "metrics.jsonl").read_bytes() == (untouched / "metrics.jsonl").read_bytes()
    ticks = [row["step"] for row in log(workdir) if "epoch" in row]
    assert ticks == [*range(3, STEPS, 3), STEPS]
    assert (workdir / "evaluation.json").read_bytes() == (untouched / "evaluation.json").read_bytes()
    assert (workdir / "evaluation" / "listen.html").exists()
    assert not list(workdir.rglob(".written.*"))
    with (workdir / "timing.jsonl").open() as timing:
        assert [json.loads(line)["step"] for line in timing] == ticks
