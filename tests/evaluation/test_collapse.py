"""Signs of collapse: named with direction, value and range, and none where all is well."""

import pytest

from cyclegan_jax.evaluation.model_selection import signs_of_collapse

HEALTHY = {"diversity": 0.9, "blank_share": 0.01, "notes_ratio": 1.2, "polyphony": 1.1, "cell_f1": 0.0}


def signs(direction: str = "b_to_a", **changes: float) -> list[str]:
    directions = {"a_to_b": HEALTHY, "b_to_a": HEALTHY, direction: HEALTHY | changes}
    return signs_of_collapse({**directions, "score": 0.0})


def test_a_healthy_run_has_none():
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


def test_every_sign_is_told_nan_among_them():
    assert len(signs(diversity=0.1, blank_share=0.9, notes_ratio=float("nan"))) == 3
