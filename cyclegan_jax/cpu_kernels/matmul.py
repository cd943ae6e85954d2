"""Products of matrices that multiply in one type and sum in float32."""

import functools

import jax
import jax.numpy as jnp


def dot(a: jax.Array, b: jax.Array, dtype: jnp.dtype, contracted: tuple[int, int] = (1, 0)) -> jax.Array:
    """Of two matrices: multiplied in `dtype`, summed in float32, which is what comes out.

    `contracted`: the axis of each that is summed over; (1, 0) is a · b, (1, 1) a · bᵀ, (0, 0) aᵀ · b.
    """
    axes = (contracted[0],), (contracted[1],)
    return jax.lax.dot_general(
        a.astype(dtype), b.astype(dtype), (axes, ((), ())), preferred_element_type=jnp.float32
    )


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def product(a: jax.Array, b: jax.Array, dtype: jnp.dtype) -> jax.Array:
    """a · b by `dot`, [M, K] with [K, N] -> [M, N], all float32, differentiable: pulled back by `dot` too."""
    return dot(a, b, dtype)


def _pull_back(
    dtype: jnp.dtype, saved: tuple[jax.Array, jax.Array], gradient: jax.Array
) -> tuple[jax.Array, jax.Array]:
    a, b = saved
    return dot(gradient, b, dtype, (1, 1)), dot(a, gradient, dtype, (0, 0))


product.defvjp(lambda a, b, dtype: (dot(a, b, dtype), (a, b)), _pull_back)
