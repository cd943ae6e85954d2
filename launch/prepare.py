"""Make the dataset `genre_rolls` from MIDI files or arrays, and name the files that were refused."""

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
