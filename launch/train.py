"""Train a CycleGAN between two genres, evaluate it, and write a page to listen to."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import jax
from absl import flags

from cyclegan_jax.config import RECIPES, Config
from cyclegan_jax.datasets.genre_rolls.prepare import Prepared
from cyclegan_jax.datasets.pipeline.batches import PairBatches
from cyclegan_jax.datasets.pipeline.phrases import genres_of, load_phrases
from cyclegan_jax.errors import UserError
from cyclegan_jax.evaluation.evaluate import Classifiers
from cyclegan_jax.training.cadence import Cadence
from cyclegan_jax.training.data_parallel import check_divides, wait_for_all
from cyclegan_jax.training.memory_saving import MemorySaving
from launch.flags import data as data_flags
from launch.flags import memory as memory_flags
from launch.flags import training as train_flags
from launch.flags.fields import help_of
from launch.flags.resolve import resolve_pair
from launch.flags.shared import required
from launch.process import distributed
from launch.process.compilation_cache import keep_compiled
from launch.process.runner import refuse_arguments, run
from launch.run.classifiers import get_classifiers
from launch.run.evaluation import evaluate_run
from launch.run.feed import default_steps_per_dispatch
from launch.run.folder import RunFolder
from launch.run.loop import Evaluator, train
from launch.run.resume import check_checkpoints
from launch.run.training_data import TrainingData, load_training_data
from launch.songs.listening_pages import write_evaluation_page

Value = TypeVar("Value")
DEFAULT_RECIPE = "robust"

for module in (data_flags, train_flags, memory_flags, distributed):
    flags.adopt_module_key_flags(module)
EXTEND = flags.DEFINE_bool("extend", False, "Allow more epochs or steps than the run was started with.")
STOP_ON_COLLAPSE = flags.DEFINE_bool(
    "stop_on_collapse",
    False,
    "End at the first evaluation whose outputs are all alike, blank, too dense or too sparse.",
)
STEPS_PER_DISPATCH = flags.DEFINE_integer(
    "steps_per_dispatch",
    0,
    f"{help_of(Cadence, 'steps_per_dispatch')} At most --log_every; one by one if a log line, an evaluation "
    "or a checkpoint is due before the last of them. Logged metrics are means over the steps of one call. "
    "0: up to 50 on a GPU or TPU, 1 on a CPU.",
)
ON_NAN = flags.DEFINE_enum(
    "on_nan",
    "stop",
    ("stop", "rollback"),
    "If a loss or gradient is NaN or infinite: stop, or go on from the newest checkpoint with half the "
    "learning rate, at most 3 times.",
)
DRY_RUN = flags.DEFINE_bool("dry_run", False, "Print the resolved config and the counts; train nothing.")


@dataclass(frozen=True)
class Plan:
    """What is to be trained, on what, and how."""

    config: Config
    cadence: Cadence
    memory: MemorySaving
    data: TrainingData
    batches: PairBatches

    @property
    def counts(self) -> str:
        """A line that says how large the training split is."""
        of_genres = ", ".join(
            f"{genre} {len(phrases)} phrases of {phrases.songs} songs"
            for genre, phrases in self.data.phrases.items()
        )
        return f"Training split: {of_genres}; {self.batches.steps_per_epoch} steps an epoch."


def main(arguments: list[str]) -> None:
    """Resolve the config, open the run's folder, train, evaluate."""
    keep_compiled()
    refuse_arguments(arguments)
    pair = required(train_flags.PAIR, "jazz_pop")
    distributed.join()
    with contextlib.ExitStack() as held:
        # The first process makes dataset, folder and classifiers. The others find them when it has finished.
        with distributed.first_process_leads():
            # The dataset comes first: its genres and its size decide about the config.
            plan = resolve(data_flags.prepare_dataset(), pair)
            print(train_flags.chosen_for_machine(), end="", flush=True)
            if DRY_RUN.value:
                print(plan.config.to_json() + plan.counts)
                return

            # All is checked before anything is written to the run's folder.
            folder = RunFolder(Path(train_flags.WORKDIR.value or "runs/{}_{}".format(*plan.config.pair)))
            folder.check(plan.config, extend=EXTEND.value)
            if folder.is_finished(plan.config) and folder.listening_page.exists():
                print(
                    f"The run in {folder.workdir} is finished at step {plan.config.steps}; see evaluation.md "
                    "in it, or train on with --extend and more --epochs or --steps."
                )
                return
            evaluator = open_run(plan, folder, held) if distributed.is_first() else None

        train(
            plan.config,
            plan.cadence,
            plan.batches,
            evaluator,
            folder,
            memory=plan.memory,
            stop_on_collapse=STOP_ON_COLLAPSE.value,
            rollback=ON_NAN.value == "rollback",
        )
        if evaluator is not None:
            evaluate(folder, plan.data.folder, evaluator.classifiers)
        wait_for_all("the run is evaluated")


def resolve(prepared: Prepared, pair: str) -> Plan:
    """The plan by flags and dataset; nothing is written or printed. Raises UserError for impossible ones."""
    recipe = train_flags.RECIPE.value or DEFAULT_RECIPE
    named = _one("discriminators", train_flags.discriminators())
    discriminators = named or RECIPES[recipe].get("model", Config.model)
    sigma_d = _one("sigma_d", train_flags.sigmas())
    genres = resolve_pair(pair, genres_of(prepared.folder))
    data = load_training_data(prepared, genres, (discriminators,), train_flags.channels(recipe))
    batches = data.batches(discriminators, train_flags.batch_size(), train_flags.SEED.value)
    config = train_flags.config(data, batches, recipe, discriminators, sigma_d)
    at_once = STEPS_PER_DISPATCH.value or default_steps_per_dispatch(train_flags.LOG_EVERY.value)
    cadence = train_flags.cadence(batches.steps_per_epoch, at_once)
    memory = memory_flags.memory()
    check_divides(config.batch_size, jax.device_count(), memory.accumulate)
    return Plan(config, cadence, memory, data, batches)


def _one(name: str, values: Sequence[Value] | None) -> Value | None:
    """The single value of a flag that takes several in a sweep, None where it is not given."""
    if values is None:
        return None
    if len(values) > 1:
        given = ",".join(map(str, values))
        raise UserError(f"{name} is {given!r}, but launch.train takes one value; launch.sweep takes several.")
    return values[0]


def open_run(plan: Plan, folder: RunFolder, held: contextlib.ExitStack) -> Evaluator:
    """Take the folder for this process until `held` is closed; get the classifiers; claim the run."""
    held.enter_context(folder.hold())
    check_checkpoints(plan.config, folder)
    print(f"{plan.counts}\nTraining {plan.config.steps} steps into {folder.workdir}.", flush=True)
    data, pair = plan.data, plan.config.pair
    classifiers = get_classifiers(data.folder, data.fingerprint, pair)
    evaluator = Evaluator(classifiers, load_phrases(data.folder, "validation", pair, 2), data.phrases)
    folder.claim(plan.config, data.folder)
    return evaluator


def evaluate(folder: RunFolder, dataset_folder: Path, classifiers: Classifiers) -> None:
    """Evaluate the best checkpoint on the test split; print the table and write the page."""
    folder.listening_page.unlink(missing_ok=True)
    print(evaluate_run(folder, dataset_folder, classifiers))
    write_evaluation_page(folder, dataset_folder)
    print(f"\nOpen {folder.listening_page} in a browser, to see and hear what it does.")


if __name__ == "__main__":
    run(main)
