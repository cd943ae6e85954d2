"""The classifier: shapes, sizes, and every layer against a reference in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support.reference_layers import conv_same, instance_norm, parameter_shapes, random_params

from cyclegan_jax.models.classifier import Classifier

W = 2


def reference(params, x):
    def leaky(y):
        return np.where(y > 0.0, y, 0.2 * y)

    def norm(y, name):
        return instance_norm(y, params[name]["scale"], params[name]["offset"])

    y = leaky(conv_same(x, params["Conv_0"]["kernel"], (1, 12)))
    y = leaky(norm(conv_same(y, params["Conv_1"]["kernel"], (4, 1)), "InstanceNorm_0"))
    y = leaky(norm(conv_same(y, params["Conv_2"]["kernel"], (2, 1)), "InstanceNorm_1"))
    y = leaky(norm(conv_same(y, params["Conv_3"]["kernel"], (8, 1)), "InstanceNorm_2"))
    return conv_same(y, params["Conv_4"]["kernel"], (1, 7)).reshape(len(x), 2)


@pytest.fixture(scope="module")
def phrases():
    return np.where(np.random.default_rng(7).random((5, 64, 84, 1)) < 0.1, 1.0, -1.0).astype(np.float32)


def test_every_layer_is_the_specifications(phrases):
    params = random_params(Classifier(W), phrases)
    logits = jax.jit(Classifier(W).apply)({"params": params}, phrases)
    assert logits.shape == (5, 2) and logits.dtype == jnp.float32
    expected = reference(jax.tree.map(np.float64, params), phrases.astype(np.float64))
    assert np.abs(expected[:, 0] - expected[:, 1]).min() > 1e-2
    np.testing.assert_allclose(logits, expected, atol=1e-3)


def test_parameters_have_these_names_and_shapes_and_no_bias(phrases):
    shapes, _ = parameter_shapes(Classifier(W), phrases)
    norms = {f"InstanceNorm_{n}": channels for n, channels in enumerate([2 * W, 4 * W, 8 * W])}
    assert shapes == {
        "Conv_0/kernel": (1, 12, 1, W),
        "Conv_1/kernel": (4, 1, W, 2 * W),
        "Conv_2/kernel": (2, 1, 2 * W, 4 * W),
        "Conv_3/kernel": (8, 1, 4 * W, 8 * W),
        "Conv_4/kernel": (1, 7, 8 * W, 2),
        **{f"{name}/{p}": (channels,) for name, channels in norms.items() for p in ("scale", "offset")},
    }


def test_the_papers_classifier_has_1156608_parameters(phrases):
    norms = 2 * (128 + 256 + 512)
    kernels = 12 * 64 + 4 * 64 * 128 + 2 * 128 * 256 + 8 * 256 * 512 + 7 * 512 * 2
    assert kernels + norms == 1_156_608
    assert parameter_shapes(Classifier(), phrases)[1] == 1_156_608
