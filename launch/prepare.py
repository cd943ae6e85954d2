"""Make the dataset `genre_rolls` of MIDI files or arrays, and say what became of each file."""

from absl import flags

from launch.flags import data as data_flags
from launch.process.runner import refuse_arguments, run

flags.adopt_module_key_flags(data_flags)


def main(arguments: list[str]) -> None:
    """Build, then print the refused files and the table."""
    refuse_arguments(arguments)
    prepared = data_flags.prepare_dataset()
    if not prepared.built:
        data_flags.print_report(prepared.folder)


if __name__ == "__main__":
    run(main)
