"""README's Python runs as it stands there."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.bad_midi import BAD
from support.heavy_midi import HEAVY
from support.odd_midi import ODD

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
WITHOUT_US = "import sys\nsys.modules['cyclegan_jax'] = None\n"


def run_block(word: str, place: Path, before: str = "", after: str = "") -> str:
    """Run the one block of README that has a word, in a process of its own; returns what it printed."""
    (block,) = (block for block in BLOCKS if word in block)
    program = before + block + after
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=place,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def place(tmp_path, demo_dir) -> Path:
    (tmp_path / "data").symlink_to(demo_dir)
    return tmp_path


def test_the_dataset_opens_as_numpy_where_our_package_is_not_installed(place):
    shown = run_block("plain NumPy", place, WITHOUT_US, 'print(phrase["roll"].sum() > 0, len(source))')
    assert shown.split() == ["True", "2113"]


def test_it_is_batched_by_grain(place):
    after = "\nprint(sum(len(b['genre']) for b in batches), batch['roll'].shape, set(batch['genre']))"
    shown = run_block("grain.MapDataset", place, WITHOUT_US, after)
    assert shown.splitlines()[-1].startswith("2112 (32, 64, 84, 1)")


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")
def test_it_is_batched_by_a_pytorch_loader(place):
    after = "\nprint(len(loader), rolls.shape, rolls.dtype, genres.dtype)"
    shown = run_block("DataLoader", place, WITHOUT_US, after)
    assert shown.splitlines()[-1] == "67 torch.Size([32, 64, 84, 1]) torch.float32 torch.int64"


def test_a_song_is_transferred(place, model_path, tmp_path):
    from support.midi_files import write_midi_file

    write_midi_file(tmp_path / "song.mid", [(0, 9600, 60), (960, 4800, 64)])
    (tmp_path / "jazz_pop.model").symlink_to(model_path)
    shown = run_block("cg.load", place)
    assert (tmp_path / "song_pop.mid").read_bytes()[:4] == b"MThd"
    assert shown.startswith("('jazz', 'pop') {'dataset': 'genre_rolls/demo/")


def test_the_table_of_bad_input_has_every_kind():
    rows = (ROOT / "docs/bad_input.md").read_text()
    kinds = {**{kind: str(reason) for kind, (_, reason) in BAD.items()}, **dict.fromkeys((*ODD, *HEAVY), "")}
    assert [kind for kind, reason in kinds.items() if f"| {kind} | {reason}" not in rows] == []
