"""Make the dataset `genre_rolls` of a folder of MIDI files, and say what became of each file."""

from pathlib import Path

from absl import flags

from cyclegan_jax.datasets.genre_rolls.prepare import prepare
from launch import data_flags
from launch.runner import refuse_arguments, run

flags.adopt_module_key_flags(data_flags)


def main(arguments: list[str]) -> None:
    """Build, then print the refused files and the table."""
    refuse_arguments(arguments)
    midi_dir = data_flags.MIDI_DIR.value
    dataset = "midi" if midi_dir else data_flags.DATASET.value
    prepared = prepare(dataset, Path(data_flags.DATA_DIR.value), midi_dir and Path(midi_dir))
    data_flags.print_report(prepared.folder)
    print(prepared.notice)


if __name__ == "__main__":
    run(main)
