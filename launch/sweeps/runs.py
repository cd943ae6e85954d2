"""The runs of a sweep, trained side by side, each in a folder like any other run's."""

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tqdm import tqdm

from cyclegan_jax.datasets.pipeline.batches import PairBatches
from cyclegan_jax.errors import TrainingDivergedError
from cyclegan_jax.training.cadence import Cadence
from cyclegan_jax.training.checkpoint import Checkpoints
from cyclegan_jax.training.state import build_optimiser, create_state
from launch.process import signals
from launch.run.loop import Evaluator, Run, Training
from launch.run.steppers import VmappedStepper


@dataclass(frozen=True)
class SweptRun(Run):
    """One run of a sweep."""

    name: str

    @property
    def error(self) -> str | None:
        """Why it diverged, if it did: `diverged.json` in its folder says so."""
        path = self.folder.diverged
        return json.loads(path.read_text())["error"] if path.exists() else None

    @property
    def is_over(self) -> bool:
        """Whether there is nothing left to train or to evaluate."""
        return self.error is not None or self.folder.is_finished(self.config)


def train_together(
    runs: Sequence[SweptRun], cadence: Cadence, batches: PairBatches, evaluator: Evaluator, bar: tqdm
) -> None:
    """Train runs of one shape to their end, as `Training` does, in one program; each folder is held.

    A run that diverges is given up, which its `error` tells; the others go on. The bar counts the steps of
    all runs, to the end.
    """
    config = runs[0].config
    end = bar.n + config.steps * len(runs)
    stepper = VmappedStepper([run.config for run in runs], batches)
    training = Training(runs, cadence, batches, evaluator, stepper, bar=bar)
    with contextlib.ExitStack() as held:
        for run in runs:
            held.enter_context(run.folder.hold())
        with contextlib.suppress(TrainingDivergedError):
            training.run(create_state(config, build_optimiser(config)))
        with signals.deferred():
            pass  # raises where a signal came while the last run diverged
    bar.update(end - bar.n)


def in_groups(runs: Sequence[SweptRun], size: int) -> Iterator[list[SweptRun]]:
    """Runs that may train together, `size` at most: fresh ones, or those at most one save apart."""
    saved = {run.name: _newest_two(run) for run in runs}
    waiting = list(runs)
    while waiting:
        group, common = [waiting[0]], saved[waiting[0].name]
        for run in waiting[1:]:
            both = common & saved[run.name]
            if len(group) < size and (both or not (common or saved[run.name])):
                group.append(run)
                common = both
        yield group
        waiting = [run for run in waiting if run not in group]


def _newest_two(run: SweptRun) -> set[int]:
    """The last steps saved: runs that trained together and were killed while saving share one."""
    if not run.folder.checkpoints.is_dir():
        return set()
    with Checkpoints(run.folder.checkpoints, read_only=True) as store:
        return set(store.steps()[-2:])
