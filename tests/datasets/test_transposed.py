"""A transposed dataset, in several shards: every phrase of train in all keys, those held out as they are."""

import json

import numpy as np
import pytest
import tensorflow_datasets as tfds
from support.midi_files import write_midi_file
from tensorflow_datasets.core.utils import shard_utils

from cyclegan_jax.datasets.genre_rolls import composer
from cyclegan_jax.datasets.genre_rolls.prepare import Prepared, prepare
from cyclegan_jax.datasets.genre_rolls.reading.midi_file import Rules
from cyclegan_jax.datasets.genre_rolls.reading.splits import SPLITS, split_songs
from cyclegan_jax.datasets.pipeline.phrases import load_phrases

GENRES = {"b": 0, "a": 12}
NAMES = [f"{n:02d}.mid" for n in range(8)]
SHIFTS = range(-3, 4)
STEP, PHRASE = 120, 64 * 120


def pitches(genre: str, n: int, p: int) -> list[int]:
    """Of the p-th phrase of song n; every song's second phrase is at the top of the range."""
    return [106] if p == 1 else [40 + GENRES[genre] + p, 25 + n]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Prepared:
    """Song n has n + 1 phrases, with notes of a step at its step n."""
    place = tmp_path_factory.mktemp("transposed")
    for genre in GENRES:
        for n, name in enumerate(NAMES):
            notes = [
                (PHRASE * p + STEP * n, PHRASE * p + STEP * (n + 1), pitch)
                for p in range(n + 1)
                for pitch in pitches(genre, n, p)
            ]
            notes.append((0, PHRASE * (n + 1), 20))
            write_midi_file(place / "midi" / genre / name, notes, tempos=((0, 60.0 + n),))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shard_utils.ShardConfig, "min_shard_size", 4000)
        plain = prepare("midi", place / "data", place / "midi")
        prepared = prepare("midi", place / "data", place / "midi", rules=Rules(key_shifts=tuple(SHIFTS)))
    assert plain.folder == place / "data/genre_rolls/midi/2.1.0"
    assert not prepare("midi", place / "data", place / "midi").built
    assert plain.fingerprint != prepared.fingerprint
    return prepared


def songs_in(genre: str, split: str) -> list[int]:
    split_of = split_songs(genre, NAMES)
    return [n for n, name in enumerate(NAMES) if split_of[name] == split]


def expected(genre: str, split: str) -> dict[tuple[str, int, int], np.ndarray]:
    """Song, phrase, key shift -> the roll, in the order of these, as far as any note is left."""
    rolls = {}
    for n in songs_in(genre, split):
        for p in range(n + 1):
            for shift in SHIFTS if split == "train" else [0]:
                roll = np.zeros((64, 84, 1), bool)
                for pitch in pitches(genre, n, p):
                    if 24 <= pitch + shift <= 107:
                        roll[n, pitch + shift - 24] = True
                if roll.any():
                    rolls[NAMES[n], p, shift] = roll
    return rolls


def test_it_has_a_folder_of_its_own_in_several_shards(prepared):
    assert prepared.folder.parts[-3:] == ("genre_rolls", "midi_transposed_-3_3", "2.1.0")
    assert prepared.built and "'midi_transposed_-3_3' built" in prepared.notice
    splits = tfds.builder_from_directory(prepared.folder).info.splits
    assert splits["train"].num_shards >= 4
    assert len(list(prepared.folder.glob("genre_rolls-train*"))) == splits["train"].num_shards


@pytest.mark.parametrize("split", SPLITS)
def test_train_has_every_phrase_in_all_keys_and_what_is_held_out_in_its_own(prepared, split):
    builder = tfds.builder_from_directory(prepared.folder)
    names = builder.info.features["genre"].names
    found = {genre: {} for genre in GENRES}
    for record in builder.as_data_source(split):
        key = record["song"].decode(), int(record["phrase"]), int(record["key_shift"])
        found[names[record["genre"]]][key] = record["roll"]
    for genre, rolls in found.items():
        right = expected(genre, split)
        assert set(rolls) == set(right)
        for key, roll in rolls.items():
            np.testing.assert_array_equal(roll, right[key], err_msg=str((genre, key)))


@pytest.mark.parametrize("split", SPLITS)
def test_phrases_are_loaded_in_the_order_of_songs_phrases_and_keys(prepared, split):
    for genre, phrases in load_phrases(prepared.folder, split, tuple(GENRES)).items():
        right = expected(genre, split)
        assert list(right) == sorted(right)
        np.testing.assert_array_equal(phrases.rolls, np.stack(list(right.values())))
        tempos = [60.0 + NAMES.index(song) for song, _, _ in right]
        np.testing.assert_allclose(phrases.tempos, tempos, rtol=1e-5)
        assert phrases.songs == len(songs_in(genre, split))


def test_the_counts_are_those_of_the_records(prepared):
    metadata = json.loads((prepared.folder / "metadata.json").read_text())
    for split in SPLITS:
        assert metadata["phrases"][split] == {genre: len(expected(genre, split)) for genre in GENRES}
        assert metadata["songs"][split] == {genre: len(songs_in(genre, split)) for genre in GENRES}
    assert metadata["files"] == {"a": 8, "b": 8}
    assert metadata["dropped_notes"] == {"a": 8, "b": 8}


def test_the_demo_can_be_transposed_as_well(tmp_path, monkeypatch):
    monkeypatch.setattr(composer, "SONGS", 12)
    folder = prepare("demo", tmp_path, rules=Rules(key_shifts=(0, 1))).folder
    assert folder == tmp_path / "genre_rolls/demo_transposed_0_1/2.1.0"
    sizes = tfds.builder_from_directory(folder).info.splits
    songs = json.loads((folder / "metadata.json").read_text())["songs"]
    assert sum(songs["train"].values()) > sum(songs["test"].values())
    jazz = load_phrases(folder, "train", ("jazz",))["jazz"].rolls
    np.testing.assert_array_equal(jazz[0::2, :, :-1], jazz[1::2, :, 1:])
    assert not jazz[1::2, :, 0].any() and len(jazz) < sizes["train"].num_examples
