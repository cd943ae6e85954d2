"""The tables of the documentation that are made from the code."""

import dataclasses
import importlib.util
from pathlib import Path

import pytest

from cyclegan_jax.config import PRESETS, RECIPES, Config
from cyclegan_jax.training.cadence import Cadence
from cyclegan_jax.training.memory_saving import MemorySaving

HOOKS = Path(__file__).parents[1] / "docs" / "hooks.py"


@pytest.fixture(scope="module")
def hooks():
    spec = importlib.util.spec_from_file_location("docs_hooks", HOOKS)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rows_of(table: str) -> list[list[str]]:
    """The cells of a Markdown table, without its ruler."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return [line for line in lines if line[0] != "---"]


def test_the_table_of_fields_names_each_once_with_its_flag_values_and_meaning(hooks):
    page = hooks.on_page_markdown("# A page\n\n{{ config_fields }}\n\nMore.\n", page=None)
    assert page.startswith("# A page\n\n| field |") and page.endswith("|\n\nMore.\n")
    head, *rows = rows_of(hooks.config_fields())
    assert {len(row) for row in (head, *rows)} == {6}
    owners = (Config, MemorySaving, Cadence)
    assert [row[0] for row in rows] == [f"`{f.name}`" for owner in owners for f in dataclasses.fields(owner)]
    by_name = {row[0].strip("`"): row for row in rows}
    assert by_name["model"][1:3] == ["`--discriminators`", "full"]
    assert by_name["learning_rate"][1:5] == ["`--learning_rate`", "0.0002", "0.0002", "0.0002"]
    assert by_name["fingerprint"][1] == ""
    assert by_name["density_b_over_a"][2] == "1, 1"
    assert by_name["noise"][5].startswith("Instance noise: shared is one draw of &#124;N(0, σ)&#124;")
    assert by_name["noise"][5].endswith("One of `shared`, `fresh`.")


def test_the_tables_of_presets_and_recipes_have_every_value(hooks):
    head, *rows = rows_of(hooks.presets())
    assert head == ["preset", "`width`", "`blocks`", "`batch_size`", "`epochs`"]
    assert rows == [[f"`{name}`", *map(str, values.values())] for name, values in PRESETS.items()]
    head, *rows = rows_of(hooks.recipes())
    assert head == ["field", "`paper`", "`robust`"]
    assert {row[0].strip("`") for row in rows} == set(RECIPES["robust"])
    by_name = {row[0].strip("`"): row[1:] for row in rows}
    assert by_name["skips"] == ["false", "true"] and by_name["sigma_d"] == ["0.01", "0.4"]


def test_a_page_without_a_table_is_left_alone(hooks):
    assert hooks.on_page_markdown("{{ other }} text", page=None) == "{{ other }} text"
