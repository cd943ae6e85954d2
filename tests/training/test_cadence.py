"""When a run logs, evaluates and saves."""

import pytest

from cyclegan_jax.errors import UserError
from cyclegan_jax.training.cadence import Cadence


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
    "cadence, start, lengths",
    [
        (Cadence(), 0, [1] * 20),
        (Cadence(steps_per_dispatch=5), 0, [1] * 20),
        (Cadence(eval_every=10, steps_per_dispatch=10), 0, [10, 10]),
        (Cadence(eval_every=10, steps_per_dispatch=10), 3, [1] * 7 + [10]),
        (Cadence(eval_every=20, steps_per_dispatch=8), 0, [8, 1, 1, 8, 1, 1]),
        (Cadence(eval_every=20, save_every=6, steps_per_dispatch=3), 0, [3, 3, 3, 1, 1, 1, 3, 3, 1, 1]),
    ],
)
def test_steps_go_in_groups_of_one_length_or_alone_and_something_due_ends_a_group(cadence, start, lengths):
    groups = list(cadence.dispatches(start, 20))
    assert [len(group) for group in groups] == lengths
    assert [step for group in groups for step in group] == list(range(start, 20))
    assert all(not any(any(cadence.due(step, 20)) for step in group[1:]) for group in groups)


@pytest.mark.parametrize("steps_per_dispatch", [0, 11])
def test_a_group_has_no_more_steps_than_lie_between_two_ticks(steps_per_dispatch):
    with pytest.raises(UserError, match=f"steps_per_dispatch is {steps_per_dispatch}, .* between 1 and 10"):
        Cadence(log_every=10, steps_per_dispatch=steps_per_dispatch)


@pytest.mark.parametrize(
    "steps, at", [(20, [4, 8, 12, 16, 20]), (21, [5, 10, 15, 20, 21]), (1056, [212, 424, 636, 848, 1056])]
)
def test_a_run_is_evaluated_five_times(steps, at):
    assert [step for step in range(1, steps + 1) if Cadence().due(step, steps).evaluate] == at


def test_a_run_shorter_than_five_steps_is_evaluated_at_each():
    assert [Cadence().due(step, 3).evaluate for step in (1, 2, 3)] == [True] * 3
