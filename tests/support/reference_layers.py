"""Layers written out in NumPy, to hold the networks against."""

import jax
import numpy as np


def conv(x, kernel, strides=(1, 1)):
    """Cross-correlation without padding, [B, T, P, C] with [t, p, C, D]."""
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], axis=(1, 2))
    return np.einsum("btpckl,klcd->btpd", windows[:, :: strides[0], :: strides[1]], kernel)


def conv_same(x, kernel, strides=(1, 1)):
    """As TensorFlow pads: ceil(size / stride) outputs, the odd zero after."""
    border = [(0, 0)]
    for size, width, stride in zip(x.shape[1:3], kernel.shape[:2], strides, strict=True):
        total = max((-(-size // stride) - 1) * stride + width - size, 0)
        border.append((total // 2, total - total // 2))
    return conv(np.pad(x, [*border, (0, 0)]), kernel, strides)


def conv_transpose(x, kernel):
    """Stride 2, 3×3: the gradient of conv_same. Input i reaches output 2i + 2 - k by the weight at k."""
    batch, steps, pitches, _ = x.shape
    out = np.zeros((batch, 2 * steps, 2 * pitches, kernel.shape[-1]))
    for i, j, k, m in np.ndindex(steps, pitches, 3, 3):
        t, p = 2 * i + 2 - k, 2 * j + 2 - m
        if t < 2 * steps and p < 2 * pitches:
            out[:, t, p] += x[:, i, j] @ kernel[k, m]
    return out


def instance_norm(x, scale, offset):
    mean = x.mean(axis=(1, 2), keepdims=True)
    variance = ((x - mean) ** 2).mean(axis=(1, 2), keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-5) * scale + offset


def random_params(module, *inputs, centre=0.1, seed=0):
    """Parameters far from their initial values, offsets included, so that each one matters."""
    rng = np.random.default_rng(seed)
    shapes = jax.eval_shape(module.init, jax.random.PRNGKey(0), *inputs)["params"]
    return jax.tree.map(lambda leaf: rng.normal(centre, 0.4, leaf.shape).astype(np.float32), shapes)


def parameter_shapes(module, *inputs):
    """{"name/of/parameter": shape} and the number of them all."""
    params = jax.eval_shape(module.init, jax.random.PRNGKey(0), *inputs)["params"]
    leaves = jax.tree_util.tree_leaves_with_path(params)
    assert all(leaf.dtype == np.float32 for _, leaf in leaves)
    shapes = {"/".join(key.key for key in path): leaf.shape for path, leaf in leaves}
    return shapes, sum(leaf.size for _, leaf in leaves)
