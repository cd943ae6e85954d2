"""The config: round trips, every check a sentence, and the names that stand for other values."""

import dataclasses
import json
import math

import pytest

from cyclegan_jax.config import PRESETS, Config
from cyclegan_jax.errors import UserError
from launch.flags.resolve import resolve_pair, resolve_pool_size, resolve_preset

REQUIRED = {
    "pair": ("jazz", "pop"),
    "genres": ("classic", "jazz", "pop"),
    "fingerprint": "abc",
    "steps": 10,
    "constant_steps": 5,
}
EVERY_FIELD = {
    "model": "partial",
    "width": 3,
    "blocks": 2,
    "batch_size": 6,
    "lambda_cycle": 7.5,
    "gamma": 0.1,
    "sigma_d": 0.3,
    "identity_logits": 2.0,
    "noise": "fresh",
    "positions": True,
    "skips": True,
    "onsets": True,
    "fakes": "notes",
    "adversarial": "hinge",
    "cycle": "cross_entropy",
    "lambda_chroma": 0.6,
    "weight_growth": 1.5,
    "lambda_density": 0.7,
    "density_b_over_a": (1.25, 0.75),
    "ema_decay": 0.99,
    "pool_size": 4,
    "learning_rate": 1e-3,
    "beta1": 0.1,
    "beta2": 0.7,
    "dtype": "bfloat16",
    "seed": 11,
}
GENRES = ("classic", "jazz", "pop")


def test_defaults_are_the_papers():
    assert dataclasses.asdict(Config(**REQUIRED)) == REQUIRED | {
        "model": "full",
        "width": 64,
        "blocks": 10,
        "batch_size": 16,
        "lambda_cycle": 10.0,
        "gamma": 1.0,
        "sigma_d": 0.01,
        "identity_logits": 0.0,
        "noise": "shared",
        "positions": False,
        "skips": False,
        "onsets": False,
        "fakes": "probabilities",
        "adversarial": "least_squares",
        "cycle": "l1",
        "lambda_chroma": 0.0,
        "weight_growth": 1.0,
        "lambda_density": 0.0,
        "density_b_over_a": (1.0, 1.0),
        "ema_decay": 0.0,
        "pool_size": 50,
        "learning_rate": 2e-4,
        "beta1": 0.5,
        "beta2": 0.999,
        "dtype": "float32",
        "seed": 0,
    }
    assert PRESETS["paper"] == {"width": 64, "blocks": 10, "batch_size": 16, "epochs": 20}


def test_json_and_back_is_the_same_config():
    config = Config(**REQUIRED, **EVERY_FIELD)
    assert set(REQUIRED | EVERY_FIELD) == {field.name for field in dataclasses.fields(Config)}
    assert all(getattr(Config(**REQUIRED), name) != value for name, value in EVERY_FIELD.items())
    again = Config.from_json(config.to_json())
    assert again == config
    assert isinstance(again.pair, tuple) and isinstance(again.genres, tuple)
    assert json.loads(config.to_json()) == config.to_dict()
    assert Config.from_dict(config.to_dict()) == config


@pytest.mark.parametrize("values", [REQUIRED | {"widht": 3}, {"steps": 3}, {}, ["steps"]])
def test_what_is_no_config_is_an_error(values):
    with pytest.raises(UserError, match="fields are missing, unknown or of another type"):
        Config.from_json(json.dumps(values))


@pytest.mark.parametrize("field", [*REQUIRED, *EVERY_FIELD])
def test_the_field_that_differs_is_named_with_both_values(field):
    config = Config(**REQUIRED)
    others = EVERY_FIELD | {"pair": ("pop", "jazz"), "genres": ("pop",), "fingerprint": "abd", "steps": 11}
    value = (others | {"constant_steps": 4})[field]
    other = dataclasses.replace(config, **{field: value})
    assert config.difference(other) == (field, getattr(config, field), value)
    assert other.difference(config) == (field, value, getattr(config, field))
    assert config.difference(other, ignored=(field,)) is None
    assert config.difference(Config(**REQUIRED)) is None


def test_a_config_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config(**REQUIRED).steps = 3


@pytest.mark.parametrize(
    "field, value, allowed",
    [
        ("model", "fuller", "base, partial, full"),
        ("dtype", "float16", "float32, bfloat16"),
        ("fakes", "logits", "probabilities, notes"),
        ("noise", "none", "shared, fresh"),
        ("adversarial", "wasserstein", "least_squares, hinge"),
        ("cycle", "l2", "l1, cross_entropy"),
        ("identity_logits", math.nan, "between 0"),
        ("lambda_density", -0.1, "between 0"),
        ("weight_growth", -0.1, "between 0"),
        ("lambda_chroma", -0.1, "between 0"),
        ("ema_decay", 1.0, "between 0"),
        ("steps", 0, "between 1"),
        ("steps", math.nan, "between 1"),
        ("steps", math.inf, "between 1"),
        ("width", 0, "between 1"),
        ("width", 2**16 + 1, "between 1 and 65536"),
        ("blocks", 0, "between 1"),
        ("batch_size", -4, "between 1"),
        ("constant_steps", -1, "between 0 and 10"),
        ("constant_steps", 11, "between 0 and 10"),
        ("pool_size", -1, "between 0"),
        ("seed", -1, "between 0 and 4294967295"),
        ("seed", 2**32, "between 0 and 4294967295"),
        ("lambda_cycle", -0.5, "between 0"),
        ("lambda_cycle", math.nan, "between 0"),
        ("lambda_cycle", math.inf, "between 0"),
        ("gamma", -1.0, "between 0"),
        ("gamma", math.nan, "between 0"),
        ("sigma_d", -0.01, "between 0"),
        ("sigma_d", math.nan, "between 0"),
        ("learning_rate", 0.0, "between"),
        ("learning_rate", -2e-4, "between"),
        ("learning_rate", math.nan, "between"),
        ("beta1", 1.0, "between 0"),
        ("beta1", -0.1, "between 0"),
        ("beta2", 1.0, "between 0"),
        ("beta2", math.nan, "between 0"),
    ],
)
def test_a_bad_value_is_named_with_its_field_and_what_is_allowed(field, value, allowed):
    with pytest.raises(UserError) as error:
        Config(**REQUIRED | {field: value})
    message = str(error.value)
    shown = repr(value) if isinstance(value, str) else str(value)
    assert message.startswith(f"{field} is {shown}, but must be ") and allowed in message


