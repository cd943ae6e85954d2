"""The figures of a transfer, by a transfer and classifiers whose every answer is known."""

from types import SimpleNamespace

import numpy as np
import pytest

from cyclegan_jax.evaluation import realism
from cyclegan_jax.evaluation.diversity import diversity
from cyclegan_jax.evaluation.evaluate import (
    Classifiers,
    Side,
    evaluate,
    evaluate_direction,
    scalars,
    strength,
)
from cyclegan_jax.evaluation.faults import faults
from cyclegan_jax.evaluation.model_selection import COLLAPSE, GOALS, score, signs_of_collapse
from cyclegan_jax.evaluation.preservation import compare, f1
from cyclegan_jax.evaluation.texture import against

LOW, HIGH = 10, 73  # rows of pitch, each other's mirror image


class MirrorTransfer:
    """Turns pitch upside down. A binary cell becomes 0.7 on even steps and 0.4 on odd ones; a probability
    above 0.3 becomes 0.6. The transfer to jazz loses the second half of a phrase.
    """

    config = SimpleNamespace(pair=("jazz", "pop"))

    def generate(self, phrases: np.ndarray, to: str) -> np.ndarray:
        mirrored = phrases[:, :, ::-1].astype(np.float32)
        if phrases.dtype == bool:
            mirrored *= np.where(np.arange(64) % 2, 0.4, 0.7).astype(np.float32)[None, :, None, None]
        else:
            mirrored = np.float32(0.6) * (mirrored > 0.3)
        if to == "jazz":
            mirrored[:, 32:] = 0
        return mirrored


class PitchClassifier:
    """Low phrases are jazz with 0.9, high ones with 0.2, blank ones with 0.6."""

    accuracy = 0.75

    def probabilities(self, phrases: np.ndarray) -> np.ndarray:
        assert phrases.dtype == bool
        low, high = phrases[:, :, :42].sum(axis=(1, 2, 3)), phrases[:, :, 42:].sum(axis=(1, 2, 3))
        jazz = np.where(low + high == 0, 0.6, np.where(low >= high, 0.9, 0.2))
        return np.stack([jazz, 1 - jazz], axis=1)


class OnsetClassifier:
    """Phrases with a note held on their step 1 are jazz with 0.8, others with 0.3."""

    accuracy = 0.5

    def probabilities(self, phrases: np.ndarray) -> np.ndarray:
        assert phrases.dtype == bool
        jazz = np.where(phrases[:, 1].any(axis=(1, 2)), 0.8, 0.3)
        return np.stack([jazz, 1 - jazz], axis=1)


def thinned(rolls: np.ndarray) -> np.ndarray:
    """What MirrorTransfer leaves of notes on odd steps: nothing."""
    kept = rolls.copy()
    kept[:, 1::2] = False
    return kept


def renamed(shares: dict[str, float]) -> dict[str, float]:
    return {"origin": shares["origin"], "transferred": shares["transfer"], "cycled": shares["cycle"]}


@pytest.fixture
def jazz() -> np.ndarray:
    """Three low phrases, and one that is taken for pop."""
    phrases = np.zeros((4, 64, 84, 1), bool)
    phrases[:3, 0:4, LOW] = True
    phrases[3, 0:4, HIGH] = True
    phrases[3, [0, 2], LOW] = True
    return phrases


@pytest.fixture
def pop() -> np.ndarray:
    """Two high phrases, one of them silent in its first half."""
    phrases = np.zeros((2, 64, 84, 1), bool)
    phrases[0, 0:4, HIGH] = True
    phrases[:, 40:44, HIGH] = True
    return phrases


def test_strength_by_hand():
    assert strength(1.0, 0.0, 1.0) == 1
    assert strength(0.0, 1.0, 0.0) == -1
    assert strength(0.9, 0.2, 0.6) == pytest.approx(0.55)
    assert strength(0.6, 0.6, 0.6) == 0


CLASSIFIERS = Classifiers(network=PitchClassifier(), features=OnsetClassifier())


def test_jazz_to_pop_by_hand(jazz, pop):
    figures = evaluate_direction(
        MirrorTransfer(), CLASSIFIERS, Side(jazz, jazz), Side(pop, pop), source_index=0
    )
    of_jazz = figures["origin_genre"]
    assert of_jazz["share"] == {"origin": 0.75, "transfer": 0.25, "cycle": 0.75}
    assert of_jazz["probability"] == pytest.approx({"origin": 0.725, "transfer": 0.375, "cycle": 0.725})
    assert figures["strength"] == pytest.approx({"share": 0.5, "probability": 0.35})
    assert figures["cell_f1"] == pytest.approx(2 * 4 / (18 + 10))
    assert figures["cycle_f1"] == 1
    assert figures["blank_share"] == 0
    assert figures["phrases"] == 4


