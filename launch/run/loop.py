"""The training loop, without flags."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import jax

from cyclegan_jax.config import KEEP_ALL, Config, MemorySaving
from cyclegan_jax.datasets.pipeline.batches import PairBatches
from cyclegan_jax.datasets.pipeline.phrases import Phrases
from cyclegan_jax.errors import TrainingCollapsedError, TrainingDivergedError, UserError
from cyclegan_jax.evaluation import evaluate as metrics
from cyclegan_jax.evaluation.evaluate import Classifiers, Side
from cyclegan_jax.evaluation.model_selection import signs_of_collapse
from cyclegan_jax.models.phrase_transfer import Transfer
from cyclegan_jax.training.cadence import Cadence
from cyclegan_jax.training.checkpoint import Checkpoints
from cyclegan_jax.training.data_parallel import Parallel, from_any_process, from_first_process
from cyclegan_jax.training.objective import Metrics
from cyclegan_jax.training.state import TrainState, build_optimiser, create_state
from launch.process import signals as stopping
from launch.process.runner import warn
from launch.process.signals import StoppedError
from launch.run import divergence
from launch.run.feed import open_feed
from launch.run.folder import LENGTH, RunFolder
from launch.run.log import RunLog
from launch.run.samples import transfer_samples, write_samples


@dataclass(frozen=True)
class Evaluator:
    """What an evaluation during training needs: the classifiers, and phrases by genre."""

    classifiers: Classifiers
    held_out: dict[str, Phrases]
    train: dict[str, Phrases]

    def wait_for_classifiers(self) -> None:
        """Until both are trained; raises what went wrong, so that no run is begun that can't be evaluated."""
        _ = self.classifiers.network.accuracy, self.classifiers.features.accuracy


def train(
    config: Config,
    cadence: Cadence,
    batches: PairBatches,
    evaluator: Evaluator | None,
    folder: RunFolder,
    devices: Sequence[jax.Device] | None = None,
    *,
    memory: MemorySaving = KEEP_ALL,
    stop_on_collapse: bool = False,
    rollback: bool = False,
) -> TrainState:
    """Train to `config.steps`, from the newest checkpoint of the run folder if there is one.

    Saves and evaluates at every `eval_every` and at the end; without an evaluator (every process but
    the first has none) it only saves. Returns the final state, plain NumPy arrays.

    A loss or gradient that is not finite is written down in the folder, the last good checkpoint kept, and
    raises TrainingDivergedError; with `rollback` training goes on from that checkpoint by a smaller
    learning rate, a few times. An evaluation with signs of collapse prints them; with `stop_on_collapse`
    its checkpoint is the last one, and TrainingCollapsedError is raised on every process. Asked to stop,
    it saves the state and raises StoppedError.
    """
    for attempt in itertools.count():
        rollbacks = from_first_process(divergence.count_rollbacks(folder), f"rollbacks, attempt {attempt}")
        slower = divergence.slowed(config, int(rollbacks))
        optimiser = build_optimiser(slower)
        parallel = Parallel(slower, optimiser, devices, memory=memory)
        training = Training(config, cadence, batches, evaluator, folder, parallel, stop_on_collapse, attempt)
        try:
            return training.run(create_state(config, optimiser))
        except TrainingDivergedError as error:
            again = False
            if jax.process_index() == 0:
                divergence.note(error, batches, config, folder)
                again = rollback and divergence.roll_back(error, config, folder)
            if not from_first_process(again, f"roll back, attempt {attempt}"):
                advice = "" if rollback else " or --on_nan=rollback"
                raise TrainingDivergedError(
                    f"{error}; training stopped, the checkpoints before it are kept; try a smaller "
                    f"--learning_rate{advice}.",
                    error.steps,
                ) from error


