"""The flags that say which trained model, and how songs are transferred by it; shared by the commands."""

from pathlib import Path

from absl import flags

from cyclegan_jax.errors import UserError
from cyclegan_jax.transfer.controls import Controls
from cyclegan_jax.transfer.model import Model
from cyclegan_jax.transfer.model_file import load
from launch.flags.shared import MODEL, OVERWRITE, TO, WORKDIR
from launch.run.folder import RunFolder
from launch.run.trained_model import model_of_run

for flag in (MODEL, WORKDIR, TO, OVERWRITE):
    flags.declare_key_flag(flag.name)
STRENGTH = flags.DEFINE_float(
    "strength", Controls.strength, "How far to go, from 0, the song as it is, to 1, the whole transfer."
)
THRESHOLD = flags.DEFINE_float(
    "threshold", Controls.threshold, "A note sounds where its probability is greater: fewer notes above 0.5."
)
OVERLAP = flags.DEFINE_integer(
    "overlap", Controls.overlap, "Bars, 0 to 3, that neighbouring phrases share and are cross-faded over."
)
KEEP_WHOLE = flags.DEFINE_float(
    "keep_whole",
    Controls.keep_whole,
    "A note keeps its whole length if this share of it, 0 to 1, is kept: at 1 the model may break up held "
    "notes freely.",
)
POLYPHONY = flags.DEFINE_integer("polyphony", Controls.polyphony, "Most notes at once; 0: any number.")
PROGRAM = flags.DEFINE_integer(
    "program", Controls.program, "General MIDI program, 0 to 127, of all pitched notes; else as they were."
)
SPLIT_HANDS = flags.DEFINE_bool(
    "split_hands",
    Controls.split_hands,
    "Bass, chords and melody on tracks of their own, piano unless --program.",
)
KEEP_DRUMS = flags.DEFINE_bool("keep_drums", Controls.keep_drums, "Copy the drums; else leave them out.")
ANY_METRE = flags.DEFINE_bool(
    "any_metre",
    Controls.any_metre,
    "Transfer songs in other metres too: of a song that changes metre the parts in 4/4, of any other its own "
    "bars, laid on the model's bars of 4/4.",
)


def load_model() -> Model:
    """The model of the flags. Raises UserError unless they name one."""
    if MODEL.value and not WORKDIR.value:
        return load(MODEL.value)
    if WORKDIR.value and not MODEL.value:
        return model_of_run(RunFolder(Path(WORKDIR.value)))
    raise UserError("name one trained model: --model=<file> of launch.export, or --workdir=<run>.")


def controls() -> Controls:
    """How songs are to be transferred. Raises UserError for what is not allowed."""
    return Controls(
        strength=STRENGTH.value,
        threshold=THRESHOLD.value,
        overlap=OVERLAP.value,
        keep_whole=KEEP_WHOLE.value,
        polyphony=POLYPHONY.value,
        program=PROGRAM.value,
        split_hands=SPLIT_HANDS.value,
        keep_drums=KEEP_DRUMS.value,
        any_metre=ANY_METRE.value,
    )
