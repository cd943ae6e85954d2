"""Real music, where GENRE_CORPUS names a folder of it: what is kept, and that nothing is lost on the way."""

from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pretty_midi
import pytest
import symusic
from support.sizes import slow_or_nightly

from cyclegan_jax.datasets.genre_rolls.building.table import refused_lines, table
from cyclegan_jax.datasets.genre_rolls.prepare import prepare
from cyclegan_jax.datasets.genre_rolls.reading.midi_folder import find_song_files
from cyclegan_jax.datasets.genre_rolls.records.build_report import read_refused
from cyclegan_jax.midi.io import write_midi
from cyclegan_jax.midi.midi_file import read_file
from cyclegan_jax.midi.played_notes import pair_notes
from cyclegan_jax.midi.reader import read_midi_bytes
from cyclegan_jax.midi.refusals import Refusal
from cyclegan_jax.midi.song import read_song
from cyclegan_jax.pianoroll.roll import rasterise, to_steps


def shuffled(corpus: Path, genre: str) -> list[str]:
    files = [file.path for file in find_song_files(corpus) if file.genre == genre]
    return Random(genre).sample(files, len(files))


@pytest.fixture(scope="module")
def folder(corpus, tmp_path_factory) -> Path:
    return prepare("midi", tmp_path_factory.mktemp("corpus"), corpus).folder


@pytest.mark.slow
def test_kept_songs_and_phrases_are_as_counted(folder):
    head, *rows = table(folder)
    counts = {name: dict(zip(head[1:], map(int, numbers), strict=True)) for name, *numbers in rows}
    expected = {"jazz": (390, 390, 6793), "classic": (447, 329, 7304), "pop": (800, 800, 16_312)}
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
    assert Counter(reason for _, reason, _ in refused) == {
        Refusal.OTHER_METRE: 109,
        Refusal.NO_BEAT: 8,
        Refusal.DUPLICATE: 1,
    }
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


def written_and_read_by_symusic(path: str) -> np.ndarray:
    """[steps, 84] the roll of our notes, written with a note-off each and read by symusic."""
    file = read_file(read_midi_bytes(path))
    notes = pair_notes(file)
    score: Any = symusic.Score(file.ticks_per_quarter)
    for track in np.unique(notes.tracks):
        part: Any = symusic.Track("part", program=0, is_drum=False)
        for note in np.flatnonzero(notes.sound & (notes.tracks == track)):
            length = int(notes.ends[note] - notes.onsets[note])
            part.notes.append(symusic.Note(int(notes.onsets[note]), length, int(notes.pitches[note]), 80))
        score.tracks.append(part)
    found = [part.notes.numpy() for part in symusic.Score.from_midi(score.dumps_midi()).tracks]
    onsets, lengths, pitches = (
        np.concatenate([np.zeros(0, np.int64), *(columns[name] for columns in found)])
        for name in ("time", "duration", "pitch")
    )
    ends = to_steps(onsets + lengths, file.ticks_per_quarter)
    onsets = to_steps(onsets, file.ticks_per_quarter)
    return rasterise(onsets, np.maximum(ends, onsets + 1), pitches)[0]


def equal(ours: np.ndarray, theirs: np.ndarray) -> bool:
    """Whether two rolls have the same cells; a song may end with notes that are not on the roll."""
    steps = max(len(ours), len(theirs))
    one, other = (np.pad(roll, ((0, steps - len(roll)), (0, 0))) for roll in (ours, theirs))
    return bool((one == other).all())


@pytest.mark.parametrize("genre, files", [("jazz", 390), ("classic", 447), ("pop", 800)])
@pytest.mark.parametrize("every", slow_or_nightly(8, 1))
def test_our_cells_are_pretty_midis_and_symusics(corpus, genre, files, every):
    paths = shuffled(corpus, genre)
    assert len(paths) == files
    for path in paths[::every]:
        ours = read_song(path).roll
        assert equal(ours, read_song(pretty_midi.PrettyMIDI(path)).roll), path
        assert equal(ours, written_and_read_by_symusic(path)), path
