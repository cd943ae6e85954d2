"""The evaluation of a finished run: which phrases it is of."""

import numpy as np
import pytest

from cyclegan_jax.datasets.pipeline.phrases import load_phrases
from cyclegan_jax.evaluation.evaluate import Classifiers, Side
from launch.run import evaluation
from launch.run.folder import RunFolder


class SidesSeenError(Exception):
    """Raised in the place of an evaluation, with its two sides."""


def test_test_phrases_are_judged_and_copies_are_sought_in_train(run_dir, demo_folder, monkeypatch):
    def evaluate(transfer: object, classifiers: Classifiers, *sides: Side) -> dict:
        raise SidesSeenError(*sides)

    monkeypatch.setattr(evaluation, "evaluate", evaluate)
    with pytest.raises(SidesSeenError) as seen:
        evaluation.evaluate_run(RunFolder(run_dir), demo_folder, classifiers=Classifiers(None, None))
    splits = {split: load_phrases(demo_folder, split, ("jazz", "pop")) for split in ("train", "test")}
    for side, genre in zip(seen.value.args, ("jazz", "pop"), strict=True):
        np.testing.assert_array_equal(side.held_out, splits["test"][genre].rolls)
        rows = np.arange(len(side.train))
        np.testing.assert_array_equal(side.train[rows], splits["train"][genre].rolls[rows])
