"""The evaluation of a finished run: which phrases it is of, and what its tables say."""

import json

import numpy as np
import pytest

from cyclegan_jax.datasets.pipeline.phrases import load_phrases
from cyclegan_jax.evaluation.evaluate import Classifiers, Side
from launch.run import evaluation
from launch.run.folder import RunFolder


class SidesSeenError(Exception):
    """Raised in the place of an evaluation, with its two sides."""


def test_test_phrases_are_judged_and_copies_are_sought_in_train(run_dir, demo_folder, monkeypatch):
    def evaluate(transfer: object, classifiers: Classifiers, *sides: Side, baselines: bool) -> dict:
        assert baselines
        raise SidesSeenError(*sides)

    monkeypatch.setattr(evaluation, "evaluate", evaluate)
    with pytest.raises(SidesSeenError) as seen:
        evaluation.evaluate_run(RunFolder(run_dir), demo_folder, classifiers=Classifiers(None, None))
    channels = {"train": 1, "test": 2}
    splits = {split: load_phrases(demo_folder, split, ("jazz", "pop"), channels[split]) for split in channels}
    for side, genre in zip(seen.value.args, ("jazz", "pop"), strict=True):
        np.testing.assert_array_equal(side.held_out, splits["test"][genre].rolls)
        np.testing.assert_array_equal(side.songs, splits["test"][genre].song_numbers)
        np.testing.assert_array_equal(side.melody, splits["test"][genre].melody)
        rows = np.arange(len(side.train))
        np.testing.assert_array_equal(side.train[rows], splits["train"][genre].rolls[rows])


def test_tables_have_realism_faults_and_giveaways_beside_real_music(run_dir):
    written = json.loads((run_dir / "evaluation.json").read_text())
    table = evaluation.to_markdown(written).splitlines()
    assert table == (run_dir / "evaluation.md").read_text().splitlines()
    rows = {line.split(" | ")[0].removeprefix("| "): line.split(" | ")[1:] for line in table if "|" in line}
    directions = [written[key] for key in ("a_to_b", "b_to_a")]
    for version in ("transfer", "origin", "target"):
        shown = [figures["realism"].get(version) for figures in directions]
        expected = ["too few phrases" if value is None else f"{value:.3f}" for value in shown]
        assert rows[f"realism, {version}"][:2] == expected
    late = [figures["faults"]["late_bass_onsets"] for figures in directions]
    rates = [f"{rate[version]:.3f}" for rate in late for version in ("transfer", "origin", "target")]
    assert [cell.removesuffix(" |") for cell in rows["late bass onsets"]] == rates
    for key, title in (("a_to_b", "jazz → pop"), ("b_to_a", "pop → jazz")):
        (head,) = (n for n, line in enumerate(table) if line.startswith(f"| what gives {title} away"))
        told = [line.split(" | ")[0].removeprefix("| ") for line in table[head + 2 : head + 12]]
        assert told == [row["feature"] for row in written[key]["giveaways"]]


def test_a_figure_that_phrases_are_too_few_for_says_so(run_dir):
    written = json.loads((run_dir / "evaluation.json").read_text())
    written["a_to_b"]["realism"] = {}
    del written["a_to_b"]["share_of_the_way"]
    table = evaluation.to_markdown(written)
    assert "| share of the way | too few phrases | " in table
    assert "| realism, transfer | too few phrases | " in table


def test_the_page_says_what_gives_the_transfers_away(run_dir):
    written = json.loads((run_dir / "evaluation.json").read_text())
    sentences = evaluation.most_telling(written)
    page = RunFolder(run_dir).listening_page.read_text()
    assert len(sentences) == 2
    for sentence, key in zip(sentences, ("a_to_b", "b_to_a"), strict=True):
        assert written[key]["giveaways"][0]["feature"] in sentence and sentence in page
