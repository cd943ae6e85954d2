"""Batches: functions of seed and step alone, unpaired, balanced, and fair to every phrase."""

from collections import Counter

import numpy as np
import pytest

from cyclegan_jax.datasets.pipeline import batches as module
from cyclegan_jax.datasets.pipeline.batches import PairBatches
from cyclegan_jax.errors import UserError
from cyclegan_jax.pianoroll.packing import pack_bits

A, B, C = 1000, 2000, 3000


def numbered(count: int, first: int) -> np.ndarray:
    """[count, 64, 84, 1] bool, each phrase with its number in the bits of its first row."""
    phrases = np.zeros((count, 64, 84, 1), bool)
    numbers = np.arange(first, first + count)
    phrases[:, 0, :16, 0] = numbers[:, None] >> np.arange(16) & 1
    return phrases


def numbers_of(phrases: np.ndarray) -> list[int]:
    assert phrases.dtype == np.bool_ and phrases.shape[1:] == (64, 84, 1)
    return (phrases[:, 0, :16, 0] @ (1 << np.arange(16))).tolist()


def make(
    a: int = 23, b: int = 50, mixed: tuple[tuple[int, int], ...] = (), batch_size: int = 4, seed: int = 0
) -> PairBatches:
    return PairBatches(numbered(a, A), numbered(b, B), [numbered(*m) for m in mixed], batch_size, seed)


def drawn(batches: PairBatches, letter: str, steps: range) -> list[int]:
    return [number for step in steps for number in numbers_of(batches.batch(step)[letter])]


def epoch(batches: PairBatches, number: int) -> range:
    return range(number * batches.steps_per_epoch, (number + 1) * batches.steps_per_epoch)


FULL = ((23, A), (50, B), (7, C))


