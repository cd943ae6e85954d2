"""Diversity figures on phrases whose distances are known: alike, disjoint, half alike, blank."""

import numpy as np
import pytest

from cyclegan_jax.evaluation import diversity as module
from cyclegan_jax.evaluation.diversity import distinct, diversity, jaccard_distances, mean_distance, nearest
from cyclegan_jax.evaluation.subsample import some_rows


def phrases(*rows: range) -> np.ndarray:
    """[N, 64, 84, 1] bool: each phrase has its rows on in step 3."""
    cells = np.zeros((len(rows), 64, 84, 1), bool)
    for phrase, inside in zip(cells, rows, strict=True):
        phrase[3, list(inside)] = True
    return cells


APART = phrases(range(4), range(10, 14), range(20, 24))
ALIKE = phrases(*[range(4)] * 3)
BLANK = phrases(*[range(0)] * 3)


def test_distances_by_hand():
    found = jaccard_distances(
        phrases(range(4), range(0)), phrases(range(4), range(2, 6), range(9, 10), range(0))
    )
    np.testing.assert_allclose(found, [[0, 1 - 2 / 6, 1, 1], [1, 1, 1, 0]], atol=1e-6)


def test_diversity_is_1_for_phrases_as_varied_as_before_and_0_for_all_alike_or_all_blank():
    assert diversity(APART, APART) == pytest.approx(1)
    assert diversity(APART, np.roll(APART, 5, axis=2)) == pytest.approx(1)
    assert diversity(APART, ALIKE) == pytest.approx(0)
    assert diversity(APART, BLANK) == pytest.approx(0)


def test_diversity_is_a_ratio_of_means_over_pairs():
    half_alike = phrases(range(4), range(4), range(10, 14))
    assert mean_distance(half_alike) == pytest.approx(2 / 3)
    assert diversity(APART, half_alike) == pytest.approx(2 / 3)
    assert diversity(half_alike, APART) == pytest.approx(3 / 2)


def test_nothing_to_compare_counts_as_unchanged():
    assert diversity(APART[:1], BLANK[:1]) == 1
    assert diversity(ALIKE, APART) == 1


def test_distinct_outputs_are_counted():
    assert [distinct(rolls) for rolls in (APART, ALIKE, BLANK, np.concatenate([APART, ALIKE, BLANK]))] == [
        3,
        1,
        1,
        4,
    ]


def test_a_copy_of_a_training_phrase_is_at_no_distance():
    assert nearest(APART[1:2], APART) == pytest.approx(0)
    assert nearest(phrases(range(2, 6)), APART) == pytest.approx(1 - 2 / 6)
    assert nearest(phrases(range(2, 6), range(20, 24)), APART) == pytest.approx((1 - 2 / 6) / 2)


def test_of_many_phrases_the_same_random_ones_are_compared(monkeypatch):
    monkeypatch.setattr(module, "MOST_COMPARED", 5)
    many = phrases(*(range(n, n + 1) for n in range(60)))
    pairs = np.repeat(many[::2], 2, axis=0)
    assert diversity(many, many) == pytest.approx(1)
    rows = some_rows(60, 5)
    assert len(rows) == 5 and (np.diff(rows) > 0).all() and rows[-1] > 5
    assert diversity(many, pairs) == pytest.approx(mean_distance(pairs[rows]))


def test_a_copy_is_found_wherever_it_lies_among_many(monkeypatch):
    monkeypatch.setattr(module, "MOST_COMPARED", 5)
    many = phrases(*(range(n, n + 1) for n in range(60)))
    for place in (0, 31, 59):
        assert nearest(many[place : place + 1], many) == pytest.approx(0)
