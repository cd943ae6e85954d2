"""The feature classifier: its features counted by hand, and what it learns of plain genres."""

import numpy as np
import pytest
from support.rolls_by_hand import rolls

from cyclegan_jax.evaluation import feature_classifier
from cyclegan_jax.evaluation.feature_classifier import features, train_feature_classifier

BASS, CHORD, MELODY = slice(0, 12), slice(12, 37), slice(37, 86)
SIZES, ONSETS, LENGTHS, OCTAVES, NOTES = slice(86, 99), slice(99, 115), slice(115, 125), slice(125, 132), 132


SONG = rolls((0, 0, 4, 12), (0, 0, 2, 16), (0, 2, 4, 43), (0, 20, 21, 12), (1, 0, 64, 80), phrases=3)


def shares(values: np.ndarray) -> dict[int, float]:
    return {int(at): pytest.approx(values[at], abs=1e-6) for at in np.flatnonzero(values)}


def test_features_by_hand():
    song, held, blank = features(SONG)
    assert len(song) == 133
    assert shares(song[BASS]) == {0: 5 / 9, 4: 2 / 9, 7: 2 / 9}
    assert shares(song[CHORD]) == {4: 0.5, 24: 0.5}
    assert shares(song[MELODY]) == {24 + 24: 0.5, 24 - 24: 0.5}
    assert shares(song[SIZES]) == {0: 59 / 64, 1: 1 / 64, 2: 4 / 64}
    assert shares(song[ONSETS]) == {0: 0.5, 2: 0.25, 4: 0.25}
    assert shares(song[LENGTHS]) == {0: 0.25, 1: 0.5, 3: 0.25}
    assert shares(song[OCTAVES]) == {1: 7 / 9, 3: 2 / 9}
    assert (song[NOTES], held[NOTES], blank[NOTES]) == (4, 1, 0)
    assert shares(held[LENGTHS]) == {9: 1} and shares(held[OCTAVES]) == {6: 1}
    assert shares(blank) == {86: 1}


def test_the_features_of_a_phrase_do_not_depend_on_the_others():
    np.testing.assert_array_equal(features(SONG)[1:2], features(SONG[1:2]))


def test_the_key_is_no_feature_but_the_octave_is():
    up = np.roll(SONG[:1], 1, axis=2)
    np.testing.assert_array_equal(features(up), features(SONG[:1]))
    assert (features(np.roll(SONG[:1], 12, axis=2)) != features(SONG[:1])).any()


def genre(seed: int, count: int, steps: int) -> np.ndarray:
    """Notes of so many steps at random places."""
    rng = np.random.default_rng(seed)
    notes = [
        (phrase, onset, onset + steps, row)
        for phrase in range(count)
        for onset, row in zip(rng.integers(0, 60, 12), rng.integers(0, 84, 12), strict=True)
    ]
    return rolls(*notes, phrases=count)


def test_it_learns_what_tells_two_genres_apart():
    train = {"a": genre(1, 60, 1), "b": genre(2, 90, 3)}
    validation = {"a": genre(3, 20, 1), "b": genre(4, 30, 3)}
    classifier = train_feature_classifier(train, validation, seed=0)
    assert classifier.accuracy > 0.9
    said = classifier.probabilities(np.concatenate([genre(5, 10, 1), genre(6, 10, 3)]))
    assert said.shape == (20, 2)
    np.testing.assert_allclose(said.sum(axis=1), 1)
    assert (said.argmax(axis=1) == np.repeat([0, 1], 10)).mean() > 0.9


def test_the_larger_genre_is_no_better_guess():
    low, high = (rolls(*((n, 0, 4, row) for n in range(400)), phrases=400) for row in (20, 50))
    sides = {
        "a": np.concatenate([low[:280], high[:120]]),
        "b": np.concatenate([low[:15], high[:35]]),
    }
    assert train_feature_classifier(sides, sides, seed=0).accuracy == pytest.approx(0.7)


def test_equal_seeds_give_equal_classifiers():
    sides = {"a": genre(1, 40, 1), "b": genre(2, 40, 3)}
    one, other = (train_feature_classifier(sides, sides, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one.probabilities(sides["a"]), other.probabilities(sides["a"]))


def test_features_are_the_same_in_parts_and_of_rows_asked_for(monkeypatch):
    whole = features(SONG)
    monkeypatch.setattr(feature_classifier, "AT_ONCE", 1)
    np.testing.assert_array_equal(features(SONG), whole)
    np.testing.assert_array_equal(features(SONG, np.array([1])), whole[1:2])


def test_of_many_phrases_some_are_trained_on(monkeypatch):
    monkeypatch.setattr(feature_classifier, "MOST_PHRASES", 50)
    asked = []

    class Watched:
        def __init__(self, rolls: np.ndarray) -> None:
            self.rolls = rolls

        def __len__(self) -> int:
            return len(self.rolls)

        def __getitem__(self, rows: np.ndarray) -> np.ndarray:
            asked.append(len(rows))
            return self.rolls[rows]

    train = {"a": Watched(genre(1, 60, 1)), "b": Watched(genre(2, 40, 3))}
    classifier = train_feature_classifier(train, {"a": genre(3, 20, 1), "b": genre(4, 20, 3)}, seed=0)
    assert asked == [50, 40] and classifier.accuracy > 0.9
