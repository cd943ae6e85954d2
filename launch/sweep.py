"""Train one run for each σ_D and set of discriminators; write the paper's tables with ours beside them."""

from collections.abc import Sequence
from pathlib import Path

from absl import flags
from tqdm import tqdm

from cyclegan_jax.atomic_files import write_whole
from cyclegan_jax.config import DISCRIMINATORS
from cyclegan_jax.datasets.pipeline.batches import PairBatches
from cyclegan_jax.datasets.pipeline.phrases import genres_of, load_phrases
from cyclegan_jax.errors import TrainingDivergedError
from cyclegan_jax.training.vmapped_runs import how_many_fit
from launch.flags import data as data_flags
from launch.flags import training as train_flags
from launch.flags.resolve import resolve_pair
from launch.flags.shared import required
from launch.process.compilation_cache import keep_compiled
from launch.process.runner import refuse_arguments, run
from launch.run.classifiers import accuracy_under_noise, get_classifiers
from launch.run.evaluation import evaluate_run
from launch.run.folder import RunFolder
from launch.run.loop import Evaluator
from launch.run.training_data import TrainingData, load_training_data
from launch.sweeps.runs import SweptRun, in_groups, train_together
from launch.sweeps.tables import to_markdown

DEFAULT_RECIPE = "paper"
DEFAULT_SIGMAS = (0.0, 0.01, 0.1, 1.0, 3.0, 5.0)

for module in (data_flags, train_flags):
    flags.adopt_module_key_flags(module)
TOGETHER = flags.DEFINE_integer(
    "together",
    None,
    "Runs that train at once; default: as many as fit on a GPU, one on a CPU.",
    lower_bound=1,
)


def main(arguments: list[str]) -> None:
    """Train the runs that are not finished, one set of discriminators after the other; write the tables."""
    keep_compiled()
    refuse_arguments(arguments)
    given_pair = required(train_flags.PAIR, "jazz_pop")
    sets = list(dict.fromkeys(train_flags.discriminators() or DISCRIMINATORS))
    sigmas = list(dict.fromkeys(train_flags.sigmas() or DEFAULT_SIGMAS))

    prepared = data_flags.prepare_dataset()
    pair = resolve_pair(given_pair, genres_of(prepared.folder))
    data = load_training_data(prepared, pair, sets, train_flags.channels(_recipe()))
    folder = Path(train_flags.WORKDIR.value or "sweeps/{}_{}".format(*data.pair))
    plans = [plan(discriminators, sigmas, data, folder) for discriminators in sets]
    print(train_flags.chosen_for_machine(), end="", flush=True)
    for runs, _ in plans:
        for one in runs:
            one.folder.check(one.config, extend=None)
    with RunFolder(folder).hold():
        sweep(folder, plans, data)


def _recipe() -> str:
    return train_flags.RECIPE.value or DEFAULT_RECIPE


def plan(
    discriminators: str, sigmas: Sequence[float], data: TrainingData, folder: Path
) -> tuple[list[SweptRun], PairBatches]:
    """The runs of one set of discriminators, and the batches that all of them see."""
    batches = data.batches(discriminators, train_flags.batch_size(), train_flags.SEED.value)
    runs = []
    for sigma in sigmas:
        config = train_flags.config(data, batches, _recipe(), discriminators, sigma)
        name = f"{discriminators}_sigma_{sigma:.12g}"
        runs.append(SweptRun(name, config, RunFolder(folder / name)))
    return runs, batches


def sweep(folder: Path, plans: list[tuple[list[SweptRun], PairBatches]], data: TrainingData) -> None:
    """Train and evaluate the runs that are not finished; print and write the tables of all."""
    runs = [one for runs, _ in plans for one in runs]
    classifiers = get_classifiers(data.folder, data.fingerprint, data.pair)
    evaluator = Evaluator(classifiers, load_phrases(data.folder, "validation", data.pair, 2), data.phrases)
    over = sum(one.config.steps for one in runs if one.is_over)
    total = sum(one.config.steps for one in runs)
    with tqdm(total=total, initial=over, unit=" steps", dynamic_ncols=True) as bar:
        for swept, batches in plans:
            _train(swept, batches, evaluator, data.folder, bar)
    accuracy = accuracy_under_noise(classifiers.network, data.folder, data.pair)
    text = to_markdown(runs, accuracy)
    write_whole(folder / "sweep.md", text + "\n")
    print(f"{text}\n\nWritten to {folder}/sweep.md; each run's folder is beside it.")
    diverged = [one for one in runs if one.error]
    if diverged:
        reasons = "; ".join(f"{one.folder.workdir}: {one.error}" for one in diverged)
        raise TrainingDivergedError(
            f"{len(diverged)} of {len(runs)} runs diverged, without figures ({reasons}); delete the folder "
            "of a run to try it again."
        )


def _train(
    runs: list[SweptRun], batches: PairBatches, evaluator: Evaluator, dataset_folder: Path, bar: tqdm
) -> None:
    """The runs of one set of discriminators, in groups, each group evaluated before the next begins."""
    waiting = [one for one in runs if not one.is_over]
    if not waiting:
        return
    for one in waiting:
        one.folder.claim(one.config, dataset_folder)
    size = TOGETHER.value or how_many_fit([one.config for one in waiting], batches.batch(0))
    cadence = train_flags.cadence(batches.steps_per_epoch)
    for group in in_groups(waiting, size):
        train_together(group, cadence, batches, evaluator, bar)
        for one in group:
            if not one.error:
                evaluate_run(one.folder, dataset_folder, evaluator.classifiers)


if __name__ == "__main__":
    run(main)
