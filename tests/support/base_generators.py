"""A config without mixed discriminators, and generators for it that are not trained."""

import jax
import numpy as np

from cyclegan_jax.config import Config
from cyclegan_jax.training.state import build_optimiser, state_shapes

CONFIG = Config(
    pair=("jazz", "pop"),
    genres=(),
    fingerprint="",
    steps=1,
    constant_steps=0,
    model="base",
    width=4,
    blocks=1,
    batch_size=1,
    pool_size=0,
    seed=5,
)


def random_generators() -> dict:
    """Parameters of the right shapes, so far from a fresh model's that every cell comes out different."""
    shapes = state_shapes(CONFIG, build_optimiser(CONFIG)).generators
    rng = np.random.default_rng(0)
    return jax.tree.map(lambda leaf: rng.normal(0, 0.3, leaf.shape).astype(np.float32), shapes)
