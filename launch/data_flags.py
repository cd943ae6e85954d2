"""The flags that say which data, shared by the commands, and what they resolve to."""

from pathlib import Path

from absl import flags

from cyclegan_jax.datasets.genre_rolls.prepare import DATASETS, Prepared, prepare
from cyclegan_jax.datasets.genre_rolls.summary import refused_lines, table

DATASET = flags.DEFINE_enum(
    "dataset", "demo", DATASETS, "demo: synthetic songs, made at once; midi: the files of --midi_dir."
)
MIDI_DIR = flags.DEFINE_string("midi_dir", None, "Folder with one sub-folder of MIDI files a genre.")
DATA_DIR = flags.DEFINE_string("data_dir", "data", "Folder that datasets and classifiers are written to.")


def prepare_dataset() -> Prepared:
    """The dataset of the flags, made if need be; says what was done, and what became of each file."""
    midi_dir = Path(MIDI_DIR.value) if MIDI_DIR.value else None
    prepared = prepare(DATASET.value, Path(DATA_DIR.value), midi_dir)
    if prepared.built:
        print_report(prepared.folder)
    print(prepared.notice, flush=True)
    return prepared


def print_report(folder: Path) -> None:
    """Print a line for every refused file, and the table of songs and phrases."""
    print(*refused_lines(folder), table(folder), sep="\n")
