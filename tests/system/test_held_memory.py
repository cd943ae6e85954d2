"""A long run holds no more memory at its end than after its first evaluation, and no more open files."""

import dataclasses
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest
from support.training_loop import CONFIG, run

from cyclegan_jax.training.cadence import Cadence

STEPS, FIRST = 2000, 300
CADENCE = Cadence(log_every=50, eval_every=250, save_every=100)
MOST_GROWTH = 0.05

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def main() -> None:
    """Train, and print resident bytes and open files by step."""
    process, seen = psutil.Process(), {}

    def watch(step: int) -> None:
        if step % 50 == 0:
            seen[step] = (process.memory_info().rss, process.num_fds())

    config = dataclasses.replace(CONFIG, steps=STEPS, constant_steps=STEPS // 2)
    with tempfile.TemporaryDirectory() as place:
        run(Path(place), CADENCE, config, evaluated=True, watch=watch)
    print(json.dumps(seen))


def test_two_thousand_steps_with_checkpoints_and_evaluations_hold_no_more_and_more():
    done = subprocess.run([sys.executable, __file__], capture_output=True, text=True, timeout=1700)
    assert done.returncode == 0, done.stderr
    seen = {int(step): counts for step, counts in json.loads(done.stdout.splitlines()[-1]).items()}
    early = [counts for step, counts in seen.items() if FIRST <= step <= FIRST + 200]
    late = [counts for step, counts in seen.items() if step >= STEPS - 200]
    (memory, files), (memory_late, files_late) = (
        (max(rss for rss, _ in part), max(fds for _, fds in part)) for part in (early, late)
    )
    print(
        f"{memory / 2**20:.0f} MiB and {files} files early, {memory_late / 2**20:.0f} and {files_late} late"
    )
    assert memory_late <= (1 + MOST_GROWTH) * memory
    assert files_late <= files


if __name__ == "__main__":
    main()
