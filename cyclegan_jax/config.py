"""Every number a run is made of, resolved, checked and comparable.

Each field is described once, in its metadata, from which its check, its flag, `--help` and the tables of
the documentation are made:

- `help`: a sentence that names the unit;
- `paper`, `tf1`: the value in arXiv 1809.07575, and in the original TF1 code,
  sumuzhao/CycleGAN-Music-Style-Transfer; `both` where they agree;
- `choices`: the values allowed; `between`: the least and the greatest;
- `flag`: the name of its flag where it is another, or "" where there is none.
"""

import dataclasses
import json
import math
from collections.abc import Mapping
from typing import Any, TypeVar

from cyclegan_jax.errors import UserError

DISCRIMINATORS = ("base", "partial", "full")
DTYPES = ("float32", "bfloat16")

Value = TypeVar("Value")

# Width, residual blocks, batch size and epochs. `tiny` sees 4,224 phrases a genre of the demo data
# within five minutes on two CPU cores.
PRESETS: Mapping[str, Mapping[str, int]] = {
    "paper": {"width": 64, "blocks": 10, "batch_size": 16, "epochs": 20},
    "small": {"width": 16, "blocks": 4, "batch_size": 8, "epochs": 8},
    "tiny": {"width": 8, "blocks": 3, "batch_size": 4, "epochs": 6},
}
POOL_BATCHES = 50

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


def about(help: str, both: object = None, **facts: object) -> dict[str, object]:
    """The metadata of a field: its help and the facts that the module's docstring lists."""
    return {"help": help} | ({"paper": both, "tf1": both} if both is not None else {}) | facts


def described(default: Value, help: str, **facts: object) -> Value:
    """A field with a default and its description."""
    return dataclasses.field(default=default, metadata=about(help, **facts))


@dataclasses.dataclass(frozen=True)
class Described:
    """Values that are checked by the descriptions of their fields.

    Raises UserError, naming the field, its value and what is allowed.
    """

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value, facts = getattr(self, field.name), field.metadata
            if "choices" in facts:
                check_choice(field.name, value, facts["choices"])
            if "between" in facts:
                for number in value if isinstance(field.default, tuple) else (value,):
                    check_range(field.name, number, *facts["between"])


SIZES, WEIGHTS, DECAYS = (1, 2**16), (0.0, 1e6), (0.0, 1.0 - 1e-9)


