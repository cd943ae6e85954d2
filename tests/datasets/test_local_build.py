"""Building on all cores: a file that crashes or hangs its reader is refused like any other."""

from functools import partial

import pytest
from support.failing_tasks import convert_or_fail
from support.midi_files import write_midi_file

from cyclegan_jax.datasets.genre_rolls.building import local as local_build
from cyclegan_jax.datasets.genre_rolls.prepare import prepare
from cyclegan_jax.datasets.genre_rolls.reading.process_pool import Workers
from cyclegan_jax.datasets.genre_rolls.records.build_report import read_metadata, read_refused
from cyclegan_jax.datasets.pipeline.phrases import load_phrases

PHRASE = 64 * 120
NAMES = {"jazz": ["0", "1", "abort", "2", "3"], "pop": ["hang", "4", "segfault", "5", "6"]}


@pytest.fixture
def midi_dir(tmp_path):
    """Songs of a note each, all at pitches of their own."""
    for genre, pitch in (("jazz", 40), ("pop", 70)):
        for number, name in enumerate(NAMES[genre]):
            write_midi_file(tmp_path / f"midi/{genre}/{name}.mid", [(0, PHRASE, pitch + number)])
    return tmp_path / "midi"


def test_files_that_crash_or_hang_their_reader_are_refused_and_the_others_kept(
    midi_dir, tmp_path, monkeypatch, capfd
):
    monkeypatch.setattr(local_build, "convert", convert_or_fail)
    monkeypatch.setattr(local_build, "Workers", partial(Workers, hang_seconds=1))
    built = prepare("midi", tmp_path / "data", midi_dir)
    assert read_refused(built.folder) == [
        ("jazz/abort.mid", "reader crashed or hung", "killed by SIGABRT"),
        ("pop/hang.mid", "reader crashed or hung", "took over 1 s"),
        ("pop/segfault.mid", "reader crashed or hung", "killed by SIGSEGV"),
    ]
    assert read_metadata(built.folder)["files"] == {"jazz": 5, "pop": 5}
    pitches = {}
    for split in ("train", "validation", "test"):
        for genre, phrases in load_phrases(built.folder, split, ("jazz", "pop")).items():
            pitches.setdefault(genre, set()).update((phrases.rolls.nonzero()[2] + 24).tolist())
    assert pitches == {"jazz": {40, 41, 43, 44}, "pop": {71, 73, 74}}
    assert capfd.readouterr().err == ""

    found = prepare("midi", tmp_path / "data", midi_dir)
    assert (found.built, found.fingerprint) == (False, built.fingerprint)
    monkeypatch.undo()
    assert not prepare("midi", tmp_path / "data", midi_dir).built


def test_a_reader_that_cannot_start_ends_the_build_and_leaves_nothing(midi_dir, tmp_path, monkeypatch):
    monkeypatch.setattr(local_build, "convert", convert_or_fail)
    monkeypatch.setattr(local_build, "Workers", partial(Workers, count=1))
    monkeypatch.setattr("sys.path", [])
    monkeypatch.delenv("PYTHONPATH")
    with pytest.raises(RuntimeError, match="a worker could not start"):
        prepare("midi", tmp_path / "data", midi_dir)
    assert [path.name for path in (tmp_path / "data").iterdir()] == [".lock"]
