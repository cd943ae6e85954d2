"""The flags that make a step do with less memory."""

from cyclegan_jax.training.memory_saving import MemorySaving
from launch.flags.fields import define

ACCUMULATE = define(MemorySaving, "accumulate")
REMAT = define(MemorySaving, "remat")


def memory() -> MemorySaving:
    """What the flags say. Raises UserError for a value that is not allowed."""
    return MemorySaving(ACCUMULATE.value, REMAT.value)
