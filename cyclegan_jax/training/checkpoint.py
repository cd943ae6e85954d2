"""Checkpoints: the whole train state, written by Orbax, its files checked against a manifest.

The folders are ours, with Orbax's inside. Orbax's CheckpointManager takes a stray folder for its latest step,
restores damaged bits without a warning, and never goes back to an older checkpoint. A step is saved by
Orbax first; then its manifest is written, and only that makes the folder a checkpoint. All are read and
checked once when a folder is opened. A score goes into the manifest after the evaluation, so an interrupted
evaluation loses nothing. Where no checkpoint is whole: one folder without a manifest is what a kill during
the first save leaves, so it is set aside and the run begins again. Two of them, or one whose manifest does
not fit, are an error.
"""

import contextlib
import dataclasses
import logging
import math
import re
import shutil
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp

from cyclegan_jax.atomic_files import check_disk_space, errno_in, sync_folder, sync_tree
from cyclegan_jax.config import Config
from cyclegan_jax.errors import NotWrittenError, UserError
from cyclegan_jax.models.build import Params, generator_shapes
from cyclegan_jax.training.manifest import NAME, BrokenCheckpointError, Manifest, check_files, read_manifest
from cyclegan_jax.training.state import TrainState

KEPT = 3
STATE = "state"
SET_ASIDE = "set_aside"
GOING = ".going."  # prefix of the name of a checkpoint that is being deleted


