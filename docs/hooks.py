"""A hook of MkDocs: lines such as `{{ config_fields }}` in a page become tables made from the code."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

from cyclegan_jax.config import PRESETS, RECIPES, Config
from cyclegan_jax.training.cadence import Cadence
from cyclegan_jax.training.memory_saving import MemorySaving
from launch.flags.fields import text_of


def on_page_markdown(markdown: str, **page: Any) -> str:  # noqa: ANN401
    """The text of a page with its tables; MkDocs calls it for every page."""
    for name, make in TABLES.items():
        line = f"{{{{ {name} }}}}"
        if line in markdown:
            markdown = markdown.replace(line, make())
    return markdown


def config_fields() -> str:
    """The fields of a config, and of what beside it has flags: flag, default, paper, TF1 code, meaning."""
    head = ("field", "flag", "default", "paper", "TF1 code", "meaning")
    fields = [field for owner in (Config, MemorySaving, Cadence) for field in dataclasses.fields(owner)]
    return _table(head, map(_row, fields))


def presets() -> str:
    """What each preset sets."""
    fields = list(dict.fromkeys(name for values in PRESETS.values() for name in values))
    rows = ((_code(preset), *(str(values[name]) for name in fields)) for preset, values in PRESETS.items())
    return _table(("preset", *map(_code, fields)), rows)


def recipes() -> str:
    """What each recipe sets; a field that none of them sets is left out."""
    fields = [f for f in dataclasses.fields(Config) if any(f.name in values for values in RECIPES.values())]
    rows = (
        (_code(f.name), *(text_of(values.get(f.name, f.default)) for values in RECIPES.values()))
        for f in fields
    )
    return _table(("field", *map(_code, RECIPES)), rows)


def _row(field: dataclasses.Field) -> tuple[str, ...]:
    facts = field.metadata
    flag = facts.get("flag", field.name)
    default = "" if field.default is dataclasses.MISSING else _default(field.default)
    published = (text_of(facts.get(where, "")) for where in ("paper", "tf1"))
    return _code(field.name), _code(f"--{flag}") if flag else "", default, *published, _meaning(field)


def _default(value: object) -> str:
    return ", ".join(map(text_of, value)) if isinstance(value, tuple) else text_of(value)


def _meaning(field: dataclasses.Field) -> str:
    choices = field.metadata.get("choices", ())
    return field.metadata["help"] + (f" One of {', '.join(map(_code, choices))}." if choices else "")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (head, ["---"] * len(head), *rows)
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)


def _code(name: str) -> str:
    return f"`{name}`"


TABLES = {"config_fields": config_fields, "presets": presets, "recipes": recipes}