@dataclasses.dataclass(frozen=True)
class Config(Described):
    """What determines the trained parameters, to the bit on one kind of machine where memory is not saved.

    The fields are the keys of `config.json` in run folders and of the config in model files, so their names
    stay: the field that `--discriminators` sets is `model`.
    """

    pair: tuple[str, str] = dataclasses.field(
        metadata=about("Genres A and B.", both="two of jazz, classic, pop")
    )
    genres: tuple[str, ...] = dataclasses.field(
        metadata=about(
            "Genres of the mixed set M: none for base, A and B for partial, all of the dataset for full.",
            both="A and B, or all three",
            flag="",
        )
    )
    fingerprint: str = dataclasses.field(metadata=about("Hash of the dataset's files and options.", flag=""))
    steps: int = dataclasses.field(
        metadata=about("Optimiser steps.", paper="20 epochs", tf1="100 epochs", between=(1, 2**31 - 1))
    )
    constant_steps: int = dataclasses.field(
        metadata=about(
            "Optimiser steps before the learning rate falls.",
            paper="half of all",
            tf1="10 epochs",
            flag="constant_epochs",
        )
    )
    model: str = described(
        "full",
        "Discriminators beside those of A and B: base, none; partial, two on A and B mixed; full, two on all "
        "genres mixed.",
        both="all three",
        choices=DISCRIMINATORS,
        flag="discriminators",
    )
    width: int = described(64, "Channels of the first convolution.", both=64, between=SIZES)
    blocks: int = described(10, "Residual blocks of a generator.", both=10, between=SIZES)
    batch_size: int = described(
        16, "Phrases of each genre in a step, over all devices.", both=16, between=SIZES
    )
    lambda_cycle: float = described(10.0, "Weight of the cycle-consistency loss.", both=10, between=WEIGHTS)
    weight_growth: float = described(
        1.0,
        "Factor by which the weights of cycle consistency and density have grown by the end; they grow as "
        "the learning rate falls.",
        both=1,
        between=WEIGHTS,
    )
    gamma: float = described(1.0, "Weight of the mixed discriminators' loss.", both=1, between=WEIGHTS)
    sigma_d: float = described(
        0.01,
        "Standard deviation σ of the instance noise on the discriminators' inputs.",
        paper="0 to 5, best 0.01 for full",
        tf1=1,
        between=WEIGHTS,
    )
    noise: str = described(
        "shared",
        "Instance noise: shared is one draw of |N(0, σ)| a step for all inputs, fresh a signed draw for each "
        "input.",
        paper="signed",
        tf1="shared",
        choices=("shared", "fresh"),
    )
    identity_logits: float = described(
        0.0,
        "Added to a generator's logits where its input has a note, subtracted where it has none.",
        between=WEIGHTS,
        both="none",
    )
    positions: bool = described(
        False, "Tell the networks the position in the bar and the register.", both="none"
    )
    skips: bool = described(
        False, "Give the generators U-Net skip connections past the bottleneck.", both="none"
    )
    onsets: bool = described(
        False,
        "Give phrases a second channel, where notes begin, so that a note can be struck again at once.",
        both="none",
    )
    fakes: str = described(
        "probabilities",
        "What discriminators and the second generator of a cycle get: probabilities, or notes, which are "
        "binarised by a straight-through estimator.",
        both="probabilities",
        choices=("probabilities", "notes"),
    )
    adversarial: str = described(
        "least_squares", "Adversarial loss.", both="least_squares", choices=("least_squares", "hinge")
    )
    cycle: str = described(
        "l1",
        "Cycle-consistency loss: l1 of probabilities, or cross entropy.",
        both="l1",
        choices=("l1", "cross_entropy"),
    )
    lambda_chroma: float = described(
        0.0, "Weight of the chroma loss, which keeps the harmony.", between=WEIGHTS, both="none"
    )
    lambda_density: float = described(
        0.0,
        "Weight of the density loss, which asks for as many notes as the target genre has.",
        between=WEIGHTS,
        both="none",
    )
    density_b_over_a: tuple[float, float] = described(
        (1.0, 1.0),
        "Notes a phrase and sounding cells a phrase, each of B over A; measured on the data if the density "
        "loss has a weight.",
        flag="",
        between=(1e-6, 1e6),
    )
    ema_decay: float = described(
        0.0,
        "Decay per step of the exponential moving average of the generators; 0: no average.",
        between=DECAYS,
        both="none",
    )
    pool_size: int = described(
        POOL_BATCHES,
        "Past batches of fakes that discriminators draw from.",
        paper="not stated",
        tf1="50, in partial and full only",
        between=(0, 2**16),
    )
    learning_rate: float = described(2e-4, "Learning rate of Adam.", both=2e-4, between=(1e-12, 1e3))
    beta1: float = described(0.5, "β1 of Adam, the decay of the mean gradient.", both=0.5, between=DECAYS)
    beta2: float = described(
        0.999, "β2 of Adam, the decay of the mean squared gradient.", both=0.999, between=DECAYS
    )
    dtype: str = described(
        "float32", "Type of the networks' arithmetic.", paper="not stated", tf1="float32", choices=DTYPES
    )
    seed: int = described(
        0, "Seed of everything drawn.", paper="not stated", tf1="not set", between=(0, 2**32 - 1)
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("constant_steps", self.constant_steps, 0, self.steps)

    @property
    def channels(self) -> int:
        """Channels of a phrase: where notes sound and, with `onsets`, where they begin."""
        return 2 if self.onsets else 1

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
            fields: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in values.items()}
            return cls(**fields)
        except (AttributeError, TypeError) as error:
            raise UserError(f"a config's fields are missing, unknown or of another type: {error}.") from error

    @classmethod
    def from_json(cls, text: str) -> "Config":
        """The config of JSON text."""
        return cls.from_dict(json.loads(text))


def check_choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    """Raise UserError unless `value` is one of `allowed`."""
    if value not in allowed:
        raise UserError(f"{name} is {value!r}, but must be one of {', '.join(allowed)}.")


def check_range(name: str, value: float, low: float, high: float) -> None:
    """Raise UserError unless low <= value <= high; NaN never is."""
    if not low <= value <= high:
        allowed = f"at least {low}" if high == math.inf else f"between {low} and {high}"
        raise UserError(f"{name} is {value}, but must be {allowed}.")
