"""Train the genre classifier of a pair and print its accuracy under noise (paper, table IV)."""

from absl import flags

from cyclegan_jax.config import check_range
from cyclegan_jax.datasets.pipeline.phrases import genres_of
from cyclegan_jax.evaluation.genre_classifier import EPOCHS as DEFAULT_EPOCHS
from launch.flags import data as data_flags
from launch.flags.resolve import resolve_pair
from launch.flags.shared import EPOCHS, PAIR, required
from launch.process.compilation_cache import keep_compiled
from launch.process.runner import refuse_arguments, run
from launch.run.classifiers import accuracy_under_noise, genre_classifier_path, get_genre_classifier

flags.adopt_module_key_flags(data_flags)
for flag in (PAIR, EPOCHS):
    flags.declare_key_flag(flag.name)
RETRAIN = flags.DEFINE_bool("retrain", False, "Train it again even if one is kept beside the dataset.")


def main(arguments: list[str]) -> None:
    """Train a classifier, or take the one that was kept; print its accuracy on `test` by noise."""
    keep_compiled()
    refuse_arguments(arguments)
    given = required(PAIR, "jazz_pop")
    epochs = DEFAULT_EPOCHS if EPOCHS.value is None else EPOCHS.value
    check_range("epochs", epochs, 1, 10**6)
    prepared = data_flags.prepare_dataset()
    pair = resolve_pair(given, genres_of(prepared.folder))
    retrain = RETRAIN.value or EPOCHS.value is not None
    classifier = get_genre_classifier(
        prepared.folder, prepared.fingerprint, pair, epochs=epochs, retrain=retrain
    )
    row = accuracy_under_noise(classifier, prepared.folder, pair)
    print(f"Classifier of {pair[0]} and {pair[1]}: accuracy on validation {classifier.accuracy:.4f}.")
    print("sigma_c        " + "".join(f"{sigma:>9}" for sigma in row))
    print("test accuracy  " + "".join(f"{accuracy:>9.4f}" for accuracy in row.values()))
    print(f"Kept in {genre_classifier_path(prepared.folder, prepared.fingerprint, pair)}.")


if __name__ == "__main__":
    run(main)
