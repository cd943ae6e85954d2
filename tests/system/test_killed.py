"""`kill -9` at any moment: what is taken up again ends as what was never touched, to the bit."""

import contextlib
import json
import random
import time
from pathlib import Path

import pytest
from support.running import log, run_command, started, train_flags, wait_until
from support.training_loop import assert_same_bits, saved

from cyclegan_jax.training.checkpoint import Checkpoints
from launch.run.folder import RunFolder

SAVES, MOMENTS, STARTS = 6, 10, 3  # kills, besides the one amid an evaluation
EVALUATED = 100
STEPS = 300
CADENCE = ("--log_every=3", "--save_every=5", f"--eval_every={EVALUATED}")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def untouched(demo_dir, run_dir, tmp_path_factory) -> Path:
    """The workdir of the run that nobody killed."""
    place = tmp_path_factory.mktemp("untouched")
    done = run_command("train", *train_flags(demo_dir, STEPS, *CADENCE), cwd=place)
    assert done.returncode == 0, done.stderr
    return place / "run"


def newest(workdir: Path) -> int:
    """The newest step that is saved whole; 0 where none is."""
    return max((int(path.parent.name) for path in workdir.glob("checkpoints/*/manifest.json")), default=0)


def half_saved_since(workdir: Path, start: float) -> bool:
    """Whether what lies there in the middle of a save alone has been begun after a time of the clock."""
    with contextlib.suppress(FileNotFoundError):
        halves = workdir.glob("checkpoints/*/state.orbax-checkpoint-tmp")
        return any(half.stat().st_ctime > start for half in halves)
    return False


def killed(kind: str, flags: list[str], place: Path, chance: random.Random) -> bool:
    """Start it and kill it at a moment of a kind, by chance; whether it left a save half done."""
    workdir, start = place / "run", time.time()
    at = newest(workdir)
    with started("train", *flags, cwd=place) as process:
        if kind == "start":
            time.sleep(chance.uniform(0.5, 8))
        elif kind == "save":
            goal = at + 5 * chance.randrange(3)
            wait_until(lambda: newest(workdir) >= goal, process)
            wait_until(lambda: half_saved_since(workdir, start), process, every=0.0005)
        elif kind == "moment":
            goal = at + 5 * chance.randint(1, 2)
            wait_until(lambda: newest(workdir) >= goal, process)
            time.sleep(chance.uniform(0, 0.3))
        else:
            wait_until(lambda: newest(workdir) >= EVALUATED, process)
            time.sleep(0.5)
        assert process.poll() is None, "it was to be killed, and has ended"
        process.kill()
        process.wait()
    return half_saved_since(workdir, start)


def test_twenty_kills_leave_no_trace_in_what_was_trained(untouched, demo_dir, tmp_path):
    flags = train_flags(demo_dir, STEPS, *CADENCE)
    chance = random.Random(0)
    plan = ["save"] * SAVES + ["moment"] * MOMENTS + ["start"] * STARTS
    chance.shuffle(plan)
    plan.insert(7, "evaluation")
    begun_from, halves = [], 0
    for kind in plan:
        begun_from.append(newest(tmp_path / "run"))
        halves += killed(kind, flags, tmp_path, chance)
        if kind == "evaluation":
            with Checkpoints(tmp_path / "run" / "checkpoints", read_only=True) as checkpoints:
                assert not checkpoints.is_evaluated(EVALUATED), "it was killed amid that"
    begun_from.append(newest(tmp_path / "run"))
    print(f"{len(plan)} kills, {halves} left a save half done; begun from {begun_from}")
    assert begun_from == sorted(begun_from) and len(set(begun_from)) > MOMENTS
    assert begun_from[8] == EVALUATED < begun_from[-1] and halves >= SAVES // 2
    done = run_command("train", *flags, cwd=tmp_path)
    assert done.returncode == 0, done.stderr

    workdir = tmp_path / "run"
    config = RunFolder(untouched).config()
    assert RunFolder(workdir).config() == config
    assert_same_bits(saved(workdir, STEPS, config), saved(untouched, STEPS, config))
    assert (workdir / "metrics.jsonl").read_bytes() == (untouched / "metrics.jsonl").read_bytes()
    ticks = [row["step"] for row in log(workdir) if "epoch" in row]
    assert ticks == list(range(3, STEPS + 1, 3))
    assert (workdir / "evaluation.json").read_bytes() == (untouched / "evaluation.json").read_bytes()
    assert (workdir / "evaluation" / "listen.html").exists()
    assert not list(workdir.rglob(".written.*"))
    with (workdir / "timing.jsonl").open() as timing:
        assert [json.loads(line)["step"] for line in timing] == ticks