@dataclass
class Training:
    """A run on its way from its newest checkpoint; `train` has what the fields mean."""

    config: Config
    cadence: Cadence
    batches: PairBatches
    evaluator: Evaluator | None
    folder: RunFolder
    parallel: Parallel
    stop_on_collapse: bool
    attempt: int
    classifiers_came: bool = False

    def run(self, fresh: TrainState) -> TrainState:
        """Train, from `fresh` where there is no checkpoint; the final state."""
        with Checkpoints(self.folder.checkpoints, warn=warn) as self.checkpoints:
            state, start = _begin(self.config, self.parallel, self.checkpoints, fresh)
            evaluated = start == 0 or self.checkpoints.is_evaluated(start)
            silent = jax.process_index() > 0
            with RunLog(
                self.folder.workdir, start, self.config.steps, evaluated=evaluated, silent=silent
            ) as self.log:
                if not evaluated and self.cadence.due(start, self.config.steps).evaluate:
                    self._evaluate_checkpoint(start, self.parallel.gather(state))
                with stopping.deferred():
                    state = self._walk(state, start)
        return self.parallel.gather(state)

    def _walk(self, state: TrainState, start: int) -> TrainState:
        """All steps from `start` on; what is due after each."""
        feed = open_feed(self.batches, self.parallel, start, self.config.steps)
        seen: tuple[range, Metrics] | None = None
        for group in self.cadence.dispatches(start, self.config.steps):
            state, metrics = feed.advance(state, group)
            if seen:  # one behind, so that the device need not wait for the host
                finite(*seen)
            seen = group, metrics
            step = group.stop
            self.log.advance(len(group))
            due = self.cadence.due(step, self.config.steps)
            stop = from_any_process(stopping.asked() or 0)
            if not (due.log or due.save or stop):
                continue
            numbers, seen = finite(group, metrics), None
            if due.log:
                self._tick(step, numbers)
            if due.save or stop:
                plain = self.parallel.gather(state)
                self._save(step, plain)
                if stop:
                    raise StoppedError(
                        stop,
                        f"stopped at step {step} of {self.config.steps}, which is saved; the same command "
                        "goes on from there.",
                    )
                if due.evaluate:
                    with stopping.deferred(False):
                        self._evaluate_checkpoint(step, plain)
                self.log.restart_clock(step)
        return state

    def _tick(self, step: int, numbers: dict[str, float]) -> None:
        epoch = (step - 1) // self.batches.steps_per_epoch + 1
        self.log.tick(step, epoch, numbers, self.config.batch_size)
        if not self.classifiers_came:
            if self.evaluator:
                self.evaluator.wait_for_classifiers()
            self.classifiers_came = bool(
                from_first_process(1, f"classifiers are trained, attempt {self.attempt}")
            )

    def _save(self, step: int, plain: TrainState) -> None:
        with stopping.saving():
            self.log.sync()
            self.checkpoints.save(step, plain, self.config)

    def _evaluate_checkpoint(self, step: int, plain: TrainState) -> None:
        """Evaluate what is saved already, so that nothing is lost where that is broken off."""
        own = (0.0, 0)
        if self.evaluator:
            own = evaluate(self.config, plain, self.evaluator, self.folder, self.log)
        score = from_first_process(own[0], f"score of step {step}")
        signs = from_first_process(own[1], f"signs of collapse at step {step}")
        self.log.sync()
        self.checkpoints.set_score(step, score)
        if signs and self.stop_on_collapse:
            raise TrainingCollapsedError(
                f"training has collapsed by step {step}, as the warning above says; the run is "
                f"in {self.folder.workdir}: evaluate it by launch.evaluate, or start again to train on."
            )


def _begin(
    config: Config, parallel: Parallel, checkpoints: Checkpoints, fresh: TrainState
) -> tuple[TrainState, int]:
    """The newest state saved, or the fresh one, laid out over the devices, and its step."""
    newest = checkpoints.latest()
    if newest is None:
        return parallel.scatter(fresh), 0
    check_config(config, checkpoints, newest)
    return parallel.scatter(checkpoints.restore(newest, fresh)), newest


def check_checkpoints(config: Config, folder: RunFolder) -> None:
    """Set broken checkpoints aside; raise UserError where none is left or the newest is of another config."""
    with Checkpoints(folder.checkpoints, warn=warn) as checkpoints:
        newest = checkpoints.latest()
        if newest is not None:
            check_config(config, checkpoints, newest)


def check_config(config: Config, checkpoints: Checkpoints, step: int) -> None:
    """Raise UserError where a checkpoint is of another config, its length apart."""
    different = config.difference(checkpoints.config(step), ignored=LENGTH)
    if different:
        field, new, old = different
        raise UserError(
            f"{field} is {new!r}, but the checkpoint in {str(checkpoints.folder)!r} has {old!r}; "
            "give the same value or another --workdir."
        )


def finite(group: range, metrics: Metrics) -> dict[str, float]:
    """The metrics of a group of steps as numbers. Raises TrainingDivergedError where one is none."""
    numbers = {name: float(value) for name, value in jax.device_get(metrics).items()}
    steps = range(group.start + 1, group.stop + 1)
    when = f"step {steps[-1]}" if len(steps) == 1 else f"one of the steps {steps[0]} to {steps[-1]}"
    for name, value in numbers.items():
        if not math.isfinite(value):
            raise TrainingDivergedError(f"{name} is {value} at {when}", steps)
    return numbers


def evaluate(
    config: Config, state: TrainState, evaluator: Evaluator, folder: RunFolder, log: RunLog
) -> tuple[float, int]:
    """Evaluate on held-out phrases, write the samples; returns the score and how many signs of collapse."""
    transfer = Transfer(config, state.transferring)
    sides = [Side(evaluator.held_out[genre].rolls, evaluator.train[genre].rolls) for genre in config.pair]
    evaluation = metrics.evaluate(transfer, evaluator.classifiers, *sides)
    signs = signs_of_collapse(evaluation)
    samples = transfer_samples(transfer, evaluator.held_out)
    step = int(state.step)
    write_samples(samples, folder.workdir / "samples" / f"step_{step:06d}")
    log.evaluation(step, metrics.scalars(evaluation, "validation"), samples)
    log.warn(step, signs)
    return evaluation["score"], len(signs)
