"""The signs that training has collapsed: outputs all alike, blank, or of an impossible density."""

import math
from collections.abc import Mapping
from typing import Any

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
