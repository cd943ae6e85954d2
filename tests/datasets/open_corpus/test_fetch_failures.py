"""What a user is told when sources cannot be fetched."""

import errno
import os
import time
from dataclasses import replace

import pytest
from support.git_server import git, serving
from support.git_songs import PART, USED, files_in, stand_in
from support.running import free_port

from cyclegan_jax.datasets.genre_rolls.open_corpus import git as git_module
from cyclegan_jax.datasets.genre_rolls.open_corpus.fetch import fetch
from cyclegan_jax.errors import NotWrittenError, UserError


def test_nobody_is_asked_for_a_password(source, folder, tmp_path, monkeypatch):
    """As a server does where a repository is gone or private."""
    asks = tmp_path / "asks"
    asks.write_text(f"#!/bin/sh\ntouch {tmp_path}/asked\n")
    asks.chmod(0o755)
    monkeypatch.setenv("GIT_ASKPASS", str(asks))
    monkeypatch.setenv("SSH_ASKPASS", str(asks))
    with serving(tmp_path) as server:
        server.locked = True
        with pytest.raises(UserError, match="terminal prompts disabled"):
            fetch([replace(source, repository=server.url("songs"))], folder)
    assert not (tmp_path / "asked").exists()


def test_a_stalled_server_is_given_up(source, root, folder, monkeypatch):
    monkeypatch.setattr(git_module, "STALLED", 1)
    with serving(root) as server:
        server.whole, server.patience = PART, 60
        start = time.monotonic()
        with pytest.raises(UserError, match="lieder"):
            fetch([replace(source, repository=server.url("songs"))], folder)
    assert time.monotonic() - start < 30


@pytest.mark.parametrize(
    "change, words",
    [
        ({"repository": "http://127.0.0.1:{port}/songs"}, "Failed to connect|Could(n't| not) connect"),
        ({"repository": "file:///nowhere"}, "does not appear to be a git repository"),
        ({"commit": "1" * 40}, "not our ref 1{40}"),
    ],
)
def test_a_source_that_cannot_be_had_is_told(source, folder, change, words):
    change = {name: value.format(port=free_port()) for name, value in change.items()}
    wrong = replace(source, **change)
    with pytest.raises(UserError, match=words) as caught:
        fetch([wrong], folder)
    said = str(caught.value)
    assert said.startswith(
        f"source 'lieder' could not be fetched from {wrong.repository}, commit {wrong.commit}"
    )
    assert "\n" not in said
    fetch([source], folder)
    assert files_in(folder / "lieder") == USED


def test_git_is_missing(source, folder, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match=r"git is not installed.*--sources_dir"):
        fetch([source], folder)
    assert not folder.exists()


@pytest.mark.parametrize("version", ["2.28.1", "1.99.0"])
def test_git_is_too_old(source, folder, tmp_path, monkeypatch, version):
    stand_in(tmp_path, f"echo git version {version}")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=rf"'git version {version}' is installed.*2\.29 or later"):
        fetch([source], folder)


@pytest.mark.parametrize(
    "words", ["fatal: cannot write x: No space left on device", "error: unable to write x"]
)
def test_a_full_disk_is_told_as_such(source, folder, tmp_path, monkeypatch, words):
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "")

    stand_in(
        tmp_path,
        f"[ $1 = --version ] && echo git version 2.39.5 && exit\necho '{words}' >&2; exit 128",
    )
    monkeypatch.setenv("PATH", str(tmp_path))
    if "space" not in words:
        monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(NotWrittenError, match="No space left") as caught:
        fetch([source], folder)
    assert caught.value.filename == str(folder)


def test_a_place_that_cannot_be_written_is_told(source, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cannot be written to .*file.*--data_dir"):
        fetch([source], tmp_path / "file" / "sources")


@pytest.mark.parametrize("what", ["a file", "a repository", "a link"])
def test_what_somebody_else_has_put_there_stays(source, folder, tmp_path, what):
    own = folder / "lieder" if what != "a link" else tmp_path / "own"
    own.mkdir(parents=True)
    (own / "only_copy.mid").write_bytes(b"music")
    if what == "a repository":
        git(own, "init", "--quiet")
    if what == "a link":
        folder.mkdir(parents=True)
        (folder / "lieder").symlink_to(own)
    with pytest.raises(UserError, match=r"lieder' has files that were not fetched; move it away, or name"):
        fetch([source], folder)
    assert (own / "only_copy.mid").read_bytes() == b"music"


def test_an_empty_folder_is_taken(source, folder):
    (folder / "lieder").mkdir(parents=True)
    fetch([source], folder)
    assert files_in(folder / "lieder") == USED
