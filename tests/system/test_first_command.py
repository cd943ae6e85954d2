"""What README's first command must reach on the demo data, read from its evaluation.json.

Strength and cycle are means of both directions; a blank or a uniform direction is not made good by the other.
FIRST_RUN names the folder of such a run, as .ci/run does, which has just made one; else it is made here.
"""

import json

import pytest
from support.first_run import first_run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory) -> dict:
    return json.loads((first_run(tmp_path_factory.mktemp("first")) / "evaluation.json").read_text())


@pytest.mark.timeout(1600)
def test_it_is_of_the_test_split_of_the_demo(evaluation):
    assert evaluation["pair"] == ["jazz", "pop"] and evaluation["split"] == "test"
    assert evaluation["a_to_b"]["phrases"] > 50 and evaluation["b_to_a"]["phrases"] > 50


@pytest.mark.parametrize(
    "figure, low, high",
    [
        ("blank_share", 0.0, 0.02),
        ("cycle_f1_binary", 0.80, 1.0),
        ("diversity", 0.80, 2.0),
    ],
)
def test_its_figures_are_within_the_goals(evaluation, figure, low, high):
    assert low <= evaluation[figure] <= high


@pytest.mark.parametrize("direction", ["a_to_b", "b_to_a"])
def test_neither_direction_is_blank_or_uniform(evaluation, direction):
    assert evaluation[direction]["blank_share"] <= 0.02
    assert evaluation[direction]["diversity"] >= 0.80


def test_it_changes_the_genre(evaluation):
    assert evaluation["total_strength"]["share"] >= 0.30
