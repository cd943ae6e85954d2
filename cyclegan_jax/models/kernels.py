"""Which forms the networks' operations take on a kind of device: a value handed from builder to layer.

XLA's own convolutions are fast on a GPU or TPU. On a CPU some of the networks' convolutions are 2 to 30
times faster in other forms (`cyclegan_jax.cpu_kernels`). XLA also runs the convolutions of a loop on one
CPU thread: a step of width 16 with 4 blocks took 3.3 s with the blocks in a loop, and 0.5 s with the blocks
written out. Elsewhere a loop is as fast, and is compiled once for all blocks.
"""

import dataclasses

import jax


@dataclasses.dataclass(frozen=True)
class Kernels:
    """Which forms the operations take; the parameters are the same, and the numbers to rounding.

    `cpu_forms`: convolutions in the forms of `cpu_kernels`, else XLA's own. `unroll`: residual blocks and
    microbatches are written out, else they are loops.
    """

    cpu_forms: bool = False
    unroll: bool = False


ON_CPU = Kernels(cpu_forms=True, unroll=True)
ON_ACCELERATOR = Kernels()
# For counting: XLA's `cost_analysis` counts the body of a loop once, and the CPU forms have other operations.
PLAIN = Kernels(unroll=True)


def kernels_for(backend: str) -> Kernels:
    """The fastest on a backend, as `jax.default_backend()` names it."""
    return ON_CPU if backend == "cpu" else ON_ACCELERATOR


def default_kernels() -> Kernels:
    """The fastest on JAX's default backend."""
    return kernels_for(jax.default_backend())
