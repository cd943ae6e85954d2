"""Flags that make no sense, and names that no folder should have: one line, exit code 2, nothing written."""

from collections.abc import Iterator

import pytest
from support.forked_commands import Call, forked

ABSURD = {
    "--batch_size=0": "batch_size is 0, but must be between 1 and",
    "--epochs=-1": "epochs is -1, but must be between 1 and",
    "--steps=99999999999999999999": "steps is 99999999999999999999, but must be",
    "--sigma_d=nan": "sigma_d is nan, but must be between 0",
    "--sigma_d=inf": "sigma_d is inf, but must be between 0",
    "--gamma=-inf": "gamma is -inf, but must be between 0",
    "--learning_rate=-1": "learning_rate is -1.0, but must be between",
    "--pool_size=-3": "pool_size is '-3', but must be",
    "--seed=-1": "seed is -1, but must be between 0",
    "--width=1000000": "width is 1000000, but must be between 1 and",
    "--log_every=0": "log_every is 0, but must be at least 1",
    "--on_nan=maybe": "--on_nan=maybe",
    "--workdir=/dev/null": "workdir '/dev/null' cannot be made or written",
    "--workdir=a file": "workdir 'a file' cannot be made or written",
    "--workdir=a file/ü\n2": r"workdir 'a file/ü\n2' cannot be made or written",
    "--data_dir=a file": "a file",
}


@pytest.fixture(scope="module")
def train() -> Iterator[Call]:
    with forked("train") as call:
        yield call


@pytest.fixture(scope="module")
def export() -> Iterator[Call]:
    with forked("export") as call:
        yield call


@pytest.mark.parametrize("flag, sentence", ABSURD.items())
def test_an_absurd_flag_is_one_line(train, flag, sentence, demo_dir, tmp_path):
    (tmp_path / "a file").write_text("mine")
    done = train("--pair=jazz_pop", f"--data_dir={demo_dir}", flag, cwd=tmp_path)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, done.stderr
    assert sentence in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a file"]
    assert (tmp_path / "a file").read_text() == "mine"


@pytest.mark.parametrize("name", ["ü ñ", "two\nlines", "-dash", "100%", "'quoted'"])
def test_a_folder_of_an_odd_name_that_has_no_run_is_told_in_one_line(export, name, tmp_path):
    (tmp_path / name).mkdir()
    done = export(f"--workdir={name}", cwd=tmp_path)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, done.stderr
    assert "holds no run" in done.stderr and list((tmp_path / name).iterdir()) == []
