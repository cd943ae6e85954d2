"""The flags whose names several commands share, each defined once: all commands can be imported together.

A command names the flags that it takes by `flags.declare_key_flag`, so that its `--help` lists them. Which of
them must be given depends on the command; it asks by `required`.
"""

from absl import flags

from cyclegan_jax.errors import UserError

PAIR = flags.DEFINE_string("pair", None, "Two genres of the dataset, as in jazz_pop or jazz,pop.")
EPOCHS = flags.DEFINE_integer(
    "epochs",
    None,
    "Epochs to train; default by preset. In launch.classify: train the genre classifier again, for so many "
    "epochs at most.",
)
STEPS = flags.DEFINE_integer(
    "steps",
    None,
    "Steps to train, in place of --epochs. In launch.benchmark: steps, or transfers, timed in a round; "
    "default: 10.",
)
ROUNDS = flags.DEFINE_integer(
    "rounds",
    None,
    "Rounds of a benchmark. Default in launch.benchmark: 5, each of which times our step and the peer's in "
    "turn; in launch.benchmark_dataset: 3 builds, each beside a part of the pretty_midi readings.",
    lower_bound=1,
)
JSON = flags.DEFINE_string("json", None, "File to write the figures to.")
MIDI_DIR = flags.DEFINE_string(
    "midi_dir", None, "Folder of your music: one sub-folder of MIDI files for each genre."
)
DATA_DIR = flags.DEFINE_string(
    "data_dir",
    None,
    "Folder in which datasets and classifiers are kept. Default: data; in launch.evaluate the folder that "
    "the run was trained with, so name it there if that has moved.",
)
WORKDIR = flags.DEFINE_string(
    "workdir",
    None,
    "Folder of a run. Default in launch.train: runs/<a>_<b>; in launch.sweep, for a folder of runs: "
    "sweeps/<a>_<b>.",
)
MODEL = flags.DEFINE_string(
    "model",
    None,
    "A model file, written by launch.export. In launch.train and launch.sweep the older name of "
    "--discriminators.",
)
TO = flags.DEFINE_string("to", None, "Genre to transfer to, one of the two that the model knows.")
OUT = flags.DEFINE_string(
    "out",
    None,
    "File to write. Default in launch.export: <a>_<b>.model of the run's genres; in launch.listen: "
    "listen.html.",
)
OUT_DIR = flags.DEFINE_string(
    "out_dir",
    None,
    "Folder to write to; it is made if it does not exist. Default in launch.transfer: the folder you are in; "
    "in launch.evaluate: the folder of the run, so name another one if you may not write to that.",
)
OVERWRITE = flags.DEFINE_bool("overwrite", False, "Replace files that are there already.")


def required(flag: flags.FlagHolder[str | None], example: str) -> str:
    """The value of a flag. Raises UserError, with the example, where it is not given."""
    if flag.value is None:
        raise UserError(f"--{flag.name} is missing; add it, as in --{flag.name}={example}.")
    return flag.value
