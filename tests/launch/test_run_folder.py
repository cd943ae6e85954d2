"""The folder of a run: it takes up its own run alone, and says by name what differs."""

import dataclasses
import json
import re
import sys

import jax
import pytest

import cyclegan_jax
from cyclegan_jax.config import Config
from cyclegan_jax.errors import UserError
from launch.run.folder import RunFolder

CONFIG = Config(
    pair=("jazz", "pop"),
    genres=("classic", "jazz", "pop"),
    fingerprint="0123abcd",
    steps=100,
    constant_steps=50,
)
CHANGES = {
    "pair": ("pop", "jazz"),
    "genres": ("jazz", "pop"),
    "fingerprint": "ffff0000",
    "model": "partial",
    "width": 8,
    "blocks": 3,
    "batch_size": 4,
    "lambda_cycle": 5.0,
    "gamma": 0.5,
    "sigma_d": 1.0,
    "noise": "fresh",
    "identity_logits": 1.0,
    "positions": True,
    "skips": True,
    "onsets": True,
    "fakes": "notes",
    "adversarial": "hinge",
    "cycle": "cross_entropy",
    "lambda_chroma": 1.0,
    "weight_growth": 6.0,
    "lambda_density": 2.0,
    "density_b_over_a": (1.5, 0.5),
    "ema_decay": 0.999,
    "pool_size": 3,
    "learning_rate": 1e-3,
    "beta1": 0.9,
    "beta2": 0.99,
    "dtype": "bfloat16",
    "seed": 1,
}


@pytest.fixture
def folder(tmp_path) -> RunFolder:
    claimed = RunFolder(tmp_path / "runs" / "jazz_pop")
    claimed.claim(CONFIG, tmp_path / "data")
    return claimed


def changed(**changes: object) -> Config:
    return dataclasses.replace(CONFIG, **changes)


def refusal(folder: RunFolder, config: Config, *, extend: bool) -> str:
    with pytest.raises(UserError) as caught:
        folder.check(config, extend=extend)
    return str(caught.value)


def test_every_field_is_compared():
    compared = {*CHANGES, "steps", "constant_steps"}
    assert compared == {field.name for field in dataclasses.fields(Config)}


@pytest.mark.parametrize("extend", [False, True])
@pytest.mark.parametrize("field", CHANGES)
def test_another_value_is_refused_naming_the_field_and_both(folder, field, extend):
    old, new = getattr(CONFIG, field), CHANGES[field]
    message = refusal(folder, changed(**{field: new}), extend=extend)
    if field == "fingerprint":
        assert f"its fingerprint is {new}, not {old};" in message
    else:
        name = "discriminators" if field == "model" else field
        assert message.startswith(f"{name} is {new!r},") and f"has {old!r};" in message
    assert str(folder.workdir) in message


def test_a_dtype_that_the_machine_chose_can_be_named(folder):
    assert "give --dtype=float32" in refusal(folder, changed(dtype="bfloat16"), extend=False)


def test_the_same_config_goes_on(folder):
    assert folder.check(CONFIG, extend=False) is None
    assert folder.check(CONFIG, extend=True) is None


def test_a_longer_run_needs_extend_and_the_error_says_so(folder):
    longer = changed(steps=150, constant_steps=75)
    message = refusal(folder, longer, extend=False)
    assert message.startswith("steps is 150,") and "has 100;" in message and "--extend" in message
    folder.check(longer, extend=True)


@pytest.mark.parametrize(
    ("config", "field"),
    [
        (changed(steps=60, constant_steps=30), "steps"),
        (changed(constant_steps=60), "constant_steps"),
        (changed(steps=150, seed=1), "seed"),
    ],
)
def test_extend_allows_nothing_but_more_steps(folder, config, field):
    message = refusal(folder, config, extend=True)
    assert message.startswith(f"{field} is {getattr(config, field)},")
    assert "--extend" not in message


def test_a_folder_that_is_not_there_or_holds_no_run_is_free(tmp_path):
    RunFolder(tmp_path / "new").check(CONFIG, extend=False)
    assert not (tmp_path / "new").exists()
    (tmp_path / "notes.txt").write_text("mine")
    RunFolder(tmp_path).check(CONFIG, extend=False)


def test_a_workdir_that_is_a_file_is_refused(tmp_path):
    path = tmp_path / "file"
    path.write_text("mine")
    for workdir in (path, path / "run"):
        message = refusal(RunFolder(workdir), CONFIG, extend=False)
        assert f"workdir {str(workdir)!r}" in message and f"{str(path)!r} is not a folder" in message
    assert path.read_text() == "mine"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pair": ["a", "b"]}', '{"colour": "red"}', "\0"])
def test_a_config_that_cannot_be_read_is_named(folder, text):
    path = folder.workdir / "config.json"
    path.write_text(text)
    assert str(path) in refusal(folder, CONFIG, extend=False)


def test_a_folder_without_a_run_is_named_when_one_is_asked_for(tmp_path):
    with pytest.raises(UserError, match=r"holds no run.*--workdir"):
        RunFolder(tmp_path / "nothing").config()
    with pytest.raises(UserError, match=r"holds no run.*--workdir"):
        RunFolder(tmp_path / "nothing").dataset_folder()


def test_what_was_claimed_is_read_back(folder, tmp_path):
    assert folder.config() == CONFIG
    assert folder.dataset_folder() == tmp_path / "data"


def test_a_folder_below_one_that_may_not_be_written_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("launch.run.folder.os.access", lambda path, mode: False)
    assert str(tmp_path) in refusal(RunFolder(tmp_path / "run"), CONFIG, extend=False)


def test_finished_means_trained_to_the_end_and_evaluated(folder):
    assert not folder.is_finished(CONFIG)
    (folder.checkpoints / "100").mkdir(parents=True)
    assert not folder.is_finished(CONFIG)
    (folder.workdir / "evaluation.json").write_text('{"trained_steps": 100}')
    assert folder.is_finished(CONFIG)
    assert not folder.is_finished(changed(steps=150))


def test_an_extended_run_is_not_finished_by_the_evaluation_of_the_shorter_one(folder, tmp_path):
    (folder.checkpoints / "100").mkdir(parents=True)
    (folder.workdir / "evaluation.json").write_text('{"trained_steps": 100}')
    longer = changed(steps=150)
    folder.claim(longer, tmp_path / "data")
    (folder.checkpoints / "150").mkdir()
    assert not folder.is_finished(longer)


def test_each_start_is_a_line_of_what_the_run_is_trained_by(folder, tmp_path):
    folder.claim(CONFIG, tmp_path / "data")
    first, second = map(json.loads, (folder.workdir / "started.jsonl").read_text().splitlines())
    assert first["time"] <= second["time"]
    assert first["command"] == sys.argv and first["devices"] == ["cpu"] * 4
    assert first["versions"]["jax"] == jax.__version__
    assert first["versions"]["cyclegan_jax"] == cyclegan_jax.__version__
    assert first["commit"] is None or re.fullmatch(r"[0-9a-f]{40}\+?", first["commit"])


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff\xfe", b'{"folder": 3}'])
def test_a_damaged_file_of_the_run_is_named(folder, content):
    path = folder.workdir / "dataset.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"dataset\.json (is missing or damaged|does not name)"):
        folder.dataset_folder()
    (folder.workdir / "config.json").write_bytes(content)
    with pytest.raises(UserError, match=r"config\.json"):
        folder.config()
