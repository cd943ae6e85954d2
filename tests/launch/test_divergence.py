"""A NaN or infinite loss: the step, the phrases it happened on, and the rollback."""

import json
from pathlib import Path

import jax
import numpy as np
import pytest
from support.training_loop import (
    CONFIG,
    METRICS,
    SAVED_EVERY_TWO,
    assert_same_bits,
    batches,
    log,
    poisoned,
    run,
    saved,
    steps_saved,
)

from cyclegan_jax.datasets.pipeline.batches import PairBatches
from cyclegan_jax.datasets.pipeline.phrases import load_phrases, read_columns
from cyclegan_jax.errors import TrainingDivergedError
from cyclegan_jax.training.data_parallel import Parallel
from launch.run import divergence
from launch.run.folder import RunFolder


def test_it_stops_one_step_later_names_the_step_and_writes_down_its_phrases(tmp_path, monkeypatch):
    poisoned(monkeypatch, {4: 1})
    asked = []
    with pytest.raises(TrainingDivergedError, match=r"is nan at step 5;") as error:
        run(tmp_path, SAVED_EVERY_TWO, watch=asked.append)
    assert asked == [0, 1, 2, 3, 4, 5, 4], "the next step, and the phrases to tell of"
    assert list(error.value.steps) == [5] and steps_saved(tmp_path) == [2, 4]
    told = json.loads((tmp_path / "diverged.json").read_text())
    assert str(error.value).startswith(f"{told['error']}; training stopped") and told["steps"] == [5]
    (batch,) = told["batches"].values()
    expected = batches().rows(4)
    assert {name: [row["phrase"] for row in rows] for name, rows in batch.items() if name != "m"} == {
        "a": expected["a"].tolist(),
        "b": (expected["b"] - 12).tolist(),
    }
    assert {row["genre"] for row in batch["a"]} == {"jazz"}
    assert [row["genre"] for row in batch["m"]] == ["jazz", "pop", "jazz", "pop"]


def test_of_a_dataset_at_hand_the_song_and_the_bar_are_told(demo_folder, tmp_path):
    phrases = load_phrases(demo_folder, "train", CONFIG.pair)
    a, b = (phrases[genre].rolls for genre in CONFIG.pair)
    of_demo = PairBatches(a, b, [], CONFIG.batch_size, seed=0)
    folder = RunFolder(tmp_path)
    folder.claim(CONFIG, demo_folder)
    divergence.note(TrainingDivergedError("nan", range(3, 5)), of_demo, CONFIG, folder)
    told = json.loads((tmp_path / "diverged.json").read_text())["batches"]
    assert set(told) == {"3", "4"}
    rolls, songs, bars = read_columns(demo_folder, "train", "pop", ("roll", "song", "bar"))
    for row, phrase in zip(told["4"]["b"], of_demo.batch(3)["b"], strict=True):
        np.testing.assert_array_equal(rolls[row["phrase"]], phrase)
        assert row == {
            "genre": "pop",
            "phrase": row["phrase"],
            "song": songs[row["phrase"]].decode(),
            "bar": int(bars[row["phrase"]]),
        }


def rollbacks(workdir: Path) -> list[dict]:
    return json.loads((workdir / "rollbacks.json").read_text())


@pytest.mark.slow
def test_rolled_back_it_goes_on_from_the_last_good_checkpoint_by_half_the_rate(tmp_path, monkeypatch, capfd):
    poisoned(monkeypatch, {5: 1})
    state = run(tmp_path / "back", SAVED_EVERY_TWO, rollback=True)
    assert int(state.step) == 10 and all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(state))
    (row,) = rollbacks(tmp_path / "back")
    assert (row["diverged"], row["back_to"]) == (6, 4)
    assert row["learning_rate"] == CONFIG.learning_rate / 2
    assert "warning: " in capfd.readouterr().err
    monkeypatch.undo()
    straight = run(tmp_path / "straight", SAVED_EVERY_TWO)
    four = saved(tmp_path / "straight", 10)
    assert (jax.tree.leaves(four.generators)[0] != jax.tree.leaves(state.generators)[0]).any()
    assert_same_bits(straight, four)


def test_three_times_and_no_more(tmp_path, monkeypatch):
    nan = dict.fromkeys(METRICS, float("nan"))
    monkeypatch.setattr(Parallel, "steps", lambda self, state, table, rows: (state, nan))
    with pytest.raises(TrainingDivergedError):
        run(tmp_path, SAVED_EVERY_TWO, rollback=True)
    assert [row["learning_rate"] / CONFIG.learning_rate for row in rollbacks(tmp_path)] == [0.5, 0.25, 0.125]
    assert {row["back_to"] for row in rollbacks(tmp_path)} == {0}, "there was no checkpoint yet"
    assert log(tmp_path) == []
