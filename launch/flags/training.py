"""The flags of training, and the config they resolve to."""

import dataclasses

import jax
from absl import flags

from cyclegan_jax.config import (
    ADVERSARIAL,
    CYCLE,
    DTYPES,
    FAKES,
    NOISE,
    PRESETS,
    RECIPES,
    Config,
    check_range,
)
from cyclegan_jax.datasets.pipeline.batches import PairBatches
from cyclegan_jax.errors import UserError
from cyclegan_jax.training.cadence import Cadence
from launch.flags.resolve import resolve_dtype, resolve_pool_size, resolve_preset

PAIR = flags.DEFINE_string("pair", None, "Two genres of the dataset, as a_b or a,b.", required=True)
PRESET = flags.DEFINE_enum(
    "preset", "auto", ("auto", *PRESETS), "Size of nets and run; auto: paper on a GPU or TPU, tiny on a CPU."
)
WIDTH = flags.DEFINE_integer("width", None, "Channels of the first convolution; default by preset.")
BLOCKS = flags.DEFINE_integer("blocks", None, "Residual blocks of a generator; default by preset.")
BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", None, "Phrases of each genre a step, over all devices; default by preset."
)
EPOCHS = flags.DEFINE_integer("epochs", None, "Epochs to train; default by preset.")
STEPS = flags.DEFINE_integer("steps", None, "Steps to train, in place of --epochs.")
CONSTANT_EPOCHS = flags.DEFINE_integer(
    "constant_epochs", None, "Epochs before the learning rate falls; default: half of all."
)
RECIPE = flags.DEFINE_enum(
    "recipe",
    "robust",
    tuple(RECIPES),
    "Objective; paper: the published one, for reproduction; robust: ours, which keeps the song.",
)
LAMBDA_CYCLE = flags.DEFINE_float("lambda_cycle", None, "Weight of the cycle's loss; default by recipe.")
WEIGHT_GROWTH = flags.DEFINE_float(
    "weight_growth",
    None,
    "How many times as much the cycle and density weigh by the end, growing as the learning rate falls; "
    "default by recipe.",
)
LAMBDA_CHROMA = flags.DEFINE_float("lambda_chroma", None, "Weight of the harmony's loss; default by recipe.")
LAMBDA_DENSITY = flags.DEFINE_float(
    "lambda_density", None, "Weight of being as dense as the target genre; default by recipe."
)
GAMMA = flags.DEFINE_float("gamma", None, "Weight of the mixed discriminators' loss; default by recipe.")
IDENTITY_LOGITS = flags.DEFINE_float(
    "identity_logits", None, "What the input adds to the logits of the output; default by recipe."
)
NOISE_FLAG = flags.DEFINE_enum(
    "noise",
    None,
    NOISE,
    "Noise on discriminators' inputs: one shared draw, never negative, or fresh signed ones.",
)
POSITIONS = flags.DEFINE_bool(
    "positions", None, "Tell the networks where in bar and register they are; default by recipe."
)
SKIPS = flags.DEFINE_bool(
    "skips", None, "Let generators hand fine detail past their narrow middle; default by recipe."
)
FAKES_FLAG = flags.DEFINE_enum(
    "fakes",
    None,
    FAKES,
    "What discriminators and the way back get: probabilities, or the likelier of note and none; "
    "default by recipe.",
)
ADVERSARIAL_FLAG = flags.DEFINE_enum(
    "adversarial", None, ADVERSARIAL, "The adversarial loss; default by recipe."
)
CYCLE_FLAG = flags.DEFINE_enum(
    "cycle",
    None,
    CYCLE,
    "The cycle's loss: l1 of probabilities, or cross entropy; default by recipe.",
)
EMA_DECAY = flags.DEFINE_float(
    "ema_decay", None, "Decay by step of the generators' running mean, 0 for none; default by recipe."
)
POOL_SIZE = flags.DEFINE_string("pool_size", "auto", "Past batches of fakes; auto: 0 for base, else 50.")
LEARNING_RATE = flags.DEFINE_float("learning_rate", None, "Adam's learning rate; default by recipe.")
BETA1 = flags.DEFINE_float("beta1", None, "Adam's decay of the mean gradient; default by recipe.")
BETA2 = flags.DEFINE_float("beta2", None, "Adam's decay of the mean square gradient; default by recipe.")
DTYPE = flags.DEFINE_enum(
    "dtype",
    "auto",
    ("auto", *DTYPES),
    "What networks multiply in; auto: bfloat16 on a GPU or TPU, else float32.",
)
SEED = flags.DEFINE_integer("seed", 0, "Seed of everything drawn.")
LOG_EVERY = flags.DEFINE_integer("log_every", 10, "Steps between two lines of metrics.")
EVAL_EVERY = flags.DEFINE_integer("eval_every", 0, "Steps between evaluations, each saved; 0: five a run.")
SAVE_EVERY = flags.DEFINE_integer("save_every", 0, "Steps between further checkpoints; 0: one an epoch.")


