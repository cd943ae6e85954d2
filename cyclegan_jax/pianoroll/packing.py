"""Phrases as bits, so that a whole dataset fits beside the networks on a device.

A phrase of 64 × 84 cells takes 672 bytes a channel as bits, an eighth of what bools take. Training keeps the
phrases like this on every device and unpacks a batch inside jit. Streamed batches are sent as bits too.
"""

from collections.abc import Iterable, Mapping

import jax
import jax.numpy as jnp
import numpy as np

from cyclegan_jax.pianoroll.roll import CELLS, phrase_shape

PACKED_BYTES = CELLS // 8  # of a channel of a phrase


def pack_bits(phrases: np.ndarray) -> np.ndarray:
    """[N, 64, 84, C] bool -> [N, 672 C] uint8, eight cells a byte."""
    return np.packbits(phrases.reshape(len(phrases), -1), axis=1)


def unpack_bits(packed: jax.Array) -> jax.Array:
    """The inverse of `pack_bits`, inside jit: [B, 672 C] uint8 -> [B, 64, 84, C] bool."""
    shape = phrase_shape(packed.shape[1] // PACKED_BYTES)
    return jnp.unpackbits(packed, axis=1).astype(jnp.bool_).reshape(-1, *shape)


def as_table(
    batches: Iterable[Mapping[str, np.ndarray]],
) -> tuple[np.ndarray, list[dict[str, np.ndarray]]]:
    """The phrases of batches on end, as bits, and for each batch the numbers of its rows there.

    Each batch: name -> [B, 64, 84, C] bool. Returns [N, 672 C] uint8 and, batch by batch, name -> [B].
    """
    parts, rows, start = [], [], 0
    for batch in batches:
        rows.append({})
        for name, phrases in batch.items():
            parts.append(pack_bits(phrases))
            rows[-1][name] = np.arange(start, start + len(phrases))
            start += len(phrases)
    return np.concatenate(parts), rows
