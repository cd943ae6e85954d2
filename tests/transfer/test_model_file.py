"""Models as one file: the same music by them as by the run, nothing run from them, nothing half read."""

import dataclasses
import json
import os
import pickle
import struct
import subprocess
import sys

import jax
import numpy as np
import pytest
import safetensors.numpy
from support.midi_files import write_midi_file
from support.running import run_command

import cyclegan_jax as cg
from cyclegan_jax.errors import UserError
from cyclegan_jax.midi.song import parse_song
from cyclegan_jax.transfer.model_file import KEY, VERSION, _digest, load, save
from launch.run.folder import RunFolder
from launch.run.trained_model import model_of_run


@pytest.fixture(scope="module")
def exported(run_dir, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "jazz_pop.model"
    done = run_command("export", f"--workdir={run_dir}", f"--out={path}", cwd=path.parent)
    assert done.returncode == 0, done.stderr
    assert "jazz and pop" in done.stdout and "MiB" in done.stdout
    assert [p.name for p in path.parent.iterdir()] == ["jazz_pop.model"]
    return path


@pytest.fixture(scope="module")
def model(exported) -> cg.Model:
    return load(exported)


def test_it_has_the_runs_parameters_to_float16_and_knows_where_it_comes_from(model, run_dir):
    of_run = model_of_run(RunFolder(run_dir))
    assert model.config == of_run.config and model.genres == ("jazz", "pop")
    ours = {**model.generators, "judge": model.classifier.params}
    theirs = {**of_run.generators, "judge": of_run.classifier.params}
    assert jax.tree.structure(ours) == jax.tree.structure(jax.tree.map(np.asarray, theirs))
    for mine, other in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        assert mine.dtype == np.float32
        np.testing.assert_array_equal(mine, np.asarray(other, np.float16).astype(np.float32))
    assert model.classifier.accuracy == of_run.classifier.accuracy > 0.8
    assert model.evaluation == json.loads((run_dir / "evaluation.json").read_text())
    assert model.trained_on["dataset"].startswith("genre_rolls/demo/")
    assert model.trained_on["fingerprint"] == model.config.fingerprint
    assert model.trained_on["songs"]["jazz"] > 10 and model.trained_on["phrases"]["pop"] > 100


def test_it_says_the_same_as_the_run_but_for_rounding(model, run_dir):
    of_run = model_of_run(RunFolder(run_dir))
    phrases = np.random.default_rng(0).random((3, 64, 84, 1)) < 0.05
    for genre in model.genres:
        found, wanted = (m.generate(phrases, to=genre) for m in (model, of_run))
        np.testing.assert_allclose(found, wanted, atol=0.01)
        assert ((found > 0.5) != (wanted > 0.5)).mean() < 1e-3
    np.testing.assert_allclose(
        model.classifier.probabilities(phrases), of_run.classifier.probabilities(phrases), atol=0.01
    )


def test_what_is_saved_again_is_the_same_file_to_the_byte(model, exported, tmp_path):
    save(model, tmp_path / "again.model")
    assert (tmp_path / "again.model").read_bytes() == exported.read_bytes()


def test_loading_needs_no_orbax_and_no_run(exported, tmp_path):
    write_midi_file(tmp_path / "song.mid", [(0, 9600, 60)])
    program = (
        "import sys; sys.modules['orbax'] = sys.modules['orbax.checkpoint'] = None\n"
        "import cyclegan_jax\n"
        f"song = cyclegan_jax.load({str(exported)!r}).transfer('song.mid', to='jazz')\n"
        "print(type(song).__name__, 'launch' in sys.modules, 'tensorflow_datasets' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=os.environ,
        timeout=250,
    )
    assert done.stdout.split() == ["PrettyMIDI", "False", "False"], done.stderr


def test_the_probability_of_a_genre_is_over_all_phrases_with_notes(model, tmp_path):
    path = write_midi_file(tmp_path / "a.mid", [(0, 480, 60), (3 * 7680, 3 * 7680 + 480, 64)])
    phrases = np.zeros((2, 64, 84, 1), bool)
    phrases[0, :4, 36] = phrases[1, :4, 40] = True
    wanted = model.classifier.probabilities(phrases).mean(axis=0)
    found = model.probabilities(parse_song(path.read_bytes()))
    assert tuple(found) == model.genres
    np.testing.assert_allclose(list(found.values()), wanted, rtol=1e-5)
    beyond = write_midi_file(tmp_path / "b.mid", [(0, 480, 10)])
    assert model.probabilities(parse_song(beyond.read_bytes())) == {}
    assert dataclasses.replace(model, classifier=None).probabilities(parse_song(path.read_bytes())) == {}


def telling(data: bytes, **others: object) -> bytes:
    """The same arrays, telling other things."""
    told = {**told_by(data), **others}
    return safetensors.numpy.save(safetensors.numpy.load(data), {KEY: json.dumps(told)})


def told_by(data: bytes) -> dict:
    """What a model file tells of itself."""
    (length,) = struct.unpack("<Q", data[:8])
    return json.loads(json.loads(data[8 : 8 + length])["__metadata__"][KEY])


def flipped(data: bytes) -> bytes:
    return data[:-9] + bytes([data[-9] ^ 4]) + data[-8:]


BROKEN = {
    "cut off": (lambda data: data[:-1], "cut off"),
    "cut off in its header": (lambda data: data[:100], "cut off"),
    "empty": (lambda data: b"", "no model file"),
    "a pickle": (lambda data: pickle.dumps({"gen_ab": 1}), "no model file"),
    "a header of 2^60 bytes": (lambda data: struct.pack("<Q", 2**60) + data[8:], "no model file"),
    "another project's": (
        lambda data: safetensors.numpy.save({"a": np.zeros(3)}),
        "no model of this project",
    ),
    "that tells a list": (lambda data: safetensors.numpy.save({}, {KEY: "[1]"}), "no model of this project"),
    "that tells lists in lists": (
        lambda data: safetensors.numpy.save({}, {KEY: "[" * 100_000 + "]" * 100_000}),
        "no model of this project",
    ),
    "of another version": (
        lambda data: telling(data, version=2),
        "version 2, but this program reads",
    ),
    "one bit flipped": (flipped, "checksum"),
    "other facts": (lambda data: telling(data, facts={}), "checksum"),
}


@pytest.mark.parametrize(("spoil", "words"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_file_is_refused_in_one_line(exported, tmp_path, spoil, words):
    path = tmp_path / "broken.model"
    path.write_bytes(spoil(exported.read_bytes()))
    with pytest.raises(UserError, match=words) as refused:
        load(path)
    assert "broken.model" in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.slow
@pytest.mark.parametrize("command", ["transfer", "listen", "serve"])
def test_a_command_refuses_what_is_no_model_in_one_line_and_runs_nothing_of_it(command, tmp_path):
    (tmp_path / "a.model").write_bytes(pickle.dumps(Trap()))
    write_midi_file(tmp_path / "song.mid", [(0, 9600, 60)])
    words = [] if command == "serve" else ["--to=pop", "song.mid"]
    done = run_command(command, "--model=a.model", *words, cwd=tmp_path)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, done.stderr
    assert "'a.model' is no model file" in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"a.model", "song.mid"}


class Trap:
    """What a pickle would run."""

    def __reduce__(self):
        return os.mkdir, ("trapped",)


def without(model: cg.Model, path) -> cg.Model:
    generators = jax.tree.map(np.asarray, model.generators)
    del generators["gen_ba"]["Conv_0"]
    return dataclasses.replace(model, generators=generators)


def test_a_file_that_does_not_tell_what_it_must_is_refused(exported, tmp_path):
    data = exported.read_bytes()
    arrays, good = safetensors.numpy.load(data), told_by(data)["facts"]
    odd = [{"dataset": "a"}, {"dataset": "a", "phrases": {}}, {"dataset": "a", "phrases": 3}, {"phrases": {}}]
    for facts in ({}, {"config": {}}, {"config": 3}, [], *({**good, "trained_on": it} for it in odd)):
        told = {"version": VERSION, "sha256": _digest(facts, arrays), "facts": facts}
        (tmp_path / "a.model").write_bytes(safetensors.numpy.save(arrays, {KEY: json.dumps(told)}))
        with pytest.raises(UserError, match=r"a.model' has a missing or wrong entry"):
            load(tmp_path / "a.model")


def test_values_that_are_no_numbers_are_refused(exported, tmp_path):
    data = exported.read_bytes()
    arrays = safetensors.numpy.load(data)
    told = told_by(data)
    name = next(iter(arrays))
    arrays[name] = arrays[name] * np.float16("nan")
    told["sha256"] = _digest(told["facts"], arrays)
    (tmp_path / "a.model").write_bytes(safetensors.numpy.save(arrays, {KEY: json.dumps(told)}))
    with pytest.raises(UserError, match="that are NaN or infinite"):
        load(tmp_path / "a.model")


MISFITS = {
    "wider": (
        lambda m, _: dataclasses.replace(m, config=dataclasses.replace(m.config, width=8)),
        "is not the model",
    ),
    "deeper": (
        lambda m, _: dataclasses.replace(m, config=dataclasses.replace(m.config, blocks=60_000)),
        "blocks",
    ),
    "with a part missing": (without, "Conv_0"),
}


@pytest.mark.parametrize(("spoil", "words"), MISFITS.values(), ids=MISFITS.keys())
def test_parameters_that_are_not_the_configs_are_refused(model, tmp_path, spoil, words):
    save(spoil(model, tmp_path), tmp_path / "a.model")
    with pytest.raises(UserError, match=words):
        load(tmp_path / "a.model")


def test_what_float16_cannot_hold_and_what_has_no_classifier_is_not_saved(model, tmp_path):
    huge = {**model.generators, "gen_ab": jax.tree.map(lambda leaf: leaf + 1e6, model.generators["gen_ab"])}
    with pytest.raises(UserError, match="float16 cannot hold"):
        save(dataclasses.replace(model, generators=huge), tmp_path / "a.model")
    with pytest.raises(UserError, match="no classifier"):
        save(dataclasses.replace(model, classifier=None), tmp_path / "a.model")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_or_nothing_is_no_model(tmp_path):
    for path in (tmp_path, tmp_path / "none.model"):
        with pytest.raises(UserError, match="is not a file"):
            load(path)
