"""The flags that make a step do with less memory."""

from absl import flags

from cyclegan_jax.config import Memory

ACCUMULATE = flags.DEFINE_integer(
    "accumulate", 1, "Parts that each device goes through its phrases of a batch in; more take less memory."
)
REMAT = flags.DEFINE_bool(
    "remat",
    False,
    "Compute networks' inner values again for gradients; slower, for a fraction of the memory.",
)


def memory() -> Memory:
    """What the flags say. Raises UserError where they can't be."""
    return Memory(ACCUMULATE.value, REMAT.value)
