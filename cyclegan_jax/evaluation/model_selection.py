"""Which checkpoint is the best: a score of its figures on `validation`, and signs of collapse.

score = style × content × diversity, with each figure as its share of a goal, min(figure / goal, 1).

- The bound at 1: strength beyond 0.80 is bought with content. Without the bound the score prefers strength
  0.96 with a cycle F1 of 0.75 to strength 0.80 with 0.90.
- Style is the mean of strength and of the share of the way. Strength is the lesser share of the two
  classifiers', so that fooling one of them is not enough. Both may be fooled by what is like no music: then
  the share of the way is low, or negative. In each direction it counts −1 goal at least, so that one figure
  cannot outweigh all.
- Content is the mean of chroma cosine, melody onsets and binary cycle F1, not their product: under the
  paper's objective the binarised cycle reconstructs next to nothing, and a product would not tell its
  checkpoints apart.
- A checkpoint with a sign of collapse comes after all that have none.

The score sees averages over phrases of four bars. It cannot see form, voice leading or what one phrase sounds
like.
"""

import math
from collections.abc import Mapping
from typing import Any

# The figures are those of `evaluate.evaluate`, strengths by share.
GOALS: Mapping[str, float] = {
    "total_strength": 0.80,
    "total_judge_strength": 0.60,
    "share_of_the_way": 0.70,
    "chroma_cosine": 0.70,
    "melody_onsets_kept": 0.60,
    "cycle_f1_binary": 0.95,
    "diversity": 0.90,
}
COLLAPSE = 3.0  # more than lies between the best score and the worst, so that no collapse is preferred


def score(figures: Mapping[str, float], collapsed: bool) -> float:
    """Style × content × diversity of the shares min(figure / goal, 1) over `GOALS`; 1 where all are met.

    Style alone where it is not above 0. In [-1 / 0.6, 1], and lower by `COLLAPSE` where training has
    `collapsed`. `share_of_the_way` may be missing, where phrases are too few for it; then style is strength.
    """
    share = {name: min(figures[name] / goal, 1.0) for name, goal in GOALS.items() if name in figures}
    style = strength = min(share["total_strength"], share["total_judge_strength"])
    if "share_of_the_way" in share:
        style = (strength + max(share["share_of_the_way"], -1.0)) / 2
    content = (share["chroma_cosine"] + share["melody_onsets_kept"] + share["cycle_f1_binary"]) / 3
    reached = style * content * share["diversity"] if style > 0 else style
    return reached - COLLAPSE * collapsed


# Of a direction's figures, lowest and highest that a healthy run shows.
RANGES: Mapping[str, tuple[float, float]] = {
    "diversity": (0.5, math.inf),  # of the originals' mean distance
    "blank_share": (0.0, 0.05),  # of the transferred phrases
    "notes_ratio": (1 / 3, 3.0),  # notes a phrase, of the target genre's; rolls filled with noise had 3 to 7
    "polyphony": (1 / 3, 3.0),  # notes at once, likewise; rolls filled with held notes had 4 to 8
}


def signs_of_collapse(evaluation: Mapping[str, Any]) -> list[str]:
    """A sentence for every figure out of its range, of either direction of `evaluate.evaluate`'s result.

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
