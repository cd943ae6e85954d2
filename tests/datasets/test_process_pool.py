"""Workers: results in order, even where a task ends its process; and no process is left behind."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.failing_tasks import do

from cyclegan_jax.datasets.genre_rolls.reading.process_pool import TaskFailedError, Workers

FAILURES = {
    "segfault": ("segfault", None, "killed by SIGSEGV"),
    "abort": ("abort", None, "killed by SIGABRT"),
    "exit": ("exit", 0, "exit status 0"),
    "leave": ("leave", 3, "exit status 3"),
    "raise": ("raise", "no\nway", "ValueError: no way"),
    "hang": ("sleep", 60, "took over 1 s"),
    "hang with the GIL": ("hold the GIL", None, "took over 1 s"),
    "memory bomb": ("swell", 8 << 30, "MemoryError"),
    "unpicklable": ("unpicklable", 1, "AttributeError: Can't "),
    "long words": ("raise", "so " * 999, "ValueError: so so so"),
    "stop half way": ("stop half way", None, "killed by SIGKILL"),
}


def results_of(tasks: Iterable[tuple], count: int = 2, hang_seconds: float = 20) -> list[Any]:
    with Workers(do, count, hang_seconds) as workers:
        return list(workers.map(tasks))


def children(parent: int) -> set[int]:
    """The processes that a process has started and that have not been waited for."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(after_name[1]) == parent:
            found.add(int(stat.parent.name))
    return found


@pytest.mark.parametrize("count", [1, 3])
def test_results_come_in_the_order_of_the_tasks_however_long_each_takes(count):
    seconds = np.random.default_rng(5).exponential(0.003, 400).round(4).tolist()
    assert results_of((("sleep", s) for s in seconds), count) == seconds


@pytest.mark.parametrize("place", [0, 1, 40])
def test_one_late_task_holds_up_few_of_the_others_and_loses_none(place):
    tasks = [("return", number) for number in range(5000)]
    tasks[place] = ("sleep", 2)
    with Workers(do, 3) as workers:
        taken = 0

        def watched() -> Iterator[tuple]:
            nonlocal taken
            for taken, task in enumerate(tasks, 1):  # noqa: B007
                yield task

        results = workers.map(watched())
        before = [next(results) for _ in range(place + 1)]
        assert before == [*range(place), 2]
        assert 500 < taken < 1200
        assert list(results) == list(range(place + 1, 5000))


def test_no_tasks_have_no_results():
    assert results_of([]) == []


@pytest.mark.parametrize(
    "failure, place",
    [*((failure, 7) for failure in FAILURES), ("abort", 0), ("abort", 39), ("hang", 0), ("hang", 39)],
)
def test_a_task_that_fails_says_how_and_harms_no_other(failure, place):
    kind, value, words = FAILURES[failure]
    tasks = [("return", number) for number in range(40)]
    tasks[place] = (kind, value)
    results = results_of(tasks, hang_seconds=1)
    failed = results.pop(place)
    assert isinstance(failed, TaskFailedError) and str(failed).startswith(words)
    assert str(failed).isprintable() and len(str(failed)) <= 200
    assert results == [number for number in range(40) if number != place]


def test_more_tasks_may_crash_than_there_are_workers():
    tasks = [("segfault",) if number % 3 else ("return", number) for number in range(30)]
    results = results_of(tasks)
    assert [str(result) for result in results] == [
        "killed by SIGSEGV" if number % 3 else str(number) for number in range(30)
    ]


def test_time_is_counted_for_each_task_anew_and_not_between_two():
    assert results_of([("sleep", 0.4)] * 6, 1, hang_seconds=1) == [0.4] * 6
    with Workers(do, 1, hang_seconds=1) as workers:
        results = workers.map([("return", number) for number in range(40)])
        assert next(results) == 0
        time.sleep(1.5)
        assert list(results) == list(range(1, 40))


def test_nothing_is_printed_by_any_task(capfd):
    results_of([("print", "x"), ("abort",), ("segfault",), ("raise", "x"), ("sleep", 60)], hang_seconds=1)
    assert capfd.readouterr() == ("", "")


def test_modules_are_those_of_this_process_not_those_of_the_current_folder(tmp_path, monkeypatch):
    for name in ("cyclegan_jax", "support", "pickle"):
        (tmp_path / f"{name}.py").write_text("raise ImportError\n")
    monkeypatch.chdir(tmp_path)
    assert results_of([("return", 1)]) == [1]


def test_a_function_that_workers_cannot_import_is_an_error(monkeypatch):
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place != str(Path(__file__).parents[1])])
    monkeypatch.delenv("PYTHONPATH")
    with pytest.raises(RuntimeError, match="a worker could not start: exit status 1"):
        results_of([("return", 1)])


def test_a_worker_that_crashes_leaves_no_core_file():
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    try:
        with Workers(do, 1) as workers:
            assert list(workers.map([("return", 1)])) == [1]
            (worker,) = children(os.getpid())
            assert resource.prlimit(worker, resource.RLIMIT_CORE) == (0, 0)
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))


def test_the_workers_are_gone_afterwards():
    before = children(os.getpid())
    with Workers(do, 3) as workers:
        started = children(os.getpid()) - before
        assert len(list(workers.map([("return", 1), ("abort",)]))) == 2
        assert len(children(os.getpid()) - before) == 3
    assert len(started) == 3
    assert children(os.getpid()) == before


def test_the_workers_are_gone_after_an_error_of_the_caller():
    before = children(os.getpid())
    with pytest.raises(KeyError), Workers(do, 2) as workers:
        for _ in workers.map([("return", 1)] + [("sleep", 60)] * 9):
            raise KeyError
    assert children(os.getpid()) == before


def test_the_workers_are_gone_when_their_parent_is_killed():
    program = (
        "from support.failing_tasks import do\n"
        "from cyclegan_jax.datasets.genre_rolls.reading.process_pool import Workers\n"
        "workers = Workers(do, 2)\n"
        "for _ in workers.map([('return', 1)] + [('sleep', 0.5)] * 99): print(flush=True)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE) as parent:
        parent.stdout.readline()
        started = children(parent.pid)
        parent.send_signal(signal.SIGKILL)
    assert len(started) == 2
    until = time.monotonic() + 10
    while left := {pid for pid in started if Path(f"/proc/{pid}").exists()}:
        assert time.monotonic() < until, left
        time.sleep(0.05)