def preset() -> str:
    """The preset of the flags; it, and a dtype other than float32, is said where chosen for the machine."""
    backend = jax.default_backend()
    chosen, dtype = resolve_preset(PRESET.value, backend), resolve_dtype(DTYPE.value, backend)
    said = [f"Preset {chosen!r}"] if PRESET.value == "auto" else []
    if DTYPE.value == "auto" and dtype != Config.dtype:
        said.append(f"dtype {dtype}")
    if said:
        sentence = ", ".join(said)
        print(
            f"{sentence[0].upper()}{sentence[1:]}, for this machine computes on a {backend.upper()}.",
            flush=True,
        )
    return chosen


def model(given: str | None) -> str:
    """The model given, or the recipe's."""
    return given or RECIPES[RECIPE.value].get("model", Config.model)


def mixed_genres(model: str, pair: tuple[str, str], all_genres: tuple[str, ...]) -> tuple[str, ...]:
    """The genres of M: none for `base`, the pair for `partial`, those of the dataset for `full`."""
    return {"base": (), "partial": pair, "full": all_genres}[model]


def batch_size(preset_name: str) -> int:
    """The batch size of flag or preset."""
    chosen = BATCH_SIZE.value if BATCH_SIZE.value is not None else PRESETS[preset_name]["batch_size"]
    check_range("batch_size", chosen, 1, 2**16)
    return chosen


def config(
    preset_name: str,
    pair: tuple[str, str],
    model_name: str,
    mixed: tuple[str, ...],
    fingerprint: str,
    batches: PairBatches,
    sigma_d: float | None = None,
) -> Config:
    """The resolved config; a flag given, or a `sigma_d`, beats preset and recipe."""
    sizes = PRESETS[preset_name]
    steps = _steps(sizes["epochs"], batches.steps_per_epoch)
    constant = CONSTANT_EPOCHS.value
    if constant is not None:
        check_range("constant_epochs", constant, 0, steps / batches.steps_per_epoch)
    chosen = {
        **RECIPES[RECIPE.value],
        **_given(),
        **({} if sigma_d is None else {"sigma_d": sigma_d}),
        "model": model_name,
    }
    if chosen.get("lambda_density"):
        chosen["density_b_over_a"] = batches.density_b_over_a
    return Config(
        pair=pair,
        genres=mixed,
        fingerprint=fingerprint,
        steps=steps,
        constant_steps=steps // 2 if constant is None else constant * batches.steps_per_epoch,
        width=sizes["width"] if WIDTH.value is None else WIDTH.value,
        blocks=sizes["blocks"] if BLOCKS.value is None else BLOCKS.value,
        batch_size=batches.batch_size,
        pool_size=resolve_pool_size(POOL_SIZE.value, model_name),
        dtype=resolve_dtype(DTYPE.value, jax.default_backend()),
        seed=SEED.value,
        **chosen,
    )


def _given() -> dict[str, float | str]:
    """The fields of a recipe that have a flag of their own, where it was given."""
    own = (LAMBDA_CYCLE, WEIGHT_GROWTH, LAMBDA_CHROMA, LAMBDA_DENSITY, GAMMA, IDENTITY_LOGITS, POSITIONS)
    own += (SKIPS, NOISE_FLAG, FAKES_FLAG, ADVERSARIAL_FLAG, CYCLE_FLAG, EMA_DECAY, LEARNING_RATE)
    own += (BETA1, BETA2)
    return {flag.name: flag.value for flag in own if flag.value is not None}


def _steps(preset_epochs: int, steps_per_epoch: int) -> int:
    if STEPS.value is not None and EPOCHS.value is not None:
        raise UserError(f"steps is {STEPS.value} and epochs is {EPOCHS.value}, but only one may be given.")
    if STEPS.value is not None:
        return STEPS.value
    epochs = preset_epochs if EPOCHS.value is None else EPOCHS.value
    check_range("epochs", epochs, 1, (2**31 - 1) // steps_per_epoch)
    return epochs * steps_per_epoch


def cadence(steps_per_epoch: int, steps_per_dispatch: int = 1) -> Cadence:
    """How often to log, evaluate and save, and how many steps go in one go."""
    cadence = Cadence(LOG_EVERY.value, EVAL_EVERY.value, SAVE_EVERY.value, steps_per_dispatch)
    return dataclasses.replace(cadence, save_every=cadence.save_every or steps_per_epoch)
