"""Checkpoints: the whole train state and its config, by way of orbax."""

import contextlib
import logging
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
from orbax.checkpoint import checkpoint_managers

from cyclegan_jax.config import Config
from cyclegan_jax.errors import UserError
from cyclegan_jax.state import Params, TrainState, build_optimiser, state_shapes

KEPT = 3
SCORE = "score"


class Checkpoints:
    """A folder of checkpoints, one sub-folder a step: the newest three and the best by score are kept.

    Under jax.distributed every process must open it and call `save`; only the first writes. Opened
    read-only it is each process's own affair. To be used in a `with` block. Raises UserError where
    `folder` is to be read and is not there.
    """

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        self.folder = folder.resolve()
        if read_only and not self.folder.is_dir():
            raise UserError(
                f"{str(folder.parent)!r} holds no trained model: there is no {folder.name} folder in it; "
                "name the workdir of a run with --workdir."
            )
        newest = checkpoint_managers.LatestN(KEPT)
        best = checkpoint_managers.BestN(
            get_metric_fn=_score, reverse=False, n=1, keep_checkpoints_without_metrics=False
        )
        with _quiet_orbax():
            options = ocp.CheckpointManagerOptions(
                preservation_policy=checkpoint_managers.AnyPreservationPolicy([newest, best]),
                best_fn=_score,
                best_mode="max",
                enable_async_checkpointing=False,
                read_only=read_only,
                cleanup_tmp_directories=not read_only,
                multiprocessing_options=_alone() if read_only else ocp.options.MultiprocessingOptions(),
            )
            self._manager = ocp.CheckpointManager(self.folder, options=options)

    def __enter__(self) -> "Checkpoints":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._manager.close()

    def steps(self) -> set[int]:
        """All steps saved."""
        return set(self._manager.all_steps())

    def cut(self, step: int) -> None:
        """Delete what was saved after `step`, for a run that goes on from there."""
        for later in sorted(self.steps()):
            if later > step:
                self._manager.delete(later)

    def latest(self) -> int | None:
        """The newest step saved, or None."""
        return max(self._manager.all_steps(), default=None)

    def best(self) -> int | None:
        """The step of the best score, the newest where none has one, or None."""
        with _quiet_orbax():
            best = self._manager.best_step()
        return self.latest() if best is None else best

    def save(
        self, step: int, state: TrainState, config: Config, metrics: Mapping[str, float] | None = None
    ) -> None:
        """Save a plain state of NumPy arrays.

        `metrics[SCORE]`: by it the best checkpoint is chosen; where it is not finite, or there are no
        metrics, the checkpoint takes no part in the choice.
        """
        items = ocp.args.Composite(
            state=ocp.args.PyTreeSave(state), config=ocp.args.JsonSave(config.to_dict())
        )
        judged = metrics is not None and math.isfinite(metrics[SCORE])
        numbers = {name: float(value) for name, value in metrics.items()} if judged else None
        with _quiet_orbax():
            self._manager.save(step, args=items, metrics=numbers, force=True)

    def config(self, step: int) -> Config:
        """The config saved with a step."""
        items = ocp.args.Composite(config=ocp.args.JsonRestore())
        with _quiet_orbax():
            return Config.from_dict(self._manager.restore(step, args=items)["config"])

    def restore(self, step: int, like: TrainState) -> TrainState:
        """The state of a step as NumPy arrays, bit for bit.

        `like`: the state that is expected, arrays or `jax.eval_shape`'s. Raises UserError naming the
        first leaf whose shape or type is another.
        """
        restored = self._restore_arrays(step, jax.eval_shape(lambda: like), partial=False)
        jax.tree_util.tree_map_with_path(_check_alike, like, restored)
        return restored

    def generators(self, step: int) -> dict[str, Params]:
        """The parameters of the generators to transfer music by, of a step, and nothing else."""
        config = self.config(step)
        name = "ema" if config.ema_decay else "generators"
        like = state_shapes(config, build_optimiser(config)).transferring
        restored = self._restore_arrays(step, {name: like}, partial=True)[name]
        jax.tree_util.tree_map_with_path(_check_alike, like, restored)
        return restored

    def _restore_arrays(self, step: int, item: Any, *, partial: bool) -> Any:  # noqa: ANN401
        as_numpy = jax.tree.map(lambda _: ocp.RestoreArgs(restore_type=np.ndarray), item)
        args = ocp.args.PyTreeRestore(item=item, restore_args=as_numpy, partial_restore=partial)
        try:
            with _quiet_orbax():
                return self._manager.restore(step, args=ocp.args.Composite(state=args))["state"]
        except (KeyError, ValueError) as error:
            raise UserError(
                f"the checkpoint of step {step} in {str(self.folder)!r} has other parts than this model; use "
                "the version that wrote it or another workdir."
            ) from error


def _alone() -> ocp.options.MultiprocessingOptions:
    """Options for a manager that waits for no other process."""
    me = jax.process_index()
    return ocp.options.MultiprocessingOptions(
        primary_host=me, active_processes={me}, barrier_sync_key_prefix=f"reader_{me}"
    )


def _score(metrics: Mapping[str, float]) -> float:
    return metrics.get(SCORE, -math.inf)


def _check_alike(path: tuple, wanted: jax.Array, found: np.ndarray) -> None:
    if wanted.shape != found.shape or wanted.dtype != found.dtype:
        raise UserError(
            f"the checkpoint's {jax.tree_util.keystr(path)} is {found.dtype} {found.shape}, but this "
            f"model's is {wanted.dtype} {wanted.shape}; use the version that wrote it or another workdir."
        )


@contextlib.contextmanager
def _quiet_orbax() -> Iterator[None]:
    """Orbax warns through absl's logger of what is meant here, such as a step without metrics."""
    logger = logging.getLogger("absl")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
