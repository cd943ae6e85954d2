"""The train step: one pure function, for one device or as one of many."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax

from cyclegan_jax import losses
from cyclegan_jax.config import Config
from cyclegan_jax.sample_pool import exchange
from cyclegan_jax.state import Params, TrainState, build_discriminator, build_generator

Batch = dict[str, jax.Array]
Metrics = dict[str, jax.Array]
TrainStep = Callable[[TrainState, Batch], tuple[TrainState, Metrics]]
AXIS = "devices"


def build_train_step(config: Config, optimiser: optax.GradientTransformation, devices: int = 1) -> TrainStep:
    """The step `(state, batch) -> (state, metrics)` of a config; pure, to be jitted or pmapped.

    `batch`: `a`, `b` and, unless `base`, `m`, each [batch / devices, 64, 84, 1], bool. Metrics are
    scalars, those of the objective's terms as they are before their weights. With `devices` above 1
    the step must run under an axis named `AXIS` of that size; the noise and the pool's draws are the
    same for every number of devices, and gradients and metrics are means over the axis.
    """
    generator, discriminator = build_generator(config), build_discriminator(config)

    def transfer(params: Params, x: jax.Array) -> jax.Array:
        return generator.apply({"params": params}, x)

    def score(params: Params, x: jax.Array) -> jax.Array:
        return discriminator.apply({"params": params}, x)

    def generator_loss(
        generators: Params, discriminators: Params, a: jax.Array, b: jax.Array, noise: jax.Array
    ) -> tuple[jax.Array, tuple[jax.Array, jax.Array, Metrics]]:
        """L_G of the paper's eq. 5: the mixed discriminators have no part in it."""
        fake_b, fake_a = transfer(generators["gen_ab"], a), transfer(generators["gen_ba"], b)
        cycle_a, cycle_b = transfer(generators["gen_ba"], fake_b), transfer(generators["gen_ab"], fake_a)
        terms = {
            "loss/adv_ab": losses.adversarial(score(discriminators["disc_b"], fake_b + noise)),
            "loss/adv_ba": losses.adversarial(score(discriminators["disc_a"], fake_a + noise)),
            "loss/cycle_a": losses.cycle_consistency(a, cycle_a),
            "loss/cycle_b": losses.cycle_consistency(b, cycle_b),
        }
        adversarial = terms["loss/adv_ab"] + terms["loss/adv_ba"]
        cycle = terms["loss/cycle_a"] + terms["loss/cycle_b"]
        loss = adversarial + config.lambda_cycle * cycle
        return loss, (fake_a, fake_b, terms | {"loss/generators": loss})

    def discriminator_loss(
        discriminators: Params, pairs: dict[str, tuple[jax.Array, jax.Array]], noise: jax.Array
    ) -> tuple[jax.Array, Metrics]:
        """L_D of the paper's eq. 10; `pairs` has the reals and the fakes of each discriminator."""
        terms = {
            f"loss/{name}": losses.discrimination(
                score(discriminators[name], real + noise), score(discriminators[name], fake + noise)
            )
            for name, (real, fake) in pairs.items()
        }
        loss = sum(config.gamma * term if "mixed" in name else term for name, term in terms.items())
        return loss, terms | {"loss/discriminators": loss}

    def train_step(state: TrainState, batch: Batch) -> tuple[TrainState, Metrics]:
        noise_key, pool_key = jax.random.split(jax.random.fold_in(state.key, state.step))
        a, b = batch["a"].astype(jnp.float32), batch["b"].astype(jnp.float32)
        noise = own_part(draw_noise(noise_key, (a.shape[0] * devices, *a.shape[1:]), config.sigma_d), devices)

        (_, (fake_a, fake_b, generator_terms)), generator_grads = jax.value_and_grad(
            generator_loss, has_aux=True
        )(state.generators, state.discriminators, a, b, noise)

        pool, past_a, past_b = exchange(state.pool, fake_a, fake_b, pool_key)
        pairs = {"disc_a": (a, past_a), "disc_b": (b, past_b)}
        if config.mixed:
            m = batch["m"].astype(jnp.float32)
            pairs |= {"disc_a_mixed": (m, past_a), "disc_b_mixed": (m, past_b)}
        (_, discriminator_terms), discriminator_grads = jax.value_and_grad(discriminator_loss, has_aux=True)(
            state.discriminators, pairs, noise
        )

        generator_grads, discriminator_grads, metrics = mean_over_devices(
            (generator_grads, discriminator_grads, generator_terms | discriminator_terms), devices
        )
        generators, generator_optimiser = apply_gradients(
            optimiser, generator_grads, state.generator_optimiser, state.generators
        )
        discriminators, discriminator_optimiser = apply_gradients(
            optimiser, discriminator_grads, state.discriminator_optimiser, state.discriminators
        )
        metrics |= {
            "grad_norm/generators": l2_norm(generator_grads),
            "grad_norm/discriminators": l2_norm(discriminator_grads),
        }
        new_state = state.replace(
            step=state.step + 1,
            generators=generators,
            discriminators=discriminators,
            generator_optimiser=generator_optimiser,
            discriminator_optimiser=discriminator_optimiser,
            pool=pool,
        )
        return new_state, metrics

    return train_step


def draw_noise(key: jax.Array, shape: tuple[int, ...], sigma: float) -> jax.Array:
    """|N(0, σ)|, as the original code has it; the paper's text leaves the absolute value out."""
    return jnp.abs(sigma * jax.random.normal(key, shape))


def own_part(whole: jax.Array, devices: int) -> jax.Array:
    """This device's slice of a batch that every device has drawn: [B, ...] -> [B / devices, ...]."""
    if devices == 1:
        return whole
    part = whole.shape[0] // devices
    return jax.lax.dynamic_slice_in_dim(whole, jax.lax.axis_index(AXIS) * part, part)


def mean_over_devices(tree: Params, devices: int) -> Params:
    """The mean over the device axis of every leaf."""
    return jax.lax.pmean(tree, AXIS) if devices > 1 else tree


def l2_norm(tree: Params) -> jax.Array:
    """√ of the sum of all squares."""
    return jnp.sqrt(sum(jnp.square(leaf).sum() for leaf in jax.tree.leaves(tree)))


def apply_gradients(
    optimiser: optax.GradientTransformation, grads: Params, optimiser_state: optax.OptState, params: Params
) -> tuple[Params, optax.OptState]:
    """One optimiser step: the new parameters and the new optimiser state."""
    updates, optimiser_state = optimiser.update(grads, optimiser_state, params)
    return optax.apply_updates(params, updates), optimiser_state
