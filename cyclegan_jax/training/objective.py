"""What the networks are trained to do: the losses of generators and of discriminators, by the config."""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import optax

from cyclegan_jax.config import Config
from cyclegan_jax.models.build import Params, apply, build_discriminator, build_generator
from cyclegan_jax.models.kernels import Kernels
from cyclegan_jax.training import losses
from cyclegan_jax.training.discriminator_inputs import FAKES, Noise, NoiseUse, strike

Metrics = dict[str, jax.Array]

ADVERSARIAL: Mapping[str, tuple[Callable, Callable]] = {
    "least_squares": (losses.adversarial, losses.discrimination),
    "hinge": (losses.hinge_adversarial, losses.hinge_discrimination),
}
CYCLE: Mapping[str, Callable] = {
    "l1": lambda origin, logits: losses.cycle_consistency(origin, jax.nn.sigmoid(logits)),
    "cross_entropy": losses.cycle_cross_entropy,
}


class Objective:
    """The two losses of a config, pure functions of parameters and phrases.

    Phrases are [B, 64, 84, C] in {0, 1}, float32; `noise` by its use is added to every input of a
    discriminator. Terms are reported without their weights, together with the step's `weight_growth`. Cycle
    consistency is added over the channels, so that onsets do not make that of the cells weigh less.
    With `remat` a network's activations are computed again for its gradients. `kernels`: as the networks'
    builders take them.
    """

    def __init__(self, config: Config, *, remat: bool = False, kernels: Kernels | None = None) -> None:
        self._config = config
        generator, discriminator = build_generator(config, kernels), build_discriminator(config, kernels)
        self._logits = lambda params, x: apply(generator, params, x, "logits")
        self._score = lambda params, x: apply(discriminator, params, x)
        if remat:
            self._logits, self._score = jax.checkpoint(self._logits), jax.checkpoint(self._score)
        self._adversarial, self._discrimination = ADVERSARIAL[config.adversarial]
        self._growth = growth_schedule(config)
        self._cycle = lambda origin, logits: config.channels * CYCLE[config.cycle](origin, logits)
        self._fakes = lambda logits: strike(FAKES[config.fakes](logits))

    def generators(
        self,
        generators: Params,
        discriminators: Params,
        a: jax.Array,
        b: jax.Array,
        noise: Noise,
        step: jax.Array | int,
    ) -> tuple[jax.Array, tuple[jax.Array, jax.Array, Metrics]]:
        """The generators' loss, then the fakes of A and of B as discriminators see them, and the terms.

        With the paper's weights it is L_G of eq. 5. As in the paper, the mixed discriminators have no part.
        """
        config = self._config
        logits_b, logits_a = self._logits(generators["gen_ab"], a), self._logits(generators["gen_ba"], b)
        fake_b, fake_a = self._fakes(logits_b), self._fakes(logits_a)
        cycle_a, cycle_b = (
            self._logits(generators["gen_ba"], fake_b),
            self._logits(generators["gen_ab"], fake_a),
        )
        terms = {
            "loss/adv_ab": self._adversarial(
                self._score(discriminators["disc_b"], fake_b + noise(NoiseUse.DISC_B_GENERATED))
            ),
            "loss/adv_ba": self._adversarial(
                self._score(discriminators["disc_a"], fake_a + noise(NoiseUse.DISC_A_GENERATED))
            ),
            "loss/cycle_a": self._cycle(a, cycle_a),
            "loss/cycle_b": self._cycle(b, cycle_b),
        }
        loss = terms["loss/adv_ab"] + terms["loss/adv_ba"]
        growth = self._growth(step)
        loss += config.lambda_cycle * growth * (terms["loss/cycle_a"] + terms["loss/cycle_b"])
        if config.lambda_chroma:
            chroma = _chroma_terms(a, b, logits_a, logits_b)
            loss += config.lambda_chroma * sum(chroma.values())
            terms |= chroma
        if config.lambda_density:
            density = self._density_terms(a, b, fake_a, fake_b)
            loss += config.lambda_density * growth * sum(density.values())
            terms |= density
        terms |= {"loss/generators": loss, "weight_growth": jnp.asarray(growth, jnp.float32)}
        return loss, (fake_a, fake_b, terms)

    def _density_terms(self, a: jax.Array, b: jax.Array, fake_a: jax.Array, fake_b: jax.Array) -> Metrics:
        """Keep the target genre's density, so that no notes are added to hide the origin in them."""
        ratios = self._config.density_b_over_a
        return {
            "loss/density_ab": losses.density_distance(a, fake_b, ratios),
            "loss/density_ba": losses.density_distance(b, fake_a, (1.0 / ratios[0], 1.0 / ratios[1])),
        }

    def discriminators(
        self, discriminators: Params, pairs: dict[str, tuple[jax.Array, jax.Array]], noise: Noise
    ) -> tuple[jax.Array, Metrics]:
        """L_D of the paper's eq. 10, and its terms; `pairs` has the reals and the fakes by discriminator."""
        terms = {
            f"loss/{name}": self._discrimination(
                self._score(discriminators[name], real + noise(NoiseUse(f"{name} real"))),
                self._score(discriminators[name], fake + noise(NoiseUse(f"{name} fake"))),
            )
            for name, (real, fake) in pairs.items()
        }
        weighted = (self._config.gamma * term if "mixed" in name else term for name, term in terms.items())
        loss = sum(weighted, jnp.zeros(()))
        return loss, terms | {"loss/discriminators": loss}


def _chroma_terms(a: jax.Array, b: jax.Array, logits_a: jax.Array, logits_b: jax.Array) -> Metrics:
    """Texture may change, harmony should stay: chroma of the probabilities, beat by beat."""
    return {
        "loss/chroma_ab": losses.chroma_distance(a, jax.nn.sigmoid(logits_b)),
        "loss/chroma_ba": losses.chroma_distance(b, jax.nn.sigmoid(logits_a)),
    }


def growth_schedule(config: Config) -> optax.Schedule:
    """Factor of the weights of cycle and density by step: 1, then linearly to `weight_growth`.

    It grows while the learning rate falls. The target's style is learned while cycle consistency weighs
    little. Reconstruction is learned when the rate is too low to lose that style again. Density's weight
    grows too, so that added notes do not help the reconstruction.
    """
    return optax.linear_schedule(1.0, config.weight_growth, config.falling_steps, config.constant_steps)
