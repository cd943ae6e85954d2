"""Convolutions in the form that XLA runs fastest on a CPU: over blocks of cells instead of cells.

A block of 4 steps by 2 pitches becomes one cell with 8 times the channels (space to depth), so that the few
channels of a roll fill whole vector registers. The kernel is laid out again for each output of a block, with
zeros where it has no weight. That is more multiplications in several times less time. Results are the plain
convolution's, to rounding.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

BLOCK = (4, 2)  # steps, pitches
LAYOUT = ("NHWC", "HWIO", "NHWC")


def convolution(x: jax.Array, kernel: jax.Array, strides: tuple[int, int]) -> jax.Array:
    """Cross-correlation without padding: [B, T, P, C] with [t, p, C, D] -> [B, T', P', D].

    T' = (T − t) // stride + 1, likewise P'. Strides must divide `BLOCK`.
    """
    sizes = [
        (size - taps) // stride + 1
        for size, taps, stride in zip(x.shape[1:3], kernel.shape[:2], strides, strict=True)
    ]
    per_block = tuple(block // stride for block, stride in zip(BLOCK, strides, strict=True))
    blocks = [-(-size // outputs) for size, outputs in zip(sizes, per_block, strict=True)]
    blocked_kernel = _blocked_kernel(kernel, strides)
    ends = [
        (count + taps - 1) * block - size
        for count, taps, block, size in zip(blocks, blocked_kernel.shape, BLOCK, x.shape[1:3], strict=False)
    ]
    widened = jax.lax.pad(x, jnp.zeros((), x.dtype), [(0, 0, 0), *((0, end, 0) for end in ends), (0, 0, 0)])
    y = jax.lax.conv_general_dilated(
        _to_blocks(widened, BLOCK), blocked_kernel, (1, 1), "VALID", dimension_numbers=LAYOUT
    )
    return _from_blocks(y, per_block)[:, : sizes[0], : sizes[1]]


def _to_blocks(x: jax.Array, block: tuple[int, int]) -> jax.Array:
    """[B, T, P, C] -> [B, T / b, P / b', b b' C]."""
    batch, steps, pitches, channels = x.shape
    apart = x.reshape(batch, steps // block[0], block[0], pitches // block[1], block[1], channels)
    return apart.transpose(0, 1, 3, 2, 4, 5).reshape(batch, steps // block[0], pitches // block[1], -1)


def _from_blocks(x: jax.Array, block: Sequence[int]) -> jax.Array:
    """[B, T, P, b b' C] -> [B, b T, b' P, C]."""
    batch, steps, pitches, _ = x.shape
    apart = x.reshape(batch, steps, pitches, *block, -1).transpose(0, 1, 3, 2, 4, 5)
    return apart.reshape(batch, steps * block[0], pitches * block[1], -1)


def _blocked_kernel(kernel: jax.Array, strides: tuple[int, int]) -> jax.Array:
    """The kernel for blocks: one shifted copy for each output of a block, side by side in its channels."""
    reach = [
        -(-(taps + block - stride) // block) * block
        for taps, block, stride in zip(kernel.shape, BLOCK, strides, strict=False)
    ]

    def shifted(step: int, pitch: int) -> jax.Array:
        borders = [
            (at, end - taps - at) for at, end, taps in zip((step, pitch), reach, kernel.shape, strict=False)
        ]
        wide = jnp.pad(kernel, (*borders, (0, 0), (0, 0)))
        inputs, outputs = kernel.shape[2:]
        apart = wide.reshape(reach[0] // BLOCK[0], BLOCK[0], reach[1] // BLOCK[1], BLOCK[1], inputs, outputs)
        return apart.transpose(0, 2, 1, 3, 4, 5).reshape(
            reach[0] // BLOCK[0], reach[1] // BLOCK[1], -1, outputs
        )

    starts = [range(0, block, stride) for block, stride in zip(BLOCK, strides, strict=True)]
    return jnp.concatenate([shifted(step, pitch) for step in starts[0] for pitch in starts[1]], axis=-1)
