"""All that training carries from step to step, and how it begins.

The state is a pytree of arrays with plain shapes, so that a checkpoint fits any number of devices. The
random key is never changed: a step folds its own number in. So a state and its step number determine every
draw, and a resumed run draws what an uninterrupted one would.

The first state is drawn by one program. It runs once, so it is compiled with little optimisation (LLVM's
first level): 2.5 s instead of 5.0 on two cores, with the same bits.
"""

import flax.struct
import jax
import jax.numpy as jnp
import optax

from cyclegan_jax.config import Config
from cyclegan_jax.models.build import Params, build_discriminator, build_generator
from cyclegan_jax.pianoroll.roll import phrase_shape
from cyclegan_jax.training.sample_pool import SamplePool, create_pool

COMPILED_QUICKLY = {"xla_backend_optimization_level": 1}


@flax.struct.dataclass
class TrainState:
    """A pytree of plain arrays.

    `step`: optimiser steps done. `key`: raw key data, never changed; a step folds its number in.
    `generators`: parameters of `gen_ab`, `gen_ba`; `discriminators`: of `disc_a`, `disc_b`, and
    unless `base` of `disc_a_mixed`, `disc_b_mixed`. Two Adam states. The pool of past fakes, if any.
    `ema`: the exponential moving average of the generators' parameters, if the config asks for one.
    """

    step: jax.Array
    key: jax.Array
    generators: dict[str, Params]
    discriminators: dict[str, Params]
    generator_optimiser: optax.OptState
    discriminator_optimiser: optax.OptState
    pool: SamplePool | None
    ema: dict[str, Params] | None = None

    @property
    def transferring(self) -> dict[str, Params]:
        """The generators to transfer music by: their moving average, where there is one."""
        return self.generators if self.ema is None else self.ema


def learning_rate(config: Config) -> optax.Schedule:
    """Constant for `constant_steps`, then linearly down to 0 at `steps` (paper, section V-A)."""
    return optax.linear_schedule(config.learning_rate, 0.0, config.falling_steps, config.constant_steps)


def build_optimiser(config: Config) -> optax.GradientTransformation:
    """Adam, one instance for both generators and one for all discriminators."""
    return optax.adam(learning_rate(config), config.beta1, config.beta2)


def create_state(config: Config, optimiser: optax.GradientTransformation) -> TrainState:
    """A state before the first step, by one program; within a traced function call `draw_state`."""
    return jax.jit(lambda: draw_state(config, optimiser), compiler_options=COMPILED_QUICKLY)()


def state_shapes(config: Config, optimiser: optax.GradientTransformation) -> TrainState:
    """The shapes and dtypes of `create_state`; nothing is computed."""
    return jax.eval_shape(lambda: draw_state(config, optimiser))


def draw_state(config: Config, optimiser: optax.GradientTransformation) -> TrainState:
    """A state before the first step, drawn from the config's seed; pure, to be traced.

    A network's weights depend only on the seed and on the place of its name in the list of networks, so
    that `base`, `partial` and `full` begin with equal generators.
    """
    key = jax.random.PRNGKey(config.seed)
    generator, discriminator = build_generator(config), build_discriminator(config)
    names = ["disc_a", "disc_b", *(["disc_a_mixed", "disc_b_mixed"] if config.mixed else [])]
    shape = phrase_shape(config.channels)
    phrase = jnp.zeros((1, *shape))
    draw = [jax.random.fold_in(key, place) for place in range(2 + len(names))]
    generators = {
        name: generator.init(k, phrase)["params"]
        for name, k in zip(["gen_ab", "gen_ba"], draw[:2], strict=True)
    }
    discriminators = {
        name: discriminator.init(k, phrase)["params"] for name, k in zip(names, draw[2:], strict=True)
    }
    return TrainState(
        step=jnp.zeros((), jnp.int32),
        key=jax.random.fold_in(key, 2**31 - 1),
        generators=generators,
        discriminators=discriminators,
        generator_optimiser=optimiser.init(generators),
        discriminator_optimiser=optimiser.init(discriminators),
        pool=create_pool(config.pool_size, (config.batch_size, *shape)),
        ema=jax.tree.map(jnp.copy, generators) if config.ema_decay else None,
    )
