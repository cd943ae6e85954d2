"""The two classifiers of a dataset and pair.

The genre classifier takes long to train and is kept in the folder `classifiers` of `--data_dir`. The feature
classifier takes seconds and is trained at each start, on a thread, while the training step is compiled.
"""

import errno
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import flax.serialization
import jax
import numpy as np

from cyclegan_jax.atomic_files import check_disk_space, write_whole
from cyclegan_jax.datasets.genre_rolls.prepare import data_dir_of
from cyclegan_jax.datasets.pipeline.phrases import Phrases, Rows, columns, load_phrases
from cyclegan_jax.errors import UserError
from cyclegan_jax.evaluation.evaluate import Classifiers
from cyclegan_jax.evaluation.feature_classifier import FeatureClassifier, train_feature_classifier
from cyclegan_jax.evaluation.genre_classifier import (
    EPOCHS,
    ROBUSTNESS_SIGMAS,
    GenreClassifier,
    robustness,
    train_genre_classifier,
)

NO_PERMISSION = (errno.EACCES, errno.EPERM, errno.EROFS)


def genre_classifier_path(dataset_folder: Path, fingerprint: str, pair: tuple[str, str]) -> Path:
    """Where the classifier of a pair is kept: `data_dir/classifiers`, by fingerprint and pair."""
    data_dir = data_dir_of(dataset_folder)
    return data_dir / "classifiers" / fingerprint / pair[0] / f"{pair[1]}.msgpack"


def get_genre_classifier(
    dataset_folder: Path,
    fingerprint: str,
    pair: tuple[str, str],
    *,
    epochs: int = EPOCHS,
    retrain: bool = False,
) -> GenreClassifier:
    """The classifier that was kept; if there is none yet, it is trained and kept.

    Raises UserError if its file cannot be read, and before it is trained if it may not be kept.
    """
    path = genre_classifier_path(dataset_folder, fingerprint, pair)
    if path.exists() and not retrain:
        return _read(path)
    _check_writable(path.parent, data_dir_of(dataset_folder), pair)
    train = _by_side(load_phrases(dataset_folder, "train", pair), pair)
    validation = _by_side(load_phrases(dataset_folder, "validation", pair), pair)
    classifier = train_genre_classifier(train, validation, seed=0, epochs=epochs)
    content = {"accuracy": classifier.accuracy, "params": jax.device_get(classifier.params)}
    write_whole(path, flax.serialization.msgpack_serialize(content))
    return classifier


def _check_writable(folder: Path, data_dir: Path, pair: tuple[str, str]) -> None:
    """Make the folder of a classifier. Raises UserError where permission for that is denied."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        check_disk_space(folder, 0)
    except OSError as error:
        if error.errno not in NO_PERMISSION:
            raise
        raise UserError(
            f"the genre classifier of {pair[0]} and {pair[1]} is not in {str(data_dir)!r} yet, and may not "
            f"be kept there ({error.strerror}); make that folder writable, have its owner run "
            "launch.classify, or name a copy of it with --data_dir."
        ) from error


def get_classifiers(dataset_folder: Path, fingerprint: str, pair: tuple[str, str]) -> Classifiers:
    """The genre classifier, and the feature classifier, whose training goes on in the background."""
    network = get_genre_classifier(dataset_folder, fingerprint, pair)
    train = {
        side: columns(dataset_folder, "train", genre, 2)[0] for side, genre in zip("ab", pair, strict=True)
    }
    validation = _by_side(load_phrases(dataset_folder, "validation", pair, 2), pair)
    return Classifiers(
        network, TrainedInBackground(lambda: train_feature_classifier(train, validation, seed=0))
    )


def accuracy_under_noise(
    classifier: GenreClassifier, dataset_folder: Path, pair: tuple[str, str]
) -> dict[float, float]:
    """The classifier's balanced accuracy on `test`, 0 to 1, by the σ of the noise (paper, table IV)."""
    test = _by_side(load_phrases(dataset_folder, "test", pair), pair)
    return robustness(classifier, test["a"], test["b"], ROBUSTNESS_SIGMAS, seed=0)


class TrainedInBackground:
    """A feature classifier that is trained on a thread of its own. Its first use waits for it.

    If its training failed, the error is raised then.
    """

    def __init__(self, make: Callable[[], FeatureClassifier]) -> None:
        self._made = ThreadPoolExecutor(max_workers=1).submit(make)

    @property
    def accuracy(self) -> float:
        """As of FeatureClassifier."""
        return self._made.result().accuracy

    def probabilities(self, phrases: np.ndarray) -> np.ndarray:
        """As of FeatureClassifier."""
        return self._made.result().probabilities(phrases)


def _by_side(phrases: Mapping[str, Phrases[Rows]], pair: tuple[str, str]) -> dict[str, Rows]:
    """The rolls of genre A under `a` and of B under `b`."""
    return {side: phrases[genre].rolls for side, genre in zip("ab", pair, strict=True)}


def _read(path: Path) -> GenreClassifier:
    try:
        content = flax.serialization.msgpack_restore(path.read_bytes())
        return GenreClassifier(content["params"], float(content["accuracy"]))
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"the classifier in {path} cannot be read; delete it to have it trained again."
        ) from error
