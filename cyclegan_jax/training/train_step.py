"""The train step: one pure function, for a single device or for each of several."""

import dataclasses
import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax

from cyclegan_jax.config import Config
from cyclegan_jax.models.build import Params
from cyclegan_jax.models.kernels import Kernels, default_kernels
from cyclegan_jax.models.optimiser_step import apply_gradients
from cyclegan_jax.pianoroll.packing import unpack_bits
from cyclegan_jax.training.discriminator_inputs import NOISE, Noise
from cyclegan_jax.training.gradient_accumulation import in_microbatches, slice_of
from cyclegan_jax.training.memory_saving import KEEP_ALL, MemorySaving
from cyclegan_jax.training.objective import Metrics, Objective
from cyclegan_jax.training.sample_pool import exchange
from cyclegan_jax.training.state import TrainState

Batch = dict[str, jax.Array]
Fakes = tuple[jax.Array, jax.Array]
Pairs = dict[str, tuple[jax.Array, jax.Array]]
NoiseByPart = Callable[[jax.Array | int], Noise]
TrainStep = Callable[..., tuple[TrainState, Metrics]]
AXIS = "devices"


def build_train_step(
    config: Config,
    optimiser: optax.GradientTransformation,
    devices: int = 1,
    memory: MemorySaving = KEEP_ALL,
    kernels: Kernels | None = None,
) -> TrainStep:
    """The step `(state, batch) -> (state, metrics)` of a config; pure, to be jitted or pmapped.

    A third argument, a number or a scalar array, is used instead of the config's `sigma_d`.

    `batch`: `a`, `b` and, unless `base`, `m`, each [batch / devices, 64, 84, C], bool, with the
    config's `channels`. Metrics are scalars; the objective's terms are without their weights. With `devices`
    above 1 the step must run under an axis named `AXIS` of that size. The noise and the pool's draws are the
    same for every number of devices. Gradients and metrics are means over the axis. `memory.accumulate` must
    divide batch / devices. `kernels`: the backend's fastest unless told otherwise.
    """
    kernels = kernels or default_kernels()
    objective = Objective(config, remat=memory.remat, kernels=kernels)
    accumulate = functools.partial(in_microbatches, parts=memory.accumulate, unroll=kernels.unroll)

    def train_step(
        state: TrainState, batch: Batch, sigma_d: jax.Array | float = config.sigma_d
    ) -> tuple[TrainState, Metrics]:
        noise_key, pool_key = jax.random.split(jax.random.fold_in(state.key, state.step))
        real = {name: rolls.astype(jnp.float32) for name, rolls in batch.items()}
        whole = (len(real["a"]) * devices, *real["a"].shape[1:])
        noise = noise_by_part(NOISE[config.noise](noise_key, whole, sigma_d), devices, memory.accumulate)

        (fake_a, fake_b), (generator_grads, generator_terms) = accumulate(
            lambda part, real: generator_gradients(objective, state, noise(part), real),
            {"a": real["a"], "b": real["b"]},
        )
        pool, past_a, past_b = exchange(state.pool, fake_a, fake_b, pool_key)
        _, (discriminator_grads, discriminator_terms) = accumulate(
            lambda part, pairs: discriminator_gradients(objective, state.discriminators, noise(part), pairs),
            discriminator_pairs(real, past_a, past_b, config.mixed),
        )
        generator_grads, discriminator_grads, metrics = mean_over_devices(
            (generator_grads, discriminator_grads, generator_terms | discriminator_terms), devices
        )

        metrics |= {
            "grad_norm/generators": optax.tree.norm(generator_grads),
            "grad_norm/discriminators": optax.tree.norm(discriminator_grads),
        }
        state = updated(state, optimiser, generator_grads, discriminator_grads, config.ema_decay)
        return dataclasses.replace(state, pool=pool), metrics

    return train_step


def updated(
    state: TrainState,
    optimiser: optax.GradientTransformation,
    generator_grads: Params,
    discriminator_grads: Params,
    ema_decay: float,
) -> TrainState:
    """The state after an optimiser step of both groups; the pool is as it was."""
    generators, generator_optimiser = apply_gradients(
        optimiser, generator_grads, state.generator_optimiser, state.generators
    )
    discriminators, discriminator_optimiser = apply_gradients(
        optimiser, discriminator_grads, state.discriminator_optimiser, state.discriminators
    )
    return dataclasses.replace(
        state,
        step=state.step + 1,
        generators=generators,
        discriminators=discriminators,
        generator_optimiser=generator_optimiser,
        discriminator_optimiser=discriminator_optimiser,
        ema=update_ema(state.ema, generators, state.step, ema_decay),
    )


