"""The flags that say which data, shared by the commands, and what they resolve to."""

from pathlib import Path

from absl import flags

from cyclegan_jax.datasets.genre_rolls.prepare import DATASETS, Prepared, prepare

DATASET = flags.DEFINE_enum(
    "dataset", "demo", DATASETS, "demo: synthetic songs, made at once; midi: the files of --midi_dir."
)
MIDI_DIR = flags.DEFINE_string("midi_dir", None, "Folder with one sub-folder of MIDI files a genre.")
DATA_DIR = flags.DEFINE_string("data_dir", "data", "Folder that datasets and classifiers are written to.")


def prepare_dataset() -> Prepared:
    """The dataset of the flags, made if need be; says in one line what was done."""
    midi_dir = Path(MIDI_DIR.value) if MIDI_DIR.value else None
    prepared = prepare(DATASET.value, Path(DATA_DIR.value), midi_dir)
    print(prepared.notice, flush=True)
    return prepared
