"""Where training goes on from: the newest checkpoint that fits the config."""

from collections.abc import Sequence

from cyclegan_jax.config import Config
from cyclegan_jax.errors import UserError
from cyclegan_jax.training.checkpoint import Checkpoints
from cyclegan_jax.training.state import TrainState
from launch.process.runner import warn
from launch.run.folder import LENGTH, RunFolder, name_of


def newest_states(
    configs: Sequence[Config], stores: Sequence[Checkpoints], fresh: TrainState
) -> tuple[int, list[TrainState]]:
    """The newest step that all runs have saved, and their states there; 0 and fresh states if there is none.

    A kill between two saves leaves one run a checkpoint ahead of another. That checkpoint is deleted, and the
    run goes on from the one before. Raises UserError if a checkpoint is of another config.
    """
    common = set.intersection(*(set(store.steps()) for store in stores))
    if not common:
        return 0, [fresh] * len(stores)
    start = max(common)
    for config, store in zip(configs, stores, strict=True):
        check_config(config, store, start)
        store.cut(start)
    return start, [store.restore(start, fresh) for store in stores]


def check_checkpoints(config: Config, folder: RunFolder) -> None:
    """Set broken checkpoints aside. Raise UserError if none is left or the newest has another config."""
    with Checkpoints(folder.checkpoints, warn=warn) as checkpoints:
        newest = checkpoints.latest()
        if newest is not None:
            check_config(config, checkpoints, newest)


def check_config(config: Config, checkpoints: Checkpoints, step: int) -> None:
    """Raise UserError if a checkpoint has another config; only the number of steps may differ."""
    different = config.difference(checkpoints.config(step), ignored=LENGTH)
    if different:
        field, new, old = different
        raise UserError(
            f"{name_of(field)} is {new!r}, but the checkpoint in {str(checkpoints.folder)!r} has {old!r}; "
            "give the same value or another --workdir."
        )
