"""Train a CycleGAN between two genres, evaluate it, and leave music to listen to."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

import jax
from absl import flags

from cyclegan_jax.config import MODELS, Config, MemorySaving
from cyclegan_jax.datasets.genre_rolls.reading.splits import MIXED
from cyclegan_jax.datasets.pipeline.batches import PairBatches
from cyclegan_jax.datasets.pipeline.phrases import Phrases, genres_of, has_mixed, load_phrases
from cyclegan_jax.training.cadence import Cadence
from cyclegan_jax.training.data_parallel import check_divides, wait_for_all
from launch.flags import data as data_flags
from launch.flags import memory as memory_flags
from launch.flags import training as train_flags
from launch.flags.resolve import resolve_pair
from launch.process import distributed as cluster
from launch.process.compilation_cache import keep_compiled
from launch.process.runner import refuse_arguments, run
from launch.run.classifiers import get_classifiers
from launch.run.evaluation import evaluate_run
from launch.run.feed import default_steps_per_dispatch
from launch.run.folder import RunFolder
from launch.run.loop import Evaluator, check_checkpoints, train
from launch.songs.listening_pages import page_path, write_evaluation_page

for module in (data_flags, train_flags, memory_flags, cluster):
    flags.adopt_module_key_flags(module)
MODEL = flags.DEFINE_enum(
    "model", None, MODELS, "Mixed discriminators: none, on both genres, on all; default by recipe."
)
SIGMA_D = flags.DEFINE_float(
    "sigma_d", None, "Standard deviation of the discriminators' input noise; default by recipe."
)
WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the run. Default: runs/<a>_<b>.")
EXTEND = flags.DEFINE_bool("extend", False, "Allow more epochs or steps than the run was started with.")
STOP_ON_COLLAPSE = flags.DEFINE_bool(
    "stop_on_collapse", False, "End at the first evaluation with outputs alike, blank, or too dense or thin."
)
STEPS_PER_DISPATCH = flags.DEFINE_integer(
    "steps_per_dispatch",
    0,
    "Steps that a GPU or TPU goes through in one go, at most --log_every; one by one where something is due "
    "amid them. A line's metrics are means over what went in one go before it. 0: up to 50; 1 on a CPU.",
)
ON_NAN = flags.DEFINE_enum(
    "on_nan",
    "stop",
    ("stop", "rollback"),
    "Where a loss or gradient is not finite: stop, or go on from the newest checkpoint by half the learning "
    "rate, 3 times at most.",
)
DRY_RUN = flags.DEFINE_bool("dry_run", False, "Print the resolved config and the counts; train nothing.")


@dataclass(frozen=True)
class Plan:
    """A run that is ready to go; the evaluator is the first process's alone."""

    config: Config
    cadence: Cadence
    batches: PairBatches
    evaluator: Evaluator | None
    folder: RunFolder
    dataset_folder: Path
    memory: MemorySaving


def main(arguments: list[str]) -> None:
    """Prepare, train, evaluate."""
    keep_compiled()
    refuse_arguments(arguments)
    cluster.join()
    with contextlib.ExitStack() as held:
        with cluster.first_process_leads():
            plan = prepare_run(held)
        if plan is not None:
            train_and_evaluate(plan)


def train_and_evaluate(plan: Plan) -> None:
    """Train to the end, then evaluate the best checkpoint, and show and print what that gave."""
    train(
        plan.config,
        plan.cadence,
        plan.batches,
        plan.evaluator,
        plan.folder,
        memory=plan.memory,
        stop_on_collapse=STOP_ON_COLLAPSE.value,
        rollback=ON_NAN.value == "rollback",
    )
    if cluster.is_first():
        page_path(plan.folder).unlink(missing_ok=True)
        print(evaluate_run(plan.folder, plan.dataset_folder, plan.evaluator.classifiers))
        write_evaluation_page(plan.folder, plan.dataset_folder)
        print(
            f"\nOpen {plan.folder.workdir}/evaluation/listen.html in a browser, to see and hear what it does."
        )
    wait_for_all("the run is evaluated")


def prepare_run(held: contextlib.ExitStack) -> Plan | None:
    """Flags to config, data to batches, all of it checked before anything is written.

    None where there is nothing to train: a dry run, or a run that is finished. Else the run's folder is
    this process's, if it is the first one, until `held` is closed.
    """
    # The dataset first: its genres and its size decide about the config.
    prepared = data_flags.prepare_dataset()
    genres = genres_of(prepared.folder)
    pair = resolve_pair(train_flags.PAIR.value, genres)
    all_genres = (MIXED,) if has_mixed(prepared.folder) else genres
    model = train_flags.model(MODEL.value)
    mixed = train_flags.mixed_genres(model, pair, all_genres)
    phrases = load_phrases(prepared.folder, "train", tuple(dict.fromkeys((*pair, *mixed))))

    preset = train_flags.preset()
    batches = _batches(phrases, pair, mixed, train_flags.batch_size(preset))
    config = train_flags.config(preset, pair, model, mixed, prepared.fingerprint, batches, SIGMA_D.value)
    at_once = STEPS_PER_DISPATCH.value or default_steps_per_dispatch(train_flags.LOG_EVERY.value)
    cadence = train_flags.cadence(batches.steps_per_epoch, at_once)
    memory = memory_flags.memory()
    check_divides(config.batch_size, jax.device_count(), memory.accumulate)
    counts = _counts(phrases, batches)
    if DRY_RUN.value:
        print(config.to_json() + counts)
        return None

    folder = RunFolder(Path(WORKDIR.value or f"runs/{pair[0]}_{pair[1]}"))
    folder.check(config, extend=EXTEND.value)
    if folder.is_finished(config) and page_path(folder).exists():
        print(
            f"The run in {folder.workdir} is finished at step {config.steps}; see evaluation.md in it, or "
            "train on with --extend and more --epochs or --steps."
        )
        return None

    evaluator = None
    if cluster.is_first():
        held.enter_context(folder.hold())
        check_checkpoints(config, folder)
        print(f"{counts}\nTraining {config.steps} steps into {folder.workdir}.", flush=True)
        classifiers = get_classifiers(prepared.folder, prepared.fingerprint, pair)
        evaluator = Evaluator(classifiers, load_phrases(prepared.folder, "validation", pair), phrases)
        folder.claim(config, prepared.folder)
    return Plan(config, cadence, batches, evaluator, folder, prepared.folder, memory)


def _batches(
    phrases: dict[str, Phrases], pair: tuple[str, str], mixed: tuple[str, ...], batch_size: int
) -> PairBatches:
    a, b = (phrases[genre].rolls for genre in pair)
    return PairBatches(a, b, [phrases[genre].rolls for genre in mixed], batch_size, train_flags.SEED.value)


def _counts(phrases: dict[str, Phrases], batches: PairBatches) -> str:
    of_genres = ", ".join(f"{genre} {len(p)} phrases of {p.songs} songs" for genre, p in phrases.items())
    return f"Training split: {of_genres}; {batches.steps_per_epoch} steps an epoch."


if __name__ == "__main__":
    run(main)
