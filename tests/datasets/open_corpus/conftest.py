"""A source of the open corpus that a test has made."""

import os
import shutil
from pathlib import Path

import pytest
from support.git_server import commit, make_repository
from support.git_songs import LATER, UNUSED, USED

from cyclegan_jax.datasets.genre_rolls.open_corpus.source_list import Source


@pytest.fixture
def alone(monkeypatch):
    """No settings of the user's, no proxy, and nobody to ask."""
    for name, value in {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "no_proxy": "*"}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def root(tmp_path, alone) -> Path:
    """The folder of the repository `songs`."""
    if not shutil.which("git"):
        pytest.skip("git is not installed")
    make_repository(tmp_path / "songs")
    return tmp_path


@pytest.fixture
def source(root) -> Source:
    """An older commit of it."""
    older = commit(root / "songs", {**USED, **UNUSED})
    commit(root / "songs", LATER)
    return Source(
        name="lieder",
        genre="classic",
        repository=f"file://{root}/songs",
        commit=older,
        songs="scores/**/*.mid",
        beside=("beats/*.csv",),
        licence="CC0-1.0",
        attribution="",
        sha256="",
    )


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "data" / "sources"