class Checkpoints:
    """A folder of checkpoints, one sub-folder a step: the newest three and the best by score are kept.

    A folder is a checkpoint if it has a manifest and every file is as the manifest says. Another one is
    reported by `warn` and, unless `read_only`, moved to `set_aside`, never deleted. To be used in a `with`
    block.

    Under jax.distributed every process must call `save`; only the first writes. A process that opens it
    read-only does not wait for others. Raises UserError if `folder` is to be read and is not there.
    """

    def __init__(
        self, folder: Path, *, read_only: bool = False, warn: Callable[[str], None] = warnings.warn
    ) -> None:
        self.folder = folder.resolve()
        if read_only and not self.folder.is_dir():
            raise UserError(
                f"{str(folder.parent)!r} holds no trained model: there is no {folder.name} folder in it; "
                "name the workdir of a run with --workdir."
            )
        self._warn = warn
        self._writes = not read_only and jax.process_index() == 0
        self._whole: dict[int, Manifest] = {}
        self._told: set[int] = set()
        together = _alone() if read_only else ocp.options.MultiprocessingOptions()
        handler = ocp.PyTreeCheckpointHandler(multiprocessing_options=together)
        self._orbax = ocp.Checkpointer(handler, multiprocessing_options=together)
        if self._writes:
            for left in self.folder.glob(f"{GOING}*"):
                shutil.rmtree(left)

    def __enter__(self) -> "Checkpoints":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._orbax.close()

    def steps(self) -> list[int]:
        """The steps of all whole checkpoints, in order.

        Each is checked once. Raises UserError, and changes nothing, if some are broken and none is whole.
        """
        found = self._folders()
        broken = {step: why for step in found if (why := self._fault(step))}
        whole = [step for step in found if step not in broken]
        if broken and not whole and (len(broken) > 1 or (self.folder / str(*broken) / NAME).exists()):
            faults = "; ".join(f"of step {step}, {why}" for step, why in broken.items())
            raise UserError(
                f"no checkpoint in {str(self.folder)!r} can be used ({faults}); nothing was changed: put a "
                "good copy in the place of one, or name another --workdir."
            )
        for step, why in broken.items():
            self._give_up(step, why)
        return whole

    def latest(self) -> int | None:
        """The newest step saved, or None."""
        return max(self.steps(), default=None)

    def best(self) -> int | None:
        """The step with the best score, the newest step if none has a score, None without checkpoints."""
        return max(self.steps(), key=lambda step: (self._score(step), step), default=None)

    def cut(self, step: int) -> None:
        """Delete what was saved after `step`, for a run that goes on from there."""
        for later in self.steps():
            if later > step:
                self._delete(later)

    def save(self, step: int, state: TrainState, config: Config) -> None:
        """Save a plain state of NumPy arrays. Raises NotWrittenError, leaving nothing of it."""
        place = self.folder / str(step)
        need = sum(leaf.nbytes for leaf in jax.tree.leaves(state))
        try:
            if self._writes:
                place.mkdir(parents=True)
                check_disk_space(place, need)
            with _quiet_orbax():
                self._orbax.save(place / STATE, args=ocp.args.PyTreeSave(state))
            if self._writes:
                sync_tree(place)
                self._put(Manifest.of(place, step, config))
                sync_folder(self.folder)
        except FileExistsError:
            raise
        except (OSError, ValueError) as error:
            if self._writes:
                _clear(place)
            number = getattr(error, "errno", None) or errno_in(str(error))
            if number is None:
                raise
            raise NotWrittenError(number, str(place), need) from error
        self._drop_old()

    def set_score(self, step: int, score: float) -> None:
        """Store the score of a saved step. A finite score is used to choose the best step."""
        if self._writes:
            finite = score if math.isfinite(score) else None
            self._put(dataclasses.replace(self._whole[step], evaluated=True, score=finite))
            self._drop_old()

    def is_evaluated(self, step: int) -> bool:
        """Whether an evaluation has given the step its score, finite or not."""
        return self._manifest(step).evaluated

    def config(self, step: int) -> Config:
        """The config saved with a step."""
        return Config.from_dict(self._manifest(step).config)

    def restore(self, step: int, like: TrainState) -> TrainState:
        """The state of a step as NumPy arrays, bit for bit.

        `like`: the state that is expected, arrays or `jax.eval_shape`'s. Raises UserError naming the
        first leaf whose shape or type is another.
        """
        restored = self._restore_arrays(step, jax.eval_shape(lambda: like), partial=False)
        jax.tree_util.tree_map_with_path(_check_alike, like, restored)
        return restored

    def generators(self, step: int) -> dict[str, Params]:
        """The parameters of a step's generators, those that transfer music, and nothing else."""
        config = self.config(step)
        name = "ema" if config.ema_decay else "generators"
        like = generator_shapes(config)
        restored = self._restore_arrays(step, {name: like}, partial=True)[name]
        jax.tree_util.tree_map_with_path(_check_alike, like, restored)
        return restored

    def _restore_arrays(self, step: int, item: Any, *, partial: bool) -> Any:  # noqa: ANN401
        self._manifest(step)
        as_numpy = jax.tree.map(lambda _: ocp.RestoreArgs(restore_type=np.ndarray), item)
        args = ocp.args.PyTreeRestore(item=item, restore_args=as_numpy, partial_restore=partial)
        try:
            with _quiet_orbax():
                return self._orbax.restore(self.folder / str(step) / STATE, args=args)
        except FileNotFoundError as error:
            raise UserError(
                f"the checkpoint of step {step} in {str(self.folder)!r} is gone, maybe for newer ones of a "
                "training that goes on; try again."
            ) from error
        except (KeyError, ValueError) as error:
            raise UserError(
                f"the checkpoint of step {step} in {str(self.folder)!r} has other parts than this model; use "
                "the version that wrote it or another workdir."
            ) from error

    def _folders(self) -> list[int]:
        """Steps that have a folder, whole or not."""
        if not self.folder.is_dir():
            return []
        return sorted(int(child.name) for child in self.folder.iterdir() if _is_step(child))

    def _fault(self, step: int) -> str | None:
        """What is wrong with a step's checkpoint; each is read once."""
        if step in self._whole:
            return None
        try:
            manifest = read_manifest(self.folder / str(step))
            check_files(self.folder / str(step), manifest)
            if manifest.step != step:
                return f"it is the checkpoint of step {manifest.step}"
        except BrokenCheckpointError as error:
            return str(error)
        self._whole[step] = manifest
        return None

    def _manifest(self, step: int) -> Manifest:
        """Raises UserError where the checkpoint of the step is not whole."""
        fault = self._fault(step)
        if fault:
            raise UserError(
                f"the checkpoint of step {step} in {str(self.folder)!r} cannot be used: {fault}; put a good "
                "copy in its place or use another one."
            )
        return self._whole[step]

    def _give_up(self, step: int, why: str) -> None:
        """Report a broken checkpoint once, and move it out of the way."""
        place = self.folder / str(step)
        if not self._writes:
            # a folder without a manifest may be one that a training is just writing
            if step not in self._told and (place / NAME).exists():
                self._warn(f"the checkpoint {str(place)!r} is passed over: {why}.")
            self._told.add(step)
            return
        aside = self.folder / SET_ASIDE / str(step)
        for number in range(1, 10**6):
            if not aside.exists():
                break
            aside = aside.with_name(f"{step}_{number}")
        aside.parent.mkdir(exist_ok=True)
        place.rename(aside)
        self._warn(f"the checkpoint {str(place)!r} is set aside as {str(aside)!r}: {why}.")

    def _put(self, manifest: Manifest) -> None:
        manifest.write(self.folder / str(manifest.step))
        self._whole[manifest.step] = manifest

    def _drop_old(self) -> None:
        if not self._writes:
            return
        steps = self.steps()
        for step in set(steps) - {*steps[-KEPT:], self.best()}:
            self._delete(step)

    def _delete(self, step: int) -> None:
        """Delete a checkpoint; it is renamed first, so that nobody finds a half-deleted one."""
        going = self.folder / f"{GOING}{step}"
        (self.folder / str(step)).rename(going)
        shutil.rmtree(going)
        del self._whole[step]

    def _score(self, step: int) -> float:
        score = self._whole[step].score
        return -math.inf if score is None else score


def _is_step(path: Path) -> bool:
    return re.fullmatch("0|[1-9][0-9]*", path.name) is not None and path.is_dir()


def _alone() -> ocp.options.MultiprocessingOptions:
    """Options for a reader that waits for no other process."""
    me = jax.process_index()
    return ocp.options.MultiprocessingOptions(
        primary_host=me, active_processes={me}, barrier_sync_key_prefix=f"reader_{me}"
    )


def _check_alike(path: tuple, wanted: jax.Array, found: np.ndarray) -> None:
    if wanted.shape != found.shape or wanted.dtype != found.dtype:
        raise UserError(
            f"the checkpoint's {jax.tree_util.keystr(path)} is {found.dtype} {found.shape}, but this "
            f"model's is {wanted.dtype} {wanted.shape}; use the version that wrote it or another workdir."
        )


@contextlib.contextmanager
def _quiet_orbax() -> Iterator[None]:
    """Silence Orbax's log: it shows, with a traceback, errors that are raised here anyway."""
    logger = logging.getLogger("absl")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def _clear(place: Path) -> None:
    """Remove a folder, and again what Orbax's threads still write into it for a moment."""
    gone = 0
    for _ in range(30):
        shutil.rmtree(place, ignore_errors=True)
        time.sleep(0.1)
        gone = 0 if place.exists() else gone + 1
        if gone == 5:
            return
