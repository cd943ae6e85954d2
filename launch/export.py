"""Write a trained run's model as one file, which can be kept, given to others and used without the run."""

from pathlib import Path

from absl import flags

from cyclegan_jax.transfer.model_file import save
from launch.flags.shared import OUT, OVERWRITE, WORKDIR, required
from launch.process.runner import refuse_arguments, run
from launch.run.folder import RunFolder
from launch.run.trained_model import complete_model_of_run
from launch.songs.paths import refuse_existing

for flag in (WORKDIR, OUT, OVERWRITE):
    flags.declare_key_flag(flag.name)


def main(arguments: list[str]) -> None:
    """Write both generators and the classifier, their training data and their evaluation."""
    refuse_arguments(arguments)
    model = complete_model_of_run(RunFolder(Path(required(WORKDIR, "runs/jazz_pop"))))
    path = Path(OUT.value or "{}_{}.model".format(*model.genres))
    if not OVERWRITE.value:
        refuse_existing(path, OUT.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    save(model, path)
    print(f"Wrote {path}: {path.stat().st_size / 2**20:.1f} MiB, {' and '.join(model.genres)}.")
    for source in model.trained_on.get("sources", ()):
        print("Trained on {name} ({licence}): {attribution}.".format_map(source))


if __name__ == "__main__":
    run(main)
