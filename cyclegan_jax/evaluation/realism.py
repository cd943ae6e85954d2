"""Whether transfers can be told from real music of the target genre, and by what.

The two classifiers of a pair tell genre A from genre B. A transfer may fool both and still be like nothing
that was ever played. Here a fresh classifier is trained to tell transfers from real phrases of the target, by
the features of the feature classifier.
"""

from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from cyclegan_jax.evaluation.feature_classifier import BOOSTING
from cyclegan_jax.evaluation.feature_names import feature_names

FOLDS = 5
MOST_TOLD = 10  # features of `giveaways`
RARE = 1 / 64  # the least standard deviation of a feature, for those that the target genre never has


class Sample(NamedTuple):
    """The features of some phrases, [N, F], and the number of the song of each, [N] int."""

    features: np.ndarray
    songs: np.ndarray

    def halves(self) -> tuple["Sample", "Sample"]:
        """Two parts: every second song, or half of the phrases where a part would have fewer than two."""
        odd = folds(self.songs, 2) == 1
        if min(odd.sum(), (~odd).sum()) < 2:
            odd = np.arange(len(odd)) * 2 >= len(odd)
        return Sample(self.features[~odd], self.songs[~odd]), Sample(self.features[odd], self.songs[odd])


def folds(songs: np.ndarray, count: int) -> np.ndarray:
    """The fold of each phrase, 0 to `count` − 1: all phrases of a song in one. [N] int -> [N] int.

    Where there are fewer songs than folds, the phrases in their order are cut into equal parts.
    """
    numbers, of_song = np.unique(songs, return_inverse=True)
    if len(numbers) < count:
        return np.arange(len(songs)) * count // max(len(songs), 1)
    return of_song % count


def realism(made: Sample, real: Sample) -> float | None:
    """2 (1 − accuracy) of a classifier that tells made phrases from real ones: 0 all told, 1 none.

    Boosted trees as in the feature classifier, both sides of equal weight, cross-validated by song; accuracy
    is the mean of both sides' shares. By chance a little above 1 for what cannot be told. None where a side
    has fewer than `FOLDS` phrases.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier  # takes over a second

    if min(len(made.songs), len(real.songs)) < FOLDS:
        return None
    features = np.concatenate([made.features, real.features])
    labels = np.repeat([0, 1], [len(made.songs), len(real.songs)])
    fold = np.concatenate([folds(side.songs, FOLDS) for side in (made, real)])
    right = np.zeros(len(labels), bool)
    with threadpool_limits(limits=1):  # its threads wait in loops, which is slow beside other work
        for number in range(FOLDS):
            held_out = fold == number
            model = HistGradientBoostingClassifier(**BOOSTING, class_weight="balanced", random_state=0)
            model.fit(features[~held_out], labels[~held_out])
            right[held_out] = model.predict(features[held_out]) == labels[held_out]
    return float(2 - right[labels == 0].mean() - right[labels == 1].mean())


def told_apart(
    origin: Sample, transfer: Sample, target: Sample, *, baselines: bool = False
) -> dict[str, Any]:
    """`realism`, `share_of_the_way` and `giveaways` of transfers; a figure that is None is left out.

    `realism` has the transfers' and, with `baselines`, that of their `origin` and of one half of the `target`
    against the other.
    """
    compared = {"transfer": (transfer, target)}
    if baselines:
        compared |= {"origin": (origin, target), "target": target.halves()}
    found = {name: realism(*sides) for name, sides in compared.items()}
    figures = {
        "realism": {name: value for name, value in found.items() if value is not None},
        "share_of_the_way": share_of_the_way(origin, transfer, target),
        "giveaways": giveaways(origin, transfer, target),
    }
    return {name: value for name, value in figures.items() if value is not None}


def frechet_distance(one: np.ndarray, other: np.ndarray) -> float:
    """Fréchet distance of two samples taken as Gaussian: [N, F] and [M, F] -> 0 and up.

    |μ − ν|² + Tr(Σ + Τ − 2 (Σ Τ)^½), as in the Fréchet inception distance (Heusel et al. 2017).
    """
    sigma, tau = (np.cov(sample, rowvar=False).reshape(sample.shape[1], -1) for sample in (one, other))
    values, vectors = np.linalg.eigh(sigma)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ tau @ root), 0)).sum()
    gap = one.mean(axis=0) - other.mean(axis=0)
    return float(gap @ gap + np.trace(sigma) + np.trace(tau) - 2 * shared)


def share_of_the_way(origin: Sample, transfer: Sample, target: Sample) -> float | None:
    """How much of the way from source to target the transfers have gone: 0 none, 1 all; below 0 away.

    (d(origin, target) − d(transfer, target)) / (d(origin, target) − d(two halves of the target)), d being the
    Fréchet distance of the features, standardised over origin and target together. None where a side has
    fewer than four phrases, or the genres are no further apart than the halves.
    """
    if min(len(side.songs) for side in (origin, transfer, target)) < 4:
        return None
    together = np.concatenate([origin.features, target.features])
    mean, spread = together.mean(axis=0), together.std(axis=0)
    spread[spread == 0] = 1
    scaled = [(part.features - mean) / spread for part in (origin, transfer, target, *target.halves())]
    source, made, real, *halves = scaled
    whole = frechet_distance(source, real)
    way = whole - frechet_distance(*halves)
    return (whole - frechet_distance(made, real)) / way if way > 0 else None


def giveaways(origin: Sample, transfer: Sample, target: Sample) -> list[dict[str, str | float]]:
    """The features in which transfers differ most from the target, most telling first.

    At most `MOST_TOLD` rows: `feature` in words, and the mean values of `transfer`, `target` and `origin`.
    They are ordered by the difference of the means, as multiples of the target's standard deviation.
    """
    means = {
        name: sample.features.mean(axis=0)
        for name, sample in (("transfer", transfer), ("target", target), ("origin", origin))
    }
    spread = np.maximum(target.features.std(axis=0), RARE)
    telling = np.abs(means["transfer"] - means["target"]) / spread
    names = feature_names()
    return [
        {"feature": names[place], **{name: float(mean[place]) for name, mean in means.items()}}
        for place in np.argsort(-telling, kind="stable")[:MOST_TOLD]
        if telling[place] > 0
    ]
