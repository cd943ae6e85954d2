"""A long run holds no more memory at its end than half-way, and no more open files.

What is held is the resident size once the allocator has given back what is free, as the median of several
readings, because a save needs some more for a moment. A leak grows as much in the second half as in the
first, in which programs are still compiled.
"""

import ctypes
import dataclasses
import gc
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest
from support.sizes import slow_or_nightly
from support.training_loop import CONFIG, run

from cyclegan_jax.training.cadence import Cadence

CADENCE = Cadence(log_every=50, eval_every=250, save_every=100)
MOST_GROWTH = 0.05

pytestmark = pytest.mark.timeout(1800)


def main(steps: int) -> None:
    """Train, and print resident bytes and open files by step."""
    process, libc, seen = psutil.Process(), ctypes.CDLL("libc.so.6"), {}

    def watch(step: int) -> None:
        if step % 50 == 0:
            gc.collect()
            libc.malloc_trim(0)
            seen[step] = (process.memory_info().rss, process.num_fds())

    config = dataclasses.replace(CONFIG, width=1, steps=steps, constant_steps=steps // 2)
    with tempfile.TemporaryDirectory() as place:
        run(Path(place), CADENCE, config, evaluated=True, watch=watch)
    print(json.dumps(seen))


@pytest.mark.parametrize("steps", slow_or_nightly(1000, 2000))
def test_steps_with_checkpoints_and_evaluations_hold_no_more_and_more(steps):
    words = [sys.executable, __file__, str(steps)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=1700)
    assert done.returncode == 0, done.stderr
    seen = {int(step): counts for step, counts in json.loads(done.stdout.splitlines()[-1]).items()}
    half_way, end = (
        [counts for step, counts in seen.items() if last - CADENCE.eval_every < step <= last]
        for last in (steps // 2, steps)
    )
    memory, memory_end = (statistics.median(rss for rss, _ in part) for part in (half_way, end))
    files, files_end = (max(fds for _, fds in part) for part in (half_way, end))
    print(
        f"{memory / 2**20:.0f} MiB and {files} files half-way, {memory_end / 2**20:.0f} and {files_end} later"
    )
    assert memory_end <= (1 + MOST_GROWTH) * memory
    assert files_end <= files


if __name__ == "__main__":
    main(int(sys.argv[1]))
