"""The arrays of the paper's authors, from a folder to a trained and evaluated pair, on the command line."""

import json
from pathlib import Path

import numpy as np
import pytest
from support.running import SMALLEST, run_command

from cyclegan_jax.datasets.genre_rolls.reading.paper_arrays import PAPER_GENRES
from cyclegan_jax.datasets.pipeline.phrases import has_mixed, load_phrases


def phrases(count: int, lowest: int, seed: int) -> np.ndarray:
    """[count, 64, 84, 1] bool: sixteen notes of a beat each, within an octave from row `lowest`."""
    rows = lowest + np.random.default_rng(seed).integers(0, 12, (count, 16))
    rolls = np.zeros((count, 16, 4, 84), bool)
    np.put_along_axis(rolls, rows[:, :, None, None], True, axis=3)
    return (rolls | rolls[:, :, :1]).reshape(count, 64, 84, 1)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """Arrays as the authors passed them around: bool for jazz, float for classic, single phrases for pop."""
    place = tmp_path_factory.mktemp("paper")
    folder = place / "arrays"
    folder.mkdir()
    for genre, lowest, kind in (("jazz", 20, np.bool_), ("classic", 50, np.float64)):
        np.save(folder / f"{genre}_train_piano.npy", phrases(40, lowest, 1).astype(kind))
        np.save(folder / f"{genre}_test_piano.npy", phrases(12, lowest, 2).astype(kind))
    singles = {
        "JP_P/train": phrases(20, 35, 3),
        "JP_P/test": phrases(5, 35, 4),
        "JCP_mixed": phrases(9, 5, 5),
    }
    for name, rolls in singles.items():
        (folder / name).mkdir(parents=True)
        for number, roll in enumerate(rolls):
            np.save(folder / name / f"{number}.npy", roll.reshape(1, 64, 84, 1))
    return place


@pytest.mark.slow
def test_prepare_then_train_on_the_authors_arrays(place):
    prepared = run_command("prepare", "--dataset=paper", "--manual_dir=arrays", cwd=place)
    assert prepared.returncode == 0, prepared.stderr
    (folder,) = (place / "data/genre_rolls/paper").iterdir()
    train = load_phrases(folder, "train", PAPER_GENRES)
    assert {genre: len(p) for genre, p in train.items()} == {"classic": 36, "jazz": 36, "pop": 18}
    np.testing.assert_array_equal(train["classic"].rolls, phrases(40, 50, 1)[:36])
    np.testing.assert_array_equal(load_phrases(folder, "test", ["pop"])["pop"].rolls, phrases(5, 35, 4))
    assert has_mixed(folder)
    np.testing.assert_array_equal(load_phrases(folder, "train", ["mixed"])["mixed"].rolls, phrases(9, 5, 5))

    flags = (
        "--dataset=paper",
        "--recipe=paper",
        "--pair=jazz_classic",
        "--workdir=run",
        "--steps=6",
        "--eval_every=6",
    )
    trained = run_command("train", *flags, *SMALLEST, cwd=place)
    assert trained.returncode == 0, trained.stderr
    config = json.loads((place / "run/config.json").read_text())
    assert config["genres"] == ["mixed"] and config["model"] == "full" and config["cycle"] == "l1"
    assert json.loads((place / "run/evaluation.json").read_text())["pair"] == ["jazz", "classic"]


def test_an_array_that_is_no_array_is_one_line(place, tmp_path):
    bad = tmp_path / "arrays"
    bad.mkdir()
    for side in ("train", "test"):
        np.save(bad / f"pop_{side}_piano.npy", np.array([{"a": 1}], object), allow_pickle=True)
    done = run_command("prepare", "--dataset=paper", "--manual_dir=arrays", cwd=tmp_path)
    assert done.returncode == 2 and not (tmp_path / "data/genre_rolls").exists()
    (line,) = done.stderr.splitlines()
    assert "pop_test_piano.npy" in line and "expected a .npy array of shape [N, 64, 84, 1]" in line
