"""Checkpoints: bit for bit, the newest three and the best, and sentences for what does not fit."""

import dataclasses
import math

import jax
import pytest
from support.checkpoints import CONFIG, assert_same_bits, random_state, shapes, steps_in

from cyclegan_jax.errors import UserError
from cyclegan_jax.training.checkpoint import Checkpoints

NAN = math.nan


def save_scores(folder, scores, first=1):
    """One checkpoint for each score, in turn; None saves without one. Returns the steps kept and the best."""
    state = random_state(0)
    with Checkpoints(folder) as checkpoints:
        for step, score in enumerate(scores, start=first):
            checkpoints.save(step, state, CONFIG)
            if score is not None:
                checkpoints.set_score(step, score)
        return steps_in(folder), checkpoints.best()


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Two steps with different states."""
    folder = tmp_path_factory.mktemp("run") / "checkpoints"
    with Checkpoints(folder) as checkpoints:
        checkpoints.save(5, random_state(5), CONFIG)
        checkpoints.set_score(5, 0.9)
        checkpoints.save(7, random_state(7), dataclasses.replace(CONFIG, steps=20))
        checkpoints.set_score(7, 0.1)
    return folder


@pytest.mark.parametrize("step", [5, 7])
@pytest.mark.parametrize("read_only", [False, True])
def test_the_whole_state_comes_back_bit_for_bit(saved, step, read_only):
    with Checkpoints(saved, read_only=read_only) as checkpoints:
        assert_same_bits(random_state(step), checkpoints.restore(step, shapes(CONFIG)))
        assert_same_bits(random_state(step), checkpoints.restore(step, random_state(0)))


def test_the_state_saved_has_every_part(saved):
    with Checkpoints(saved, read_only=True) as checkpoints:
        state = checkpoints.restore(5, shapes(CONFIG))
    assert state.pool.a.shape == (3, 2, 64, 84, 1) and state.key.shape == (2,)
    for optimiser, part in (
        (state.generator_optimiser, state.generators),
        (state.discriminator_optimiser, state.discriminators),
    ):
        assert jax.tree.structure(optimiser[0].nu) == jax.tree.structure(part)


def test_each_step_has_its_config(saved):
    with Checkpoints(saved, read_only=True) as checkpoints:
        assert checkpoints.config(5) == CONFIG
        assert checkpoints.config(7) == dataclasses.replace(CONFIG, steps=20)


def test_generators_come_back_alone(saved):
    with Checkpoints(saved, read_only=True) as checkpoints:
        assert_same_bits(random_state(7).generators, checkpoints.generators(7))


def test_the_generators_to_transfer_by_are_the_averaged_ones_where_there_are_any(tmp_path):
    config = dataclasses.replace(CONFIG, ema_decay=0.5)
    state = random_state(3, config)
    with Checkpoints(tmp_path / "checkpoints") as checkpoints:
        checkpoints.save(1, state, config)
        assert_same_bits(state.ema, checkpoints.generators(1))
        assert_same_bits(state, checkpoints.restore(1, shapes(config)))
        with pytest.raises(UserError, match="other parts"):
            checkpoints.restore(1, shapes(CONFIG))


def test_what_came_after_a_step_can_be_cut(tmp_path):
    with Checkpoints(tmp_path / "checkpoints") as checkpoints:
        for step in (2, 4, 6):
            checkpoints.save(step, random_state(step), CONFIG)
        checkpoints.cut(4)
        assert checkpoints.steps() == [2, 4] and checkpoints.latest() == 4
        checkpoints.save(6, random_state(1), CONFIG)
    assert steps_in(tmp_path / "checkpoints") == [2, 4, 6]


def test_latest_and_best(saved):
    with Checkpoints(saved, read_only=True) as checkpoints:
        assert checkpoints.latest() == 7 and checkpoints.best() == 5


def test_an_empty_folder_has_neither(tmp_path):
    with Checkpoints(tmp_path / "checkpoints") as checkpoints:
        assert checkpoints.latest() is None and checkpoints.best() is None


@pytest.mark.parametrize(
    "scores, kept, best",
    [
        ([0.9, 0.1, 0.2, 0.3, 0.4, 0.5], [1, 4, 5, 6], 1),
        ([0.1, 0.9, 0.2, 0.3, 0.4, 0.5], [2, 4, 5, 6], 2),
        ([0.1, 0.2, 0.3, 0.4, 0.9], [3, 4, 5], 5),
        ([-0.9, -0.1, -0.2, -0.3, -0.4], [2, 3, 4, 5], 2),
        ([0.5, None, None, None, None], [1, 3, 4, 5], 1),
        ([NAN, 0.1, NAN, math.inf, NAN, NAN], [2, 4, 5, 6], 2),
    ],
    ids=["first_best", "second_best", "last_best", "negative", "unscored_between", "not_finite_never_best"],
)
def test_the_newest_three_and_the_best_are_kept(tmp_path, scores, kept, best):
    assert save_scores(tmp_path / "checkpoints", scores) == (kept, best)


@pytest.mark.parametrize("scores", [[None] * 4, [NAN] * 4, [NAN, None, None, None, None]])
def test_where_none_has_a_score_the_newest_is_the_best_and_the_newest_three_are_kept(tmp_path, scores):
    last = len(scores)
    assert save_scores(tmp_path / "checkpoints", scores) == ([last - 2, last - 1, last], last)


def test_the_best_is_remembered_when_the_folder_is_opened_again(tmp_path):
    folder = tmp_path / "checkpoints"
    save_scores(folder, [0.9, 0.1, 0.2])
    assert save_scores(folder, [0.3, 0.4], first=4) == ([1, 3, 4, 5], 1)
    assert save_scores(folder, [0.95, 0.5, 0.5, 0.5], first=6) == ([6, 7, 8, 9], 6)
    with Checkpoints(folder, read_only=True) as checkpoints:
        assert checkpoints.best() == 6 and checkpoints.latest() == 9


@pytest.mark.parametrize(
    "changes, leaf",
    [({"width": 3}, ".generators['gen_ab']"), ({"pool_size": 4}, ".pool.a"), ({"batch_size": 4}, ".pool.a")],
)
def test_another_shape_is_an_error_that_names_the_leaf(saved, changes, leaf):
    with (
        Checkpoints(saved, read_only=True) as checkpoints,
        pytest.raises(UserError, match="the checkpoint's") as e,
    ):
        checkpoints.restore(5, shapes(dataclasses.replace(CONFIG, **changes)))
    assert leaf in str(e.value) and "this model's is" in str(e.value)


def test_the_shapes_found_and_wanted_are_named(saved):
    wanted = shapes(dataclasses.replace(CONFIG, pool_size=4))
    with Checkpoints(saved, read_only=True) as checkpoints, pytest.raises(UserError) as error:
        checkpoints.restore(5, wanted)
    assert "(3, 2, 64, 84, 1)" in str(error.value) and "(4, 2, 64, 84, 1)" in str(error.value)


def test_a_missing_folder_to_read_is_named_and_stays_missing(tmp_path):
    with pytest.raises(UserError, match="holds no trained model") as error:
        Checkpoints(tmp_path / "run" / "checkpoints", read_only=True)
    assert str(tmp_path / "run") in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_reading_changes_no_file(saved):
    def listing():
        return sorted((str(path), path.stat().st_mtime_ns) for path in saved.rglob("*"))

    before = listing()
    with Checkpoints(saved, read_only=True) as checkpoints:
        checkpoints.generators(checkpoints.best())
    assert listing() == before
