"""Sources by git: the used files of a commit and no more."""

from dataclasses import replace
from functools import partial

from support.git_server import commit, git, make_repository
from support.git_songs import LATER, UNUSED, USED, files_in
from tqdm import tqdm

from cyclegan_jax.datasets.genre_rolls.open_corpus import fetch as fetch_module
from cyclegan_jax.datasets.genre_rolls.open_corpus.fetch import fetch


def test_the_used_files_of_an_older_commit_come_as_they_are(source, folder):
    fetch([source], folder)
    assert files_in(folder / "lieder") == USED


def test_other_files_are_not_even_fetched(source, root, folder):
    fetch([source], folder)
    listed = git(folder / "lieder", "cat-file", "--batch-all-objects", "--batch-check").splitlines()
    blobs = {line.split()[0] for line in listed if line.split()[1] == "blob"}
    there = {name: git(root / "songs", "rev-parse", f"{source.commit}:{name}") for name in (*USED, *UNUSED)}
    assert blobs == {there[name] for name in (*USED, ".gitattributes")}  # which a checkout reads


def test_a_server_without_filters_serves_as_well(source, root, folder):
    git(root / "songs", "config", "uploadpack.allowFilter", "false")
    git(root / "songs", "config", "uploadpack.allowAnySHA1InWant", "false")
    fetch([source], folder)
    assert files_in(folder / "lieder") == USED


def test_many_sources_have_a_folder_each(source, root, folder):
    newer = replace(source, name="later", commit=git(root / "songs", "rev-parse", "HEAD"))
    fetch([source, newer], folder)
    assert files_in(folder / "lieder") == USED
    assert files_in(folder / "later") == LATER
    assert git(folder / "later", "rev-list", "--count", "HEAD") == "1"  # and none of the history


def test_a_complete_source_is_found_and_mended_without_its_repository(source, root, folder):
    fetch([source], folder)
    (root / "songs").rename(root / "gone")
    first, second, third = source.used_paths(folder / "lieder")[:3]
    written = third.stat().st_mtime_ns
    fetch([source], folder)
    first.write_bytes(b"altered")
    second.unlink()
    (folder / "lieder" / "scores" / "added.mid").write_bytes(b"from elsewhere")
    fetch([source], folder)
    assert files_in(folder / "lieder") == USED
    assert third.stat().st_mtime_ns == written


def test_another_commit_or_pattern_takes_the_place_of_the_one_before(source, root, folder):
    fetch([replace(source, beside=())], folder)
    assert "beats/1.csv" not in files_in(folder / "lieder")
    fetch([source], folder)
    assert files_in(folder / "lieder") == USED
    fetch([replace(source, commit=git(root / "songs", "rev-parse", "HEAD"))], folder)
    assert files_in(folder / "lieder") == LATER


def test_the_environment_and_settings_of_the_user_change_nothing(source, folder, tmp_path, monkeypatch):
    make_repository(tmp_path / "data")
    commit(tmp_path / "data", {"around.txt": b"around"})
    (tmp_path / "hooks").mkdir()
    hook = tmp_path / "hooks" / "post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    settings = tmp_path / "settings"
    settings.write_text(
        f"[core]\n autocrlf = true\n hooksPath = {tmp_path}/hooks\n fsmonitor = {hook}\n"
        f'[filter "lfs"]\n smudge = touch {tmp_path}/ran\n required = true\n'
        "[init]\n defaultObjectFormat = sha256\n[core]\n sparseCheckoutCone = true\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    with monkeypatch.context() as patched:
        for name, value in {"GIT_DIR": ".git", "GIT_WORK_TREE": ".", "GIT_INDEX_FILE": "index"}.items():
            patched.setenv(name, str(tmp_path / "data" / value))
        patched.setenv("GIT_TRACE", str(tmp_path / "ran"))
        patched.setenv("GIT_DEFAULT_HASH", "sha256")
        fetch([source], folder)
    assert files_in(folder / "lieder") == USED
    assert not (tmp_path / "ran").exists()
    assert (tmp_path / "data" / "around.txt").exists()
    assert git(tmp_path / "data", "log", "--format=%s") == "files"


def test_progress_is_shown_on_a_terminal(source, folder, monkeypatch, capsys):
    fetch([replace(source, songs="none", beside=())], folder)
    assert not capsys.readouterr().err
    monkeypatch.setattr(fetch_module, "_bar", partial(tqdm, disable=False, mininterval=0))
    fetch([source], folder)
    assert "1/1" in (shown := capsys.readouterr().err)
    assert "lieder, receiving objects 100%" in shown
    fetch([source], folder)
    assert "receiving" not in capsys.readouterr().err
