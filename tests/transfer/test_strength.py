"""The control `strength` by its curve: the share of cells changed grows straight with it."""

from dataclasses import replace

import numpy as np
import pytest
from support.midi_files import write_midi_file
from support.model_files import with_evaluation
from support.train_steps import CONFIG

from cyclegan_jax.errors import UserError
from cyclegan_jax.transfer.controls import Controls
from cyclegan_jax.transfer.model import Model
from cyclegan_jax.transfer.model_file import load
from cyclegan_jax.transfer.strength import POINTS, calibrated, mix, strength_curve

RNG = np.random.default_rng(0)
SOURCE = RNG.random((9, 64, 84, 1)) < 0.1
TIMID = 1 / (1 + np.exp(-RNG.normal(0, 1, SOURCE.shape)))  # logits near 0, as networks have them


def share_changed(strength: float) -> float:
    """Of all cells that change at strength 1, those that do at this strength of the mix."""
    changed = [(mix(SOURCE, TIMID, Controls(strength=s)) ^ SOURCE).sum() for s in (strength, 1.0)]
    return changed[0] / changed[1]


def test_by_the_mix_alone_hardly_a_cell_changes_at_a_half_and_by_the_curve_half_of_them_do():
    curve = strength_curve(SOURCE, TIMID)
    assert share_changed(0.5) < 0.01
    for strength in np.linspace(0, 1, 11):
        assert share_changed(calibrated(strength, curve)) == pytest.approx(strength, abs=0.02)


def test_a_curve_rises_from_0_to_1_and_is_straight_where_nothing_changes():
    curve = strength_curve(SOURCE, TIMID)
    assert len(curve) == POINTS and curve[0] == 0 and curve[-1] == 1 and (np.diff(curve) >= 0).all()
    assert strength_curve(SOURCE, np.where(SOURCE, 0.9, 0.1)) == pytest.approx(np.linspace(0, 1, POINTS))
    assert [calibrated(s, [0.0, 0.8, 1.0]) for s in (0, 0.25, 0.5, 1)] == pytest.approx([0, 0.4, 0.8, 1])


class Timid(Model):
    """A model whose probabilities lie near one half, in the middle of a song as at its end."""

    def network(self, to: str):
        return lambda phrases: 1 / (1 + np.exp(-RNG.normal(0, 1, (*phrases.shape[:3], 1)))).astype(np.float32)


def test_a_model_takes_its_curve_and_one_without_a_curve_the_mix(tmp_path):
    song = write_midi_file(tmp_path / "a.mid", [(480 * n, 480 * n + 480, 40 + n) for n in range(64)])
    model = Timid(CONFIG, {}, None, {}, {})
    assert model.calibrated(Controls(strength=0.5), "pop").strength == 0.5
    known = replace(model, evaluation={"strength_curves": {"pop": strength_curve(SOURCE, TIMID)}})
    assert known.calibrated(Controls(strength=0.5), "jazz").strength == 0.5
    shares = [
        one.transfer_midi(song.read_bytes(), "pop", Controls(strength=0.5)).cells_changed
        for one in (model, known)
    ]
    assert shares[0] < 0.1 < shares[1]


@pytest.mark.parametrize(
    "curves", [{"pop": [0.0, 0.9, 0.2, 1.0]}, {"polka": [0, 1]}, {"pop": [0]}, {"pop": "x"}, 3]
)
def test_a_model_file_with_a_wrong_curve_is_refused(curves, model_path, tmp_path):
    with pytest.raises(UserError, match="wrong entry"):
        load(with_evaluation(model_path, tmp_path / "a.model", strength_curves=curves))
