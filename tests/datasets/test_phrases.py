"""Reading a prepared dataset: a genre's phrases, in order, as arrays."""

from types import SimpleNamespace

import numpy as np
import psutil
import pytest
from support.midi_files import write_midi_file

from cyclegan_jax.datasets.genre_rolls import composer
from cyclegan_jax.datasets.genre_rolls.prepare import prepare
from cyclegan_jax.datasets.genre_rolls.reading.splits import split_songs
from cyclegan_jax.datasets.pipeline import phrases as pipeline
from cyclegan_jax.datasets.pipeline.batches import PairBatches
from cyclegan_jax.datasets.pipeline.phrases import Column, columns, genres_of, load_phrases, read_columns
from cyclegan_jax.errors import UserError
from cyclegan_jax.midi.dataset_song import read_dataset_song

GENRES = {"b": 0, "a": 12}
COUNT = 16


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Song n of a genre has n + 1 phrases, the p-th with one note of a step at its step n, pitch 40 + p."""
    place = tmp_path_factory.mktemp("phrases")
    for genre, shift in GENRES.items():
        for n in range(COUNT):
            notes = [(7680 * p + 120 * n, 7680 * p + 120 * n + 120, 40 + shift + p) for p in range(n + 1)]
            notes.append((0, 7680 * (n + 1), 20))
            write_midi_file(place / "midi" / genre / f"{n:02d}.mid", notes, tempos=((0, 60.0 + n),))
    return prepare("midi", place / "data", place / "midi").folder


def songs_of(genre: str, split: str) -> list[int]:
    split_of = split_songs(genre, [f"{n:02d}.mid" for n in range(COUNT)])
    return [n for n in range(COUNT) if split_of[f"{n:02d}.mid"] == split]


@pytest.mark.parametrize("split", ["train", "validation", "test"])
@pytest.mark.parametrize("read_at_once", [7, 4096])
def test_a_genres_phrases_come_in_the_order_of_songs_and_bars(folder, split, read_at_once, monkeypatch):
    monkeypatch.setattr(pipeline, "READ_AT_ONCE", read_at_once)
    loaded = load_phrases(folder, split, ("b", "a"))
    assert list(loaded) == ["b", "a"]
    for genre, shift in GENRES.items():
        places = [(n, p) for n in songs_of(genre, split) for p in range(n + 1)]
        expected = np.zeros((len(places), 64, 84, 1), bool)
        for row, (n, p) in enumerate(places):
            expected[row, n, 16 + shift + p, 0] = True
        phrases = loaded[genre]
        np.testing.assert_array_equal(phrases.rolls, expected)
        assert phrases.rolls.dtype == np.bool_
        assert phrases.tempos == pytest.approx([60.0 + n for n, _ in places], rel=1e-5)
        assert (len(phrases), phrases.songs) == (len(places), len(songs_of(genre, split)))
        if split == "train":
            assert phrases.song_numbers is None is phrases.melody
        else:
            numbers = np.unique([n for n, _ in places], return_inverse=True)[1]
            np.testing.assert_array_equal(phrases.song_numbers, numbers)
            np.testing.assert_array_equal(phrases.melody, expected)


@pytest.fixture
def column(folder) -> Column:
    """The rolls of genre `b` in train, on disk."""
    return columns(folder, "train", "b")[0]


@pytest.mark.parametrize(
    "rows",
    [
        0,
        5,
        -1,
        np.int64(7),
        slice(2, 9),
        slice(None, None, 3),
        slice(90, 5, -20),
        [5, 1, 5],
        np.array([-1, 0]),
    ],
    ids=str,
)
def test_a_column_is_indexed_as_the_array_that_it_holds(folder, column, rows):
    held = load_phrases(folder, "train", ("b",))["b"].rolls
    assert len(column) == len(held) > 90
    np.testing.assert_array_equal(column[rows], held[rows])
    assert (column[rows].shape, column[rows].dtype) == (held[rows].shape, np.bool_)


@pytest.mark.parametrize("split", ["train", "validation"])
def test_onsets_are_a_second_channel_in_memory_and_on_disk(folder, split):
    rolls, onsets = (column.held() for column in read_columns(folder, split, "b", ("roll", "onsets")))
    both = np.concatenate([rolls, onsets], axis=-1)
    np.testing.assert_array_equal(load_phrases(folder, split, ("b",), 2)["b"].rolls, both)
    on_disk, _ = columns(folder, split, "b", 2)
    assert on_disk.shape == both.shape
    np.testing.assert_array_equal(on_disk[[3, 1]], both[[3, 1]])
    np.testing.assert_array_equal(on_disk[2], both[2])


def test_a_column_ends_where_its_rows_end(column):
    assert len(column[len(column) - 2 : len(column) + 5]) == 2
    with pytest.raises(IndexError):
        column[len(column)]


@pytest.mark.parametrize("read_at_once", [1, 40, 4096])
def test_a_column_held_is_all_of_its_rows(column, read_at_once, monkeypatch):
    monkeypatch.setattr(pipeline, "READ_AT_ONCE", read_at_once)
    held = column.held()
    assert isinstance(held, np.ndarray) and len(held) == len(column)
    for row in (0, 39, 40, 41, -1):
        np.testing.assert_array_equal(held[row], column[row])


def with_memory(monkeypatch, available: int) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=available))


def test_rolls_of_train_stay_on_disk_where_they_would_take_over_half_of_the_memory(folder, monkeypatch):
    held = load_phrases(folder, "train", ("a", "b"))
    size = 64 * 84 * sum(len(phrases) for phrases in held.values())
    with_memory(monkeypatch, 2 * size)
    assert isinstance(load_phrases(folder, "train", ("a", "b"))["a"].rolls, np.ndarray)
    with_memory(monkeypatch, 2 * size - 1)
    assert isinstance(load_phrases(folder, "train", ("a",))["a"].rolls, np.ndarray)
    on_disk = load_phrases(folder, "train", ("a", "b"))
    for genre, phrases in on_disk.items():
        assert isinstance(phrases.rolls, Column) and isinstance(phrases.tempos, Column)
        np.testing.assert_array_equal(phrases.rolls[:], held[genre].rolls)
        np.testing.assert_array_equal(phrases.tempos[3:9], held[genre].tempos[3:9])
        assert (len(phrases), phrases.songs) == (len(held[genre]), held[genre].songs)


@pytest.mark.parametrize("split", ["validation", "test"])
def test_what_is_held_out_is_held_in_memory_in_any_case(folder, monkeypatch, split):
    with_memory(monkeypatch, 0)
    assert isinstance(load_phrases(folder, split, ("a",))["a"].rolls, np.ndarray)


def test_batches_from_disk_are_those_from_memory_to_the_bit(folder, monkeypatch):
    held = load_phrases(folder, "train", ("a", "b"))
    with_memory(monkeypatch, 0)
    on_disk = load_phrases(folder, "train", ("a", "b"))
    both = [
        PairBatches(p["a"].rolls, p["b"].rolls, [p["a"].rolls, p["b"].rolls], batch_size=5, seed=3)
        for p in (held, on_disk)
    ]
    steps = range(17, 47)
    streams = zip(*(batches.stream(steps.start, steps.stop) for batches in both), steps, strict=True)
    for from_memory, from_disk, step in streams:
        expected = both[0].batch(step)
        assert set(from_memory) == set(from_disk) == set(expected) == {"a", "b", "m"}
        for name, rolls in expected.items():
            np.testing.assert_array_equal(from_disk[name], rolls)
            np.testing.assert_array_equal(from_memory[name], rolls)
            assert from_disk[name].dtype == rolls.dtype


def test_only_the_genres_asked_for_are_loaded(folder):
    assert genres_of(folder) == ("a", "b")
    assert list(load_phrases(folder, "test", ("a",))) == ["a"]


def test_a_genre_without_phrases_is_named_with_split_and_folder(folder):
    with pytest.raises(UserError, match=rf"'polka' has no phrase in the split 'test' of {folder}; add songs"):
        load_phrases(folder, "test", ("a", "polka"))


def test_the_demo_loads_as_its_songs_converted(whole_demo_folder):
    names = [f"demo_{number:03d}.mid" for number in range(composer.SONGS)]
    split_of = split_songs("jazz", names)
    numbers = [number for number, name in enumerate(names) if split_of[name] == "test"]
    songs = [read_dataset_song(composer.compose("jazz", number)) for number in numbers]
    jazz = load_phrases(whole_demo_folder, "test", ("jazz",))["jazz"]
    np.testing.assert_array_equal(jazz.rolls, np.concatenate([song.phrases for song in songs]))
    tempos = [song.song.tempo for song in songs for _ in song.phrases]
    assert jazz.tempos == pytest.approx(tempos, rel=1e-5)
    assert jazz.songs == len(numbers) > 3
