"""`kill -9` at moments of chance: what is taken up again ends as what was never touched, to the bit.

These kills are of real commands; `test_failpoints.py` goes on from each point of a save and of an evaluation.
"""

import contextlib
import json
import random
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.running import log, run_command, started, train_flags, wait_until
from support.training_loop import assert_same_bits, saved

from cyclegan_jax.training.checkpoint import Checkpoints
from launch.run.folder import RunFolder

pytestmark = pytest.mark.timeout(1800)


@dataclass(frozen=True)
class Plan:
    """How long a run is, when it is evaluated, and how often it is killed, once more amid an evaluation."""

    steps: int
    evaluated: int
    saves: int
    moments: int
    starts: int

    def flags(self, demo_dir: Path) -> list[str]:
        """The run's, which logs, saves and evaluates at steps that seldom meet."""
        cadence = ("--log_every=3", "--save_every=5", f"--eval_every={self.evaluated}")
        return train_flags(demo_dir, self.steps, *cadence)

    def kinds(self, chance: random.Random) -> list[str]:
        """Kinds of kills in their order: amid the evaluation in the middle, some steps on at last."""
        kinds = ["save"] * self.saves + ["moment"] * (self.moments - 1) + ["start"] * self.starts
        chance.shuffle(kinds)
        kinds.insert(len(kinds) // 2, "evaluation")
        return [*kinds, "moment"]


FIVE = Plan(steps=198, evaluated=100, saves=2, moments=1, starts=1)
TWENTY = Plan(steps=300, evaluated=100, saves=6, moments=10, starts=3)


def newest(workdir: Path) -> int:
    """The newest step that is saved whole; 0 where none is."""
    return max((int(path.parent.name) for path in workdir.glob("checkpoints/*/manifest.json")), default=0)


def half_saved_since(workdir: Path, start: float) -> bool:
    """Whether what lies there in the middle of a save alone has been begun after a time of the clock."""
    with contextlib.suppress(FileNotFoundError):
        halves = workdir.glob("checkpoints/*/state.orbax-checkpoint-tmp")
        return any(half.stat().st_ctime > start for half in halves)
    return False


def killed(kind: str, flags: list[str], evaluated: int, place: Path, chance: random.Random) -> bool:
    """Start it and kill it at a moment of a kind, by chance; whether it left a save half done."""
    workdir, start = place / "run", time.time()
    at = newest(workdir)
    with started("train", *flags, cwd=place) as process:
        if kind == "start":
            time.sleep(chance.uniform(0.5, 6))
        elif kind == "save":
            goal = at + 5 * chance.randrange(3)
            wait_until(lambda: newest(workdir) >= goal, process)
            wait_until(lambda: half_saved_since(workdir, start), process, every=0.0005)
        elif kind == "moment":
            goal = at + 5 * chance.randint(1, 2)
            wait_until(lambda: newest(workdir) >= goal, process)
            time.sleep(chance.uniform(0, 0.3))
        else:
            wait_until(lambda: newest(workdir) >= evaluated, process)
            time.sleep(0.5)
        assert process.poll() is None, "it was to be killed, and has ended"
        process.kill()
        process.wait()
    return half_saved_since(workdir, start)


@pytest.mark.slow
def test_five_kills_leave_no_trace_in_what_was_trained(run_dir, demo_dir, tmp_path):
    assert kills_leave_no_trace(FIVE, demo_dir, tmp_path) >= FIVE.saves // 2


@pytest.mark.nightly
def test_twenty_kills_leave_no_trace_in_what_was_trained(run_dir, demo_dir, tmp_path):
    assert kills_leave_no_trace(TWENTY, demo_dir, tmp_path) >= TWENTY.saves // 2


def kills_leave_no_trace(plan: Plan, demo_dir: Path, place: Path) -> int:
    """Train by a plan and without a kill, compare what the two left; how many saves were half done."""
    flags, chance = plan.flags(demo_dir), random.Random(0)
    (place / "untouched").mkdir()
    done = run_command("train", *flags, cwd=place / "untouched")
    assert done.returncode == 0, done.stderr
    workdir, untouched = place / "run", place / "untouched" / "run"

    begun_from, halves = [], 0
    for kind in plan.kinds(chance):
        begun_from.append(newest(workdir))
        halves += killed(kind, flags, plan.evaluated, place, chance)
        if kind == "evaluation":
            with Checkpoints(workdir / "checkpoints", read_only=True) as checkpoints:
                assert not checkpoints.is_evaluated(plan.evaluated), "it was killed amid that"
            after_evaluation = len(begun_from)
    begun_from.append(newest(workdir))
    print(f"{len(begun_from) - 1} kills, {halves} left a save half done; begun from {begun_from}")
    assert begun_from == sorted(begun_from) and len(set(begun_from)) > plan.moments
    assert begun_from[after_evaluation] == plan.evaluated < begun_from[-1]
    done = run_command("train", *flags, cwd=place)
    assert done.returncode == 0, done.stderr

    config = RunFolder(untouched).config()
    assert RunFolder(workdir).config() == config
    assert_same_bits(saved(workdir, plan.steps, config), saved(untouched, plan.steps, config))
    assert (workdir / "metrics.jsonl").read_bytes() == (untouched / "metrics.jsonl").read_bytes()
    logged = [row["step"] for row in log(workdir) if "epoch" in row]
    assert logged == list(range(3, plan.steps + 1, 3))
    assert (workdir / "evaluation.json").read_bytes() == (untouched / "evaluation.json").read_bytes()
    assert (workdir / "evaluation" / "listen.html").exists()
    assert not list(workdir.rglob(".written.*"))
    with (workdir / "timing.jsonl").open() as timing:
        assert [json.loads(line)["step"] for line in timing] == logged
    return halves
