"""All figures of a transfer: strength by two classifiers, preservation, realism, faults, texture and cycle.

What each can and cannot see stands in its module. Strength says that a classifier changes its mind, not that
the result is music of the target genre. Therefore two classifiers of different kinds are asked, and the other
figures are read beside it.
"""

from typing import Any, NamedTuple, Protocol

import numpy as np

from cyclegan_jax.evaluation.diversity import distinct, diversity, nearest
from cyclegan_jax.evaluation.faults import faults, melody_onsets_kept
from cyclegan_jax.evaluation.feature_classifier import features
from cyclegan_jax.evaluation.genre_classifier import GenreClassifier
from cyclegan_jax.evaluation.model_selection import GOALS, score, signs_of_collapse
from cyclegan_jax.evaluation.preservation import compare, f1
from cyclegan_jax.evaluation.realism import Sample, told_apart
from cyclegan_jax.evaluation.subsample import PhraseRows
from cyclegan_jax.evaluation.texture import against
from cyclegan_jax.models.phrase_transfer import Transfer, played
from cyclegan_jax.pianoroll.features import begun, sounding

MEANS = (
    *("cycle_f1", "cycle_f1_binary", "chroma_cosine", "melody_onsets_kept", "diversity", "blank_share"),
    "share_of_the_way",
)


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
        """[N, 64, 84, C] bool -> [N, 2], A first, rows adding to 1."""
        ...


class Classifiers(NamedTuple):
    """Two classifiers of the pair, of different kinds, so that fooling one is not enough."""

    network: GenreClassifier
    features: PairClassifier


class Side(NamedTuple):
    """Real phrases of a genre, [N, 64, 84, C] bool: those held out, and those trained on.

    Of those held out `songs`, [N] int, are the numbers of their songs, by default one song a phrase, and
    `melody`, [N, 64, 84, 1] bool, where the melody sounds, by default the top voice.
    """

    held_out: np.ndarray
    train: PhraseRows
    songs: np.ndarray | None = None
    melody: np.ndarray | None = None

    def sample(self, rolls: np.ndarray) -> Sample:
        """The features of the phrases held out, or of their transfers, [N, 64, 84, C] bool."""
        return Sample(features(rolls), np.arange(len(rolls)) if self.songs is None else self.songs)


def evaluate_direction(
    transfer: Transfer,
    classifiers: Classifiers,
    source: Side,
    target: Side,
    source_index: int,
    *,
    baselines: bool = False,
) -> dict[str, Any]:
    """All figures of one direction, of the source's held-out phrases.

    `source_index`: 0 where the source is genre A of the pair. `strength` and `cycle_f1` are of the cycle of
    the transfer's probabilities, as in the original code. `cycle_f1_binary` is of the cycle of the binarised
    transfer, so that probabilities carry nothing from origin to cycle unseen. `origin_genre` and `strength`
    are by the genre classifier, `judged_origin_genre` and `judge_strength` by the feature classifier. The
    content figures compare the transfer with its origin, those under `cycle` the cycle; the
    texture figures compare with the target genre's held-out phrases, `nearest_train` with its training ones.
    Realism and faults are beside the same of real phrases, see their modules; with `baselines` the realism
    of real phrases is there, too, which takes as long again twice.
    """
    pair, phrases = transfer.config.pair, source.held_out
    to, back = pair[1 - source_index], pair[source_index]
    fakes = transfer.generate(phrases, to=to)
    transferred = played(fakes, phrases)
    cycled = played(transfer.generate(begun(fakes), to=back), transferred)
    cycled_binary = played(transfer.generate(transferred, to=back), transferred)
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
        "melody_onsets_kept": melody_onsets_kept(phrases, transferred, source.melody),
        "cycle": cycle,
        "cycle_f1": cycle["cell_f1"],
        "cycle_f1_binary": f1(sounding(phrases), sounding(cycled_binary)),
        "diversity": diversity(phrases, transferred),
        "distinct": distinct(sounding(transferred)),
        "nearest_train": nearest(transferred, target.train),
        **against(transferred, target.held_out),
        "faults": faults(phrases, transferred, target.held_out),
        **told_apart(
            source.sample(phrases),
            source.sample(transferred),
            target.sample(target.held_out),
            baselines=baselines,
        ),
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


def evaluate(
    transfer: Transfer, classifiers: Classifiers, a: Side, b: Side, *, baselines: bool = False
) -> dict[str, Any]:
    """Both directions, and what sums them up.

    `total_strength`, `total_judge_strength`, `cycle_f1`, `cycle_f1_binary`, `chroma_cosine`,
    `melody_onsets_kept`, `diversity`, `blank_share` and, if both have it, `share_of_the_way`: means of the
    directions. `score`: what the best checkpoint is chosen by, see `model_selection.py`.
    """
    a_to_b = evaluate_direction(transfer, classifiers, a, b, source_index=0, baselines=baselines)
    b_to_a = evaluate_direction(transfer, classifiers, b, a, source_index=1, baselines=baselines)

    def total(name: str) -> dict[str, float]:
        return {kind: (a_to_b[name][kind] + b_to_a[name][kind]) / 2 for kind in ("share", "probability")}

    directions = {"a_to_b": a_to_b, "b_to_a": b_to_a}
    totals = {"total_strength": total("strength"), "total_judge_strength": total("judge_strength")}
    means = {name: (a_to_b[name] + b_to_a[name]) / 2 for name in MEANS if name in a_to_b and name in b_to_a}
    figures = {name: of["share"] for name, of in totals.items()} | means
    if "share_of_the_way" in means:  # bounded by direction, so that one cannot outweigh the other
        ways = [max(of["share_of_the_way"], -GOALS["share_of_the_way"]) for of in (a_to_b, b_to_a)]
        figures["share_of_the_way"] = sum(ways) / 2
    return {
        **directions,
        "judge_accuracy": {
            "network": classifiers.network.accuracy,
            "features": classifiers.features.accuracy,
        },
        **totals,
        **means,
        "score": score(figures, collapsed=bool(signs_of_collapse(directions))),
    }


def scalars(evaluation: dict[str, Any], prefix: str) -> dict[str, float]:
    """The evaluation's numbers as one flat row: `prefix/a_to_b/strength/share` and so on, without tables."""
    row: dict[str, float] = {}
    for name, value in evaluation.items():
        key = f"{prefix}/{name}"
        if isinstance(value, dict):
            row |= scalars(value, key)
        elif not isinstance(value, list):
            row[key] = value
    return row
