"""The flags that make a step do with less memory."""

from absl import flags

from cyclegan_jax.config import MemorySaving

ACCUMULATE = flags.DEFINE_integer(
    "accumulate",
    1,
    "Microbatches that each device goes through its part of a batch in, accumulating gradients; on a GPU or "
    "TPU more take less memory, on a CPU they don't.",
)
REMAT = flags.DEFINE_bool(
    "remat",
    False,
    "Rematerialise: compute networks' activations again for gradients; slower, for a fraction of the memory "
    "on a GPU or TPU, for nothing on a CPU.",
)


def memory() -> MemorySaving:
    """What the flags say. Raises UserError where they can't be."""
    return MemorySaving(ACCUMULATE.value, REMAT.value)
