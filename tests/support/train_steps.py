"""A small config, batches of it, and its first state."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax

from cyclegan_jax.config import Config
from cyclegan_jax.training.sample_pool import create_pool
from cyclegan_jax.training.state import state_shapes

# No two numbers alike, so that none can stand in for another.
CONFIG = Config(
    pair=("jazz", "pop"),
    genres=("jazz", "pop"),
    fingerprint="",
    steps=10,
    constant_steps=5,
    width=4,
    blocks=1,
    batch_size=4,
    pool_size=2,
    lambda_cycle=3.0,
    gamma=0.25,
    sigma_d=0.3,
    learning_rate=1e-3,
)
RATE = 0.005
SGD = optax.sgd(RATE, momentum=0.0)  # whose trace is the gradient
STEPS = 5
SURE = 1  # a seed of weights by which no ReLU is so near 0 that rounding tips it
SWAPS_AT_THE_THIRD_STEP = 1  # a key that swaps there, and passes at the fourth
GENERATOR_METRICS = {
    "loss/adv_ab",
    "loss/adv_ba",
    "loss/cycle_a",
    "loss/cycle_b",
    "loss/generators",
    "weight_growth",
}
DISCRIMINATOR_METRICS = {"loss/disc_a", "loss/disc_b", "loss/discriminators"}
NORMS = {"grad_norm/generators", "grad_norm/discriminators"}
MIXED_METRICS = {"loss/disc_a_mixed", "loss/disc_b_mixed"}


def batch_of(seed):
    """Three genres of unequal density, so that no two can be confused."""
    rng = np.random.default_rng(seed)
    return {name: rng.random((4, 64, 84, 1)) < share for name, share in (("a", 0.05), ("b", 0.2), ("m", 0.1))}


def begin(key, weights=SURE, **changes):
    """A state before the first step, its weights drawn by NumPy, which need not be compiled."""
    config = dataclasses.replace(CONFIG, **changes)
    state = state_shapes(config, SGD)

    def draw(path, leaf):
        name = "/".join(str(getattr(key, "key", "")) for key in path)
        rng = np.random.default_rng([weights, *name.encode()])
        return (("scale" in name) + 0.05 * rng.normal(size=leaf.shape)).astype(np.float32)

    networks = {
        part: jax.tree_util.tree_map_with_path(draw, getattr(state, part))
        for part in ("generators", "discriminators")
    }
    return state.replace(
        step=jnp.int32(0),
        key=jax.random.PRNGKey(key),
        generator_optimiser=SGD.init(networks["generators"]),
        discriminator_optimiser=SGD.init(networks["discriminators"]),
        pool=create_pool(config.pool_size, (config.batch_size, 64, 84, config.channels)),
        **networks,
    )
