"""The one way into every command: output and exit code for each way that a command may end."""

import pytest

from cyclegan_jax.errors import TrainingCollapsedError, TrainingDivergedError, UserError
from launch.process.runner import _call


def raising(error: Exception):
    def main(arguments: list[str]) -> None:
        raise error

    return main


@pytest.mark.parametrize(
    "error, code, sentence",
    [
        (UserError("width is 0, but must be\n at least 1."), 2, "width is 0, but must be at least 1."),
        (
            PermissionError(13, "Permission denied", "/somewhere"),
            2,
            "/somewhere: Permission denied; name another place, or make it readable or writable.",
        ),
        (TrainingDivergedError("loss/cycle_a is nan by step 3"), 3, "loss/cycle_a is nan by step 3"),
        (TrainingCollapsedError("training has collapsed by step 4"), 3, "training has collapsed by step 4"),
    ],
)
def test_an_error_of_the_users_or_of_training_is_one_line_and_a_code(error, code, sentence, capsys):
    assert _call(raising(error), []) == code
    assert capsys.readouterr() == ("", sentence + "\n")


@pytest.mark.parametrize("error", [OSError("no file named"), ValueError("a bug"), KeyError("a bug")])
def test_a_bug_of_ours_keeps_its_traceback(error):
    with pytest.raises(type(error)):
        _call(raising(error), [])


@pytest.mark.parametrize(
    "error",
    [
        "UNAVAILABLE: failed to connect to all addresses",
        "FAILED_PRECONDITION: Gloo all-reduce failed: Connection closed by peer [127.0.0.1]:9\nmore",
        "INTERNAL: NCCL operation ncclGroupEnd() failed: remote process exited",
    ],
)
def test_a_process_that_loses_another_says_so_in_one_line(error, capsys, monkeypatch):
    monkeypatch.setattr("launch.process.runner._is_one_of_several", lambda: True)
    assert _call(raising(RuntimeError(error)), []) == 1
    said = capsys.readouterr().err
    assert said.startswith("training together broke off, ") and error.splitlines()[0] in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("error", [RuntimeError("RESOURCE_EXHAUSTED: 9 GiB"), OSError("no file named")])
def test_one_of_several_processes_keeps_the_traceback_of_a_bug_and_its_code_is_1(error, capsys, monkeypatch):
    monkeypatch.setattr("launch.process.runner._is_one_of_several", lambda: True)
    assert _call(raising(error), []) == 1
    assert str(error) in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("returned, code", [(None, 0), (0, 0), (1, 1)])
def test_otherwise_the_code_is_what_main_returns(returned, code):
    assert _call(lambda arguments: returned, []) == code
