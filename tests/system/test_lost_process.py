"""One of two processes that train together dies: the other ends soon and says so; both go on again."""

import signal
import sys
import time

import jax
import pytest
from support.running import CLUSTER, PATIENCE, last_line, log, train_flags, two_started, wait_until
from support.sizes import slow_or_nightly

from cyclegan_jax.training.data_parallel import wait_for_all
from launch.process.runner import run

SECONDS = 60.0  # in which the other one must end

pytestmark = pytest.mark.timeout(1500)


def work(port: str, process: str) -> None:
    """One of two processes, of which the second fails as nobody foresaw while the first waits for it."""

    def main(arguments: list[str]) -> None:
        jax.distributed.initialize(f"127.0.0.1:{port}", 2, int(process), heartbeat_timeout_seconds=10)
        if process == "1":
            raise ZeroDivisionError
        wait_for_all("the end")

    del sys.argv[1:]
    run(main)


@pytest.mark.parametrize("victim", slow_or_nightly(0, 1))
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
    assert "Traceback" not in said
    if code == -signal.SIGABRT:  # jax itself has ended it, being the first to notice
        assert "coordination" in said.lower()
    else:
        assert code == 1
        assert last_line(said).startswith("training together broke off, because another process has ended")
    before = len(log(tmp_path / "run"))
    with two_started(command, tmp_path) as both:
        wait_until(lambda: len(log(tmp_path / "run")) > before, both[0])
        steps = [row["step"] for row in log(tmp_path / "run")]
        assert steps == list(range(1, len(steps) + 1))
    assert len((tmp_path / "run" / "started.jsonl").read_text().splitlines()) == 2


@pytest.mark.slow
def test_one_that_fails_as_nobody_foresaw_ends_at_once_and_so_does_the_other(tmp_path):
    with two_started([sys.executable, __file__, "{port}", "{process}"], tmp_path) as both:
        _, said = both[1].communicate(timeout=PATIENCE)
        failed = time.monotonic()
        both[0].communicate(timeout=PATIENCE)
        assert time.monotonic() - failed < SECONDS
    assert both[1].returncode == 1 and "ZeroDivisionError" in said
    assert both[0].returncode in (1, -signal.SIGABRT)


if __name__ == "__main__":
    work(*sys.argv[1:])
