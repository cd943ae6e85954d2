"""Whether transfers are told from real music, on features and rolls whose answer is known."""

import numpy as np
import pytest
from support.rolls_by_hand import rolls

from cyclegan_jax.evaluation.feature_classifier import features
from cyclegan_jax.evaluation.feature_names import feature_names
from cyclegan_jax.evaluation.realism import (
    FOLDS,
    Sample,
    folds,
    frechet_distance,
    giveaways,
    realism,
    share_of_the_way,
    told_apart,
)

SONGS = np.repeat(np.arange(20), 10)


def sample(seed: int, shift: float = 0.0, songs: np.ndarray = SONGS) -> Sample:
    """Standard normal features of so many phrases, the first one shifted."""
    values = np.random.default_rng(seed).normal(size=(len(songs), 6))
    values[:, 0] += shift
    return Sample(values, songs)


def test_what_is_drawn_alike_is_not_told_and_what_is_shifted_far_is():
    alike, shifted = realism(sample(0), sample(1)), realism(sample(0, 8), sample(1))
    assert 0.8 < alike < 1.2
    assert shifted < 0.05


def test_a_song_is_on_one_side_of_each_fold():
    """Features that only name the song tell nothing of other songs."""
    of_songs = (sample(seed, songs=np.arange(20)).features for seed in (0, 1))
    made, real = (Sample(np.repeat(features, 10, axis=0), SONGS) for features in of_songs)
    assert realism(made, real) > 0.6
    scattered = realism(*(Sample(side.features, np.arange(200)) for side in (made, real)))
    assert scattered < 0.1, "phrases of one song on both sides give it away"


def test_folds_are_of_songs_or_of_stretches_where_songs_are_few():
    assert folds(np.array([7, 7, 9, 9, 4]), 2).tolist() == [1, 1, 0, 0, 0]
    assert folds(np.array([3, 3, 3, 3]), 2).tolist() == [0, 0, 1, 1]


def test_a_few_phrases_have_no_realism():
    few = sample(0, songs=np.arange(FOLDS - 1))
    assert realism(few, sample(1)) is None is realism(sample(1), few)


def test_frechet_distance_of_known_gaussians():
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(200_000, 2)), rng.normal(size=(200_000, 2)) * [3, 1] + [0, 2]
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-9)
    # |μ − ν|² = 4, and (3 − 1)² along the first axis
    assert frechet_distance(one, other) == pytest.approx(4 + 4, rel=0.02)


def test_the_way_is_0_for_the_origin_1_for_the_target_and_negative_behind_the_origin():
    origin, target = sample(0, 4), sample(1, 0)
    assert share_of_the_way(origin, origin, target) == pytest.approx(0, abs=1e-9)
    assert share_of_the_way(origin, sample(2), target) == pytest.approx(1, abs=0.05)
    half = share_of_the_way(origin, sample(2, 2), target)
    assert half == pytest.approx(0.75, abs=0.1), "squared, half of the distance is a quarter"
    assert share_of_the_way(origin, sample(2, 8), target) < -1
    assert share_of_the_way(target, origin, target) is None, "genres that are one"


@pytest.mark.parametrize("songs", [[0, 0, 0, 0, 0, 1], [0, 0, 1, 2, 2, 2], [0, 0, 0, 0]])
def test_halves_have_two_phrases_each_however_few_songs_there_are(songs):
    few = sample(0, songs=np.array(songs))
    assert min(len(half.songs) for half in few.halves()) >= 2
    assert np.isfinite(share_of_the_way(sample(1, 9), sample(2, 3), few))


def test_giveaways_are_in_words_and_the_most_telling_first():
    beat, late = ((n, 0, 4, 20) for n in range(3)), ((n, 1, 4, 20) for n in range(3))
    target, transfer = (Sample(features(rolls(*notes, phrases=3)), np.arange(3)) for notes in (beat, late))
    rows = giveaways(target, transfer, target)
    told = {row["feature"]: (row["transfer"], row["target"], row["origin"]) for row in rows}
    assert told["onsets a sixteenth after beat 1"] == (1, 0, 0)
    assert told["onsets on beat 1"] == (0, 1, 1)
    assert "notes of 4 sixteenths" in told and "notes of 3 sixteenths" in told
    assert len(rows) <= 10 and all(row["transfer"] != row["target"] for row in rows)
    assert giveaways(target, target, target) == []


def test_each_feature_has_a_name_of_its_own():
    names = feature_names()
    assert len(names) == len(set(names)) == features(rolls()).shape[1]
    assert names[99:104] == [
        "onsets on beat 1",
        "onsets a sixteenth after beat 1",
        "onsets half a beat after beat 1",
        "onsets a sixteenth before beat 2",
        "onsets on beat 2",
    ]
    assert names[114] == "onsets a sixteenth before beat 1"
    assert (names[37], names[61], names[85]) == (
        "top voice down by 24 semitones or more",
        "top voice repeats its note",
        "top voice up by 24 semitones or more",
    )
    assert names[115:118] == ["notes of a sixteenth", "notes of 2 sixteenths", "notes of 3 sixteenths"]


def test_baselines_are_of_the_untouched_origin_and_of_real_music():
    drawn, unnamed = (sample(0, 8), sample(1, 1), sample(2)), ((0, 0), (0, len(feature_names()) - 6))
    origin, transfer, target = (Sample(np.pad(one.features, unnamed), one.songs) for one in drawn)
    found = told_apart(origin, transfer, target, baselines=True)
    assert set(found["realism"]) == {"transfer", "origin", "target"}
    assert found["realism"]["origin"] < 0.05 < found["realism"]["transfer"] < found["realism"]["target"]
    assert set(told_apart(origin, transfer, target)["realism"]) == {"transfer"}
