"""The feature classifier: gradient boosting on features that a musician would name.

What fools a convolutional network need not fool this one, and the other way round.

It is trained at each start, in seconds and always with the same result. Keeping it would mean a pickle beside
the dataset, which is code that somebody else may have written. Boosting with 8 leaves, learning rate 0.2 and
100 rounds was chosen on `validation` of a corpus of jazz, classical and pop music. Its accuracy there is
0.998 for jazz and classic, 0.995 for classic and pop, and 1.000 for jazz and pop.

It sees counts over a phrase: no progression of chords, no order of bars, no repetition.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from cyclegan_jax.evaluation.subsample import PhraseRows, some_rows
from cyclegan_jax.pianoroll.features import melodic_intervals, notes_by_phrase, onsets
from cyclegan_jax.pianoroll.roll import PITCH_CLASSES, STEPS_PER_BAR

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier

MOST_PHRASES = 10_000  # of a genre, that it is trained on
AT_ONCE = 1000  # phrases whose features are made together, which bounds the memory taken
MOST_NOTES = 12  # at once; more count as so many
LARGEST_INTERVAL = 24  # semitones; larger ones count as this
# Small trees and few bins: on `validation` as good as scikit-learn's own sizes, in a quarter of the time.
BOOSTING = {
    "max_iter": 100,
    "max_leaf_nodes": 8,
    "learning_rate": 0.2,
    "max_bins": 63,
    "early_stopping": False,
}
LENGTH_EDGES = (1, 2, 3, 4, 5, 7, 9, 13, 17, 33, 65)  # steps: 1, 2, 3, 4, 5-6, 7-8, 9-12, ...


@dataclass(frozen=True)
class FeatureClassifier:
    """A trained classifier of two genres; `accuracy` on `validation`, the mean of both genres'."""

    model: "HistGradientBoostingClassifier"
    accuracy: float

    def probabilities(self, phrases: PhraseRows) -> np.ndarray:
        """Genre probabilities of phrases: [N, 64, 84, C] bool -> [N, 2], A first, rows adding to 1."""
        counted = features(phrases)
        with threadpool_limits(limits=1):  # its threads wait in loops, which is slow beside other work
            return self.model.predict_proba(counted)


def train_feature_classifier(
    train: Mapping[str, PhraseRows], validation: Mapping[str, PhraseRows], seed: int
) -> FeatureClassifier:
    """Train on both genres, the larger one weighed down to the smaller.

    `train`, `validation`: phrases of genre A under `a` and of B under `b`, [N, 64, 84, C] bool; of more
    than `MOST_PHRASES` of a genre, so many drawn by chance.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier  # takes over a second

    drawn = {side: features(train[side], some_rows(len(train[side]), MOST_PHRASES, seed)) for side in "ab"}
    model = HistGradientBoostingClassifier(**BOOSTING, class_weight="balanced", random_state=seed)
    with threadpool_limits(limits=1):  # as in `probabilities`
        model.fit(np.concatenate([*drawn.values()]), np.repeat([0, 1], [len(x) for x in drawn.values()]))
    classifier = FeatureClassifier(model, math.nan)
    right = [
        (classifier.probabilities(validation[side]).argmax(1) == label).mean()
        for label, side in enumerate("ab")
    ]
    return replace(classifier, accuracy=float(np.mean(right)))


def features(phrases: PhraseRows, rows: np.ndarray | None = None) -> np.ndarray:
    """[N, 64, 84, C] bool, of which `rows` (default: all) are looked at -> [N, F] float32.

    Histograms as shares of what they count: pitch classes above the bass, intervals between neighbouring
    notes of a chord and between successive notes of the top voice, chord sizes, onset positions in the bar,
    note lengths, octaves; and the number of notes.
    """
    rows = np.arange(len(phrases)) if rows is None else rows
    parts = np.array_split(rows, -(-len(rows) // AT_ONCE))
    return np.concatenate([_features(phrases[part]) for part in parts])


def _features(phrases: np.ndarray) -> np.ndarray:
    rolls, begins = phrases[..., 0], onsets(phrases)
    parts = [
        _above_the_bass(rolls),
        _chord_intervals(rolls),
        _melodic_intervals(phrases),
        _shares(np.minimum(rolls.sum(axis=2), MOST_NOTES), MOST_NOTES + 1),
        begins[..., 0].sum(axis=2).reshape(len(rolls), -1, STEPS_PER_BAR).sum(axis=1),
        _lengths(phrases),
        rolls.sum(axis=1).reshape(len(rolls), -1, PITCH_CLASSES).sum(axis=2),
    ]
    notes = begins.sum(axis=(1, 2, 3))[:, None]
    return np.concatenate([*map(_normalised, parts), notes], axis=1).astype(np.float32)


def _normalised(counts: np.ndarray) -> np.ndarray:
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def _shares(values: np.ndarray, bins: int) -> np.ndarray:
    """Histograms by row: [N, K] whole numbers below `bins` -> [N, bins]."""
    return _counts(np.repeat(np.arange(len(values)), values.shape[1]), values.ravel(), len(values), bins)


def _counts(rows: np.ndarray, values: np.ndarray, count: int, bins: int) -> np.ndarray:
    """How often a value stands in a row: [count, bins]."""
    return np.bincount(rows * bins + values, minlength=count * bins).reshape(count, bins)


def _above_the_bass(rolls: np.ndarray) -> np.ndarray:
    phrases, steps, rows = np.nonzero(rolls)
    bass = rolls.argmax(axis=2)[phrases, steps]
    return _counts(phrases, (rows - bass) % PITCH_CLASSES, len(rolls), PITCH_CLASSES)


def _chord_intervals(rolls: np.ndarray) -> np.ndarray:
    phrases, steps, rows = np.nonzero(rolls)
    together = (phrases[1:] == phrases[:-1]) & (steps[1:] == steps[:-1])
    intervals = np.minimum(rows[1:] - rows[:-1], LARGEST_INTERVAL)[together]
    return _counts(phrases[1:][together], intervals, len(rolls), LARGEST_INTERVAL + 1)


def _melodic_intervals(phrases: np.ndarray) -> np.ndarray:
    """Down, level and up, from one onset of the top voice to the next."""
    numbers, intervals = melodic_intervals(phrases)
    clipped = np.clip(intervals, -LARGEST_INTERVAL, LARGEST_INTERVAL)
    return _counts(numbers, clipped + LARGEST_INTERVAL, len(phrases), 2 * LARGEST_INTERVAL + 1)


def _lengths(phrases: np.ndarray) -> np.ndarray:
    notes = notes_by_phrase(phrases)
    bins = np.digitize(notes.lengths, LENGTH_EDGES) - 1
    return _counts(notes.phrases, bins, len(phrases), len(LENGTH_EDGES) - 1)
