"""Transfer of phrases by a trained pair of generators."""

import functools

import jax
import numpy as np

from cyclegan_jax.config import Config, check_choice
from cyclegan_jax.models.batched_apply import apply_in_batches
from cyclegan_jax.models.build import Params, apply, build_generator
from cyclegan_jax.models.generator import Generator
from cyclegan_jax.pianoroll.roll import THRESHOLD


class Transfer:
    """Both generators of a pair, ready for use.

    `generators`: the parameters of `gen_ab` and `gen_ba`, as in a TrainState.
    """

    def __init__(self, config: Config, generators: dict[str, Params]) -> None:
        self.config = config
        self.generators = generators
        self._module = build_generator(config)

    def generate(self, phrases: np.ndarray, to: str) -> np.ndarray:
        """Note probabilities of phrases in genre `to`, one of the pair.

        [N, 64, 84, 1], bool or in [0, 1] -> [N, 64, 84, 1] float32 in (0, 1). Raises UserError for a
        genre that is not of the pair.
        """
        check_choice("to", to, self.config.pair)
        params = self.generators["gen_ba" if to == self.config.pair[0] else "gen_ab"]
        return apply_in_batches(lambda x: _generate(self._module, params, x), phrases)


@functools.partial(jax.jit, static_argnums=0)
def _generate(module: Generator, params: Params, phrases: jax.Array) -> jax.Array:
    return apply(module, params, phrases)


def binarise(probabilities: np.ndarray) -> np.ndarray:
    """Note probabilities as on and off: bool of the same shape, on above 0.5."""
    return probabilities > THRESHOLD
