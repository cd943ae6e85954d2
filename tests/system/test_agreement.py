"""What two processes that train together must do at the same step: stop, and roll back."""

import json
import signal
import sys
from pathlib import Path

import jax
import pytest
from support.running import CLUSTER, PATIENCE, last_line, log, train_flags, two_started, wait_until
from support.training_loop import CONFIG, SAVED_EVERY_TWO, batches, poisoned

from launch.run.folder import RunFolder
from launch.run.loop import train

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


def work(port: str, process: str, workdir: str) -> None:
    """One of two processes; the second one's weights are NaN at the sixth step, once."""
    jax.distributed.initialize(f"127.0.0.1:{port}", 2, int(process))
    folder = RunFolder(Path(workdir))
    if process == "0":
        folder.claim(CONFIG, folder.workdir)
    with pytest.MonkeyPatch.context() as patched:
        if process == "1":
            poisoned(patched, {5: 1})
        state = train(CONFIG, SAVED_EVERY_TWO, batches(), None, folder, rollback=True)
    print(int(state.step))


def test_a_signal_to_one_of_them_stops_both_at_the_same_step(run_dir, demo_dir, tmp_path):
    flags = train_flags(demo_dir, 10**6, "--log_every=5")
    with two_started([sys.executable, "-m", "launch.train", *flags, *CLUSTER], tmp_path) as both:
        wait_until(lambda: len(log(tmp_path / "run")) >= 2, both[0])  # both are amid their steps then
        both[1].send_signal(signal.SIGTERM)
        said = [process.communicate(timeout=PATIENCE)[1] for process in both]
    assert [process.returncode for process in both] == [75, 75], said
    first, second = map(last_line, said)
    assert first == second and first.startswith("stopped at step ")
    step = int(first.split()[3])
    assert (tmp_path / "run" / "checkpoints" / str(step) / "manifest.json").exists()


def test_both_roll_back_to_the_same_step_and_go_on(tmp_path):
    words = [sys.executable, __file__, "{port}", "{process}", str(tmp_path / "run")]
    with two_started(words, tmp_path) as both:
        said = [process.communicate(timeout=PATIENCE) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert [out.splitlines()[-1] for out, _ in said] == ["10", "10"], "gloo prints as well"
    (row,) = json.loads((tmp_path / "run" / "rollbacks.json").read_text())
    assert (row["diverged"], row["back_to"], row["learning_rate"]) == (6, 4, CONFIG.learning_rate / 2)
    assert [err.count("rolled back to step 4") for _, err in said] == [1, 0]


if __name__ == "__main__":
    work(*sys.argv[1:])
