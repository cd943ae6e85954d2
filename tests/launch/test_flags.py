"""The flags: made from the fields that they set, and defined so that all commands share a process."""

import dataclasses
import importlib
import re
from pathlib import Path

import pytest
from absl import flags
from absl.testing import flagsaver
from support.forked_commands import forked

import launch
from cyclegan_jax.config import Config
from cyclegan_jax.errors import UserError
from cyclegan_jax.training.cadence import Cadence
from cyclegan_jax.training.memory_saving import MemorySaving
from launch.flags import training
from launch.flags.shared import PAIR, required

COMMANDS = ("train", "sweep", "evaluate", "export", "classify", "prepare", "transfer", "listen", "serve")
COMMANDS += ("benchmark", "benchmark_dataset")
# The fields that come of other flags, whose help is of its own.
OTHERWISE = {"pair", "steps", "constant_steps"}
FIELDS = [(owner, field) for owner in (Config, MemorySaving, Cadence) for field in dataclasses.fields(owner)]


@pytest.fixture(scope="module")
def commands() -> dict:
    """All commands, imported into this process; they define each flag once."""
    imported = {name: importlib.import_module(f"launch.{name}") for name in COMMANDS}
    if not flags.FLAGS.is_parsed():
        flags.FLAGS.mark_as_parsed()
    return imported


@pytest.mark.parametrize(
    "owner, field", [pytest.param(owner, field, id=field.name) for owner, field in FIELDS]
)
def test_every_field_is_described_and_its_flag_says_the_same(commands, owner, field):
    facts = field.metadata
    assert facts["help"].endswith(".") and set(facts) <= {
        "help",
        "paper",
        "tf1",
        "choices",
        "between",
        "flag",
    }
    if owner is Config and facts.get("flag") != "":
        assert facts.get("paper", "") != "" and facts.get("tf1", "") != ""
    name = facts.get("flag", field.name)
    if name:
        keys = {flag.name: flag for flag in flags.FLAGS.get_key_flags_for_module("launch.train")}
        assert name in keys
        if field.name not in OTHERWISE:
            assert facts["help"] in keys[name].help


def test_help_tells_the_default_of_each_preset_and_recipe(commands):
    assert flags.FLAGS["width"].help.endswith("Default by preset: paper 64, small 16, tiny 8.")
    assert flags.FLAGS["beta2"].help.endswith("Default by recipe: paper 0.999, robust 0.9.")
    assert flags.FLAGS["gamma"].help.endswith("Default: 1.")


def test_the_older_name_of_discriminators_means_the_same(commands):
    with flagsaver.flagsaver():
        assert training.discriminators() is None
    with flagsaver.flagsaver(discriminators=["base", "full"]):
        assert training.discriminators() == ["base", "full"]
    with flagsaver.flagsaver(model="base, full"):
        assert training.discriminators() == ["base", "full"]
    with flagsaver.flagsaver(discriminators=["base"], model="base"):
        assert training.discriminators() == ["base"]


@pytest.mark.parametrize(
    "given, words",
    [
        ({"discriminators": ["half"]}, ("discriminators is 'half'", "base, partial, full")),
        ({"discriminators": []}, ("discriminators is ''", "base, partial, full")),
        ({"model": "base,half"}, ("model is 'half'", "base, partial, full")),
        ({"model": ""}, ("model is ''", "base, partial, full")),
        ({"discriminators": ["base"], "model": "full"}, ("'base'", "'full'", "leave --model out")),
    ],
)
def test_a_wrong_set_of_discriminators_is_named(commands, given, words):
    with flagsaver.flagsaver(**given), pytest.raises(UserError) as error:
        training.discriminators()
    assert all(word in str(error.value) for word in words)


def test_sigmas_are_numbers(commands):
    with flagsaver.flagsaver(sigma_d=["0", "0.25"]):
        assert training.sigmas() == [0.0, 0.25]
    for wrong in (["0", "much"], []):
        with flagsaver.flagsaver(sigma_d=wrong), pytest.raises(UserError, match="but must be numbers"):
            training.sigmas()


@pytest.mark.parametrize("name", ["train", "sweep", "classify", "evaluate", "export", "transfer", "listen"])
def test_a_command_asks_for_the_flag_that_it_needs(commands, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    needed = {"evaluate": "workdir", "export": "workdir", "transfer": "to", "listen": "to"}.get(name, "pair")
    with flagsaver.flagsaver(), pytest.raises(UserError, match=rf"^--{needed} is missing; add it, as in --"):
        commands[name].main([])
    assert list(tmp_path.iterdir()) == []


def test_a_flag_that_is_given_is_not_missing(commands):
    with flagsaver.flagsaver(pair="pop_jazz"):
        assert required(PAIR, "jazz_pop") == "pop_jazz"


def test_the_package_lists_every_command_with_a_line():
    folder = Path(launch.__file__).parent
    listed = re.findall(r"^- `(\w+)`: .+\.$", launch.__doc__, re.M)
    assert sorted(listed) == sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")


@pytest.mark.parametrize(
    "command, flag",
    [
        *(("transfer", "--out=x.mid"), ("evaluate", "--pair=jazz_pop"), ("export", "--data_dir=data")),
        *(("prepare", "--workdir=runs"), ("train", "--overwrite"), ("benchmark", "--learning_rate=1")),
    ],
)
def test_a_flag_of_another_command_is_refused(command, flag, tmp_path):
    with forked(command) as call:
        done = call(flag, cwd=tmp_path)
    name = flag.lstrip("-").split("=")[0]
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"Unknown command line flag '{name}' See --help.\n"
    assert list(tmp_path.iterdir()) == []
