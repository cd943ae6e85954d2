"""One of two processes that train together dies: the other ends soon and says so; both go on again."""

import signal
import sys
import time

import pytest
from running import CLUSTER, PATIENCE, last_line, log, train_flags, two_started, wait_until

SECONDS = 60.0  # in which the other one must end

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


@pytest.mark.parametrize("victim", [1, 0])
def test_the_other_ends_within_a_minute_and_both_go_on_when_started_again(
    run_dir, demo_dir, tmp_path, victim
):
    flags = train_flags(demo_dir, 10**6, "--log_every=1", "--save_every=5")
    command = [sys.executable, "-m", "launch.train", *flags, *CLUSTER]
    with two_started(command, tmp_path) as both:
        wait_until(lambda: len(log(tmp_path / "run")) >= 7, both[0])
        both[victim].kill()
        killed = time.monotonic()
        _, said = both[1 - victim].communicate(timeout=PATIENCE)
        assert time.monotonic() - killed < SECONDS
    code = both[1 - victim].returncode
    print(code, said)
    assert "Traceback" not in said
    if code == -signal.SIGABRT:  # jax itself has ended it, being the first to notice
        assert "coordination" in said.lower()
    else:
        assert code == 1
        assert last_line(said).startswith("training together broke off, for another process has ended")
    with two_started(command, tmp_path) as both:
        wait_until(lambda: len(log(tmp_path / "run")) >= 12, both[0])
        steps = [row["step"] for row in log(tmp_path / "run")]
        assert steps == list(range(1, len(steps) + 1))
