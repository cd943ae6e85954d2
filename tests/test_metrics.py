"""The figures of a transfer, by a transfer and a judge whose every answer is known."""

from types import SimpleNamespace

import numpy as np
import pytest

from cyclegan_jax.metrics import evaluate, evaluate_direction, f1, scalars, strength

LOW, HIGH = 10, 73  # rows of pitch, each other's mirror image


class MirrorTransfer:
    """Turns pitch upside down. Of notes it makes sure cells (0.7) on even and unsure ones (0.4) on odd steps;
    of probabilities it makes sure cells. The way to jazz forgets the second half of a phrase.
    """

    config = SimpleNamespace(pair=("jazz", "pop"))

    def phrases(self, phrases: np.ndarray, to: str) -> np.ndarray:
        mirrored = phrases[:, :, ::-1].astype(np.float32)
        if phrases.dtype == bool:
            mirrored *= np.where(np.arange(64) % 2, 0.4, 0.7).astype(np.float32)[None, :, None, None]
        else:
            mirrored = np.float32(0.6) * (mirrored > 0.3)
        if to == "jazz":
            mirrored[:, 32:] = 0
        return mirrored


class PitchJudge:
    """Low phrases are jazz with 0.9, high ones with 0.2, blank ones with 0.6."""

    def probabilities(self, phrases: np.ndarray) -> np.ndarray:
        assert phrases.dtype == bool
        low, high = phrases[:, :, :42].sum(axis=(1, 2, 3)), phrases[:, :, 42:].sum(axis=(1, 2, 3))
        jazz = np.where(low + high == 0, 0.6, np.where(low >= high, 0.9, 0.2))
        return np.stack([jazz, 1 - jazz], axis=1)


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


def test_f1_by_hand():
    none, some = np.zeros((2, 64, 84, 1), bool), np.zeros((2, 64, 84, 1), bool)
    some[0, 0:4, 5] = True
    others = np.roll(some, 10, axis=1)
    half = np.roll(some, 2, axis=1)
    quarter_found = some.copy()
    quarter_found[0, 1:4] = False
    assert f1(some, some) == 1
    assert f1(some, others) == 0
    assert f1(none, none) == 1
    assert f1(some, none) == f1(none, some) == 0
    assert f1(some, half) == 0.5
    assert f1(some, quarter_found) == f1(quarter_found, some) == pytest.approx(2 / 5)


def test_strength_by_hand():
    assert strength(1.0, 0.0, 1.0) == 1
    assert strength(0.0, 1.0, 0.0) == -1
    assert strength(0.9, 0.2, 0.6) == pytest.approx(0.55)
    assert strength(0.6, 0.6, 0.6) == 0


def test_jazz_to_pop_by_hand(jazz):
    figures = evaluate_direction(MirrorTransfer(), PitchJudge(), jazz, source=0)
    of_jazz = figures["origin_genre"]
    assert of_jazz["share"] == {"origin": 0.75, "transfer": 0.25, "cycle": 0.75}
    assert of_jazz["probability"] == pytest.approx({"origin": 0.725, "transfer": 0.375, "cycle": 0.725})
    assert figures["strength"] == pytest.approx({"share": 0.5, "probability": 0.35})
    assert figures["cell_f1"] == pytest.approx(2 * 4 / (18 + 10))
    assert figures["cycle_f1"] == 1
    assert figures["blank_share"] == 0
    assert figures["phrases"] == 4


def test_pop_to_jazz_by_hand(pop):
    figures = evaluate_direction(MirrorTransfer(), PitchJudge(), pop, source=1)
    of_pop = figures["origin_genre"]
    assert of_pop["share"] == {"origin": 1, "transfer": 0, "cycle": 0.5}
    assert of_pop["probability"] == pytest.approx({"origin": 0.8, "transfer": 0.25, "cycle": 0.6})
    assert figures["strength"] == pytest.approx({"share": 0.75, "probability": 0.45})
    assert figures["cell_f1"] == 0
    assert figures["cycle_f1"] == pytest.approx(2 * 4 / (12 + 4))
    assert figures["blank_share"] == 0.5
    assert figures["phrases"] == 2


def test_totals_are_means_of_the_directions_and_the_score_is_strength_by_share_times_cycle_f1(jazz, pop):
    evaluation = evaluate(MirrorTransfer(), PitchJudge(), jazz, pop)
    assert evaluation["a_to_b"] == evaluate_direction(MirrorTransfer(), PitchJudge(), jazz, source=0)
    assert evaluation["b_to_a"] == evaluate_direction(MirrorTransfer(), PitchJudge(), pop, source=1)
    assert evaluation["total_strength"] == pytest.approx({"share": 0.625, "probability": 0.4})
    assert evaluation["cycle_f1"] == 0.75
    assert evaluation["score"] == pytest.approx(0.625 * 0.75)


def test_scalars_name_each_number_by_its_path(jazz, pop):
    row = scalars(evaluate(MirrorTransfer(), PitchJudge(), jazz, pop), "validation")
    assert row["validation/a_to_b/strength/share"] == 0.5
    assert row["validation/b_to_a/origin_genre/share/cycle"] == 0.5
    assert row["validation/score"] == pytest.approx(0.46875)
    assert not any(isinstance(value, dict) for value in row.values())
