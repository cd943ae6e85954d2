"""launch.evaluate of a run that may not be written to: the evaluation goes to --out_dir, the run stays."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from support.refusals import refused, snapshot
from support.running import ONE_DEVICE

from cyclegan_jax.errors import UserError
from launch.run.evaluation import place_of_evaluation
from launch.run.folder import RunFolder

# Everything imported first, for `nobody` may not read the checkout.
AS_NOBODY = """
import json, os, sys
from pathlib import Path
from cyclegan_jax.errors import UserError
from launch.run.classifiers import get_genre_classifier
from launch.run.evaluation import place_of_evaluation
from launch.run.folder import RunFolder
os.setgroups([]); os.setgid(65534); os.setuid(65534)
called = {
    "place": lambda folder, out_dir: place_of_evaluation(RunFolder(folder), out_dir),
    "classifier": lambda folder, _: get_genre_classifier(folder, "0123", ("jazz", "pop")),
}
name, cases = json.loads(sys.argv[1])
said = []
for folder, out_dir in cases:
    try:
        called[name](Path(folder), out_dir and Path(out_dir))
        said.append("")
    except UserError as error:
        said.append(str(error))
print(json.dumps(said))
"""


def as_nobody(name: str, *cases: tuple[Path, Path | None]) -> list[str]:
    """What is said of each folder and out_dir to somebody who may only read; empty where all is well."""
    told = json.dumps([name, [[str(folder), out_dir and str(out_dir)] for folder, out_dir in cases]])
    words = [sys.executable, "-c", AS_NOBODY, told]
    return json.loads(subprocess.run(words, capture_output=True, text=True, check=True, timeout=200).stdout)


@pytest.mark.skipif(os.getuid() != 0, reason="only root may become nobody")
def test_a_folder_that_may_not_be_written_to_is_told_at_once_and_the_flag_is_named():
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        base.chmod(0o755)
        run, own, half = base / "run", base / "own", base / "half"
        for folder, mode in ((run, 0o755), (own, 0o777), (half, 0o777), (half / "evaluation", 0o755)):
            folder.mkdir()
            folder.chmod(mode)
        cases = ((run, None), (half, None), (run, run / "new"), (own, None), (run, own), (run, own / "a/b"))
        cannot = "cannot be written to (Permission denied); name a folder for its evaluation with --out_dir."
        assert as_nobody("place", *cases) == [
            f"the run in {str(run)!r} {cannot}",
            f"the run in {str(half)!r} {cannot}",
            f"out_dir {str(run / 'new')!r} cannot be made or written (Permission denied); name another one.",
            *("", "", ""),
        ]
        assert list(run.iterdir()) == []


@pytest.mark.skipif(os.getuid() != 0, reason="only root may become nobody")
def test_a_classifier_that_may_not_be_kept_is_told_before_it_is_trained():
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        base.chmod(0o755)
        (kept := base / "kept" / "classifiers" / "0123" / "jazz").mkdir(parents=True)
        for data_dir in (base / "data", kept.parents[2]):
            dataset = data_dir / "genre_rolls" / "midi" / "2.1.0"
            dataset.mkdir(parents=True)
            assert as_nobody("classifier", (dataset, None)) == [
                f"the genre classifier of jazz and pop is not in {str(data_dir)!r} yet, and may not be kept "
                "there (Permission denied); make that folder writable, have its owner run launch.classify, "
                "or name a copy of it with --data_dir."
            ]
            assert not list(data_dir.rglob("*.msgpack"))


def test_a_file_and_the_folder_of_another_run_are_refused_as_out_dir(tmp_path):
    run, other, file = (tmp_path / name for name in ("run", "other", "file"))
    for folder in (run, other):
        folder.mkdir()
        (folder / "config.json").write_text("{}")
    file.write_text("mine")
    for out_dir, message in ((other, "is the folder of another run"), (file, "cannot be made or written")):
        with pytest.raises(UserError, match=f"^out_dir {str(out_dir)!r} {message}.*; name another one.$"):
            place_of_evaluation(RunFolder(run), out_dir)
    for out_dir in (run, None):
        assert place_of_evaluation(RunFolder(run), out_dir) == RunFolder(run)


def evaluate_read_only(run_dir: Path, cwd: Path, *flags: str) -> subprocess.CompletedProcess:
    """`launch.evaluate` where the run is on a file system that is mounted read-only."""
    run, words = shlex.quote(str(run_dir)), shlex.join([sys.executable, "-m", "launch.evaluate", *flags])
    mounted = f"mount --bind {run} {run} && mount -o remount,ro,bind {run} && exec {words}"
    environment = {**os.environ, "PYTHONPATH": "", "XLA_FLAGS": ONE_DEVICE}
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", mounted]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=500)


def may_mount() -> bool:
    return (
        bool(shutil.which("unshare"))
        and not subprocess.run(
            ["unshare", "--map-root-user", "--mount", "true"], capture_output=True
        ).returncode
    )


@pytest.mark.slow
@pytest.mark.skipif(not may_mount(), reason="no namespaces of one's own here")
def test_a_read_only_run_is_evaluated_into_another_folder_as_it_was_by_train(run_dir, tmp_path):
    before = snapshot(run_dir)
    workdir = f"--workdir={run_dir}"
    refused(evaluate_read_only(run_dir, tmp_path, workdir), "Read-only file system", "with --out_dir.")
    assert list(tmp_path.iterdir()) == []
    done = evaluate_read_only(run_dir, tmp_path, workdir, "--out_dir=new/place")
    assert done.returncode == 0, done.stderr
    assert "Written to new/place: evaluation.md, evaluation.json" in done.stdout
    assert snapshot(run_dir) == before
    made = {name: content for name, (content, _) in snapshot(tmp_path / "new/place").items()}
    page = "evaluation/listen.html"
    assert made.pop(page).startswith(b"<!doctype html>")
    evaluated = {n: content for n, (content, _) in before.items() if n.startswith("evaluation") and n != page}
    assert made == evaluated and len(evaluated) > 15
