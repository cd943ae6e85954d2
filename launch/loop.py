"""The training loop, without flags."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import jax

from cyclegan_jax import metrics
from cyclegan_jax.checkpoint import SCORE, Checkpoints
from cyclegan_jax.config import Cadence, Config
from cyclegan_jax.datasets.pipeline.batches import PairBatches
from cyclegan_jax.datasets.pipeline.phrases import Phrases
from cyclegan_jax.errors import TrainingDivergedError, UserError
from cyclegan_jax.judge import Judge
from cyclegan_jax.parallel import Parallel, from_first_process
from cyclegan_jax.state import TrainState, build_optimiser, create_state
from cyclegan_jax.transfer import Transfer
from launch.run_folder import LENGTH, RunFolder
from launch.run_log import RunLog
from launch.samples import transfer_samples, write_samples


@dataclass(frozen=True)
class Evaluator:
    """What an evaluation during training needs: the judge and held-out phrases by genre."""

    judge: Judge
    held_out: dict[str, Phrases]


def train(
    config: Config,
    cadence: Cadence,
    batches: PairBatches,
    evaluator: Evaluator | None,
    folder: RunFolder,
    devices: Sequence[jax.Device] | None = None,
) -> TrainState:
    """Train to `config.steps`, from the newest checkpoint of the run folder if there is one.

    Evaluates and saves at every `eval_every` and at the end; without an evaluator (every process but
    the first has none) it only saves. Returns the final state, plain NumPy arrays. Raises
    TrainingDivergedError, the last good checkpoint kept, where a loss or gradient is not finite at a tick.
    """
    optimiser = build_optimiser(config)
    parallel = Parallel(config, optimiser, devices)
    eval_every = cadence.eval_every or max(config.steps // 5, 1)
    with Checkpoints(folder.checkpoints) as checkpoints:
        state, start = _begin(config, parallel, checkpoints, create_state(config, optimiser))
        with RunLog(folder.workdir, start, config.steps, silent=jax.process_index() > 0) as log:
            for step, batch in enumerate(batches.stream(start, config.steps), start + 1):
                state, step_metrics = parallel.step(state, batch)
                log.advance()
                last = step == config.steps
                logs = last or step % cadence.log_every == 0
                evaluates = last or step % eval_every == 0
                saves = evaluates or (cadence.save_every and step % cadence.save_every == 0)
                if not (logs or saves):
                    continue
                numbers = _finite(step_metrics, step)
                if logs:
                    epoch = (step - 1) // batches.steps_per_epoch + 1
                    log.tick(step, epoch, numbers, config.batch_size)
                if saves:
                    plain = parallel.gather(state)
                    score = None
                    if evaluates:
                        own = _evaluate(config, plain, evaluator, folder, log) if evaluator else 0.0
                        score = {SCORE: from_first_process(own, f"score of step {step}")}
                    checkpoints.save(step, plain, config, score)
                    log.restart_clock(step)
    return parallel.gather(state)


def _begin(
    config: Config, parallel: Parallel, checkpoints: Checkpoints, fresh: TrainState
) -> tuple[TrainState, int]:
    """The newest state saved, or the fresh one, laid out over the devices, and its step."""
    newest = checkpoints.latest()
    if newest is None:
        return parallel.scatter(fresh), 0
    different = config.difference(checkpoints.config(newest), ignored=LENGTH)
    if different:
        field, new, old = different
        raise UserError(
            f"{field} is {new!r}, but the checkpoint in {str(checkpoints.folder)!r} has {old!r}; "
            "give the same value or another --workdir."
        )
    return parallel.scatter(checkpoints.restore(newest, fresh)), newest


def _finite(step_metrics: dict[str, jax.Array], step: int) -> dict[str, float]:
    """The metrics as numbers."""
    numbers = {name: float(value) for name, value in jax.device_get(step_metrics).items()}
    for name, value in numbers.items():
        if not math.isfinite(value):
            raise TrainingDivergedError(
                f"{name} is {value} by step {step}; training stopped, the checkpoints before it are kept; "
                "try a smaller --learning_rate."
            )
    return numbers


def _evaluate(
    config: Config, state: TrainState, evaluator: Evaluator, folder: RunFolder, log: RunLog
) -> float:
    """Judge the generators on held-out phrases, write the samples, return the score."""
    transfer = Transfer(config, state.generators)
    a, b = (evaluator.held_out[genre].rolls for genre in config.pair)
    evaluation = metrics.evaluate(transfer, evaluator.judge, a, b)
    samples = transfer_samples(transfer, evaluator.held_out)
    step = int(state.step)
    write_samples(samples, folder.workdir / "samples" / f"step_{step:06d}")
    log.evaluation(step, metrics.scalars(evaluation, "validation"), samples)
    return evaluation["score"]
