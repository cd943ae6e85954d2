"""When a run logs, evaluates and saves."""

import pytest

from cyclegan_jax.config import Cadence
from cyclegan_jax.errors import UserError


@pytest.mark.parametrize("field, low", [("log_every", 1), ("eval_every", 0), ("save_every", 0)])
def test_a_cadence_is_checked(field, low):
    Cadence(**{field: low})
    with pytest.raises(UserError, match=f"{field} is {low - 1}, but must be at least {low}"):
        Cadence(**{field: low - 1})


@pytest.mark.parametrize(
    "cadence, step, due",
    [
        (Cadence(log_every=3), 1, (False, False, False)),
        (Cadence(log_every=3), 3, (True, False, False)),
        (Cadence(log_every=3), 4, (False, True, True)),
        (Cadence(log_every=3, eval_every=5), 4, (False, False, False)),
        (Cadence(log_every=30, eval_every=5), 5, (False, True, True)),
        (Cadence(log_every=30, eval_every=30, save_every=7), 14, (False, False, True)),
        (Cadence(log_every=30, eval_every=30), 20, (True, True, True)),
    ],
)
def test_what_is_due_after_a_step_of_twenty(cadence, step, due):
    assert cadence.due(step, 20) == due


@pytest.mark.parametrize(
    "steps, at", [(20, [4, 8, 12, 16, 20]), (21, [5, 10, 15, 20, 21]), (1056, [212, 424, 636, 848, 1056])]
)
def test_a_run_is_evaluated_five_times(steps, at):
    assert [step for step in range(1, steps + 1) if Cadence().due(step, steps).evaluate] == at


def test_a_run_shorter_than_five_steps_is_evaluated_at_each():
    assert [Cadence().due(step, 3).evaluate for step in (1, 2, 3)] == [True] * 3
