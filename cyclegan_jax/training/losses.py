"""The objective's terms: pure functions of arrays, each one a mean over everything it is given."""

import jax
import jax.numpy as jnp
import optax

from cyclegan_jax.pianoroll.features import chroma

EPSILON = 1e-4  # keeps the gradient of a length finite at silence
DENSITY_TOLERANCE = 0.15  # natural logarithm: about 15 % either way cost nothing


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


def cycle_cross_entropy(origin: jax.Array, logits: jax.Array) -> jax.Array:
    """The mean cross entropy of x and σ(l). Unlike l1, its gradient stays large where a note is surely lost.

    `origin` in {0, 1} and `logits` of the cycled phrases, equal shapes. Returns a scalar, 0 or more.
    """
    return optax.sigmoid_binary_cross_entropy(logits, origin).mean()


def hinge_adversarial(scores: jax.Array) -> jax.Array:
    """The hinge loss of generators, −mean D(x̂) (Lim and Ye 2017, arXiv 1705.02894, eq. 7).

    Its gradient is the same however sure D is.

    `scores`: any shape, unbounded. Returns a scalar, unbounded.
    """
    return -scores.mean()


def hinge_discrimination(real_scores: jax.Array, fake_scores: jax.Array) -> jax.Array:
    """The hinge loss of discriminators, mean max(0, 1 − D(x)) + mean max(0, 1 + D(x̂)) (Lim and Ye, eq. 6).

    Both of any shape, unbounded. Returns a scalar, 0 or more, 2 where D cannot tell.
    """
    return jax.nn.relu(1.0 - real_scores).mean() + jax.nn.relu(1.0 + fake_scores).mean()


def chroma_distance(origin: jax.Array, transferred: jax.Array) -> jax.Array:
    """1 − cosine of two versions' chroma, mean over the beats where the origin sounds, then over phrases.

    The chroma of a beat: its cells by pitch class, added. A blank phrase counts 0, and so do the notes that a
    transfer adds where its origin is silent, which `evaluation.preservation.chroma_cosine` counts. `origin`
    [B, 64, 84, C] in {0, 1}, `transferred` the same shape in [0, 1]. Returns a scalar in [0, 1].
    """
    before, after = chroma(origin), chroma(transferred)
    product = jnp.linalg.norm(before + EPSILON, axis=-1) * jnp.linalg.norm(after + EPSILON, axis=-1)
    sounding = before.sum(axis=-1) > 0
    distances = jnp.where(sounding, 1.0 - (before * after).sum(axis=-1) / product, 0.0)
    return (distances.sum(axis=1) / jnp.maximum(sounding.sum(axis=1), 1)).mean()


def density_distance(origin: jax.Array, transferred: jax.Array, ratios: tuple[float, float]) -> jax.Array:
    """How far transfers are from the target genre's density: mean over phrases of Σ max(0, d − 0.15)².

    d = |ln (1 + n(x̂)) − ln (1 + ρ n(x))|, for n the notes of a phrase and for n its cells; ρ is in
    `ratios`, the target genre's notes and cells a phrase, divided by the origin's. So a busy phrase stays
    busier than others. `origin` [B, 64, 84, C] in {0, 1}, `transferred` the same shape in [0, 1]. Notes are
    the sum of the channel of onsets; without it they are Σ x_t (1 − x_{t−1}). Returns a scalar, 0 or more.
    """
    asked, made = jnp.array([ratios]) * _density(origin), _density(transferred)
    away = jnp.abs(jnp.log1p(made) - jnp.log1p(asked))
    return jnp.square(jax.nn.relu(away - DENSITY_TOLERANCE)).sum(axis=-1).mean()


def _density(rolls: jax.Array) -> jax.Array:
    """Notes and cells of each phrase: [B, 64, 84, C] -> [B, 2]."""
    if rolls.shape[-1] == 2:
        return rolls.sum(axis=(1, 2))[:, ::-1]
    before = jnp.pad(rolls[:, :-1], ((0, 0), (1, 0), (0, 0), (0, 0)))
    return jnp.stack([rolls * (1.0 - before), rolls]).sum(axis=(2, 3, 4)).T
