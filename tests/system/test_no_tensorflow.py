"""No command imports TensorFlow."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.midi_files import write_midi_file
from support.running import SMALLEST, run_command


@pytest.fixture
def planted(tmp_path) -> Path:
    """A package `tensorflow` that leaves a mark when it is imported, and fails as an absent one does."""
    package = tmp_path / "planted/tensorflow"
    package.mkdir(parents=True)
    mark = package.parent / "imported"
    code = f"from pathlib import Path\nPath({str(mark)!r}).touch()\nraise ImportError('planted')\n"
    (package / "__init__.py").write_text(code)
    return package.parent


def path_with(planted: Path) -> str:
    return os.pathsep.join(filter(None, (str(planted), os.environ.get("PYTHONPATH"))))


def test_the_plant_notices_an_import(planted):
    environment = {**os.environ, "PYTHONPATH": path_with(planted)}
    words = [sys.executable, "-c", "import tensorflow.io"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "planted" in done.stderr
    assert (planted / "imported").exists()


@pytest.mark.slow
def test_prepare_train_and_evaluate_never_import_tensorflow(planted, tmp_path):
    for genre, pitch in (("jazz", 40), ("pop", 70)):
        for number in range(12):
            notes = [(480 * beat, 480 * beat + 360, pitch + (beat + number) % 12) for beat in range(33)]
            write_midi_file(tmp_path / "midi" / genre / f"{number}.mid", notes)
    data = ("--dataset=midi", "--midi_dir=midi")
    # As many steps as `run_dir` has, so that whichever comes second finds the step compiled.
    train = (*data, "--pair=jazz_pop", "--workdir=run", "--steps=6", "--eval_every=6", *SMALLEST)
    for name, flags in (("prepare", data), ("train", train), ("evaluate", ("--workdir=run",))):
        done = run_command(name, *flags, cwd=tmp_path, PYTHONPATH=path_with(planted))
        assert done.returncode == 0, done.stderr
        assert not (planted / "imported").exists(), name
    assert (tmp_path / "run/evaluation.json").exists()
