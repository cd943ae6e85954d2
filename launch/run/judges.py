"""The judges of a dataset and pair: the classifier is trained once and kept beside the dataset."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import flax.serialization
import jax
import numpy as np

from cyclegan_jax.atomic_files import write_whole
from cyclegan_jax.datasets.pipeline.phrases import Column, columns, load_phrases
from cyclegan_jax.errors import UserError
from cyclegan_jax.evaluation.evaluate import Judges
from cyclegan_jax.evaluation.feature_classifier import SecondJudge, train_second_judge
from cyclegan_jax.evaluation.genre_classifier import EPOCHS, Judge, train_judge


def judge_path(dataset_folder: Path, fingerprint: str, pair: tuple[str, str]) -> Path:
    """Where the classifier of a pair is kept: `data_dir/classifiers`, by fingerprint and pair."""
    data_dir = dataset_folder.parents[2]
    return data_dir / "classifiers" / fingerprint / pair[0] / f"{pair[1]}.msgpack"


def get_judge(
    dataset_folder: Path,
    fingerprint: str,
    pair: tuple[str, str],
    *,
    epochs: int = EPOCHS,
    retrain: bool = False,
) -> Judge:
    """The classifier kept beside the dataset; trained, and then kept, where there is none yet."""
    path = judge_path(dataset_folder, fingerprint, pair)
    if path.exists() and not retrain:
        return _read(path)
    train, validation = (_by_side(dataset_folder, split, pair) for split in ("train", "validation"))
    judge = train_judge(train, validation, seed=0, epochs=epochs)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"accuracy": judge.accuracy, "params": jax.device_get(judge.params)}
    write_whole(path, flax.serialization.msgpack_serialize(content))
    return judge


def get_judges(dataset_folder: Path, fingerprint: str, pair: tuple[str, str]) -> Judges:
    """The classifier, and the second judge, which is trained anew in seconds, always the same."""
    network = get_judge(dataset_folder, fingerprint, pair)
    train = {side: columns(dataset_folder, "train", genre)[0] for side, genre in zip("ab", pair, strict=True)}
    validation = _by_side(dataset_folder, "validation", pair)
    return Judges(network, InTheMaking(lambda: train_second_judge(train, validation, seed=0)))


class InTheMaking:
    """A second judge that is trained on a thread of its own, and waited for when it is first asked.

    So a run compiles its step meanwhile. What goes wrong is raised then.
    """

    def __init__(self, make: Callable[[], SecondJudge]) -> None:
        self._made = ThreadPoolExecutor(max_workers=1).submit(make)

    @property
    def accuracy(self) -> float:
        """As of SecondJudge."""
        return self._made.result().accuracy

    def probabilities(self, phrases: np.ndarray) -> np.ndarray:
        """As of SecondJudge."""
        return self._made.result().probabilities(phrases)


def _by_side(dataset_folder: Path, split: str, pair: tuple[str, str]) -> dict[str, np.ndarray | Column]:
    """Phrases of a split, genre A's under `a` and B's under `b`."""
    phrases = load_phrases(dataset_folder, split, pair)
    return {side: phrases[genre].rolls for side, genre in zip("ab", pair, strict=True)}


def _read(path: Path) -> Judge:
    try:
        content = flax.serialization.msgpack_restore(path.read_bytes())
        return Judge(content["params"], float(content["accuracy"]))
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"the classifier in {path} cannot be read; delete it to have it trained anew."
        ) from error
