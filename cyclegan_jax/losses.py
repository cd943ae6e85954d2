"""The objective's terms: pure functions of arrays, each one a mean over everything it is given."""

import jax
import jax.numpy as jnp


def adversarial(scores: jax.Array) -> jax.Array:
    """mean (D(x̂) − 1)²: how far the fakes are from passing as real (paper, eq. 1–2; LSGAN).

    `scores`: any shape, unbounded. Returns a scalar, 0 or more.
    """
    return jnp.square(scores - 1.0).mean()


def discrimination(real_scores: jax.Array, fake_scores: jax.Array) -> jax.Array:
    """½ [mean (D(x) − 1)² + mean D(x̂)²] (paper, eq. 6–9).

    Both of any shape, unbounded. Returns a scalar, 0 or more.
    """
    return 0.5 * (jnp.square(real_scores - 1.0).mean() + jnp.square(fake_scores).mean())


def cycle_consistency(origin: jax.Array, cycled: jax.Array) -> jax.Array:
    """mean |x̃ − x|, unweighted (paper, eq. 3).

    `origin` and `cycled`: equal shapes, in [0, 1]. Returns a scalar in [0, 1].
    """
    return jnp.abs(cycled - origin).mean()
