"""Which checkpoint is the best: a score of its figures, and the signs that training has collapsed."""

import math
from collections.abc import Mapping
from typing import Any

# More than this of one figure does not make up for less of another: strength far above its goal is bought
# with the song. The figures are those of `metrics.evaluate`, strengths by share.
GOALS: Mapping[str, float] = {
    "total_strength": 0.80,
    "total_judge_strength": 0.60,
    "chroma_cosine": 0.70,
    "cycle_f1_binary": 0.95,
    "diversity": 0.90,
}
COLLAPSE = 3.0  # more than lies between the best score and the worst, so that no collapse is preferred


def score(figures: Mapping[str, float], collapsed: bool) -> float:
    """Strength × content × diversity of the shares min(figure / goal, 1) over `GOALS`; 1 where all are met.

    Strength: the lesser of the two classifiers'. Content: the mean of harmony and cycle, for a
    product would say nothing of transfers whose cycle restores nothing. Strength alone where it is not above
    0. From -1 / 0.6 to 1,
    `COLLAPSE` less where there is a sign of it.
    """
    share = {name: min(figures[name] / goal, 1.0) for name, goal in GOALS.items()}
    strength = min(share["total_strength"], share["total_judge_strength"])
    content = (share["chroma_cosine"] + share["cycle_f1_binary"]) / 2
    reached = strength * content * share["diversity"] if strength > 0 else strength
    return reached - COLLAPSE * collapsed


# Of a direction's figures, lowest and highest that a healthy run shows.
RANGES: Mapping[str, tuple[float, float]] = {
    "diversity": (0.5, math.inf),  # of the originals' mean distance
    "blank_share": (0.0, 0.05),  # of the transferred phrases
    "notes_ratio": (1 / 3, 3.0),  # notes a phrase, of the target genre's; rolls filled with noise had 3 to 7
    "polyphony": (1 / 3, 3.0),  # notes at once, likewise; rolls filled with held notes had 4 to 8
}


def signs_of_collapse(evaluation: Mapping[str, Any]) -> list[str]:
    """A sentence for every figure out of its range, of either direction of `metrics.evaluate`'s result.

    Names the direction, the figure, its value and what is allowed; empty for a healthy run.
    """
    return [
        f"{name} of {direction} is {figures[name]:.3f}, but should be {_bounds(low, high)}"
        for direction, figures in ((key, evaluation[key]) for key in ("a_to_b", "b_to_a"))
        for name, (low, high) in RANGES.items()
        if not low <= figures[name] <= high
    ]


def _bounds(low: float, high: float) -> str:
    if high == math.inf:
        return f"at least {low:.3g}"
    return f"between {low:.3g} and {high:.3g}" if low else f"at most {high:.3g}"
