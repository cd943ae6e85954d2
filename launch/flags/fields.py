"""Flags made from the descriptions of fields: their type, choices and help."""

import dataclasses
from typing import Any

from absl import flags

from cyclegan_jax.config import PRESETS, RECIPES

flags.disclaim_key_flags()  # the flags belong to the modules that ask for them
DEFINE = {int: flags.DEFINE_integer, float: flags.DEFINE_float, bool: flags.DEFINE_bool}


def define(owner: type, name: str) -> flags.FlagHolder[Any]:
    """Define the flag of a field with the field's default."""
    field = field_of(owner, name)
    return _define(field, field.default, help_of(owner, name))


def define_optional(owner: type, name: str) -> flags.FlagHolder[Any]:
    """Define the flag of a field that has another default by preset or recipe: the flag's own is None."""
    return _define(field_of(owner, name), None, f"{help_of(owner, name)} {default_of(owner, name)}")


def help_of(owner: type, name: str) -> str:
    """What the help of a flag says of the field that it sets."""
    return field_of(owner, name).metadata["help"]


def default_of(owner: type, name: str) -> str:
    """A sentence on the default of a field, by preset or recipe where they set it."""
    default = field_of(owner, name).default
    for kind, groups in {"preset": PRESETS, "recipe": RECIPES}.items():
        if any(name in values for values in groups.values()):
            by_group = (f"{group} {text_of(values.get(name, default))}" for group, values in groups.items())
            return f"Default by {kind}: {', '.join(by_group)}."
    return f"Default: {text_of(default)}."


def text_of(value: object) -> str:
    """A field's value as it is written after its flag."""
    return f"{value:g}" if isinstance(value, float) else str(value).lower()


def field_of(owner: type, name: str) -> dataclasses.Field:
    """A field of a dataclass by its name."""
    return next(field for field in dataclasses.fields(owner) if field.name == name)


def _define(field: dataclasses.Field, default: Any, help: str) -> flags.FlagHolder[Any]:  # noqa: ANN401
    if isinstance(field.default, tuple):
        return flags.DEFINE_list(field.name, list(field.default), help)
    if "choices" in field.metadata:
        return flags.DEFINE_enum(field.name, default, field.metadata["choices"], help)
    return DEFINE[field.type](field.name, default, help)
