"""The networks of a config, and the shapes of their parameters."""

from typing import Any, cast

import flax.linen as nn
import jax
import jax.numpy as jnp

from cyclegan_jax.config import Config
from cyclegan_jax.models.discriminator import Discriminator
from cyclegan_jax.models.generator import Generator
from cyclegan_jax.models.kernels import Kernels, default_kernels
from cyclegan_jax.pianoroll.roll import phrase_shape

Params = Any


def build_generator(config: Config, kernels: Kernels | None = None) -> Generator:
    """The generator module of a config, by `default_kernels` unless told otherwise."""
    return Generator(
        config.width,
        config.blocks,
        config.identity_logits,
        config.positions,
        config.skips,
        dtype=jnp.dtype(config.dtype),
        kernels=kernels or default_kernels(),
    )


def build_discriminator(config: Config, kernels: Kernels | None = None) -> Discriminator:
    """The discriminator module of a config, by `default_kernels` unless told otherwise."""
    return Discriminator(
        config.width, config.positions, dtype=jnp.dtype(config.dtype), kernels=kernels or default_kernels()
    )


def apply(network: nn.Module, params: Params, x: jax.Array, method: str | None = None) -> jax.Array:
    """A network's output, or that of one of its methods, for its parameters and an input."""
    return cast(jax.Array, network.apply({"params": params}, x, method=method))


def generator_shapes(config: Config) -> dict[str, Params]:
    """The shapes and dtypes of both generators' parameters, `gen_ab` and `gen_ba`; nothing is computed."""
    phrase = jnp.zeros((1, *phrase_shape(config.channels)))
    of_one = jax.eval_shape(lambda: build_generator(config).init(jax.random.key(0), phrase)["params"])
    return {"gen_ab": of_one, "gen_ba": of_one}
