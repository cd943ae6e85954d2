"""How far a transfer goes: the control `strength`, and its calibration.

A cell of the source counts as a logit of ±4, and the transfer's as its own. The two are mixed. The transfer's
logits are mostly small, so by the mix alone hardly a cell changes below 0.8. A curve of the model says at
which mix each twentieth of the cells that change has changed. By it the share of cells changed grows straight
with the strength.
"""

from collections.abc import Sequence

import numpy as np

from cyclegan_jax.transfer.controls import SOURCE_LOGIT, Controls

POINTS = 21  # of a curve, at strengths from 0 to 1


def mix(source: np.ndarray, probabilities: np.ndarray, controls: Controls) -> np.ndarray:
    """Which cells sound, bool: those whose logit is above the threshold's.

    (1 - strength) · ±4 + strength · logit(probability), + where `source` is on: 0 gives the source,
    1 the transfer, and a cell that changes at one strength has changed at all greater ones.
    """
    mixed = (1 - controls.strength) * _source_logits(source) + controls.strength * _logit(probabilities)
    return mixed > _logit(controls.threshold)


def strength_curve(source: np.ndarray, probabilities: np.ndarray) -> list[float]:
    """[21] by which strength of `mix` so many twentieths of all cells that change have changed.

    `source` bool and `probabilities` in [0, 1], equal shapes. From 0 to 1, never falling; straight where no
    cell changes.
    """
    source_logits, logits = _source_logits(source), _logit(probabilities)
    changes = (logits > 0) != source
    if not changes.any():
        return np.linspace(0, 1, POINTS).tolist()
    at = source_logits[changes] / (source_logits[changes] - logits[changes])
    curve = np.quantile(at, np.linspace(0, 1, POINTS))
    return [0.0, *np.round(curve[1:-1], 4).tolist(), 1.0]


def calibrated(strength: float, curve: Sequence[float]) -> float:
    """The strength of `mix` at which the share `strength`, 0 to 1, of the cells that change has changed."""
    return float(np.interp(strength, np.linspace(0, 1, len(curve)), curve))


def _source_logits(source: np.ndarray) -> np.ndarray:
    return np.where(source, SOURCE_LOGIT, -SOURCE_LOGIT)


def _logit(probability: np.ndarray | float) -> np.ndarray:
    bounded = np.clip(np.asarray(probability, np.float64), 1e-12, 1 - 1e-12)
    return np.log(bounded) - np.log1p(-bounded)
