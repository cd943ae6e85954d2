"""How a step makes do with less memory."""

import dataclasses

from cyclegan_jax.config import SIZES, Described, described


@dataclasses.dataclass(frozen=True)
class MemorySaving(Described):
    """What is learned is the same, though sums round otherwise."""

    accumulate: int = described(
        1,
        "Microbatches that a device splits its part of a batch into, accumulating gradients; more of them "
        "take less memory on a GPU or TPU, not on a CPU.",
        between=SIZES,
    )
    remat: bool = described(
        False,
        "Compute activations again for the gradients in place of keeping them (rematerialisation); slower, "
        "takes a fraction of the memory on a GPU or TPU, no less on a CPU.",
    )


KEEP_ALL = MemorySaving()
