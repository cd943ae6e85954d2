"""Train a CycleGAN between two genres, evaluate it, and leave music to listen to."""

from pathlib import Path

import jax
from absl import flags
from jax.experimental import multihost_utils

from cyclegan_jax.config import resolve_pair
from cyclegan_jax.datasets.pipeline.batches import PairBatches
from cyclegan_jax.datasets.pipeline.phrases import Phrases, genres_of, load_phrases
from cyclegan_jax.parallel import check_divides
from launch import cluster, data_flags, train_flags
from launch.evaluation import evaluate_run
from launch.judging import get_judge
from launch.loop import Evaluator, train
from launch.run_folder import RunFolder
from launch.runner import refuse_arguments, run

for module in (data_flags, train_flags, cluster):
    flags.adopt_module_key_flags(module)
WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the run. Default: runs/<a>_<b>.")
EXTEND = flags.DEFINE_bool("extend", False, "Allow more epochs or steps than the run was started with.")
DRY_RUN = flags.DEFINE_bool("dry_run", False, "Print the resolved config and the counts; train nothing.")


def main(arguments: list[str]) -> None:
    """Flags to config, data to batches, then the loop and the evaluation."""
    refuse_arguments(arguments)
    cluster.join()
    first = jax.process_index() == 0

    # The dataset first: genres and lengths come from it. One process makes it, the others wait.
    if not first:
        multihost_utils.sync_global_devices("dataset prepared")
    prepared = data_flags.prepare_dataset()
    if first and jax.process_count() > 1:
        multihost_utils.sync_global_devices("dataset prepared")
    genres = genres_of(prepared.folder)
    pair = resolve_pair(train_flags.PAIR.value, genres)
    mixed = train_flags.mixed_genres(pair, genres)
    phrases = load_phrases(prepared.folder, "train", tuple(dict.fromkeys((*pair, *mixed))))

    # The config, checked against the devices and whatever the run folder holds.
    preset = train_flags.preset()
    batches = _batches(phrases, pair, mixed, train_flags.batch_size(preset))
    config = train_flags.config(preset, pair, mixed, prepared.fingerprint, batches.steps_per_epoch)
    check_divides(config.batch_size, jax.device_count())
    folder = RunFolder(Path(WORKDIR.value or f"runs/{pair[0]}_{pair[1]}"))
    if DRY_RUN.value:
        print(config.to_json() + _counts(phrases, batches))
        return
    folder.check(config, extend=EXTEND.value)
    if folder.is_finished(config):
        print(
            f"The run in {folder.workdir} is finished at step {config.steps}; see evaluation.md in it, or "
            "train on with --extend and more --epochs or --steps."
        )
        return

    # Training, judged on `validation` by the first process alone.
    print(f"{_counts(phrases, batches)}\nTraining {config.steps} steps into {folder.workdir}.", flush=True)
    evaluator = None
    if first:
        judge = get_judge(prepared.folder, prepared.fingerprint, pair)
        evaluator = Evaluator(judge, load_phrases(prepared.folder, "validation", pair))
        folder.claim(config, prepared.folder)
    train(config, train_flags.cadence(), batches, evaluator, folder)

    # The verdict, on `test`.
    if first:
        print(evaluate_run(folder, prepared.folder))
        print(f"\nSee {folder.workdir}/evaluation: phrases.png to look at, *.mid to listen to.")


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
