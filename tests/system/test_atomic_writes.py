"""Whole or not at all: builds that are killed, that run at once, or that find the disk full."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import numpy as np
import pytest
import tensorflow_datasets as tfds
from support.midi_files import write_midi_file
from support.running import run_command

from cyclegan_jax.datasets.genre_rolls.install import PREFIX, is_finished
from cyclegan_jax.datasets.genre_rolls.prepare import prepare

STEP = 120
PREPARE = [sys.executable, "-m", "launch.prepare", "--dataset=midi", "--data_dir=data"]


def write_songs(midi_dir: Path, count: int, seed: int) -> int:
    """Songs of 1 to 6 phrases in each of two genres; returns their phrases."""
    random, phrases = np.random.default_rng(seed), 0
    for genre in ("jazz", "pop"):
        for number in range(count):
            length = 1 + (number + seed) % 6
            pitches = enumerate(random.integers(30, 100, 64 * length).tolist())
            notes = [(STEP * step, STEP * (step + 1), pitch) for step, pitch in pitches]
            write_midi_file(midi_dir / genre / f"{number}.mid", notes)
            phrases += length
    return phrases


def read_phrases(folder: Path) -> int:
    """All records of a dataset, read, and its pictures, looked at."""
    builder = tfds.builder_from_directory(folder)
    for name in ("overview.png", "phrases.png"):
        assert (folder / name).read_bytes().endswith(b"IEND\xaeB`\x82")
    splits = [builder.as_data_source(split) for split in builder.info.splits]
    return sum(record["roll"].any() for records in splits for record in records)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def start(midi_dir: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [*PREPARE, f"--midi_dir={midi_dir}"],
        cwd=midi_dir.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_building(data_dir: Path, process: subprocess.Popen) -> float:
    """Until there is a build aside."""
    while not list(data_dir.glob(f"{PREFIX}*")):
        assert process.poll() is None
        time.sleep(0.002)
    return time.monotonic()


@pytest.mark.slow
def test_a_build_killed_at_any_moment_leaves_a_whole_dataset_or_none(tmp_path):
    data_dir, random = tmp_path / "data", Random(11)
    folder = data_dir / "genre_rolls/midi/2.1.0"
    phrases = {tmp_path / name: write_songs(tmp_path / name, 30, seed) for seed, name in enumerate("xy")}
    x, y = phrases
    with start(x) as whole:
        begun = wait_for_building(data_dir, whole)
        assert whole.wait() == 0
    seconds = time.monotonic() - begun
    assert read_phrases(folder) == phrases[x]
    killed_amid = 0
    for kills, midi_dir in enumerate((y, x) * 5, 1):
        with start(midi_dir) as process:
            wait_for_building(data_dir, process)
            time.sleep(random.uniform(0, 0.9 * seconds))
            process.send_signal(signal.SIGKILL)
        if list(data_dir.glob(f"{PREFIX}*")):
            killed_amid += 1
        else:  # it was faster than the first one
            seconds /= 2
        assert not folder.exists() or read_phrases(folder) in phrases.values()
        built = prepare("midi", data_dir, midi_dir).built
        assert read_phrases(folder) == phrases[midi_dir]
        assert not (built and list(data_dir.glob(f"{PREFIX}*")))
        assert {path.name for path in folder.parent.iterdir()} == {"2.1.0"}
        if kills >= 4 and killed_amid >= 2:
            break
    assert killed_amid >= 2


@pytest.fixture
def midi_dir(tmp_path) -> Path:
    write_songs(tmp_path / "midi", 5, seed=3)
    return tmp_path / "midi"


# Killed as the new dataset is about to be put where the old one was.
KILLED = """
import os, runpy, signal, sys
place = sys.argv.pop(1)
def kill(event, arguments):
    if event == "os.rename" and str(arguments[1]) == place:
        os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(kill)
