"""How a generator's logits become notes in training, so that gradients still pass."""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp

WINDOW = 2.0  # logits within ± this can be moved by whatever judges the notes


def straight_through(logits: jax.Array) -> jax.Array:
    """Notes where the logit is above 0; backwards, the slope of a ramp from −`WINDOW` to `WINDOW`.

    The clipped straight-through estimator (Hubara et al. 2016, arXiv 1602.02830, eq. 4): a cell's
    gradient does not fade as the cell grows sure, until it is past the window. Any shape -> {0, 1}, the
    same.
    """
    ramp = jnp.clip(logits / (2 * WINDOW) + 0.5, 0.0, 1.0)
    return ramp + jax.lax.stop_gradient((logits > 0) - ramp)


# How discriminators and the second generator get the fakes.
FAKES: Mapping[str, Callable[[jax.Array], jax.Array]] = {
    "probabilities": jax.nn.sigmoid,
    "notes": straight_through,
}
