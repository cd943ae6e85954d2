"""Worker processes that may crash or hang without harm: every core reads, each reader on its own.

They are started as `python -c`, not by multiprocessing: its `spawn` would run the caller's main module
again, and its `fork` is unsafe beside JAX's threads. A task that hangs is ended by `faulthandler`'s watchdog
inside the worker, which needs no GIL. The parent process only sees that the pipe has closed.
"""

import contextlib
import faulthandler
import os
import pickle
import resource
import signal
import subprocess
import sys
import textwrap
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path
from types import TracebackType
from typing import Any, Self

HANG_SECONDS = 20.0
MEMORY_BYTES = 4 << 30  # address space of a worker
AHEAD = 16  # tasks that wait at each worker, so that it is never idle
HUNG = 1  # exit status of faulthandler's watchdog
MOST_WORDS = 200  # characters of an error's message
READY = "ready"  # the first word of a worker that has imported all it needs


class TaskFailedError(Exception):
    """A task that took its worker down, or raised: says how."""


class _Worker:
    """One process and the tasks it was given, the oldest first."""

    def __init__(self, function: Callable, hang_seconds: float) -> None:
        self.connection, theirs = Pipe()
        self.tasks: deque[tuple[int, Any]] = deque()
        program = f"from {__name__} import serve; serve({theirs.fileno()})"
        environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OPENBLAS_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            # -P: the modules of this process, none of the current folder
            [sys.executable, "-P", "-c", program],
            pass_fds=[theirs.fileno()],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        theirs.close()
        self.ready = False
        self.hang_seconds = hang_seconds
        self.connection.send_bytes(pickle.dumps((function, hang_seconds)))

    def give(self, number: int, task: Any) -> None:  # noqa: ANN401
        self.tasks.append((number, task))
        with contextlib.suppress(ConnectionError):  # told by the end of file at the next `take`
            self.connection.send(task)

    def take(self) -> dict[int, Any]:
        """Number and result of the oldest task, or nothing from a worker that says it is ready.

        Raises EOFError where the process is gone.
        """
        try:
            message = self.connection.recv()
        except (EOFError, OSError) as error:
            if not self.ready:
                raise RuntimeError(f"a worker could not start: {self.last_words()}") from error
            raise EOFError from error
        if not self.ready:
            self.ready = message == READY
            return {}
        return {self.tasks.popleft()[0]: message}

    def last_words(self) -> str:
        status = self.process.wait()
        if status == HUNG and self.ready:
            return f"took over {self.hang_seconds:g} s"
        return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"

    def stop(self) -> None:
        self.connection.close()
        self.process.kill()
        self.process.wait()


class Workers:
    """Calls `function` on tasks in `count` processes (default: one a core available).

    `function` is importable by name, tasks and results can be pickled. A task that raises, crashes
    its process or runs for more than `hang_seconds` gives a TaskFailedError in the place of its
    result; the other tasks are not touched by it.
    """

    def __init__(
        self, function: Callable, count: int | None = None, hang_seconds: float = HANG_SECONDS
    ) -> None:
        self._start = lambda: _Worker(function, hang_seconds)
        self._workers = [self._start() for _ in range(count or _cores())]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the processes."""
        for worker in self._workers:
            worker.stop()

    def map(self, tasks: Iterable[Any]) -> Iterator[Any]:
        """The results in the order of the tasks, a bounded number of them ahead."""
        waiting = enumerate(tasks)
        done: dict[int, Any] = {}
        expected = 0
        while True:
            self._feed(waiting, len(done))
            busy = {worker.connection: place for place, worker in enumerate(self._workers) if worker.tasks}
            if not busy:
                return
            answered = wait(list(busy))
            for connection, place in busy.items():
                if connection in answered:
                    done |= self._take(place)
            while expected in done:
                yield done.pop(expected)
                expected += 1

    def _feed(self, waiting: Iterator[tuple[int, Any]], held: int) -> None:
        """Keep every worker supplied, unless too many results wait for one that is late."""
        for worker in self._workers:
            while len(worker.tasks) < AHEAD and held < 64 * AHEAD:
                task = next(waiting, None)
                if task is None:
                    return
                worker.give(*task)

    def _take(self, place: int) -> dict[int, Any]:
        worker = self._workers[place]
        try:
            return worker.take()
        except EOFError:
            (number, _), *others = worker.tasks
            words = worker.last_words()
            worker.stop()
            self._workers[place] = self._start()
            for task in others:
                self._workers[place].give(*task)
            return {number: TaskFailedError(words)}


def _cores() -> int:
    """The cores that this process may use, where the system can tell."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def serve(descriptor: int) -> None:
    """The worker's side: tasks in, results out, until the parent closes the pipe."""
    connection = Connection(descriptor)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(ValueError):  # macOS
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash leaves no file behind
    with Path(os.devnull).open("w") as nowhere:
        try:
            function, hang_seconds = pickle.loads(connection.recv_bytes())
            connection.send(READY)
            while True:
                task = connection.recv()
                faulthandler.dump_traceback_later(hang_seconds, exit=True, file=nowhere)
                result = _attempt(function, task)
                faulthandler.cancel_dump_traceback_later()
                connection.send_bytes(result)
        except (EOFError, OSError):
            return


def _attempt(function: Callable, task: Any) -> bytes:  # noqa: ANN401
    try:
        return pickle.dumps(function(*task))
    except Exception as error:
        words = textwrap.shorten(f"{type(error).__name__}: {error}", MOST_WORDS)
        return pickle.dumps(TaskFailedError(words))
