"""Evaluate a trained run on the test split and print the paper's table."""

from pathlib import Path

from absl import flags

from cyclegan_jax.datasets.genre_rolls.prepare import below_data_dir
from launch.flags.shared import DATA_DIR, OUT_DIR, WORKDIR, required
from launch.process.compilation_cache import keep_compiled
from launch.process.runner import refuse_arguments, run
from launch.run.evaluation import evaluate_run, place_of_evaluation
from launch.run.folder import RunFolder
from launch.songs.listening_pages import write_evaluation_page

for flag in (WORKDIR, DATA_DIR, OUT_DIR):
    flags.declare_key_flag(flag.name)


def main(arguments: list[str]) -> None:
    """Print the table; it is written to the run folder too, or to --out_dir."""
    keep_compiled()
    refuse_arguments(arguments)
    folder = RunFolder(Path(required(WORKDIR, "runs/jazz_pop")))
    dataset_folder = folder.dataset_folder()
    place = place_of_evaluation(folder, Path(OUT_DIR.value) if OUT_DIR.value else None)
    if DATA_DIR.value:
        dataset_folder = Path(DATA_DIR.value, below_data_dir(dataset_folder))
    print(evaluate_run(folder, dataset_folder, place=place))
    write_evaluation_page(folder, dataset_folder, place)
    print(
        f"\nWritten to {place.workdir}: evaluation.md, evaluation.json, evaluation/phrases.png, and "
        "evaluation/listen.html, to be opened in a browser."
    )


if __name__ == "__main__":
    run(main)
