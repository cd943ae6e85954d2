"""The same seed is the same run to the bit: in another process, and however many work on its data at once."""

import hashlib
from functools import partial
from pathlib import Path

import grain
import pytest
from support.midi_files import write_midi_file
from support.running import RUN_FLAGS, run_command
from support.training_loop import assert_same_bits, run, saved

from cyclegan_jax.datasets.genre_rolls.building import local as local_build
from cyclegan_jax.datasets.genre_rolls.prepare import prepare
from cyclegan_jax.datasets.genre_rolls.reading.process_pool import Workers
from cyclegan_jax.datasets.pipeline import batches
from launch.run.folder import RunFolder

PHRASE = 64 * 120


@pytest.mark.slow
def test_the_same_command_in_another_process_gives_the_same_bits(run_dir, demo_dir, tmp_path):
    order = {"PYTHONHASHSEED": "1"}
    done = run_command("train", f"--data_dir={demo_dir}", *RUN_FLAGS, cwd=tmp_path, **order)
    assert done.returncode == 0, done.stderr
    config = RunFolder(run_dir).config()
    assert_same_bits(saved(tmp_path / "run", 6, config), saved(run_dir, 6, config))
    for name in ("metrics.jsonl", "evaluation.json", "evaluation/phrases.png"):
        assert (tmp_path / "run" / name).read_bytes() == (run_dir / name).read_bytes(), name


@pytest.mark.slow
def test_seven_loader_threads_give_the_same_order_and_the_same_bits_as_two(tmp_path, monkeypatch):
    monkeypatch.setattr("launch.run.feed.SHARE_OF_MEMORY", 0.0)  # so that phrases are streamed
    monkeypatch.delattr("launch.run.feed.Held")
    expected = run(tmp_path / "two", evaluated=True)
    options = grain.ReadOptions(num_threads=7, prefetch_buffer_size=7)
    monkeypatch.setattr(batches, "READ_AHEAD", options)
    assert_same_bits(run(tmp_path / "others", evaluated=True), expected)
    logs = [(tmp_path / name / "metrics.jsonl").read_bytes() for name in ("two", "others")]
    assert logs[0] == logs[1]


@pytest.fixture
def midi_dir(tmp_path) -> Path:
    """Songs of one to four phrases, the longest first, so that several readers end in another order."""
    for genre, pitch in (("jazz", 40), ("pop", 70)):
        for number in range(8):
            notes = [(PHRASE * n, PHRASE * (n + 1), pitch + number + n) for n in range(4 - number % 4)]
            write_midi_file(tmp_path / "midi" / genre / f"{number}.mid", notes)
    return tmp_path / "midi"


def test_so_many_readers_of_songs_make_the_same_records(midi_dir, tmp_path, monkeypatch):
    def records(count: int) -> dict[str, str]:
        monkeypatch.setattr(local_build, "Workers", partial(Workers, count=count))
        folder = prepare("midi", tmp_path / str(count), midi_dir).folder
        files = [path for path in folder.iterdir() if "array_record" in path.name]
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    one = records(1)
    assert len(one) == 3 and records(5) == one