def test_a_batch_has_equal_numbers_of_a_and_b_and_m():
    batch = make(mixed=FULL).batch(3)
    assert {name: len(phrases) for name, phrases in batch.items()} == {"a": 4, "b": 4, "m": 4}
    assert {number // 1000 for number in numbers_of(batch["a"])} == {1}
    assert {number // 1000 for number in numbers_of(batch["b"])} == {2}


def test_base_has_no_m():
    assert set(make().batch(0)) == {"a", "b"}


@pytest.mark.parametrize("first", [0, 5, 17])
def test_a_step_gives_the_same_batch_whenever_and_by_whomever_it_is_asked(first):
    straight = make(mixed=FULL, seed=3)
    batches = [straight.batch(step) for step in range(first + 6)]
    resumed = make(mixed=FULL, seed=3)
    for step in reversed(range(first, first + 6)):
        batch = resumed.batch(step)
        assert all(np.array_equal(batch[name], batches[step][name]) for name in ("a", "b", "m"))


@pytest.mark.parametrize("start, stop", [(0, 30), (13, 21), (40, 41), (7, 7)])
def test_a_stream_is_the_batches_of_its_steps_in_order(start, stop):
    batches = make(mixed=FULL, seed=5)
    streamed = list(batches.stream(start, stop))
    assert len(streamed) == stop - start
    for step, batch in enumerate(streamed, start):
        for name, phrases in batches.batch(step).items():
            np.testing.assert_array_equal(batch[name], phrases)


@pytest.mark.parametrize("letter", ["a", "b", "m"])
def test_another_seed_gives_another_order(letter):
    orders = [drawn(make(mixed=FULL, seed=seed), letter, range(5)) for seed in range(4)]
    assert len({tuple(order) for order in orders}) == 4


@pytest.mark.parametrize("smaller, a, b", [("a", 23, 50), ("b", 50, 23), ("a", 24, 50), ("a", 23, 23)])
def test_an_epoch_sees_the_smaller_genre_once_but_for_the_remainder(smaller, a, b):
    batches = make(a, b)
    assert batches.steps_per_epoch == 24 // 4 if 24 in (a, b) else 5
    for number in range(3):
        seen = Counter(drawn(batches, smaller, epoch(batches, number)))
        assert max(seen.values()) == 1
        assert len(seen) == batches.steps_per_epoch * 4


def test_the_remainder_left_out_changes_so_that_every_phrase_is_seen():
    batches = make()
    left_out = [set(range(A, A + 23)) - set(drawn(batches, "a", epoch(batches, n))) for n in range(12)]
    assert {len(numbers) for numbers in left_out} == {3}
    assert not set.intersection(*left_out)
    assert len({frozenset(numbers) for numbers in left_out}) > 6


@pytest.mark.parametrize("larger, a, b", [("b", 23, 50), ("a", 50, 23)])
def test_the_larger_genre_is_drawn_down_afresh_each_epoch(larger, a, b):
    batches = make(a, b)
    epochs = [drawn(batches, larger, epoch(batches, number)) for number in range(30)]
    assert all(len(set(numbers)) == len(numbers) == 20 for numbers in epochs)
    assert len({frozenset(numbers) for numbers in epochs}) == 30
    assert len(set().union(*epochs)) == 50


def test_order_is_shuffled_and_changes_each_epoch():
    batches = make(a=24)
    orders = [tuple(drawn(batches, "a", epoch(batches, number))) for number in range(6)]
    assert len({*orders, tuple(range(A, A + 24))}) == 7
    assert all(set(order) == set(range(A, A + 24)) for order in orders)


def test_a_and_b_are_unpaired():
    batches = make(a=24, b=24)
    a, b = (drawn(batches, letter, epoch(batches, 0)) for letter in "ab")
    assert [number - A for number in a] != [number - B for number in b]


@pytest.mark.parametrize("batch_size", [1, 2, 3, 4, 6, 16])
@pytest.mark.parametrize("mixed", [FULL, FULL[:2]], ids=["full", "partial"])
def test_m_has_its_genres_in_equal_parts_even_where_the_batch_does_not_divide(mixed, batch_size):
    batches = make(mixed=mixed, batch_size=batch_size)
    total: Counter = Counter()
    for step in range(12):
        parts = Counter(number // 1000 for number in numbers_of(batches.batch(step)["m"]))
        counts = [parts[first // 1000] for _, first in mixed]
        assert sum(counts) == batch_size and max(counts) - min(counts) <= 1
        total += parts
    assert set(total.values()) == {12 * batch_size // len(mixed)}


@pytest.mark.parametrize("genre", [0, 1, 2])
def test_each_genre_of_m_is_seen_whole_before_it_comes_again_and_in_a_new_order(genre):
    count, first = FULL[genre]
    turns = [number for number in drawn(make(mixed=FULL), "m", range(150)) if first <= number < first + count]
    rounds = [turns[at : at + count] for at in range(0, len(turns) - count + 1, count)]
    assert len(rounds) >= 4
    assert all(sorted(numbers) == list(range(first, first + count)) for numbers in rounds)
    assert len({tuple(numbers) for numbers in rounds}) == len(rounds)


def test_m_draws_otherwise_than_a_and_b():
    batches = make(mixed=((23, A), (23, A)), b=23, batch_size=20)
    batch = batches.batch(0)
    from_m = numbers_of(batch["m"])
    assert from_m[0::2] != from_m[1::2]
    assert numbers_of(batch["a"])[:10] not in (from_m[0::2], from_m[1::2])


@pytest.mark.parametrize("a, b, allowed", [(4, 4, True), (3, 9, False), (9, 3, False), (0, 9, False)])
def test_a_genre_with_less_than_a_batch_is_a_user_error(a, b, allowed):
    if allowed:
        assert make(a, b).steps_per_epoch == 1
        return
    with pytest.raises(
        UserError, match=rf"batch_size is 4, .* {a} phrases of the first .* {b} of the second; lower it"
    ):
        make(a, b)


def test_density_b_over_a_counts_onsets_and_cells_in_all_phrases():
    one, many = np.zeros((2, 2500, 64, 84, 1), bool)
    one[:, 3:9, 20] = True
    many[:, ::4, 30], many[: len(many) // 2, 2::4, 30] = True, True
    assert PairBatches(one, many, (), 4, 0).density_b_over_a == (24.0, 4.0)
    assert PairBatches(many, one, (), 4, 0).density_b_over_a == (round(1 / 24, 4), 0.25)
    assert PairBatches(one, np.zeros_like(one), (), 4, 0).density_b_over_a == (1.0, 1.0)


def test_density_b_over_a_counts_notes_struck_again():
    held = np.zeros((5, 64, 84, 1), bool)
    held[:, 3:9, 20] = True
    held[:, 0:2, 50] = True  # from before
    first, again = np.zeros((2, *held.shape), bool)
    first[:, 3, 20] = True
    again[:, [3, 5, 7], 20] = True
    once, thrice = (np.concatenate([held, begins], axis=-1) for begins in (first, again))
    assert PairBatches(once, thrice, (), 4, 0).density_b_over_a == (3.0, 1.0)
    assert PairBatches(once, thrice, (), 4, 0).packed().shape == (10, 2 * 672)


@pytest.mark.parametrize("in_common", [True, False])
def test_rows_of_the_packed_table_are_the_batch_and_each_genre_lies_there_once(in_common):
    a, b, c = (numbered(*genre) for genre in FULL)
    mixed = [a, b, c] if in_common else [numbered(*genre) for genre in FULL]
    batches = PairBatches(a, b, mixed, 4, seed=2)
    table = batches.packed()
    assert len(table) == (80 if in_common else 153)
    assert batches.packed_bytes == table.nbytes
    for step in range(30):
        rows, batch = batches.rows(step), batches.batch(step)
        assert list(rows) == list(batch) == ["a", "b", "m"]
        for name, phrases in batch.items():
            np.testing.assert_array_equal(table[rows[name]], pack_bits(phrases))


def test_more_phrases_than_are_read_at_once_are_packed_whole(monkeypatch):
    monkeypatch.setattr(module, "READ_AT_ONCE", 7)
    batches = make(mixed=FULL)
    np.testing.assert_array_equal(batches.packed()[:23], pack_bits(batches.a))
    np.testing.assert_array_equal(batches.packed()[23:73], pack_bits(batches.b))