def generator_gradients(
    objective: Objective, state: TrainState, noise: Noise, real: Batch
) -> tuple[Fakes, tuple[Params, Metrics]]:
    """The fakes of A and of B; the gradients of the generators' loss, and its terms."""
    (_, (fake_a, fake_b, terms)), grads = jax.value_and_grad(
        lambda generators: objective.generators(
            generators, state.discriminators, real["a"], real["b"], noise, state.step
        ),
        has_aux=True,
    )(state.generators)
    return (fake_a, fake_b), (grads, terms)


def discriminator_gradients(
    objective: Objective, discriminators: Params, noise: Noise, pairs: Pairs
) -> tuple[None, tuple[Params, Metrics]]:
    """None, as there is nothing by phrase; the gradients of the discriminators' loss, and its terms."""
    (_, terms), grads = jax.value_and_grad(
        lambda discriminators: objective.discriminators(discriminators, pairs, noise), has_aux=True
    )(discriminators)
    return None, (grads, terms)


def discriminator_pairs(real: Batch, past_a: jax.Array, past_b: jax.Array, mixed: bool) -> Pairs:
    """What each discriminator learns to tell apart: real phrases, and fakes handed out by the pool."""
    pairs = {"disc_a": (real["a"], past_a), "disc_b": (real["b"], past_b)}
    if mixed:
        pairs |= {"disc_a_mixed": (real["m"], past_a), "disc_b_mixed": (real["m"], past_b)}
    return pairs


def noise_by_part(whole: Noise, devices: int, parts: int) -> NoiseByPart:
    """This device's share of noise drawn for the global batch, by the microbatch's number."""
    return lambda part: lambda use: slice_of(own_part(whole(use), devices), part, parts)


def build_train_steps(
    config: Config, optimiser: optax.GradientTransformation, devices: int = 1, memory: MemorySaving = KEEP_ALL
) -> Callable[[TrainState, jax.Array, Batch], tuple[TrainState, Metrics]]:
    """Several steps in one program, over phrases on the device: `(state, table, rows) -> (state, metrics)`.

    `table`: phrases as bits, [N, 672 C] uint8. `rows`: for `a`, `b` and, unless `base`, `m` the row numbers
    of this device's part of the batches of K steps, [K, batch / devices]. Metrics are means over the K
    steps. Everything else is as in `build_train_step`.
    """
    step = build_train_step(config, optimiser, devices, memory)

    def train_steps(state: TrainState, table: jax.Array, rows: Batch) -> tuple[TrainState, Metrics]:
        def one(state: TrainState, rows: Batch) -> tuple[TrainState, Metrics]:
            return step(state, {name: unpack_bits(table[numbers]) for name, numbers in rows.items()})

        if len(rows["a"]) == 1:  # no loop, because on a CPU XLA runs a loop's convolutions on one thread
            return one(state, {name: numbers[0] for name, numbers in rows.items()})
        state, metrics = jax.lax.scan(one, state, rows)
        return state, jax.tree.map(lambda metric: metric.mean(axis=0), metrics)

    return train_steps


def own_part(whole: jax.Array, devices: int) -> jax.Array:
    """This device's slice of a batch that every device has drawn: [B, ...] -> [B / devices, ...]."""
    return whole if devices == 1 else slice_of(whole, jax.lax.axis_index(AXIS), devices)


def mean_over_devices(tree: Params, devices: int) -> Params:
    """The mean over the device axis of every leaf."""
    return jax.lax.pmean(tree, AXIS) if devices > 1 else tree


def update_ema(mean: Params | None, params: Params, step: jax.Array, decay: float) -> Params | None:
    """The exponential moving average after a step: d · mean + (1 − d) · params.

    d = min(`decay`, (1 + step) / (10 + step)), so that the average forgets its start sooner at first.
    """
    if mean is None:
        return None
    slow = jnp.minimum(decay, (1.0 + step) / (10.0 + step))
    return jax.tree.map(lambda old, new: slow * old + (1.0 - slow) * new, mean, params)
