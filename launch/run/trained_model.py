"""The model of a run, as its folder and its dataset have it."""

import json
from pathlib import Path
from typing import Any

from cyclegan_jax.datasets.genre_rolls.install import has_fingerprint
from cyclegan_jax.errors import UserError
from cyclegan_jax.transfer.model import Model
from launch.run.classifiers import genre_classifier_path, get_genre_classifier
from launch.run.evaluation import load_transfer
from launch.run.folder import RunFolder


def model_of_run(folder: RunFolder, dataset: Path | None = None) -> Model:
    """The run's best generators, with its classifier if its dataset or that classifier is still there.

    `dataset`: its new folder, if it was moved. Raises UserError if there is no checkpoint.
    """
    transfer, _, _ = load_transfer(folder)
    dataset = dataset or folder.dataset_folder()
    config = transfer.config
    same = has_fingerprint(dataset, config.fingerprint)
    classifier = None
    if same or genre_classifier_path(dataset, config.fingerprint, config.pair).exists():
        classifier = get_genre_classifier(dataset, config.fingerprint, config.pair)
    return Model(config, transfer.generators, classifier, folder.trained_on(), _evaluation(folder))


def complete_model_of_run(folder: RunFolder) -> Model:
    """As `model_of_run`; raises UserError where there is no classifier and no dataset to train one on."""
    model = model_of_run(folder)
    if model.classifier is None:
        raise UserError(
            f"the dataset of the run in {str(folder.workdir)!r} is no longer in "
            f"{str(folder.dataset_folder())!r}, nor its classifier; make it again with launch.prepare."
        )
    return model


def _evaluation(folder: RunFolder) -> dict[str, Any]:
    return json.loads(folder.evaluation.read_text()) if folder.evaluation.exists() else {}
