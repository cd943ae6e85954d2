"""The runs of a sweep, trained side by side, each in a folder like any other run's."""

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tqdm import tqdm

from cyclegan_jax.config import Config
from cyclegan_jax.datasets.pipeline.batches import PairBatches
from cyclegan_jax.errors import TrainingDivergedError
from cyclegan_jax.training.cadence import Cadence
from cyclegan_jax.training.checkpoint import Checkpoints
from cyclegan_jax.training.objective import Metrics
from cyclegan_jax.training.state import TrainState, build_optimiser, create_state
from cyclegan_jax.training.vmapped_runs import Together
from launch.process import signals as stopping
from launch.process.runner import warn
from launch.process.signals import StoppedError
from launch.run.divergence import note
from launch.run.folder import RunFolder
from launch.run.log import RunLog
from launch.run.loop import Evaluator, check_config, evaluate, finite


@dataclass(frozen=True)
class SweptRun:
    """One run of a sweep: its name for people, its config, its folder."""

    name: str
    config: Config
    folder: RunFolder

    @property
    def error(self) -> str | None:
        """Why it diverged, if it did: `diverged.json` in its folder says so."""
        path = self.folder.workdir / "diverged.json"
        return json.loads(path.read_text())["error"] if path.exists() else None

    @property
    def is_over(self) -> bool:
        """Whether there is nothing left to train or to evaluate."""
        return self.error is not None or self.folder.is_finished(self.config)


def train_together(
    runs: Sequence[SweptRun], cadence: Cadence, batches: PairBatches, evaluator: Evaluator, bar: tqdm
) -> None:
    """Train runs of one shape to their end, from the newest step that all of them have saved.

    A run whose loss or gradient is not finite is given up; the others go on. The bar counts the steps of
    all runs.
    """
    config = runs[0].config
    together = Together([run.config for run in runs])
    with contextlib.ExitStack() as stack:
        for run in runs:
            stack.enter_context(run.folder.hold())
        stores = [stack.enter_context(Checkpoints(run.folder.checkpoints, warn=warn)) for run in runs]
        start, states = _begin(runs, stores)
        bar.initial += start * len(runs)
        bar.n += start * len(runs)
        evaluated = [start == 0 or store.is_evaluated(start) for store in stores]
        logs = [
            stack.enter_context(
                RunLog(run.folder.workdir, start, config.steps, evaluated=done, name=run.name)
            )
            for run, done in zip(runs, evaluated, strict=True)
        ]
        if cadence.due(start, config.steps).evaluate:
            for n, done in enumerate(evaluated):
                if not done:
                    _evaluate_checkpoint(runs[n], states[n], evaluator, logs[n], stores[n])
        stack.enter_context(stopping.deferred())
        going, checked = list(range(len(runs))), start
        states = together.stack(states)
        for step, batch in enumerate(batches.stream(start, config.steps), start + 1):
            states, metrics = together.step(states, batch)
            bar.update(len(runs))
            due, stop = cadence.due(step, config.steps), stopping.asked()
            if not (due.log or due.save or stop):
                continue
            group, checked = range(checked, step), step
            numbers = {
                n: _finite_or_given_up(runs[n], together.metrics(metrics, n), group, batches) for n in going
            }
            going = [n for n in going if numbers[n]]
            if not going:
                bar.update((config.steps - step) * len(runs))
                break
            if due.log:
                epoch = (step - 1) // batches.steps_per_epoch + 1
                for n in going:
                    logs[n].tick(step, epoch, numbers[n], config.batch_size)
            if due.save or stop:
                plain = {n: together.state(states, n) for n in going}
                with stopping.saving():
                    for n in going:
                        logs[n].sync()
                        stores[n].save(step, plain[n], runs[n].config)
                if stop:
                    raise StoppedError(stop, f"stopped at step {step}, saved; the same command goes on.")
                if due.evaluate:
                    with stopping.deferred(False):
                        for n in going:
                            _evaluate_checkpoint(runs[n], plain[n], evaluator, logs[n], stores[n])
                for log in logs:
                    log.restart_clock(step)


def _evaluate_checkpoint(
    run: SweptRun, plain: TrainState, evaluator: Evaluator, log: RunLog, store: Checkpoints
) -> None:
    score, _ = evaluate(run.config, plain, evaluator, run.folder, log)
    log.sync()
    store.set_score(int(plain.step), score)


def _finite_or_given_up(
    run: SweptRun, metrics: Metrics, group: range, batches: PairBatches
) -> dict[str, float]:
    """The metrics as numbers; none where one is not finite, the run being given up then."""
    try:
        return finite(group, metrics)
    except TrainingDivergedError as error:
        note(error, batches, run.config, run.folder)
        return {}


def _begin(runs: Sequence[SweptRun], stores: Sequence[Checkpoints]) -> tuple[int, list[TrainState]]:
    """The newest step that all have saved, and their states there; the fresh state where there is none."""
    fresh = create_state(runs[0].config, build_optimiser(runs[0].config))
    common = set.intersection(*(set(store.steps()) for store in stores))
    if not common:
        return 0, [fresh] * len(stores)
    start = max(common)
    for run, store in zip(runs, stores, strict=True):
        check_config(run.config, store, start)
        store.cut(start)
    return start, [store.restore(start, fresh) for store in stores]


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
