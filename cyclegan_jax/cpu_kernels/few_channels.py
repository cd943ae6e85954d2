"""Convolutions from or to a roll's one or two channels, in the forms that XLA runs fastest on a CPU.

XLA's own 7×7 convolution to one channel takes some thirty times as long as need be. It is also what pulls
back a convolution from one channel, so both have pullbacks of their own here. Results are the plain
convolution's, to rounding.
"""

import jax
import jax.numpy as jnp

from cyclegan_jax.cpu_kernels import space_to_depth
from cyclegan_jax.cpu_kernels.space_to_depth import LAYOUT

FEW = 2  # channels of a roll at most: cells that sound, and onsets
NARROW = 16  # output channels up to which blocks of cells are faster than cells


def convolution(x: jax.Array, kernel: jax.Array, strides: tuple[int, int]) -> jax.Array:
    """Cross-correlation without padding: [B, T, P, C] with [t, p, C, D] -> [B, T', P', D].

    C or D is at most `FEW`. T' = (T − t) // stride + 1, likewise P'; strides of 1 or 2; all float32.
    """
    if tuple(strides) != (1, 1):
        return _direct(x, kernel, strides)
    return to_few(x, kernel) if kernel.shape[3] <= FEW else from_few(x, kernel)


@jax.custom_vjp
def to_few(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """[B, T, P, C] with [t, p, C, D] -> [B, T − t + 1, P − p + 1, D]: one product of matrices for all taps
    of all cells, then sums of shifted taps.
    """
    batch, steps, pitches, channels = x.shape
    taps = kernel.shape[:2]
    weights = kernel.transpose(2, 1, 0, 3).reshape(channels, -1)
    products = jnp.dot(x.reshape(-1, channels), weights)
    products = products.reshape(batch, steps, pitches, taps[1], taps[0], kernel.shape[3])
    height, breadth = steps - taps[0] + 1, pitches - taps[1] + 1
    zero = jnp.zeros(())
    over_pitches = sum((products[:, :, tap : tap + breadth, tap] for tap in range(taps[1])), zero)
    return sum((over_pitches[:, tap : tap + height, :, tap] for tap in range(taps[0])), zero)


@jax.custom_vjp
def from_few(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """[B, T, P, C] with [t, p, C, D] -> [B, T − t + 1, P − p + 1, D]."""
    return _direct(x, kernel, (1, 1))


def _pull_back_to_few(saved: tuple[jax.Array, jax.Array], gradient: jax.Array) -> tuple[jax.Array, jax.Array]:
    x, kernel = saved
    around = _pad_around(gradient, kernel)
    return from_few(around, _turned(kernel)), _turned(_kernel_gradient(around, x))


def _pull_back_from_few(
    saved: tuple[jax.Array, jax.Array], gradient: jax.Array
) -> tuple[jax.Array, jax.Array]:
    x, kernel = saved
    return to_few(_pad_around(gradient, kernel), _turned(kernel)), _kernel_gradient(x, gradient)


to_few.defvjp(lambda x, kernel: (to_few(x, kernel), (x, kernel)), _pull_back_to_few)
from_few.defvjp(lambda x, kernel: (from_few(x, kernel), (x, kernel)), _pull_back_from_few)


def _direct(x: jax.Array, kernel: jax.Array, strides: tuple[int, int]) -> jax.Array:
    if kernel.shape[3] <= NARROW:
        return space_to_depth.convolution(x, kernel, strides)
    return jax.lax.conv_general_dilated(x, kernel, strides, "VALID", dimension_numbers=LAYOUT)


def _kernel_gradient(few: jax.Array, many: jax.Array) -> jax.Array:
    """What pulls back to the kernel: [B, T, P, C] with [B, T', P', D] -> [t, p, C, D]."""
    taps = [whole - part + 1 for whole, part in zip(few.shape[1:3], many.shape[1:3], strict=True)]
    kernel = jax.ShapeDtypeStruct((*taps, few.shape[3], many.shape[3]), many.dtype)

    def plain(kernel: jax.Array) -> jax.Array:
        return jax.lax.conv_general_dilated(few, kernel, (1, 1), "VALID", dimension_numbers=LAYOUT)

    return jax.linear_transpose(plain, kernel)(many)[0]


def _pad_around(gradient: jax.Array, kernel: jax.Array) -> jax.Array:
    """The gradient with as many zeros on every side as the kernel reaches."""
    reach = [(taps - 1, taps - 1) for taps in kernel.shape[:2]]
    return jnp.pad(gradient, ((0, 0), *reach, (0, 0)))


def _turned(kernel: jax.Array) -> jax.Array:
    """Turned by 180°, inputs and outputs exchanged: the kernel that pulls back."""
    return kernel[::-1, ::-1].transpose(0, 1, 3, 2)
