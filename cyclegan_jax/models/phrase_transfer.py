"""Transfer of phrases by a trained pair of generators."""

import functools

import jax
import numpy as np

from cyclegan_jax.config import Config, check_choice
from cyclegan_jax.models.batched_apply import apply_in_batches
from cyclegan_jax.models.build import Params, apply, build_generator
from cyclegan_jax.models.generator import Generator
from cyclegan_jax.pianoroll.features import begun, onsets
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

        [N, 64, 84, C], bool or in [0, 1] -> [N, 64, 84, C] float32 in (0, 1), with the config's `channels`.
        Phrases may have one more than that, or one less: then a note begins where none sounded the step
        before. Raises UserError for a genre that is not of the pair.
        """
        check_choice("to", to, self.config.pair)
        params = self.generators["gen_ba" if to == self.config.pair[0] else "gen_ab"]
        if phrases.shape[-1] < self.config.channels:
            phrases = np.concatenate([phrases, onsets(phrases > THRESHOLD)], axis=-1)
        return apply_in_batches(
            lambda x: _generate(self._module, params, x), phrases[..., : self.config.channels]
        )


@functools.partial(jax.jit, static_argnums=0)
def _generate(module: Generator, params: Params, phrases: jax.Array) -> jax.Array:
    return apply(module, params, phrases)


def played(probabilities: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """What is heard of note probabilities, [N, 64, 84, C]: bool, with no fewer channels than `origin`.

    Where a model has no channel of onsets but the origin has one, notes of the origin that stay begin where
    they did, as in transferred songs.
    """
    cells = binarise(probabilities)
    if cells.shape[-1] >= origin.shape[-1]:
        return cells
    return begun(np.concatenate([cells, onsets(origin)], axis=-1))


def binarise(probabilities: np.ndarray) -> np.ndarray:
    """Note probabilities as on and off: bool of the same shape, [N, 64, 84, C], on above 0.5.

    In a channel of onsets those stay that sound, and a note begins wherever none sounded the step before.
    """
    return begun(probabilities > THRESHOLD)
