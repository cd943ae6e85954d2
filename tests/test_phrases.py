"""Reading a prepared dataset: a genre's phrases, in order, as arrays."""

import numpy as np
import pytest
from midi_files import write_midi_file

from cyclegan_jax.datasets.genre_rolls import composer
from cyclegan_jax.datasets.genre_rolls.prepare import prepare
from cyclegan_jax.datasets.genre_rolls.splits import split_songs
from cyclegan_jax.datasets.pipeline import phrases as pipeline
from cyclegan_jax.datasets.pipeline.phrases import genres_of, load_phrases
from cyclegan_jax.errors import UserError
from cyclegan_jax.rolls import cut
from cyclegan_jax.songs import read_dataset_song

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


def test_only_the_genres_asked_for_are_loaded(folder):
    assert genres_of(folder) == ("a", "b")
    assert list(load_phrases(folder, "test", ("a",))) == ["a"]


def test_a_genre_without_phrases_is_named_with_split_and_folder(folder):
    with pytest.raises(UserError, match=rf"'polka' has no phrase in the split 'test' of {folder}; add songs"):
        load_phrases(folder, "test", ("a", "polka"))


def test_the_demo_loads_as_its_songs_converted(demo_folder):
    names = [f"demo_{number:03d}.mid" for number in range(composer.SONGS)]
    split_of = split_songs("jazz", names)
    numbers = [number for number, name in enumerate(names) if split_of[name] == "test"]
    songs = [read_dataset_song(composer.compose("jazz", number)) for number in numbers]
    jazz = load_phrases(demo_folder, "test", ("jazz",))["jazz"]
    cuts = [cut(song.roll)[0] for song in songs]
    np.testing.assert_array_equal(jazz.rolls, np.concatenate(cuts))
    tempos = [song.tempo for song, phrases in zip(songs, cuts, strict=True) for _ in phrases]
    assert jazz.tempos == pytest.approx(tempos, rel=1e-5)
    assert jazz.songs == len(numbers) > 3
