"""A run with a NaN or infinite loss: the phrases it happened on are written down; it may be rolled back.

The loop checks the metrics of a dispatch while the next one runs, so that the device does not wait for the
host. A rollback goes on from the newest checkpoint with half the learning rate. The rate follows from the
number of rows in `rollbacks.json`, so the config and the checkpoints stay those of the run.
"""

import dataclasses
import json
from typing import Any

import numpy as np

from cyclegan_jax.atomic_files import write_whole
from cyclegan_jax.config import Config
from cyclegan_jax.datasets.genre_rolls.install import is_finished
from cyclegan_jax.datasets.pipeline.batches import PairBatches
from cyclegan_jax.datasets.pipeline.phrases import read_columns
from cyclegan_jax.errors import TrainingDivergedError
from cyclegan_jax.training.checkpoint import Checkpoints
from launch.process.runner import warn
from launch.run.folder import RunFolder

MOST_ROLLBACKS = 3
SLOWER = 0.5  # the learning rate's factor at each of them


def note(error: TrainingDivergedError, batches: PairBatches, config: Config, folder: RunFolder) -> None:
    """Write `diverged.json`: the error, its steps, and the phrases of each step's batches."""
    phrases = {
        str(step): {
            name: _phrases(rows, batches, config, folder) for name, rows in batches.rows(step - 1).items()
        }
        for step in error.steps
    }
    content = {"error": str(error), "steps": list(error.steps), "batches": phrases}
    write_whole(folder.diverged, json.dumps(content, indent=1) + "\n")


def slowed(config: Config, rollbacks: int) -> Config:
    """The config with the learning rate that holds after this number of rollbacks."""
    return dataclasses.replace(config, learning_rate=config.learning_rate * SLOWER**rollbacks)


def count_rollbacks(folder: RunFolder) -> int:
    """How often the run has been rolled back so far."""
    return len(_rollbacks(folder))


def roll_back(error: TrainingDivergedError, config: Config, folder: RunFolder) -> bool:
    """Add a rollback to `rollbacks.json`: the run goes on from its newest checkpoint with half the rate.

    After `MOST_ROLLBACKS` of them nothing is added, and the result is False.
    """
    before = _rollbacks(folder)
    if len(before) >= MOST_ROLLBACKS:
        return False
    step = 0
    if folder.checkpoints.is_dir():
        with Checkpoints(folder.checkpoints, read_only=True) as checkpoints:
            step = checkpoints.latest() or 0
    rate = slowed(config, len(before) + 1).learning_rate
    row = {"diverged": error.steps[-1], "back_to": step, "learning_rate": rate, "error": str(error)}
    write_whole(folder.rollbacks, json.dumps([*before, row], indent=1) + "\n")
    warn(f"{error}; rolled back to step {step}, on with a learning rate of {rate:g}.")
    return True


def _phrases(
    rows: np.ndarray, batches: PairBatches, config: Config, folder: RunFolder
) -> list[dict[str, Any]]:
    """Genre and number of each row's phrase in `train`, and song and bar if the dataset is still there."""
    genres = (*config.pair, *config.genres)
    places = [(genres[source], number) for source, number in map(batches.place, rows.tolist())]
    dataset = folder.dataset_folder()
    if not is_finished(dataset):
        return [{"genre": genre, "phrase": number} for genre, number in places]
    columns = {g: read_columns(dataset, "train", g, ("song", "bar")) for g in {genre for genre, _ in places}}
    named = []
    for genre, number in places:
        song, bar = (column[number] for column in columns[genre])
        named.append({"genre": genre, "phrase": number, "song": song.decode(), "bar": int(bar)})
    return named


def _rollbacks(folder: RunFolder) -> list[dict[str, Any]]:
    return json.loads(folder.rollbacks.read_text()) if folder.rollbacks.exists() else []
