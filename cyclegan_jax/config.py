"""Every number a run is made of, resolved, checked and comparable.

A comment gives each field's unit, then the paper's value, then the original TF1 code's.
"""

import dataclasses
import json
import math
from collections.abc import Mapping
from typing import Any

from cyclegan_jax.errors import UserError

MODELS = ("base", "partial", "full")
DTYPES = ("float32", "bfloat16")

# Width, residual blocks, batch size and epochs. `tiny` sees 4,224 phrases a genre of the demo data
# within five minutes on two CPU cores.
PRESETS: Mapping[str, Mapping[str, int]] = {
    "paper": {"width": 64, "blocks": 10, "batch_size": 16, "epochs": 20},
    "small": {"width": 16, "blocks": 4, "batch_size": 8, "epochs": 8},
    "tiny": {"width": 8, "blocks": 3, "batch_size": 4, "epochs": 6},
}
POOL_BATCHES = 50
FAKES = ("probabilities", "notes")
ADVERSARIAL = ("least_squares", "hinge")
NOISE = ("shared", "fresh")
CYCLE = ("l1", "cross_entropy")

# What a recipe sets; `paper` is the paper's objective, the defaults of the fields.
RECIPES: Mapping[str, Mapping[str, Any]] = {
    "paper": {},
    "robust": {
        "model": "base",
        "identity_logits": 1.0,
        "positions": True,
        "skips": True,
        "fakes": "notes",
        "adversarial": "hinge",
        "cycle": "cross_entropy",
        "lambda_cycle": 16.0,
        "weight_growth": 6.0,
        "lambda_chroma": 1.0,
        "lambda_density": 2.0,
        "sigma_d": 0.4,
        "noise": "fresh",
        "ema_decay": 0.999,
        "learning_rate": 8e-4,
        "beta2": 0.9,
    },
}


