"""README's Python and shell run as they stand there, and so does the Python of the pages on dataset and API.

FIRST_RUN names the folder of a run of README's first command, as .ci/run has just made one: then that command
finds its run finished, and nothing is trained twice.
"""

import ast
import doctest
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.bad_midi import BAD
from support.documents import ROOT, blocks
from support.heavy_midi import HEAVY
from support.odd_midi import ODD

import cyclegan_jax

README = ROOT / "README.md"
PAGES = {page.name: page for page in (README, ROOT / "docs/dataset.md")}
WITHOUT_US = "import sys\nsys.modules['cyclegan_jax'] = None\n"
INSTALLATION = "python3 -m venv .venv && .venv/bin/pip install -e ."


def run_block(page: str, word: str, place: Path, before: str = "", after: str = "") -> str:
    """Run the one Python block of a page that has a word, in a process; returns what it printed."""
    (block,) = (block for block in blocks(PAGES[page], "python") if word in block)
    program = place / "program.py"  # a file, for processes that are spawned read it again
    program.write_text(before + block + after)
    done = subprocess.run(
        [sys.executable, program],
        cwd=place,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def place(tmp_path, whole_demo_dir) -> Path:
    (tmp_path / "data").symlink_to(whole_demo_dir)
    return tmp_path


@pytest.mark.parametrize("page", PAGES)
def test_the_dataset_opens_as_numpy_where_our_package_is_not_installed(page, place):
    shown = run_block(page, "plain NumPy", place, WITHOUT_US, 'print(phrase["roll"].sum() > 0, len(source))')
    assert shown.splitlines()[-1] == "True 2113"


def test_it_is_batched_by_grain(place):
    shown = run_block("dataset.md", "grain.MapDataset", place, WITHOUT_US)
    assert shown.splitlines() == ["(32, 64, 84, 1) (32,)"] * 66


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")
def test_it_is_batched_by_a_pytorch_loader(place):
    after = "    print(len(loader), len(batch), rolls.shape, rolls.dtype, batch['genre'].dtype)"
    shown = run_block("dataset.md", "DataLoader", place, WITHOUT_US, after)
    assert shown.splitlines()[-1] == "67 12 torch.Size([1, 64, 84, 1]) torch.float32 torch.int64"


def test_a_song_is_transferred(place, model_path, tmp_path):
    from support.midi_files import write_midi_file

    write_midi_file(tmp_path / "song.mid", [(0, 9600, 60), (960, 4800, 64)])
    (tmp_path / "jazz_pop.model").symlink_to(model_path)
    shown = run_block("README.md", "cg.load", place)
    assert (tmp_path / "song_partly_jazz.mid").read_bytes()[:4] == b"MThd"
    assert shown.startswith("('jazz', 'pop') {'dataset': 'genre_rolls/demo/")


def test_the_python_of_the_api_page_is_that_of_the_packages_synopsis():
    """Which `test_package.py` runs."""
    examples = doctest.DocTestParser().get_examples(cyclegan_jax.__doc__)
    run = statements("".join(example.source for example in examples))
    shown = statements("".join(blocks(ROOT / "docs/api/index.md", "python")))
    assert len(shown) >= 9
    assert [statement for statement in shown if statement not in run] == []


def statements(program: str) -> list[str]:
    """Its statements, however they are written on lines."""
    return [ast.unparse(statement) for statement in ast.parse(program).body]


def test_the_installation_is_the_first_thing_in_a_shell():
    assert blocks(README, "sh")[0] == INSTALLATION + "\n"


def left_out(folder: str, names: list[str]) -> set[str]:
    """What a fresh copy of the checkout has not: what git ignores, and git's own folder."""
    made = {".git", ".venv", "build", "dist", "site", "data", "runs", "sweeps", "jazz_pop.model"}
    return {name for name in names if name in {"__pycache__"} | (made if Path(folder) == ROOT else set())}


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_the_shell_commands_run_one_after_the_other(tmp_path):
    """In a copy of the checkout; the environment of the tests stands for the one that would be installed."""
    place = Path(shutil.copytree(ROOT, tmp_path / "copy", ignore=left_out, symlinks=True))
    (place / ".venv/bin").mkdir(parents=True)
    (place / ".venv/bin/python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (place / ".venv/bin/python").chmod(0o755)
    if folder := os.environ.get("FIRST_RUN"):
        shutil.copytree(folder, place / "runs/jazz_pop")
    commands = "\n".join(blocks(README, "sh")).replace(INSTALLATION, "true")
    words = ["bash", "-e", "-o", "pipefail", "-c", commands]
    done = subprocess.run(words, cwd=place, capture_output=True, text=True, timeout=2300)
    assert done.returncode == 0, done.stderr[-3000:]
    assert (place / "song_jazz.mid").read_bytes()[:4] == b"MThd"
    assert "<svg" in (place / "listen.html").read_text()
    assert "the paper's tables" in (place / "sweeps/jazz_classic/sweep.md").read_text()
    assert list((place / "data/genre_rolls/demo").glob("*/overview.png"))


def test_the_table_of_bad_input_has_every_kind():
    rows = (ROOT / "docs/bad_input.md").read_text()
    kinds = {**{kind: str(reason) for kind, (_, reason) in BAD.items()}, **dict.fromkeys((*ODD, *HEAVY), "")}
    assert [kind for kind, reason in kinds.items() if f"| {kind} | {reason}" not in rows] == []
