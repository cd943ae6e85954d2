"""Phrases as bits, there and back, and as a table."""

import jax
import numpy as np
import pytest

from cyclegan_jax.pianoroll.packing import PACKED_BYTES, as_table, pack_bits, unpack_bits


def rolls(seed: int, count: int, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).random((count, 64, 84, channels)) < 0.05


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("count", [1, 5])
def test_what_is_packed_comes_back(count, channels):
    phrases = rolls(0, count, channels)
    packed = pack_bits(phrases)
    assert (packed.shape, packed.dtype) == ((count, PACKED_BYTES * channels), np.uint8)
    back = jax.jit(unpack_bits)(packed)
    assert back.dtype == np.bool_
    np.testing.assert_array_equal(back, phrases)


def test_a_byte_has_eight_pitches_of_a_step_the_lowest_first():
    phrase = np.zeros((1, 64, 84, 1), bool)
    phrase[0, 0, [0, 8 + 7]] = True
    phrase[0, 2, 0] = True  # cell 168, the first of byte 21
    packed = pack_bits(phrase)[0]
    assert packed[0] == 0b10000000 and packed[1] == 0b00000001 and packed[21] == 0b10000000
    assert packed.astype(int).sum() == 128 + 1 + 128


def test_a_table_has_all_phrases_of_all_batches_and_tells_where():
    batches = [{"a": rolls(1, 3), "b": rolls(2, 3)}, {"a": rolls(3, 2), "b": rolls(4, 2)}]
    table, rows = as_table(batches)
    assert len(table) == 10
    assert sorted(np.concatenate([part for batch in rows for part in batch.values()])) == list(range(10))
    for batch, numbers in zip(batches, rows, strict=True):
        assert list(numbers) == ["a", "b"]
        for name, phrases in batch.items():
            np.testing.assert_array_equal(table[numbers[name]], pack_bits(phrases))
