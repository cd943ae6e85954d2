"""All figures of a transfer: strength by two classifiers, preservation, diversity, texture and cycle.

What each can and cannot see stands in its module. Strength says that a classifier changes its mind, not that
the result is music of the target genre. Therefore two classifiers of different kinds are asked, and the other
figures are read beside it.
"""

from typing import Any, NamedTuple, Protocol

import numpy as np

from cyclegan_jax.evaluation.diversity import distinct, diversity, nearest
from cyclegan_jax.evaluation.genre_classifier import GenreClassifier
from cyclegan_jax.evaluation.model_selection import score, signs_of_collapse
from cyclegan_jax.evaluation.preservation import compare, f1
from cyclegan_jax.evaluation.subsample import PhraseRows
from cyclegan_jax.evaluation.texture import against
from cyclegan_jax.models.phrase_transfer import Transfer, binarise


def strength(origin: float, transferred: float, cycled: float) -> float:
    """S = ½ (P(x) − P(x̂) + P(x̃) − P(x̂)), P the probability of the origin's genre (paper, eq. 13).

    x: the origin, x̂: its transfer, x̃: its cycle. All P in [0, 1]; returns -1 to 1, greater where the
    transfer leaves the genre and the cycle returns.
    """
    return ((origin - transferred) + (cycled - transferred)) / 2


class PairClassifier(Protocol):
    """What tells the genres of the pair apart; `accuracy` on `validation`."""

    @property
    def accuracy(self) -> float:
        """The mean of both genres' shares classified right."""
        ...

    def probabilities(self, phrases: np.ndarray) -> np.ndarray:
        """[N, 64, 84, 1] bool -> [N, 2], A first, rows adding to 1."""
        ...


class Classifiers(NamedTuple):
    """Two classifiers of the pair, of different kinds, so that fooling one is not enough."""

    network: GenreClassifier
    features: PairClassifier


class Side(NamedTuple):
    """Real phrases of a genre, [N, 64, 84, 1] bool: those held out, and those trained on."""

    held_out: np.ndarray
    train: PhraseRows


def evaluate_direction(
    transfer: Transfer, classifiers: Classifiers, source: Side, target: Side, source_index: int
) -> dict[str, Any]:
    """All figures of one direction, of the source's held-out phrases.

    `source_index`: 0 where the source is genre A of the pair. `strength` and `cycle_f1` are of the cycle of
    the transfer's probabilities, as in the original code. `cycle_f1_binary` is of the cycle of the binarised
    transfer, so that probabilities carry nothing from origin to cycle unseen. `origin_genre` and `strength`
    are by the genre classifier, `judged_origin_genre` and `judge_strength` by the feature classifier. The
    content figures compare the transfer with its origin, those under `cycle` the cycle; the
    texture figures compare with the target genre's held-out phrases, `nearest_train` with its training ones.
    """
    pair, phrases = transfer.config.pair, source.held_out
    to, back = pair[1 - source_index], pair[source_index]
    fakes = transfer.generate(phrases, to=to)
    transferred = binarise(fakes)
    cycled = binarise(transfer.generate(fakes, to=back))
    cycled_binary = binarise(transfer.generate(transferred, to=back))
    versions = {"origin": phrases, "transfer": transferred, "cycle": cycled}
    cycle = compare(phrases, cycled)
    by_network = _shares(classifiers.network, versions, source_index)
    by_features = _shares(classifiers.features, versions, source_index)
    return {
        "phrases": len(phrases),
        "origin_genre": by_network,
        "strength": _strengths(by_network),
        "judged_origin_genre": by_features,
        "judge_strength": _strengths(by_features),
        **compare(phrases, transferred),
        "cycle": cycle,
        "cycle_f1": cycle["cell_f1"],
        "cycle_f1_binary": f1(phrases, cycled_binary),
        "diversity": diversity(phrases, transferred),
        "distinct": distinct(transferred),
        "nearest_train": nearest(transferred, target.train),
        **against(transferred, target.held_out),
    }


def _shares(
    classifier: PairClassifier, versions: dict[str, np.ndarray], source_index: int
) -> dict[str, dict[str, float]]:
    """How far each version is of the source's genre: share of phrases so classified, mean probability."""
    found = {name: classifier.probabilities(rolls) for name, rolls in versions.items()}
    return {
        "share": {name: float((p.argmax(axis=1) == source_index).mean()) for name, p in found.items()},
        "probability": {name: float(p[:, source_index].mean()) for name, p in found.items()},
    }


def _strengths(shares: dict[str, dict[str, float]]) -> dict[str, float]:
    return {kind: strength(row["origin"], row["transfer"], row["cycle"]) for kind, row in shares.items()}


def evaluate(transfer: Transfer, classifiers: Classifiers, a: Side, b: Side) -> dict[str, Any]:
    """Both directions, and what sums them up.

    `total_strength`, `total_judge_strength`, `cycle_f1`, `cycle_f1_binary`, `chroma_cosine`, `diversity`,
    `blank_share`: means of the directions. `score`: what the best checkpoint is chosen by, see
    `model_selection.py`.
    """
    a_to_b = evaluate_direction(transfer, classifiers, a, b, source_index=0)
    b_to_a = evaluate_direction(transfer, classifiers, b, a, source_index=1)

    def total(name: str) -> dict[str, float]:
        return {kind: (a_to_b[name][kind] + b_to_a[name][kind]) / 2 for kind in ("share", "probability")}

    directions = {"a_to_b": a_to_b, "b_to_a": b_to_a}
    totals = {"total_strength": total("strength"), "total_judge_strength": total("judge_strength")}
    named = ("cycle_f1", "cycle_f1_binary", "chroma_cosine", "diversity", "blank_share")
    means = {name: (a_to_b[name] + b_to_a[name]) / 2 for name in named}
    by_share = {name: of["share"] for name, of in totals.items()}
    return {
        **directions,
        "judge_accuracy": {
            "network": classifiers.network.accuracy,
            "features": classifiers.features.accuracy,
        },
        **totals,
        **means,
        "score": score(by_share | means, collapsed=bool(signs_of_collapse(directions))),
    }


def scalars(evaluation: dict[str, Any], prefix: str) -> dict[str, float]:
    """The evaluation's numbers as one flat row: `prefix/a_to_b/strength/share` and so on."""
    row: dict[str, float] = {}
    for name, value in evaluation.items():
        key = f"{prefix}/{name}"
        row |= scalars(value, key) if isinstance(value, dict) else {key: value}
    return row
