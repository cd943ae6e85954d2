"""One step of an optimiser, for the networks that are trained and for the genre classifier alike."""

import optax

from cyclegan_jax.models.build import Params


def apply_gradients(
    optimiser: optax.GradientTransformation,
    grads: Params,
    optimiser_state: optax.OptState,
    params: Params,
) -> tuple[Params, optax.OptState]:
    """The new parameters and the new optimiser state; pure, to be traced."""
    updates, optimiser_state = optimiser.update(grads, optimiser_state, params)
    return optax.apply_updates(params, updates), optimiser_state
