"""A fetch that was cut off, killed or damaged, and the next one."""

import fcntl
import os
import shutil
import signal
from dataclasses import replace

import pytest
from support.git_server import git, serving
from support.git_songs import PART, USED, fetching, files_in, stand_in

from cyclegan_jax.datasets.genre_rolls.open_corpus.fetch import LOCK, fetch
from cyclegan_jax.errors import UserError


def test_cut_off_over_http_and_gone_on_with(source, root, folder):
    with serving(root) as server:
        over_http = replace(source, repository=server.url("songs"))
        server.whole = PART
        with pytest.raises(UserError, match=r"'lieder'.*http://127.*/songs.*run again.*--sources_dir"):
            fetch([over_http], folder)
        assert not over_http.used_paths(folder / "lieder")
        server.whole = None
        asked = len(server.requests)
        fetch([over_http], folder)
        assert files_in(folder / "lieder") == USED
        assert len(server.requests) == asked + 4  # twice two: the files, .gitattributes, but no listings
        fetch([over_http], folder)
        assert len(server.requests) == asked + 4


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_killed_in_the_middle_and_gone_on_with(source, root, folder, number):
    with serving(root) as server:
        over_http = replace(source, repository=server.url("songs"))
        server.whole, server.patience = PART, 60
        with fetching(over_http, folder) as process:
            assert server.begun.wait(60)
            process.send_signal(number)
            assert process.wait(30) == -number
        with (folder / LOCK).open("w") as lock:
            if number == signal.SIGINT:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # git has ended with the process
            else:
                with pytest.raises(BlockingIOError):  # not yet, but the next call waits for it
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        server.whole = None
        server.released.set()
        fetch([over_http], folder)
    assert files_in(folder / "lieder") == USED


@pytest.mark.parametrize("seconds", [0.001, 0.01, 0.03, 0.06])
@pytest.mark.parametrize("command", ["init", "fetch", "checkout"])
def test_killed_together_with_git_and_gone_on_with(source, folder, tmp_path, command, seconds):
    """By a program called git that kills the real one, and what called it, so long after a start."""
    stand_in(
        tmp_path,
        f'{shutil.which("git")} "$@" & child=$!\n'
        f'case "$*" in *" {command} "*) sleep {seconds}; kill -9 $child $PPID;; esac\nwait $child',
    )
    with fetching(source, folder, PATH=f"{tmp_path}:{os.environ['PATH']}") as process:
        assert process.wait(60) == -signal.SIGKILL
    fetch([source], folder)
    assert files_in(folder / "lieder") == USED


@pytest.mark.parametrize("left", ["index.lock", "shallow.lock", "HEAD.lock", "refs/fetched/{commit}.lock"])
def test_lock_files_of_a_killed_git_are_removed(source, root, folder, left):
    newer = replace(source, commit=git(root / "songs", "rev-parse", "HEAD"))
    fetch([newer], folder)
    lock = folder / "lieder" / ".git" / left.format(commit=source.commit)
    lock.touch()
    fetch([source], folder)
    assert files_in(folder / "lieder") == USED
    assert not lock.exists()


@pytest.mark.parametrize("damaged", ["index", "HEAD", "config", "shallow", "objects"])
def test_a_damaged_source_is_fetched_again(source, folder, damaged):
    fetch([source], folder)
    inside = folder / "lieder" / ".git"
    if damaged == "objects":
        shutil.rmtree(inside / "objects")
        source.used_paths(folder / "lieder")[0].unlink()
    else:
        (inside / damaged).write_bytes(b"\0rubbish")
    fetch([source], folder)
    assert files_in(folder / "lieder") == USED
