"""The flags that say which trained model, and how songs are transferred by it; shared by the commands."""

import dataclasses
from pathlib import Path

from absl import flags

from cyclegan_jax.errors import UserError
from cyclegan_jax.transfer.controls import Controls
from cyclegan_jax.transfer.model import Model
from cyclegan_jax.transfer.model_file import load
from launch.flags.fields import define, help_of
from launch.flags.shared import MODEL, OVERWRITE, TO, WORKDIR
from launch.run.folder import RunFolder
from launch.run.trained_model import model_of_run

for flag in (MODEL, WORKDIR, TO, OVERWRITE):
    flags.declare_key_flag(flag.name)
PROGRAM = flags.DEFINE_integer("program", Controls.program, help_of(Controls, "program"))
CONTROLS = {
    field.name: define(Controls, field.name)
    for field in dataclasses.fields(Controls)
    if field.name != PROGRAM.name
}


def load_model() -> Model:
    """The model of the flags. Raises UserError unless they name one."""
    if MODEL.value and not WORKDIR.value:
        return load(MODEL.value)
    if WORKDIR.value and not MODEL.value:
        return model_of_run(RunFolder(Path(WORKDIR.value)))
    raise UserError("name one trained model: --model=<file> of launch.export, or --workdir=<run>.")


def controls() -> Controls:
    """How songs are to be transferred. Raises UserError for what is not allowed."""
    values = {name: flag.value for name, flag in CONTROLS.items()}
    return Controls(program=PROGRAM.value, **values)
