"""Real music, where GENRE_CORPUS names a folder of it: what is kept, and that nothing is lost on the way."""

import re
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import pretty_midi
import pytest
import symusic

from cyclegan_jax.datasets.genre_rolls.prepare import prepare, read_metadata
from cyclegan_jax.datasets.genre_rolls.sources import find_song_files
from cyclegan_jax.datasets.genre_rolls.summary import refused_lines, table
from cyclegan_jax.midi import write_midi
from cyclegan_jax.songs import Refusal, read_song


def shuffled(corpus: Path, genre: str) -> list[Path]:
    files = [file.path for file in find_song_files(corpus) if file.genre == genre]
    return Random(genre).sample(files, len(files))


def has_overlaps(path: Path) -> bool:
    """Whether notes of one pitch overlap in a track, where pretty_midi pairs note-offs otherwise."""
    for track in symusic.Score(path).tracks:
        notes = sorted((note.pitch, note.start, note.end) for note in track.notes)
        if any(a[0] == b[0] and b[1] < a[2] for a, b in pairwise(notes)):
            return True
    return False


@pytest.fixture(scope="module")
def folder(corpus, tmp_path_factory) -> Path:
    return prepare("midi", tmp_path_factory.mktemp("corpus"), corpus).folder


@pytest.mark.slow
def test_kept_songs_and_phrases_are_as_counted(folder):
    head, *rows = [re.split(r"\s{2,}", line.strip()) for line in table(folder).splitlines()]
    counts = {name: dict(zip(head[1:], map(int, numbers), strict=True)) for name, *numbers in rows}
    expected = {"jazz": (390, 390, 6800), "classic": (447, 304, 6400), "pop": (800, 800, 16_300)}
    for genre, (files, songs, phrases) in expected.items():
        row = counts[genre]
        assert row["files"] == files
        assert row["kept"] == pytest.approx(songs, rel=0.01)
        for what, total in (("songs", songs), ("phrases", phrases)):
            by_split = [row[f"{split} {what}"] for split in ("train", "validation", "test")]
            assert sum(by_split) == pytest.approx(total, rel=0.01)
            assert min(by_split[1:]) > total / 20


@pytest.mark.slow
def test_every_refused_file_has_a_reason(folder, corpus):
    refused = read_metadata(folder)["refused"]
    names = {file.name for file in find_song_files(corpus)}
    assert {name for name, _, _ in refused} <= names and len(refused) == len(refused_lines(folder))
    assert {reason for _, reason, _ in refused} <= set(Refusal)
    assert all(detail for _, _, detail in refused)


@pytest.mark.parametrize("genre", ["jazz", "classic", "pop"])
def test_file_to_roll_to_file_to_roll_is_the_identity(corpus, tmp_path, genre):
    for path in shuffled(corpus, genre)[:20]:
        song = read_song(path)
        write_midi(tmp_path / "again.mid", song.roll, song.tempos)
        again = read_song(tmp_path / "again.mid")
        np.testing.assert_array_equal(again.roll, song.roll, err_msg=str(path))
        np.testing.assert_allclose(again.tempos, song.tempos, atol=0.01, err_msg=str(path))


@pytest.mark.parametrize("genre, wanted", [("jazz", 1), ("classic", 10), ("pop", 10)])
def test_a_path_and_its_pretty_midi_give_the_same_roll_where_no_notes_overlap(corpus, genre, wanted):
    compared = 0
    for path in shuffled(corpus, genre):
        if has_overlaps(path):
            continue
        parsed = read_song(pretty_midi.PrettyMIDI(str(path)))
        np.testing.assert_array_equal(parsed.roll, read_song(path).roll, err_msg=str(path))
        compared += 1
        if compared == wanted:
            break
    assert compared == wanted
