"""Phrases held on the device or streamed, one step a dispatch or several: the same training."""

import numpy as np
import pytest
from support.training_loop import (
    CONFIG,
    EVERY_FIVE,
    Stopped,
    assert_same_bits,
    batches,
    metric_lines,
    run,
    steps_saved,
    stop_at,
)

from cyclegan_jax.training.cadence import Cadence
from cyclegan_jax.training.data_parallel import Parallel
from cyclegan_jax.training.state import build_optimiser
from launch.run.feed import (
    MOST_AT_ONCE,
    SHARE_OF_MEMORY,
    Held,
    Streamed,
    default_steps_per_dispatch,
    open_feed,
)


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """A run one step at a time, phrases held: its folder and its last state."""
    workdir = tmp_path_factory.mktemp("feed") / "straight"
    return workdir, run(workdir, EVERY_FIVE, evaluated=True)


@pytest.fixture
def no_room_on_the_device(monkeypatch) -> None:
    monkeypatch.setattr("launch.run.feed.SHARE_OF_MEMORY", 0.0)
    monkeypatch.delattr("launch.run.feed.Held")


@pytest.mark.parametrize("more, kind", [(0, Held), (-1, Streamed)])
def test_phrases_are_held_where_they_take_up_to_a_quarter_of_what_is_free(more, kind, monkeypatch):
    parallel, all_batches = Parallel(CONFIG, build_optimiser(CONFIG)), batches()
    assert SHARE_OF_MEMORY == 0.25 and all_batches.packed_bytes == 26 * 672
    monkeypatch.setattr(parallel, "free_memory", lambda: 4 * all_batches.packed_bytes + more)
    assert type(open_feed(all_batches, parallel, 0, 1)) is kind


def test_as_many_steps_go_at_once_as_lie_between_two_lines_of_metrics_but_for_a_cpu(monkeypatch):
    assert default_steps_per_dispatch(10) == 1
    monkeypatch.setattr("jax.default_backend", lambda: "gpu")
    assert [default_steps_per_dispatch(every) for every in (1, 10, 1000)] == [1, 10, MOST_AT_ONCE]


@pytest.mark.slow
def test_phrases_streamed_are_the_phrases_held_to_the_bit(straight, tmp_path, no_room_on_the_device):
    workdir, state = straight
    streamed = run(tmp_path, evaluated=True)
    assert_same_bits(streamed, state)
    assert (tmp_path / "metrics.jsonl").read_bytes() == (workdir / "metrics.jsonl").read_bytes()


@pytest.mark.slow
def test_a_streamed_run_taken_up_again_in_groups_is_the_same_to_the_bit(
    straight, tmp_path, no_room_on_the_device
):
    by_three = Cadence(log_every=3, eval_every=5, steps_per_dispatch=3)
    with pytest.raises(Stopped):
        run(tmp_path, by_three, watch=stop_at(8))
    assert steps_saved(tmp_path) == [5]
    assert_same_bits(run(tmp_path, by_three), straight[1])


def test_several_steps_a_dispatch_are_one_at_a_time_to_the_bit_and_their_metrics_the_means(
    straight, tmp_path
):
    workdir, state = straight
    by_four = Cadence(log_every=4, eval_every=5, steps_per_dispatch=4)
    assert_same_bits(run(tmp_path, by_four), state)
    one_by_one = metric_lines(workdir)
    first, second, last = metric_lines(tmp_path)
    assert [row["step"] for row in (first, second, last)] == [4, 8, 10]
    assert second == one_by_one[7] and last == one_by_one[9], "saving at step 5 leaves no four steps on end"
    for name in set(first) - {"step", "epoch"}:
        mean = np.mean([row[name] for row in one_by_one[:4]])
        assert first[name] == pytest.approx(mean, rel=1e-6), name
