"""Signs of collapse: named with direction, value and range, and none where all is well."""

import pytest

from cyclegan_jax.collapse import RANGES, signs_of_collapse

HEALTHY = {"diversity": 0.9, "blank_share": 0.01, "notes_ratio": 1.2, "cell_f1": 0.0}


def signs(**changes: float) -> list[str]:
    return signs_of_collapse({"a_to_b": HEALTHY, "b_to_a": HEALTHY | changes, "score": 0.0})


def test_a_healthy_run_has_none():
    assert signs() == []


@pytest.mark.parametrize(
    "figure, value",
    [("diversity", 0.49), ("blank_share", 0.06), ("notes_ratio", 0.33), ("notes_ratio", 3.01)],
)
def test_a_figure_out_of_its_range_is_named(figure, value):
    (sign,) = signs(**{figure: value})
    low, high = RANGES[figure]
    assert sign == f"{figure} of b_to_a is {value:.3f}, outside {low:.3g} to {high:.3g}"


def test_the_ends_of_a_range_are_within_it():
    assert signs(diversity=0.5, blank_share=0.05, notes_ratio=3.0) == []


def test_every_sign_is_told_nan_among_them():
    assert len(signs(diversity=0.1, blank_share=0.9, notes_ratio=float("nan"))) == 3