@pytest.mark.parametrize("steps", [{"constant_steps": 0}, {"constant_steps": 10}, {"steps": 5}])
@pytest.mark.parametrize(
    "edge",
    [
        {"width": 1, "blocks": 1, "batch_size": 1},
        {"pool_size": 0, "seed": 0},
        {"seed": 2**32 - 1},
        {"lambda_cycle": 0.0, "gamma": 0.0, "sigma_d": 0.0},
        {"beta1": 0.0, "beta2": 0.0},
    ],
)
def test_values_at_the_edge_are_allowed(steps, edge):
    config = Config(**REQUIRED | steps | edge)
    assert all(getattr(config, name) == value for name, value in edge.items())


@pytest.mark.parametrize("model, mixed", [("base", False), ("partial", True), ("full", True)])
def test_only_base_goes_without_mixed_discriminators(model, mixed):
    assert Config(**REQUIRED, model=model).mixed is mixed


@pytest.mark.parametrize(
    "text, model, size",
    [("auto", "base", 0), ("auto", "partial", 50), ("auto", "full", 50), ("7", "base", 7)],
)
def test_the_pool_is_of_fifty_batches_unless_base(text, model, size):
    assert resolve_pool_size(text, model) == size


@pytest.mark.parametrize("text", ["", "-1", "1.5", "many", "nan", "²"])
def test_a_pool_size_that_is_no_number_is_named(text):
    with pytest.raises(UserError, match=r"pool_size is .*auto or a whole number") as error:
        resolve_pool_size(text, "full")
    assert repr(text) in str(error.value)


@pytest.mark.parametrize(
    "preset, backend, resolved",
    [
        ("auto", "cpu", "tiny"),
        ("auto", "gpu", "paper"),
        ("auto", "tpu", "paper"),
        ("small", "cpu", "small"),
        ("paper", "cpu", "paper"),
        ("tiny", "gpu", "tiny"),
    ],
)
def test_the_preset_fits_the_machine(preset, backend, resolved):
    assert resolve_preset(preset, backend) == resolved


def test_an_unknown_preset_is_named_with_those_there_are():
    with pytest.raises(UserError, match="preset is 'huge', but must be one of auto, paper, small, tiny"):
        resolve_preset("huge", "cpu")


@pytest.mark.parametrize(
    "pair, genres, resolved",
    [
        ("jazz_pop", GENRES, ("jazz", "pop")),
        ("pop_jazz", GENRES, ("pop", "jazz")),
        ("pop,classic", GENRES, ("pop", "classic")),
        ("new_age_pop", ("new_age", "pop"), ("new_age", "pop")),
        ("pop_new_age", ("new_age", "pop"), ("pop", "new_age")),
        ("a_b,c", ("a", "a_b", "b_c", "c"), ("a_b", "c")),
        ("a_a_b", ("a", "a_b"), ("a", "a_b")),
    ],
)
def test_a_pair_is_matched_against_the_genres(pair, genres, resolved):
    assert resolve_pair(pair, genres) == resolved


@pytest.mark.parametrize(
    "pair, genres",
    [
        ("jazz_jazz", GENRES),
        ("jazz,jazz", GENRES),
        ("jazz_polka", GENRES),
        ("jazz", GENRES),
        ("", GENRES),
        ("_", GENRES),
        ("jazz,pop,classic", GENRES),
    ],
)
def test_an_unknown_pair_lists_the_genres(pair, genres):
    with pytest.raises(UserError, match="does not name two different genres") as error:
        resolve_pair(pair, genres)
    assert repr(pair) in str(error.value) and ", ".join(genres) in str(error.value)


def test_an_ambiguous_pair_lists_its_readings():
    with pytest.raises(UserError, match="'a_b_c' can be read in more than one way") as error:
        resolve_pair("a_b_c", ("a", "a_b", "b_c", "c"))
    assert "a,b_c" in str(error.value) and "a_b,c" in str(error.value)


@pytest.mark.parametrize("field, value", [("width", [64]), ("lambda_cycle", []), ("density_b_over_a", 1.0)])
def test_a_list_in_the_place_of_a_number_and_the_other_way_round_are_refused(field, value):
    with pytest.raises(UserError, match="fields are missing, unknown or of another type"):
        Config.from_dict(Config(**REQUIRED).to_dict() | {field: value})
