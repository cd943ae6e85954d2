"""One trainer a folder: the second is refused by name, and a lock goes with the process that held it."""

import os
import signal
import subprocess
import sys

import pytest
from support.running import log, run_command, started, train_flags, wait_until

from cyclegan_jax.errors import UserError
from launch.run.folder import RunFolder

HOLD = """
import sys, time
from pathlib import Path
from launch.run.folder import RunFolder
with RunFolder(Path(sys.argv[1])).hold():
    print("held", flush=True)
    time.sleep(500)
"""


def test_a_second_holder_is_refused_and_told_of_the_first(tmp_path):
    folder = RunFolder(tmp_path / "run")
    with folder.hold():
        refused = pytest.raises(UserError, match=rf"is in use by process {os.getpid()} on \S+; wait for it")
        with refused, RunFolder(tmp_path / "run").hold():
            pass
        with RunFolder(tmp_path / "other").hold():
            pass
    with folder.hold():
        pass


def test_a_lock_left_by_a_killed_process_is_taken_over_and_its_half_files_cleared(tmp_path):
    words = [sys.executable, "-c", HOLD, str(tmp_path / "run")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        half = tmp_path / "run" / "samples" / ".written.abc"
        half.parent.mkdir()
        half.write_bytes(b"half")
        with pytest.raises(UserError, match=f"process {other.pid} "), RunFolder(tmp_path / "run").hold():
            pass
        assert half.exists()
        another = tmp_path / "run" / "another" / ".written.abc"
        another.parent.mkdir()
        another.write_bytes(b"of a run below this one")
        other.send_signal(signal.SIGKILL)
        other.wait()
    with RunFolder(tmp_path / "run").hold():
        assert not half.exists() and another.exists()
        assert str(os.getpid()) in (tmp_path / "run" / ".lock").read_text()


@pytest.mark.slow
def test_a_second_command_is_refused_and_the_first_is_not_disturbed(run_dir, demo_dir, tmp_path):
    flags = train_flags(demo_dir, 10**6, "--log_every=1")
    with started("train", *flags, cwd=tmp_path) as first:
        wait_until(lambda: len(log(tmp_path / "run")) >= 2, first)
        second = run_command("train", *flags, cwd=tmp_path)
        assert second.returncode == 2
        assert f"workdir 'run' is in use by process {first.pid} on" in second.stderr
        assert len(second.stderr.splitlines()) == 1
        so_far = len(log(tmp_path / "run"))
        wait_until(lambda: len(log(tmp_path / "run")) > so_far, first)
        steps = [row["step"] for row in log(tmp_path / "run")]
    assert steps == list(range(1, len(steps) + 1))