@dataclasses.dataclass(frozen=True)
class Config:
    """What determines the trained parameters, to the bit on one kind of machine where memory is not saved.

    Raises UserError, naming the field, its value and what is allowed.
    """

    pair: tuple[str, str]  # genres A and B; jazz, classic, pop taken two by two
    genres: tuple[str, ...]  # genres of M: A and B for `partial`, all of the dataset for `full`
    fingerprint: str  # of the dataset's files and options
    steps: int  # optimiser steps; 20 epochs in the paper's text; 100 by the code's default
    constant_steps: int  # steps before the learning rate falls; half; 10 epochs
    model: str = "full"  # base, partial, full; all three; the same
    width: int = 64  # channels of the first convolution; 64; 64
    blocks: int = 10  # residual blocks; 10; 10
    batch_size: int = 16  # phrases of each genre a step, over all devices; 16; 16
    lambda_cycle: float = 10.0  # weight of the cycle loss; 10; 10
    weight_growth: float = 1.0  # times cycle's and density's weights by the end, as the rate falls; 1; 1
    gamma: float = 1.0  # weight of the mixed discriminators' loss; 1; 1
    sigma_d: float = 0.01  # σ of the discriminators' input noise; 0 to 5, best 0.01 for `full`; 1
    noise: str = "shared"  # one |draw| a step for all inputs, or `fresh` signed ones; text: signed; shared
    identity_logits: float = 0.0  # added to the logits of the input's notes, taken from others'; none; none
    positions: bool = False  # whether networks are told where in bar and register they are; no; no
    skips: bool = False  # whether generators hand fine detail past the narrows; no; no
    fakes: str = "probabilities"  # what discriminators and the way back get, see notes.py; these; these
    adversarial: str = "least_squares"  # its loss; this; this
    cycle: str = "l1"  # the cycle's loss, see objective.py; this; this
    lambda_chroma: float = 0.0  # weight of the harmony's loss; none; none
    lambda_density: float = 0.0  # weight of being as dense as the target genre; none; none
    density_b_over_a: tuple[float, float] = (1.0, 1.0)  # B's notes and cells a phrase over A's, of the data
    ema_decay: float = 0.0  # decay by step of the generators' running mean, 0 for none; none; none
    pool_size: int = POOL_BATCHES  # past batches of fakes; unstated; 50, in `partial` and `full` only
    learning_rate: float = 2e-4  # Adam; 2e-4; 2e-4
    beta1: float = 0.5  # Adam; 0.5; 0.5
    beta2: float = 0.999  # Adam; 0.999; 0.999
    dtype: str = "float32"  # of the networks' arithmetic; float32; float32
    seed: int = 0  # of everything drawn; unstated; unset

    def __post_init__(self) -> None:
        check_choice("model", self.model, MODELS)
        check_choice("dtype", self.dtype, DTYPES)
        check_choice("noise", self.noise, NOISE)
        check_choice("fakes", self.fakes, FAKES)
        check_choice("adversarial", self.adversarial, ADVERSARIAL)
        check_choice("cycle", self.cycle, CYCLE)
        check_range("steps", self.steps, 1, 2**31 - 1)
        for name in ("width", "blocks", "batch_size"):
            check_range(name, getattr(self, name), 1, 2**16)
        check_range("constant_steps", self.constant_steps, 0, self.steps)
        check_range("pool_size", self.pool_size, 0, 2**16)
        check_range("seed", self.seed, 0, 2**32 - 1)
        weights = ("lambda_cycle", "gamma", "lambda_chroma", "lambda_density")
        for name in (*weights, "weight_growth", "sigma_d", "identity_logits"):
            check_range(name, getattr(self, name), 0.0, 1e6)
        for ratio in self.density_b_over_a:
            check_range("density_b_over_a", ratio, 1e-6, 1e6)
        check_range("learning_rate", self.learning_rate, 1e-12, 1e3)
        for name in ("beta1", "beta2", "ema_decay"):
            check_range(name, getattr(self, name), 0.0, 1.0 - 1e-9)

    def difference(self, other: "Config", ignored: tuple[str, ...] = ()) -> tuple[str, Any, Any] | None:
        """The first field whose values differ, with both values, or None; fields in `ignored` may."""
        for field in dataclasses.fields(self):
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            if mine != theirs and field.name not in ignored:
                return field.name, mine, theirs
        return None

    @property
    def falling_steps(self) -> int:
        """Steps, at least 1, over which the learning rate falls and cycle's and density's weights grow."""
        return max(self.steps - self.constant_steps, 1)

    @property
    def mixed(self) -> bool:
        """Whether the two discriminators on mixed genres take part."""
        return self.model != "base"

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON has them; `from_dict` is its inverse."""
        return json.loads(json.dumps(dataclasses.asdict(self)))

    def to_json(self) -> str:
        """The fields as indented JSON text; `from_json` is its inverse."""
        return json.dumps(self.to_dict(), indent=2) + "\n"

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Config":
        """The config of parsed JSON, whose tuples have become lists."""
        try:
            return cls(**{name: tuple(v) if isinstance(v, list) else v for name, v in values.items()})
        except (AttributeError, TypeError) as error:
            raise UserError(f"this is not a config of this version: {error}.") from error

    @classmethod
    def from_json(cls, text: str) -> "Config":
        """The config of JSON text."""
        return cls.from_dict(json.loads(text))


@dataclasses.dataclass(frozen=True)
class MemorySaving:
    """How a step makes do with less memory; what is learned is the same, though sums round otherwise."""

    accumulate: int = 1  # microbatches of a device's part of a batch, whose gradients are accumulated
    remat: bool = False  # whether networks' activations are computed again for gradients, in place of kept

    def __post_init__(self) -> None:
        check_range("accumulate", self.accumulate, 1, 2**16)


def check_choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    """Raise UserError unless `value` is one of `allowed`."""
    if value not in allowed:
        raise UserError(f"{name} is {value!r}, but must be one of {', '.join(allowed)}.")


def check_range(name: str, value: float, low: float, high: float) -> None:
    """Raise UserError unless low <= value <= high; NaN never is."""
    if not low <= value <= high:
        allowed = f"at least {low}" if high == math.inf else f"between {low} and {high}"
        raise UserError(f"{name} is {value}, but must be {allowed}.")


KEEP_ALL = MemorySaving()
