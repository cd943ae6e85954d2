"""The score of a checkpoint, by figures whose shares of their goals are known, and the signs of collapse:
named with direction, value and range, and none for a healthy run.
"""

import pytest

from cyclegan_jax.evaluation.model_selection import COLLAPSE, GOALS, score, signs_of_collapse

HEALTHY = {"diversity": 0.9, "blank_share": 0.01, "notes_ratio": 1.2, "polyphony": 1.1, "cell_f1": 0.0}


@pytest.mark.parametrize("name", GOALS)
def test_all_goals_met_is_1_and_more_than_a_goal_counts_no_more(name):
    assert score(GOALS, collapsed=False) == 1.0
    assert score({**GOALS, name: GOALS[name] + 0.05}, collapsed=False) == 1.0


@pytest.mark.parametrize(
    "figures, reached",
    [
        ({"total_strength": 0.4}, 0.5),
        ({"total_judge_strength": 0.15}, 0.25),
        ({"total_strength": 0.4, "total_judge_strength": 0.15}, 0.25),
        ({"chroma_cosine": 0.35}, 5 / 6),
        ({"melody_onsets_kept": 0.15}, 0.75),
        ({"cycle_f1_binary": 0.0}, 2 / 3),
        ({"diversity": 0.72}, 0.8),
        ({"total_strength": 0.4, "cycle_f1_binary": 0.475, "diversity": 0.72}, 0.5 * 5 / 6 * 0.8),
    ],
)
def test_what_is_lacking_is_multiplied(figures, reached):
    by_strength = {name: goal for name, goal in GOALS.items() if name != "share_of_the_way"}
    assert score(by_strength | figures, collapsed=False) == pytest.approx(reached)


@pytest.mark.parametrize("way, style", [(0.7, 0.75), (0.35, 0.5), (0.0, 0.25), (-0.35, 0.0), (-9.0, -0.25)])
def test_style_is_the_mean_of_strength_and_of_the_way(way, style):
    figures = {**GOALS, "total_strength": 0.4, "share_of_the_way": way}
    assert score(figures, collapsed=False) == pytest.approx(style)


@pytest.mark.parametrize(
    "network, features, lacking", [(-0.1, 0.9, -0.5625), (0.9, -0.3, -0.75), (0.0, 0.5, -0.5)]
)
def test_little_content_does_not_better_a_lack_of_strength(network, features, lacking):
    weak = {**GOALS, "total_strength": network, "total_judge_strength": features, "chroma_cosine": 0.01}
    weak["share_of_the_way"] = -0.7
    assert score(weak, collapsed=False) == pytest.approx(lacking)


def test_the_best_of_the_collapsed_is_behind_the_worst_of_the_healthy():
    worst = {**GOALS, "total_judge_strength": -1.0, "share_of_the_way": -99.0}
    assert score(GOALS, collapsed=True) < score(worst, collapsed=False)


def test_the_collapsed_are_still_told_apart():
    weak = {**GOALS, "total_strength": -0.4, "share_of_the_way": -0.1}
    assert score(weak, collapsed=True) == pytest.approx(score(weak, collapsed=False) - COLLAPSE)


def signs(direction: str = "b_to_a", **changes: float) -> list[str]:
    directions = {"a_to_b": HEALTHY, "b_to_a": HEALTHY, direction: HEALTHY | changes}
    return signs_of_collapse({**directions, "score": 0.0})


def test_a_healthy_run_has_no_sign_of_collapse():
    assert signs() == []


@pytest.mark.parametrize("direction", ["a_to_b", "b_to_a"])
@pytest.mark.parametrize(
    "figure, value, allowed",
    [
        ("diversity", 0.49, "at least 0.5"),
        ("blank_share", 0.06, "at most 0.05"),
        ("notes_ratio", 0.33, "between 0.333 and 3"),
        ("notes_ratio", 3.01, "between 0.333 and 3"),
        ("polyphony", 0.33, "between 0.333 and 3"),
        ("polyphony", 4.0, "between 0.333 and 3"),
    ],
)
def test_a_figure_out_of_its_range_is_named(direction, figure, value, allowed):
    (sign,) = signs(direction, **{figure: value})
    assert sign == f"{figure} of {direction} is {value:.3f}, but should be {allowed}"


def test_the_ends_of_a_range_are_within_it():
    assert signs(diversity=0.5, blank_share=0.05, notes_ratio=3.0, polyphony=3.0) == []
    assert signs(blank_share=0.0, notes_ratio=1 / 3, polyphony=1 / 3) == []


def test_every_sign_is_named_nan_among_them():
    assert len(signs(diversity=0.1, blank_share=0.9, notes_ratio=float("nan"))) == 3
