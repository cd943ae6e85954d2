"""Train over values of σ_D and kinds of model, and write the paper's tables with its figures beside ours."""

from pathlib import Path

from absl import flags
from tqdm import tqdm

from cyclegan_jax.atomic_files import write_whole
from cyclegan_jax.config import MODELS, check_choice
from cyclegan_jax.datasets.genre_rolls.prepare import Prepared
from cyclegan_jax.datasets.genre_rolls.reading.splits import MIXED
from cyclegan_jax.datasets.pipeline.batches import PairBatches
from cyclegan_jax.datasets.pipeline.phrases import Phrases, genres_of, has_mixed, load_phrases
from cyclegan_jax.errors import TrainingDivergedError, UserError
from cyclegan_jax.evaluation.evaluate import Classifiers
from cyclegan_jax.evaluation.genre_classifier import ROBUSTNESS_SIGMAS, robustness
from cyclegan_jax.training.vmapped_runs import how_many_fit
from launch.flags import data as data_flags
from launch.flags import training as train_flags
from launch.flags.resolve import resolve_pair
from launch.process.compilation_cache import keep_compiled
from launch.process.runner import refuse_arguments, run
from launch.run.classifiers import get_classifiers
from launch.run.evaluation import evaluate_run
from launch.run.folder import RunFolder
from launch.run.loop import Evaluator
from launch.sweeps.runs import SweptRun, in_groups, train_together
from launch.sweeps.tables import to_markdown

for module in (data_flags, train_flags):
    flags.adopt_module_key_flags(module)
flags.set_default(train_flags.RECIPE, "paper")
MODEL = flags.DEFINE_list("model", list(MODELS), "Models to train, of base, partial and full.")
SIGMA_D = flags.DEFINE_list(
    "sigma_d", ["0", "0.01", "0.1", "1", "3", "5"], "Standard deviations of the discriminators' input noise."
)
WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the sweep. Default: sweeps/<a>_<b>.")
TOGETHER = flags.DEFINE_integer(
    "together", None, "Runs in one program; default: as many as fit on a GPU, one on a CPU.", lower_bound=1
)


def main(arguments: list[str]) -> None:
    """Train what is not trained yet, model by model; evaluate; print and write the tables."""
    keep_compiled()
    refuse_arguments(arguments)
    models, sigmas = _models(), _sigmas()
    prepared = data_flags.prepare_dataset()
    genres = genres_of(prepared.folder)
    pair = resolve_pair(train_flags.PAIR.value, genres)
    all_genres = (MIXED,) if has_mixed(prepared.folder) else genres
    seen = [genre for model in models for genre in train_flags.mixed_genres(model, pair, all_genres)]
    phrases = load_phrases(prepared.folder, "train", tuple(dict.fromkeys((*pair, *seen))))
    folder = Path(WORKDIR.value or f"sweeps/{pair[0]}_{pair[1]}")
    preset = train_flags.preset()
    plans = [_plan(model, sigmas, preset, pair, all_genres, phrases, prepared, folder) for model in models]
    for runs, _ in plans:
        for one in runs:
            one.folder.check(one.config, extend=None)
    with RunFolder(folder).hold():
        sweep(folder, plans, prepared, pair, phrases)


def sweep(
    folder: Path,
    plans: list[tuple[list[SweptRun], PairBatches]],
    prepared: Prepared,
    pair: tuple[str, str],
    phrases: dict[str, Phrases],
) -> None:
    """Train and evaluate the runs that are not over; print and write the tables of all."""
    runs = [one for runs, _ in plans for one in runs]
    classifiers = get_classifiers(prepared.folder, prepared.fingerprint, pair)
    evaluator = Evaluator(classifiers, load_phrases(prepared.folder, "validation", pair), phrases)
    over = sum(one.config.steps for one in runs if one.is_over)
    total = sum(one.config.steps for one in runs)
    with tqdm(total=total, initial=over, unit=" steps", dynamic_ncols=True) as bar:
        for swept, batches in plans:
            _train(swept, batches, evaluator, prepared.folder, bar)
    text = to_markdown(runs, _accuracy(prepared.folder, pair, classifiers))
    write_whole(folder / "sweep.md", text + "\n")
    print(f"{text}\n\nWritten to {folder}/sweep.md; each run's folder is beside it.")
    diverged = [one for one in runs if one.error]
    if diverged:
        reasons = "; ".join(f"{one.folder.workdir}: {one.error}" for one in diverged)
        raise TrainingDivergedError(
            f"{len(diverged)} of {len(runs)} runs diverged, without figures ({reasons}); delete the folder "
            "of a run to try it again."
        )


def _models() -> list[str]:
    for model in MODEL.value or [""]:
        check_choice("model", model, MODELS)
    return list(dict.fromkeys(MODEL.value))


def _sigmas() -> list[float]:
    try:
        return list(dict.fromkeys(float(sigma) for sigma in SIGMA_D.value or [""]))
    except ValueError as error:
        raise UserError(
            f"sigma_d is {','.join(SIGMA_D.value)!r}, but must be numbers with commas, as in 0,0.01,1."
        ) from error


def _plan(
    model: str,
    sigmas: list[float],
    preset: str,
    pair: tuple[str, str],
    all_genres: tuple[str, ...],
    phrases: dict[str, Phrases],
    prepared: Prepared,
    folder: Path,
) -> tuple[list[SweptRun], PairBatches]:
    """The runs of a model, and the batches that all of them see."""
    mixed = train_flags.mixed_genres(model, pair, all_genres)
    a, b, *m = (phrases[genre].rolls for genre in (*pair, *mixed))
    batches = PairBatches(a, b, m, train_flags.batch_size(preset), train_flags.SEED.value)
    runs = []
    for sigma in sigmas:
        config = train_flags.config(preset, pair, model, mixed, prepared.fingerprint, batches, sigma)
        name = f"{model}_sigma_{sigma:.12g}"
        runs.append(SweptRun(name, config, RunFolder(folder / name)))
    return runs, batches


def _train(
    runs: list[SweptRun], batches: PairBatches, evaluator: Evaluator, dataset_folder: Path, bar: tqdm
) -> None:
    """The runs of one model, in groups, each group evaluated before the next begins."""
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


def _accuracy(dataset_folder: Path, pair: tuple[str, str], classifiers: Classifiers) -> dict[float, float]:
    test = load_phrases(dataset_folder, "test", pair)
    a, b = (test[genre].rolls for genre in pair)
    return robustness(classifiers.network, a, b, ROBUSTNESS_SIGMAS, seed=0)


if __name__ == "__main__":
    run(main)
