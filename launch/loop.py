"""The training loop, without flags."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import jax

from cyclegan_jax import metrics
from cyclegan_jax.checkpoint import SCORE, Checkpoints
from cyclegan_jax.collapse import signs_of_collapse
from cyclegan_jax.config import KEEP_ALL, Cadence, Config, MemorySaving
from cyclegan_jax.datasets.pipeline.batches import PairBatches
from cyclegan_jax.datasets.pipeline.phrases import Phrases
from cyclegan_jax.errors import TrainingCollapsedError, TrainingDivergedError, UserError
from cyclegan_jax.metrics import Judges, Side
from cyclegan_jax.parallel import Parallel, from_first_process
from cyclegan_jax.state import TrainState, build_optimiser, create_state
from cyclegan_jax.transfer import Transfer
from launch.feed import open_feed
from launch.run_folder import LENGTH, RunFolder
from launch.run_log import RunLog
from launch.samples import transfer_samples, write_samples


@dataclass(frozen=True)
class Evaluator:
    """What an evaluation during training needs: the judges, and phrases by genre."""

    judges: Judges
    held_out: dict[str, Phrases]
    train: dict[str, Phrases]

    def wait_for_judges(self) -> None:
        """Until both are trained; raises what went wrong, so that no run is begun that can't be judged."""
        _ = self.judges.network.accuracy, self.judges.features.accuracy


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
) -> TrainState:
    """Train to `config.steps`, from the newest checkpoint of the run folder if there is one.

    Evaluates and saves at every `eval_every` and at the end; without an evaluator (every process but
    the first has none) it only saves. Returns the final state, plain NumPy arrays. Raises
    TrainingDivergedError, the last good checkpoint kept, where a loss or gradient is not finite at a tick.
    An evaluation with signs of collapse prints them; with `stop_on_collapse` its checkpoint is the last
    one, and TrainingCollapsedError is raised on every process.
    """
    optimiser = build_optimiser(config)
    parallel = Parallel(config, optimiser, devices, memory=memory)
    with Checkpoints(folder.checkpoints) as checkpoints:
        state, start = _begin(config, parallel, checkpoints, create_state(config, optimiser))
        with RunLog(folder.workdir, start, config.steps, silent=jax.process_index() > 0) as log:
            feed = open_feed(batches, parallel, start, config.steps)
            for group in cadence.dispatches(start, config.steps):
                state, step_metrics = feed.advance(state, group)
                step = group.stop
                log.advance(len(group))
                due = cadence.due(step, config.steps)
                if not (due.log or due.save):
                    continue
                numbers = finite(step_metrics, step)
                if due.log:
                    epoch = (step - 1) // batches.steps_per_epoch + 1
                    log.tick(step, epoch, numbers, config.batch_size)
                    if evaluator:
                        evaluator.wait_for_judges()
                if due.save:
                    plain = parallel.gather(state)
                    score, signs = None, 0
                    if due.evaluate:
                        own = evaluate(config, plain, evaluator, folder, log) if evaluator else (0.0, 0)
                        score = {SCORE: from_first_process(own[0], f"score of step {step}")}
                        signs = from_first_process(own[1], f"signs of collapse at step {step}")
                    checkpoints.save(step, plain, config, score)
                    if signs and stop_on_collapse:
                        raise TrainingCollapsedError(
                            f"training has collapsed by step {step}, as the warning above says; the run is "
                            f"in {folder.workdir}: judge it by launch.evaluate, or start again to train on."
                        )
                    log.restart_clock(step)
    return parallel.gather(state)


def _begin(
    config: Config, parallel: Parallel, checkpoints: Checkpoints, fresh: TrainState
) -> tuple[TrainState, int]:
    """The newest state saved, or the fresh one, laid out over the devices, and its step."""
    newest = checkpoints.latest()
    if newest is None:
        return parallel.scatter(fresh), 0
    check_config(config, checkpoints, newest)
    return parallel.scatter(checkpoints.restore(newest, fresh)), newest


def check_config(config: Config, checkpoints: Checkpoints, step: int) -> None:
    """Raise UserError where a checkpoint is of another config, its length apart."""
    different = config.difference(checkpoints.config(step), ignored=LENGTH)
    if different:
        field, new, old = different
        raise UserError(
            f"{field} is {new!r}, but the checkpoint in {str(checkpoints.folder)!r} has {old!r}; "
            "give the same value or another --workdir."
        )


def finite(step_metrics: dict[str, jax.Array], step: int) -> dict[str, float]:
    """The metrics as numbers. Raises TrainingDivergedError where one is none."""
    numbers = {name: float(value) for name, value in jax.device_get(step_metrics).items()}
    for name, value in numbers.items():
        if not math.isfinite(value):
            raise TrainingDivergedError(
                f"{name} is {value} by step {step}; training stopped, the checkpoints before it are kept; "
                "try a smaller --learning_rate."
            )
    return numbers


def evaluate(
    config: Config, state: TrainState, evaluator: Evaluator, folder: RunFolder, log: RunLog
) -> tuple[float, int]:
    """Judge on held-out phrases, write the samples; returns the score and how many signs of collapse."""
    transfer = Transfer(config, state.transferring)
    sides = [Side(evaluator.held_out[genre].rolls, evaluator.train[genre].rolls) for genre in config.pair]
    evaluation = metrics.evaluate(transfer, evaluator.judges, *sides)
    signs = signs_of_collapse(evaluation)
    samples = transfer_samples(transfer, evaluator.held_out)
    step = int(state.step)
    write_samples(samples, folder.workdir / "samples" / f"step_{step:06d}")
    log.evaluation(step, metrics.scalars(evaluation, "validation"), samples)
    log.warn(step, signs)
    return evaluation["score"], len(signs)