def test_pop_to_jazz_by_hand(jazz, pop):
    figures = evaluate_direction(
        MirrorTransfer(), CLASSIFIERS, Side(pop, pop), Side(jazz, jazz), source_index=1
    )
    of_pop = figures["origin_genre"]
    assert of_pop["share"] == {"origin": 1, "transfer": 0, "cycle": 0.5}
    assert of_pop["probability"] == pytest.approx({"origin": 0.8, "transfer": 0.25, "cycle": 0.6})
    assert figures["strength"] == pytest.approx({"share": 0.75, "probability": 0.45})
    assert figures["cell_f1"] == 0
    assert figures["cycle_f1"] == pytest.approx(2 * 4 / (12 + 4))
    assert figures["blank_share"] == 0.5
    assert figures["phrases"] == 2


def test_the_feature_classifier_is_asked_about_the_same_three_versions(jazz, pop):
    figures = evaluate_direction(
        MirrorTransfer(), CLASSIFIERS, Side(jazz, jazz), Side(pop, pop), source_index=0
    )
    shares = {
        name: (CLASSIFIERS.features.probabilities(rolls)[:, 0] > 0.5).mean()
        for name, rolls in {"origin": jazz, "transfer": thinned(jazz[:, :, ::-1]), "cycle": jazz}.items()
    }
    assert len(set(shares.values())) > 1
    assert figures["judged_origin_genre"]["share"] == pytest.approx(shares)
    assert figures["judge_strength"]["share"] == pytest.approx(strength(**renamed(shares)))


def test_the_cycle_of_the_binarised_transfer_loses_what_only_probabilities_carried(jazz, pop):
    """A mirrored note has cells above and below 0.5; the cycle needs both kinds to be whole."""
    figures = evaluate_direction(
        MirrorTransfer(), CLASSIFIERS, Side(jazz, jazz), Side(pop, pop), source_index=0
    )
    back = thinned(thinned(jazz))
    assert figures["cycle_f1"] == 1
    assert figures["cycle_f1_binary"] == pytest.approx(f1(jazz, back)) and f1(jazz, back) < 0.8


def test_content_is_of_origin_and_transfer_and_of_origin_and_cycle(jazz, pop):
    figures = evaluate_direction(
        MirrorTransfer(), CLASSIFIERS, Side(pop, pop), Side(jazz, jazz), source_index=1
    )
    to_jazz = thinned(pop[:, :, ::-1])
    to_jazz[:, 32:] = False
    cycled = pop.copy()
    cycled[:, 32:] = False
    assert {name: figures[name] for name in compare(pop, to_jazz)} == compare(pop, to_jazz)
    assert figures["cycle"] == compare(pop, cycled)


def test_texture_is_beside_the_target_and_copies_are_sought_among_what_was_trained_on(jazz, pop):
    to_pop = thinned(jazz[:, :, ::-1])
    figures = evaluate_direction(
        MirrorTransfer(), CLASSIFIERS, Side(jazz, pop), Side(pop, to_pop), source_index=0
    )
    assert {name: figures[name] for name in against(to_pop, pop)} == against(to_pop, pop)
    assert figures["nearest_train"] == 0
    assert figures["distinct"] == 2
    assert figures["diversity"] == pytest.approx(diversity(jazz, to_pop))


def test_faults_and_giveaways_are_of_origin_transfer_and_target(jazz, pop):
    to_pop = thinned(jazz[:, :, ::-1])
    sides = Side(jazz, jazz), Side(pop, pop)
    figures = evaluate_direction(MirrorTransfer(), CLASSIFIERS, *sides, source_index=0)
    assert figures["faults"] == faults(jazz, to_pop, pop)
    samples = sides[0].sample(jazz), sides[0].sample(to_pop), sides[1].sample(pop)
    assert figures["giveaways"] == realism.giveaways(*samples)
    assert figures["realism"] == {} and "share_of_the_way" not in figures, "of so few phrases"