runpy.run_module("launch.prepare", run_name="__main__", alter_sys=True)
"""


def test_a_dataset_that_a_killed_build_had_taken_out_of_its_place_goes_back(midi_dir, tmp_path):
    data_dir = tmp_path / "data"
    folder = prepare("midi", data_dir, midi_dir).folder
    before = contents(folder)
    write_songs(tmp_path / "other", 3, seed=4)
    words = [sys.executable, "-c", KILLED, str(folder), *PREPARE[3:], "--midi_dir=other"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, timeout=120)
    assert done.returncode == -signal.SIGKILL
    assert not folder.exists()
    found = prepare("midi", data_dir, midi_dir)
    assert not found.built and contents(folder) == before
    assert {path.name for path in data_dir.iterdir()} == {".lock", "genre_rolls"}


def test_a_dataset_in_its_place_is_not_replaced_by_what_a_killed_build_had_taken_out(midi_dir, tmp_path):
    data_dir = tmp_path / "data"
    folder = prepare("midi", data_dir, midi_dir).folder
    old = data_dir / f"{PREFIX}abc/before/genre_rolls/midi/2.1.0"
    old.mkdir(parents=True)
    (old / "dataset_info.json").write_text("old")
    (midi_dir / "pop/new.mid").write_bytes(b"no music")
    assert prepare("midi", data_dir, midi_dir).built
    assert (folder / "dataset_info.json").read_text() != "old"
    assert {path.name for path in data_dir.iterdir()} == {".lock", "genre_rolls"}


def test_of_two_builds_at_once_one_builds_and_the_other_finds(midi_dir, tmp_path):
    with start(midi_dir) as one, start(midi_dir) as two:
        said = [process.communicate() for process in (one, two)]
    assert (one.returncode, two.returncode) == (0, 0)
    assert [error for _, error in said] == ["", ""]
    notices = sorted(line for out, _ in said for line in out.splitlines() if line.startswith("Dataset"))
    assert [notice[: len("Dataset 'midi' built")] for notice in notices] == [
        "Dataset 'midi' built",
        "Dataset 'midi' found",
    ]
    assert is_finished(tmp_path / "data/genre_rolls/midi/2.1.0")
    assert {path.name for path in (tmp_path / "data").iterdir()} == {".lock", "genre_rolls"}


# Files may grow to so many bytes only, from the start or from when the pictures are drawn.
LIMITED = """
import resource, runpy, sys
from cyclegan_jax.datasets.genre_rolls.building import figures
def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
stage, size = sys.argv.pop(1), int(sys.argv.pop(1))
if stage == "all":
    limit(size)
else:
    draw = getattr(figures, stage)
    setattr(figures, stage, lambda *what: (limit(size), draw(*what))[1])
runpy.run_module("launch.prepare", run_name="__main__", alter_sys=True)
"""
FULL = {
    "spool": ("all", 4000),
    "shards": ("all", 40_000),
    "overview": ("draw_overview", 8000),
    "phrases": ("draw_phrase_page", 8000),
}


def prepare_with_full_disk(midi_dir: Path, stage: str, size: int) -> subprocess.CompletedProcess:
    words = [sys.executable, "-c", LIMITED, stage, str(size), *PREPARE[3:], f"--midi_dir={midi_dir}"]
    return subprocess.run(words, cwd=midi_dir.parent, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("at, former", [*((at, True) for at in FULL), ("shards", False)])
def test_a_full_disk_is_one_line_and_leaves_what_was_there(midi_dir, tmp_path, at, former):
    data_dir = tmp_path / "data"
    folder = data_dir / "genre_rolls/midi/2.1.0"
    before = None
    if former:
        write_songs(tmp_path / "former", 3, seed=4)
        prepare("midi", data_dir, tmp_path / "former")
        before = contents(folder)
    done = prepare_with_full_disk(midi_dir, *FULL[at])
    assert done.returncode == 1, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith(f"{data_dir} could not be written: File too large; make room there")
    assert done.stdout == ""
    assert {path.name for path in data_dir.iterdir()} == {".lock"} | ({"genre_rolls"} if former else set())
    if former:
        assert contents(folder) == before


def test_with_enough_space_it_is_built_and_its_files_are_as_large_as_the_test_before_means(
    midi_dir, tmp_path
):
    assert prepare_with_full_disk(midi_dir, "all", 10**6).returncode == 0
    folder = tmp_path / "data/genre_rolls/midi/2.1.0"
    splits = tfds.builder_from_directory(folder).info.splits.values()
    assert FULL["spool"][1] < sum(split.num_bytes for split in splits) < FULL["shards"][1]
    assert FULL["shards"][1] < min(path.stat().st_size for path in folder.glob("*.array_record*"))
    assert FULL["phrases"][1] < min(path.stat().st_size for path in folder.glob("*.png"))


def test_a_data_dir_that_cannot_be_made_is_one_line(midi_dir, tmp_path):
    (tmp_path / "data").write_text("mine")
    done = run_command("prepare", *PREPARE[3:], f"--midi_dir={midi_dir}", cwd=tmp_path)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, done.stderr
    assert (tmp_path / "data").read_text() == "mine"
