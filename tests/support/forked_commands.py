"""Commands as forks of a process that has imported them: `run_command` without a start of Python for each.

A fork has all that a command has: flags, current folder, output and exit code. It is meant for mistakes,
which are told before anything is computed.
"""

import contextlib
import importlib
import json
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

Call = Callable[..., subprocess.CompletedProcess]


@contextlib.contextmanager
def forked(name: str) -> Iterator[Call]:
    """How to call `launch.<name>`: `call(*arguments, cwd=..., **variables)`, on one device."""
    environment = {**os.environ, "PYTHONPATH": "", "XLA_FLAGS": ""}
    environment["OPENBLAS_NUM_THREADS"] = "1"  # threads had better not fork
    words = [sys.executable, __file__, name]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(words, env=environment, **pipes) as server:

        def call(*arguments: object, cwd: Path, **variables: str) -> subprocess.CompletedProcess:
            asked = [list(map(str, arguments)), str(cwd), variables]
            server.stdin.write(json.dumps(asked) + "\n")
            server.stdin.flush()
            return subprocess.CompletedProcess(arguments, *json.loads(server.stdout.readline()))

        try:
            yield call
        finally:
            server.stdin.close()


def serve(name: str) -> None:
    """Import the command, then answer each line of stdin by a line of exit code, stdout and stderr."""
    importlib.import_module(f"launch.{name}")
    for line in sys.stdin:
        print(json.dumps(fork(name, *json.loads(line))), flush=True)


def fork(name: str, arguments: list[str], cwd: str, variables: dict[str, str]) -> list:
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as error:
        child = os.fork()
        if not child:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(out.fileno(), 1)
            os.dup2(error.fileno(), 2)
            os.chdir(cwd)
            os.environ.update(variables)
            os._exit(code_of(name, arguments))
        _, status = os.waitpid(child, 0)
        said = []
        for file in (out, error):
            file.seek(0)
            said.append(file.read())
    return [os.waitstatus_to_exitcode(status), *said]


def code_of(name: str, arguments: list[str]) -> int:
    """Exit code of the command in this process, which ends with it."""
    from launch.process.runner import run

    command = importlib.import_module(f"launch.{name}")
    sys.argv = [command.__file__, *arguments]
    try:
        run(command.main)
        code = 0
    except SystemExit as end:
        code = end.code or 0
    except BaseException:
        traceback.print_exc()
        code = 1
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    return code


if __name__ == "__main__":
    serve(sys.argv[1])
