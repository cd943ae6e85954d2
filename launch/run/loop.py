"""The training loop, without flags: one run over all devices, or several runs of a sweep side by side.

A checkpoint is saved before it is evaluated, so that an interrupted evaluation loses nothing: it is done
again on resuming, after its lines are cut from `metrics.jsonl`. The feature classifier trains on a thread
while the step is compiled. The first line of metrics waits for it, so that no run goes on that cannot be
evaluated.
"""

import contextlib
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import jax
from tqdm import tqdm

from cyclegan_jax.config import Config
from cyclegan_jax.datasets.pipeline.batches import PairBatches
from cyclegan_jax.datasets.pipeline.phrases import Phrases
from cyclegan_jax.errors import TrainingCollapsedError, TrainingDivergedError
from cyclegan_jax.evaluation.evaluate import Classifiers, evaluate, scalars
from cyclegan_jax.evaluation.model_selection import signs_of_collapse
from cyclegan_jax.models.phrase_transfer import Transfer
from cyclegan_jax.training.cadence import Cadence
from cyclegan_jax.training.checkpoint import Checkpoints
from cyclegan_jax.training.data_parallel import Parallel, from_any_process, from_first_process
from cyclegan_jax.training.memory_saving import KEEP_ALL, MemorySaving
from cyclegan_jax.training.objective import Metrics
from cyclegan_jax.training.state import TrainState, build_optimiser, create_state
from launch.process import signals
from launch.process.runner import warn
from launch.process.signals import StoppedError
from launch.run import divergence
from launch.run.evaluation import side_of
from launch.run.folder import RunFolder
from launch.run.log import RunLog
from launch.run.resume import newest_states
from launch.run.samples import transfer_samples, write_samples
from launch.run.steppers import DataParallelStepper, Stepper


@dataclass(frozen=True)
class Evaluator:
    """What an evaluation during training needs: the classifiers, and phrases by genre."""

    classifiers: Classifiers
    held_out: dict[str, Phrases]
    train: dict[str, Phrases]

    def wait_for_feature_classifier(self) -> None:
        """Wait until it is trained, on its thread. Raises the error of its training, if there was one."""
        _ = self.classifiers.features.accuracy


@dataclass(frozen=True)
class Run:
    """A run to train: its name (None if it is the only one), its config and its folder."""

    name: str | None
    config: Config
    folder: RunFolder


def train(
    config: Config,
    cadence: Cadence,
    batches: PairBatches,
    evaluator: Evaluator | None,
    folder: RunFolder,
    devices: Sequence[jax.Device] | None = None,  # pyright: ignore[reportInvalidTypeForm]
    *,
    memory: MemorySaving = KEEP_ALL,
    stop_on_collapse: bool = False,
    rollback: bool = False,
) -> TrainState:
    """Train one run to `config.steps`, over all devices, as `Training` does. Returns the final, plain state.

    With `rollback` a NaN or infinite loss sends the run back to its newest checkpoint, and it goes on with
    half the learning rate, at most three times. Raises TrainingDivergedError without `rollback`, or if that
    does not help.
    """
    for attempt in itertools.count():
        rollbacks = from_first_process(divergence.count_rollbacks(folder), f"rollbacks, attempt {attempt}")
        slower = divergence.slowed(config, int(rollbacks))
        optimiser = build_optimiser(slower)
        stepper = DataParallelStepper(batches, Parallel(slower, optimiser, devices, memory=memory))
        training = Training(
            [Run(None, config, folder)], cadence, batches, evaluator, stepper, stop_on_collapse, attempt
        )
        try:
            training.run(create_state(config, optimiser))
            return stepper.state(0)
        except TrainingDivergedError as error:
            first = jax.process_index() == 0
            again = first and rollback and divergence.roll_back(error, config, folder)
            if not from_first_process(again, f"roll back, attempt {attempt}"):
                advice = "" if rollback else " or --on_nan=rollback"
                raise TrainingDivergedError(
                    f"{error}; training stopped, the checkpoints before it are kept; try a smaller "
                    f"--learning_rate{advice}.",
                    error.steps,
                ) from error
    raise AssertionError("attempts never end")


@dataclass(frozen=True)
class _Open:
    """A run in training, and its place among the stepper's runs."""

    place: int
    run: Run
    checkpoints: Checkpoints
    log: RunLog


