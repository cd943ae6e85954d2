"""How well a transfer does: genre strength by the judge, and what the cycle brings back."""

from typing import Any

import numpy as np

from cyclegan_jax.judge import Judge
from cyclegan_jax.transfer import Transfer, to_notes


def f1(truth: np.ndarray, found: np.ndarray) -> float:
    """2 TP / (2 TP + FP + FN) over all cells of two bool arrays of one shape; 1 where both are blank."""
    on = int(truth.sum()) + int(found.sum())
    return 2 * int((truth & found).sum()) / on if on else 1.0


def strength(origin: float, transferred: float, cycled: float) -> float:
    """S = ½ (P(x) − P(x̂) + P(x̃) − P(x̂)) of P, how surely each is of the origin's genre (paper, eq. 13).

    All three in [0, 1]; returns -1 to 1, greater where the transfer leaves the genre and the cycle returns.
    """
    return ((origin - transferred) + (cycled - transferred)) / 2


def evaluate_direction(transfer: Transfer, judge: Judge, phrases: np.ndarray, source: int) -> dict[str, Any]:
    """All figures of one direction.

    `phrases`: [N, 64, 84, 1] bool of genre `pair[source]`. The cycle is made of the transfer as it is, not
    of its notes, as in the original code; all three are then judged as notes.
    """
    pair = transfer.config.pair
    fakes = transfer.phrases(phrases, to=pair[1 - source])
    cycled = to_notes(transfer.phrases(fakes, to=pair[source]))
    fake_notes = to_notes(fakes)
    judged = {
        name: judge.probabilities(rolls)
        for name, rolls in {"origin": phrases, "transfer": fake_notes, "cycle": cycled}.items()
    }
    by = {
        "share": {name: float((p.argmax(axis=1) == source).mean()) for name, p in judged.items()},
        "probability": {name: float(p[:, source].mean()) for name, p in judged.items()},
    }
    return {
        "phrases": len(phrases),
        "origin_genre": by,
        "strength": {
            kind: strength(row["origin"], row["transfer"], row["cycle"]) for kind, row in by.items()
        },
        "cell_f1": f1(phrases, fake_notes),
        "cycle_f1": f1(phrases, cycled),
        "blank_share": float((~fake_notes.any(axis=(1, 2, 3))).mean()),
    }


def evaluate(transfer: Transfer, judge: Judge, a: np.ndarray, b: np.ndarray) -> dict[str, Any]:
    """Both directions and their means; `a`, `b`: phrases [N, 64, 84, 1] bool of the pair's genres.

    `score`, by which the best checkpoint is chosen: total strength by share × mean cycle F1.
    """
    a_to_b = evaluate_direction(transfer, judge, a, source=0)
    b_to_a = evaluate_direction(transfer, judge, b, source=1)
    total = {
        kind: (a_to_b["strength"][kind] + b_to_a["strength"][kind]) / 2 for kind in ("share", "probability")
    }
    cycle_f1 = (a_to_b["cycle_f1"] + b_to_a["cycle_f1"]) / 2
    return {
        "a_to_b": a_to_b,
        "b_to_a": b_to_a,
        "total_strength": total,
        "cycle_f1": cycle_f1,
        "score": total["share"] * cycle_f1,
    }


def scalars(evaluation: dict[str, Any], prefix: str) -> dict[str, float]:
    """The evaluation's numbers as one flat row: `prefix/a_to_b/strength/share` and so on."""
    row: dict[str, float] = {}
    for name, value in evaluation.items():
        key = f"{prefix}/{name}"
        row |= scalars(value, key) if isinstance(value, dict) else {key: value}
    return row
