"""The flags of training, and the config they resolve to."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
from absl import flags

from cyclegan_jax.config import (
    DISCRIMINATORS,
    DTYPES,
    POOL_BATCHES,
    PRESETS,
    RECIPES,
    Config,
    check_choice,
    check_range,
)
from cyclegan_jax.datasets.pipeline.batches import PairBatches
from cyclegan_jax.errors import UserError
from cyclegan_jax.training.cadence import Cadence
from launch.flags.fields import default_of, define, define_optional, help_of
from launch.flags.resolve import resolve_dtype, resolve_pool_size, resolve_preset
from launch.flags.shared import EPOCHS, MODEL, PAIR, STEPS, WORKDIR
from launch.run.training_data import TrainingData

for flag in (PAIR, EPOCHS, STEPS, MODEL, WORKDIR):
    flags.declare_key_flag(flag.name)
PRESET = flags.DEFINE_enum(
    "preset",
    "auto",
    ("auto", *PRESETS),
    "Size of the networks and of the run; auto: paper on a GPU or TPU, tiny on a CPU.",
)
RECIPE = flags.DEFINE_enum(
    "recipe",
    None,
    tuple(RECIPES),
    "Objective; paper: the published one, for reproduction; robust: ours, which keeps the song. Default: "
    "robust; in launch.sweep and launch.benchmark paper.",
)
CONSTANT_EPOCHS = flags.DEFINE_integer(
    "constant_epochs", None, "Epochs before the learning rate falls; default: half of all."
)
DISCRIMINATORS_FLAG = flags.DEFINE_list(
    "discriminators",
    None,
    f"{help_of(Config, 'model')} {default_of(Config, 'model')} launch.sweep takes several, as in base,full, "
    "all of them by default.",
)
SIGMA_D = flags.DEFINE_list(
    "sigma_d",
    None,
    f"{help_of(Config, 'sigma_d')} {default_of(Config, 'sigma_d')} launch.sweep takes several, "
    "0,0.01,0.1,1,3,5 by default.",
)
POOL_SIZE = flags.DEFINE_string(
    "pool_size", "auto", f"{help_of(Config, 'pool_size')} auto: 0 for base, else {POOL_BATCHES}."
)
DTYPE = flags.DEFINE_enum(
    "dtype",
    "auto",
    ("auto", *DTYPES),
    f"{help_of(Config, 'dtype')} auto: bfloat16 on a GPU or TPU, else float32.",
)
SEED = define(Config, "seed")
SIZES = {name: define_optional(Config, name) for name in ("width", "blocks", "batch_size")}
# The fields of a recipe that have a flag of their own, beside the two that a sweep takes several values of.
OBJECTIVE = {
    name: define_optional(Config, name)
    for name in (
        *("lambda_cycle", "weight_growth", "lambda_chroma", "lambda_density", "gamma", "identity_logits"),
        *("noise", "positions", "skips", "onsets", "fakes", "adversarial", "cycle", "ema_decay"),
        *("learning_rate", "beta1", "beta2"),
    )
}
LOG_EVERY = define(Cadence, "log_every")
EVAL_EVERY = define(Cadence, "eval_every")
SAVE_EVERY = define(Cadence, "save_every")


def discriminators() -> list[str] | None:
    """The sets named by --discriminators or by its older name, --model; None where neither is given.

    Raises UserError for an unknown one, and where the two flags differ.
    """
    new, old = DISCRIMINATORS_FLAG.value, MODEL.value
    if old is not None:
        old = [name.strip() for name in old.split(",")]
        if new is not None and new != old:
            raise UserError(
                f"discriminators is {','.join(new)!r} and model is {','.join(old)!r}, but --model is the "
                "older name of --discriminators; leave --model out."
            )
    named = old if new is None else new or [""]
    for name in named or ():
        check_choice("discriminators" if old is None else "model", name, DISCRIMINATORS)
    return named


def sigmas() -> list[float] | None:
    """The values of --sigma_d, None where it is not given. Raises UserError for what is not a number."""
    if SIGMA_D.value is None:
        return None
    try:
        return [float(sigma) for sigma in SIGMA_D.value or [""]]
    except ValueError as error:
        raise UserError(
            f"sigma_d is {','.join(SIGMA_D.value)!r}, but must be numbers with commas, as in 0,0.01,1."
        ) from error


def preset() -> str:
    """The preset of the flags, `auto` resolved."""
    return resolve_preset(PRESET.value, jax.default_backend())


def chosen_for_machine() -> str:
    """A line that says which preset and dtype, if not float32, `auto` stands for here; "" for none."""
    backend = jax.default_backend()
    dtype = resolve_dtype(DTYPE.value, backend)
    said = [f"Preset {preset()!r}"] if PRESET.value == "auto" else []
    if DTYPE.value == "auto" and dtype != Config.dtype:
        said.append(f"dtype {dtype}")
    if not said:
        return ""
    sentence = ", ".join(said)
    return f"{sentence[0].upper()}{sentence[1:]}, for this machine computes on a {backend.upper()}.\n"


def batch_size() -> int:
    """The batch size of flag or preset."""
    given = SIZES["batch_size"].value
    size = PRESETS[preset()]["batch_size"] if given is None else given
    check_range("batch_size", size, 1, 2**16)
    return size


def config(
    data: TrainingData, batches: PairBatches, recipe: str, discriminators: str, sigma_d: float | None = None
) -> Config:
    """The resolved config; flags, `discriminators` and `sigma_d` override preset and recipe."""
    sizes = PRESETS[preset()]
    steps = _steps(sizes["epochs"], batches.steps_per_epoch)
    constant = CONSTANT_EPOCHS.value
    if constant is not None:
        check_range("constant_epochs", constant, 0, steps / batches.steps_per_epoch)
    chosen = {
        "width": sizes["width"],
        "blocks": sizes["blocks"],
        **_given(SIZES),
        **_objective(recipe),
        "batch_size": batches.batch_size,
        "model": discriminators,
    }
    if sigma_d is not None:
        chosen["sigma_d"] = sigma_d
    if chosen.get("lambda_density"):
        chosen["density_b_over_a"] = batches.density_b_over_a
    return Config(
        pair=data.pair,
        genres=data.mixed(discriminators),
        fingerprint=data.fingerprint,
        steps=steps,
        constant_steps=steps // 2 if constant is None else constant * batches.steps_per_epoch,
        pool_size=resolve_pool_size(POOL_SIZE.value, discriminators),
        dtype=resolve_dtype(DTYPE.value, jax.default_backend()),
        seed=SEED.value,
        **chosen,
    )


def channels(recipe: str) -> int:
    """The channels of the phrases that a run of a recipe is trained on, by --onsets."""
    return 2 if _objective(recipe).get("onsets", Config.onsets) else 1


def _objective(recipe: str) -> dict[str, Any]:
    """The fields of a recipe, and those of its flags that were given."""
    return {**RECIPES[recipe], **_given(OBJECTIVE)}


def _given(fields: Mapping[str, flags.FlagHolder[Any]]) -> dict[str, Any]:
    """The values of the flags that were given."""
    return {name: flag.value for name, flag in fields.items() if flag.value is not None}


def _steps(preset_epochs: int, steps_per_epoch: int) -> int:
    if STEPS.value is not None and EPOCHS.value is not None:
        raise UserError(f"steps is {STEPS.value} and epochs is {EPOCHS.value}, but only one may be given.")
    if STEPS.value is not None:
        return STEPS.value
    epochs = preset_epochs if EPOCHS.value is None else EPOCHS.value
    check_range("epochs", epochs, 1, (2**31 - 1) // steps_per_epoch)
    return epochs * steps_per_epoch


def cadence(steps_per_epoch: int, steps_per_dispatch: int = 1) -> Cadence:
    """How often to log, evaluate and save (0: once an epoch), and how many steps one dispatch has."""
    cadence = Cadence(LOG_EVERY.value, EVAL_EVERY.value, SAVE_EVERY.value, steps_per_dispatch)
    return dataclasses.replace(cadence, save_every=cadence.save_every or steps_per_epoch)