@dataclass
class Training:
    """Trains runs of one shape to their end, from the newest step that all of them have saved.

    Saves at every `save_every`; saves and evaluates at every `eval_every` and at the end. Without an
    evaluator (every process but the first has none) it only saves. An evaluation with signs of collapse
    prints them; with `stop_on_collapse` its checkpoint is the last one, and TrainingCollapsedError is raised
    on every process. Asked to stop, it saves the states and raises StoppedError.

    A run with a NaN or infinite loss or gradient is given up: `diverged.json` in its folder says why, its
    checkpoints stay, and the others go on. TrainingDivergedError is raised where no run is left. `attempt`
    counts the rollbacks. `bar` shows the steps of several runs; a single run has a bar of its own.
    """

    runs: Sequence[Run]
    cadence: Cadence
    batches: PairBatches
    evaluator: Evaluator | None
    stepper: Stepper
    stop_on_collapse: bool = False
    attempt: int = 0
    bar: tqdm | None = None

    def run(self, fresh: TrainState) -> None:
        """Train all runs, from `fresh` if they have no checkpoint. The final states are in the stepper."""
        self._steps, self._classifier_ready = self.runs[0].config.steps, False
        with contextlib.ExitStack() as stack:
            stores = [
                stack.enter_context(Checkpoints(run.folder.checkpoints, warn=warn)) for run in self.runs
            ]
            start, states = newest_states([run.config for run in self.runs], stores, fresh)
            self._open: list[_Open] = []
            for place, (run, store) in enumerate(zip(self.runs, stores, strict=True)):
                evaluated = start == 0 or store.is_evaluated(start)
                log = stack.enter_context(self._log(run, start, evaluated))
                self._open.append(_Open(place, run, store, log))
                if not evaluated and self.cadence.due(start, self._steps).evaluate:
                    self._evaluate_checkpoint(self._open[place], start, states[place])
            self._going = list(self._open)
            with signals.deferred():
                self.stepper.begin(states, start, self._steps)
                del states, fresh  # the stepper has copies; these would take memory during the whole run
                self._walk(start)

    def _log(self, run: Run, start: int, evaluated: bool) -> RunLog:
        return RunLog(
            run.folder,
            start,
            self._steps,
            evaluated=evaluated,
            silent=jax.process_index() > 0,
            name=run.name,
            shared_bar=self.bar,
        )

    def _walk(self, start: int) -> None:
        """Do all steps from `start` on, and after each what is due: log, save, evaluate."""
        seen: tuple[range, Metrics] | None = None
        for group in self.cadence.dispatches(start, self._steps):
            metrics = self.stepper.advance(group)
            if seen:  # the group before, so that the device need not wait for the host
                self._check(*seen)
            seen = group, metrics
            step = group.stop
            for one in self._open:
                one.log.advance(len(group))
            due = self.cadence.due(step, self._steps)
            stop = from_any_process(signals.asked() or 0, after=metrics)
            if not (due.log or due.save or stop):
                continue
            numbers, seen = self._check(group, metrics), None
            if due.log:
                self._log_metrics(step, numbers)
            if due.save or stop:
                states = self._save(step)
                if stop:
                    raise StoppedError(
                        stop,
                        f"stopped at step {step} of {self._steps}, which is saved; the same command "
                        "goes on from there.",
                    )
                if due.evaluate:
                    with signals.deferred(False):
                        for one, state in zip(self._going, states, strict=True):
                            self._evaluate_checkpoint(one, step, state)
                for one in self._going:
                    one.log.restart_clock(step)

    def _check(self, group: range, metrics: Metrics) -> list[dict[str, float]]:
        """The metrics of the runs that go on, as numbers; a run with a NaN or infinite metric is given up.

        Raises TrainingDivergedError where no run is left.
        """
        fetched, numbers = jax.device_get(metrics), []
        for one in list(self._going):
            try:
                numbers.append(finite(group, self.stepper.metrics(fetched, one.place)))
            except TrainingDivergedError as error:
                if jax.process_index() == 0:
                    divergence.note(error, self.batches, one.run.config, one.run.folder)
                self._going.remove(one)
                if not self._going:
                    raise
        return numbers

    def _log_metrics(self, step: int, numbers: list[dict[str, float]]) -> None:
        epoch = (step - 1) // self.batches.steps_per_epoch + 1
        for one, figures in zip(self._going, numbers, strict=True):
            one.log.log_metrics(step, epoch, figures, one.run.config.batch_size)
        if not self._classifier_ready:
            if self.evaluator:
                self.evaluator.wait_for_feature_classifier()
            self._classifier_ready = bool(
                from_first_process(1, f"the feature classifier is trained, attempt {self.attempt}")
            )

    def _save(self, step: int) -> list[TrainState]:
        """Save the runs that go on; returns their plain states."""
        states = [self.stepper.state(one.place) for one in self._going]
        with signals.saving():
            for one, state in zip(self._going, states, strict=True):
                one.log.sync()
                one.checkpoints.save(step, state, one.run.config)
        return states

    def _evaluate_checkpoint(self, one: _Open, step: int, plain: TrainState) -> None:
        """Evaluate a step that is saved already, so that nothing is lost if this is interrupted."""
        own = (0.0, 0)
        if self.evaluator:
            own = validate(one.run, plain, self.evaluator, one.log)
        score = from_first_process(own[0], f"score of step {step}")
        signs = from_first_process(own[1], f"signs of collapse at step {step}")
        one.log.sync()
        one.checkpoints.set_score(step, score)
        if signs and self.stop_on_collapse:
            raise TrainingCollapsedError(
                f"training has collapsed by step {step}, as the warning above says; the run is "
                f"in {one.run.folder.workdir}: evaluate it by launch.evaluate, or start again to train on."
            )


def finite(group: range, metrics: Metrics) -> dict[str, float]:
    """The metrics of a group of steps. Raises TrainingDivergedError where one is NaN or infinite."""
    numbers = {name: float(value) for name, value in metrics.items()}
    steps = range(group.start + 1, group.stop + 1)
    when = f"step {steps[-1]}" if len(steps) == 1 else f"one of the steps {steps[0]} to {steps[-1]}"
    for name, value in numbers.items():
        if not math.isfinite(value):
            raise TrainingDivergedError(f"{name} is {value} at {when}", steps)
    return numbers


def validate(run: Run, state: TrainState, evaluator: Evaluator, log: RunLog) -> tuple[float, int]:
    """Evaluate on held-out phrases, write the samples; returns the score and how many signs of collapse."""
    transfer = Transfer(run.config, state.transferring)
    sides = [side_of(evaluator.held_out[genre], evaluator.train[genre].rolls) for genre in run.config.pair]
    evaluation = evaluate(transfer, evaluator.classifiers, *sides)
    signs = signs_of_collapse(evaluation)
    samples = transfer_samples(transfer, evaluator.held_out)
    step = int(state.step)
    write_samples(samples, run.folder.samples / f"step_{step:06d}")
    log.evaluation(step, scalars(evaluation, "validation"), samples)
    log.warn(step, signs)
    return evaluation["score"], len(signs)
