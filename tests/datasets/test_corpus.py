"""Real music, where GENRE_CORPUS names a folder of it: what is kept, and that nothing is lost on the way."""

from collections import Counter
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import pretty_midi
import pytest
import symusic

from cyclegan_jax.datasets.genre_rolls.building.table import refused_lines, table
from cyclegan_jax.datasets.genre_rolls.prepare import prepare
from cyclegan_jax.datasets.genre_rolls.reading.midi_folder import find_song_files
from cyclegan_jax.datasets.genre_rolls.records.build_report import read_refused
from cyclegan_jax.midi.io import write_midi
from cyclegan_jax.midi.refusals import Refusal
from cyclegan_jax.midi.song import read_song


def shuffled(corpus: Path, genre: str) -> list[str]:
    files = [file.path for file in find_song_files(corpus) if file.genre == genre]
    return Random(genre).sample(files, len(files))


def paired_otherwise(path: str) -> set[int]:
    """The pitches that pretty_midi pairs in its own way: of notes that overlap or end at once."""
    pitches = set()
    for track in symusic.Score(path).tracks:
        notes = sorted((note.pitch, note.start, note.end) for note in track.notes if not track.is_drum)
        pitches |= {a[0] for a, b in pairwise(notes) if a[0] == b[0] and b[1] < a[2]}
        pitches |= {pitch for pitch, onset, end in notes if onset == end}
    return pitches


@pytest.fixture(scope="module")
def folder(corpus, tmp_path_factory) -> Path:
    return prepare("midi", tmp_path_factory.mktemp("corpus"), corpus).folder


@pytest.mark.slow
def test_kept_songs_and_phrases_are_as_counted(folder):
    head, *rows = table(folder)
    counts = {name: dict(zip(head[1:], map(int, numbers), strict=True)) for name, *numbers in rows}
    expected = {"jazz": (390, 390, 6794), "classic": (447, 303, 6409), "pop": (800, 800, 16_312)}
    for genre, (files, songs, phrases) in expected.items():
        row = counts[genre]
        assert (row["files"], row["kept"]) == (files, songs)
        for what, total in (("songs", songs), ("phrases", phrases)):
            by_split = [row[f"{split} {what}"] for split in ("train", "validation", "test")]
            assert sum(by_split) == total
            assert min(by_split[1:]) > total / 20


@pytest.mark.slow
def test_every_refused_file_has_a_reason(folder, corpus):
    refused = read_refused(folder)
    names = {file.name for file in find_song_files(corpus)}
    assert {name for name, _, _ in refused} <= names and len(refused) == len(refused_lines(folder))
    assert Counter(reason for _, reason, _ in refused) == {Refusal.OTHER_METRE: 143, Refusal.DUPLICATE: 1}
    assert all(detail for _, _, detail in refused)
    (twin,) = [row for row in refused if row[1] == Refusal.DUPLICATE]
    assert twin[2] == "classic/asap_chopin_sonata_2_4th_midi_score.mid"
    assert np.array_equal(*(read_song(corpus / name).roll for name in (twin[0], twin[2])))


@pytest.mark.parametrize("genre", ["jazz", "classic", "pop"])
def test_file_to_roll_to_file_to_roll_is_the_identity(corpus, tmp_path, genre):
    for path in shuffled(corpus, genre)[:20]:
        song = read_song(path)
        write_midi(tmp_path / "again.mid", song.roll, song.tempos)
        again = read_song(tmp_path / "again.mid")
        np.testing.assert_array_equal(again.roll, song.roll, err_msg=str(path))
        np.testing.assert_allclose(again.tempos, song.tempos, atol=0.01, err_msg=str(path))


def notes_by_both(path: str) -> list[np.ndarray]:
    """The roll by the path and the roll by pretty_midi, made equally long."""
    rolls = [read_song(source).roll for source in (path, pretty_midi.PrettyMIDI(path))]
    steps = max(map(len, rolls))
    return [np.pad(roll, ((0, steps - len(roll)), (0, 0))) for roll in rolls]


@pytest.mark.parametrize("genre, wanted", [("jazz", 1), ("classic", 10), ("pop", 10)])
def test_a_path_and_its_pretty_midi_give_the_same_roll_where_notes_are_paired_alike(corpus, genre, wanted):
    plain = [path for path in shuffled(corpus, genre) if not paired_otherwise(path)][:wanted]
    for path in plain:
        np.testing.assert_array_equal(*notes_by_both(path), err_msg=path)
    assert len(plain) == wanted


@pytest.mark.slow
@pytest.mark.parametrize(
    "genre, files, doubtful, different",
    [("jazz", 390, 389, 389), ("classic", 447, 90, 25), ("pop", 800, 502, 30)],
)
def test_a_path_and_its_pretty_midi_differ_only_at_pitches_that_are_paired_otherwise(
    corpus, genre, files, doubtful, different
):
    """Reads every file by both; names those that differ."""
    paths = shuffled(corpus, genre)
    allowed = {path: pitches for path in paths if (pitches := paired_otherwise(path))}
    differing = []
    for path in paths:
        ours, theirs = notes_by_both(path)
        rows = np.flatnonzero((ours != theirs).any(axis=0)) + 24
        assert set(rows.tolist()) <= allowed.get(path, set()), path
        if len(rows):
            differing.append(path)
    names = "\n".join(sorted(path.removeprefix(f"{corpus}/") for path in differing))
    print(f"{len(differing)} of the {len(paths)} {genre} files differ:\n{names}")
    assert (len(paths), len(allowed), len(differing)) == (files, doubtful, different)
