"""States to save, and what a folder of checkpoints holds."""

import jax
import numpy as np

from cyclegan_jax.config import Config
from cyclegan_jax.training.state import build_optimiser, state_shapes

CONFIG = Config(
    pair=("jazz", "pop"),
    genres=("jazz", "pop"),
    fingerprint="abc",
    steps=10,
    constant_steps=5,
    width=2,
    blocks=1,
    batch_size=2,
    pool_size=3,
    sigma_d=0.1 + 0.2,
    seed=2**32 - 1,
)


def shapes(config):
    return state_shapes(config, build_optimiser(config))


def random_state(seed, config=CONFIG):
    """A state whose every bit is drawn, as long as it makes a finite number."""
    rng = np.random.default_rng(seed)

    def draw(leaf):
        if np.issubdtype(leaf.dtype, np.floating):
            return (rng.normal(size=leaf.shape) * 10.0 ** rng.integers(-30, 30, leaf.shape)).astype(
                leaf.dtype
            )
        return rng.integers(0, 2**31, leaf.shape).astype(leaf.dtype)

    return jax.tree.map(draw, shapes(config))


def assert_same_bits(one, other):
    assert jax.tree.structure(one) == jax.tree.structure(other)
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        assert isinstance(b, np.ndarray) and a.dtype == b.dtype and a.shape == b.shape
        assert a.tobytes() == b.tobytes()


def steps_in(folder):
    return sorted(int(child.name) for child in folder.iterdir() if child.name.isdecimal())