def test_realism_is_by_song_and_baselines_are_asked_for():
    jazz, pop = np.zeros((40, 64, 84, 1), bool), np.zeros((40, 64, 84, 1), bool)
    for number in range(40):
        jazz[number, number % 7 : 20, LOW + number % 5] = True
        pop[number, number % 11 : 24, HIGH - number % 3] = True
    songs = np.repeat(np.arange(8), 5)
    sides = Side(jazz, jazz, songs), Side(pop, pop, songs[::-1].copy())
    assert sides[0].sample(jazz).songs is songs
    told = realism.told_apart(
        sides[0].sample(jazz),
        sides[0].sample(thinned(jazz[:, :, ::-1])),
        sides[1].sample(pop),
        baselines=True,
    )
    figures = evaluate_direction(MirrorTransfer(), CLASSIFIERS, *sides, source_index=0, baselines=True)
    assert {name: figures[name] for name in told} == told
    assert set(told) == {"realism", "share_of_the_way", "giveaways"} and len(told["realism"]) == 3
    evaluation = evaluate(MirrorTransfer(), CLASSIFIERS, *sides)
    assert set(evaluation["a_to_b"]["realism"]) == {"transfer"}
    ways = [evaluation[direction]["share_of_the_way"] for direction in ("a_to_b", "b_to_a")]
    assert evaluation["share_of_the_way"] == pytest.approx(sum(ways) / 2)
    assert min(ways) < -0.7, "so that its bound counts"
    figures = {name: evaluation[name] for name in GOALS if not name.startswith("total")}
    figures |= {name: evaluation[name]["share"] for name in GOALS if name.startswith("total")}
    figures["share_of_the_way"] = sum(max(way, -0.7) for way in ways) / 2
    assert evaluation["score"] == score(figures, collapsed=bool(signs_of_collapse(evaluation)))


def test_the_melody_is_its_track_where_one_is_given_or_the_top_voice(jazz, pop):
    """A chord of both rows is its own mirror image; a note of one row moves to the other."""
    song = np.zeros((1, 64, 84, 1), bool)
    song[0, 0:4, LOW] = song[0, 0:4, HIGH] = True
    song[0, 8:12, HIGH] = True
    melody = np.zeros_like(song)
    melody[0, 0:4, LOW] = True
    kept = [
        evaluate_direction(
            MirrorTransfer(), CLASSIFIERS, Side(song, jazz, melody=cells), Side(pop, pop), source_index=0
        )["melody_onsets_kept"]
        for cells in (None, melody)
    ]
    assert kept == [0.5, 1.0]


def test_totals_are_means_and_the_score_is_of_them_by_share(jazz, pop):
    sides = Side(jazz, jazz), Side(pop, pop)
    evaluation = evaluate(MirrorTransfer(), CLASSIFIERS, *sides)
    a_to_b = evaluate_direction(MirrorTransfer(), CLASSIFIERS, *sides, source_index=0)
    b_to_a = evaluate_direction(MirrorTransfer(), CLASSIFIERS, *reversed(sides), source_index=1)
    assert (evaluation["a_to_b"], evaluation["b_to_a"]) == (a_to_b, b_to_a)
    assert evaluation["total_strength"] == pytest.approx({"share": 0.625, "probability": 0.4})
    assert evaluation["cycle_f1"] == 0.75
    for name in ("cycle_f1_binary", "chroma_cosine", "melody_onsets_kept", "diversity", "blank_share"):
        assert evaluation[name] == pytest.approx((a_to_b[name] + b_to_a[name]) / 2), name
    by_features = evaluation["total_judge_strength"]["share"]
    assert signs_of_collapse(evaluation) and 0 < by_features / 0.6 < 0.625 / 0.8
    assert evaluation["chroma_cosine"] < 0.7 and evaluation["cycle_f1_binary"] < 0.95
    melody = min(evaluation["melody_onsets_kept"] / 0.6, 1)
    content = (evaluation["chroma_cosine"] / 0.7 + melody + evaluation["cycle_f1_binary"] / 0.95) / 3
    expected = by_features / 0.6 * content * min(evaluation["diversity"] / 0.9, 1)
    assert evaluation["score"] == pytest.approx(expected - COLLAPSE)
    assert evaluation["judge_accuracy"] == {"network": 0.75, "features": 0.5}


def test_scalars_name_each_number_by_its_path(jazz, pop):
    row = scalars(evaluate(MirrorTransfer(), CLASSIFIERS, Side(jazz, jazz), Side(pop, pop)), "validation")
    assert row["validation/a_to_b/strength/share"] == 0.5
    assert row["validation/b_to_a/origin_genre/share/cycle"] == 0.5
    assert row["validation/total_strength/share"] == 0.625
    assert row["validation/a_to_b/faults/sixteenth_notes/target"] == 0
    assert not any(isinstance(value, dict | list) for value in row.values())
