"""The generator: shapes, sizes, and every layer against a reference in NumPy."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support.reference_layers import (
    conv,
    conv_same,
    conv_transpose,
    instance_norm,
    parameter_shapes,
    random_params,
)

from cyclegan_jax.models.generator import Generator, ResidualBlock
from cyclegan_jax.models.kernels import ON_CPU, PLAIN, Kernels

SMALL = {"width": 2, "blocks": 3, "kernels": Kernels(cpu_forms=True)}
W, BLOCKS = SMALL["width"], SMALL["blocks"]


def reference(params, x):
    """The specification, layer by layer."""

    def norm(y, name, params=params):
        return instance_norm(y, params[name]["scale"], params[name]["offset"])

    def relu(y):
        return np.maximum(y, 0.0)

    def pad(y, amount):
        return np.pad(y, ((0, 0), (amount, amount), (amount, amount), (0, 0)), mode="reflect")

    kernels = {name: layer["kernel"] for name, layer in params.items() if "kernel" in layer}
    y = relu(norm(conv(pad(x, 3), kernels["Conv_0"]), "InstanceNorm_0"))
    y = relu(norm(conv_same(y, kernels["Conv_1"], (2, 2)), "InstanceNorm_1"))
    y = relu(norm(conv_same(y, kernels["Conv_2"], (2, 2)), "InstanceNorm_2"))
    for number in range(BLOCKS):
        block = jax.tree.map(lambda stacked, n=number: stacked[n], params["residual_blocks"])
        z = relu(norm(conv(pad(y, 1), block["Conv_0"]["kernel"]), "InstanceNorm_0", block))
        z = norm(conv(pad(z, 1), block["Conv_1"]["kernel"]), "InstanceNorm_1", block)
        y = relu(y + z)
    y = relu(norm(conv_transpose(y, kernels["ConvTranspose_0"]), "InstanceNorm_3"))
    y = relu(norm(conv_transpose(y, kernels["ConvTranspose_1"]), "InstanceNorm_4"))
    return 1.0 / (1.0 + np.exp(-conv(pad(y, 3), kernels["Conv_3"])))


def run(x, params, **options):
    return jax.jit(Generator(**{**SMALL, **options}).apply)({"params": params}, x)


@pytest.fixture(scope="module")
def phrases():
    return (np.random.default_rng(5).random((3, 64, 84, 1)) < 0.1).astype(np.float32)


@pytest.fixture(scope="module")
def params(phrases):
    return random_params(Generator(**SMALL), phrases, centre=0.0)


@pytest.fixture(scope="module")
def transferred(params, phrases):
    return run(phrases, params, kernels=ON_CPU)


def test_every_layer_is_the_specifications(transferred, params, phrases):
    expected = reference(jax.tree.map(np.float64, params), phrases.astype(np.float64))
    assert expected.std() > 0.05
    np.testing.assert_allclose(transferred, expected, atol=1e-4)


def test_an_odd_batch_keeps_its_shape_and_becomes_probabilities(transferred):
    assert transferred.shape == (3, 64, 84, 1) and transferred.dtype == jnp.float32
    assert 0.0 < transferred.min() < 0.5 < transferred.max() < 1.0


def test_bools_are_taken_as_zero_and_one(transferred, params, phrases):
    np.testing.assert_array_equal(run(phrases.astype(bool), params, kernels=ON_CPU), transferred)


def test_parameters_have_these_names_and_shapes_and_no_bias(phrases):
    shapes, _ = parameter_shapes(Generator(**SMALL), phrases)
    norms = {f"InstanceNorm_{n}": channels for n, channels in enumerate([W, 2 * W, 4 * W, 2 * W, W])}
    assert shapes == {
        "Conv_0/kernel": (7, 7, 1, W),
        "Conv_1/kernel": (3, 3, W, 2 * W),
        "Conv_2/kernel": (3, 3, 2 * W, 4 * W),
        "residual_blocks/Conv_0/kernel": (BLOCKS, 3, 3, 4 * W, 4 * W),
        "residual_blocks/Conv_1/kernel": (BLOCKS, 3, 3, 4 * W, 4 * W),
        **{
            f"residual_blocks/InstanceNorm_{n}/{p}": (BLOCKS, 4 * W)
            for n in (0, 1)
            for p in ("scale", "offset")
        },
        "ConvTranspose_0/kernel": (3, 3, 4 * W, 2 * W),
        "ConvTranspose_1/kernel": (3, 3, 2 * W, W),
        "Conv_3/kernel": (7, 7, W, 1),
        **{f"{name}/{p}": (channels,) for name, channels in norms.items() for p in ("scale", "offset")},
    }


def test_the_papers_generator_has_twelve_and_a_half_million_parameters(phrases):
    encoder = (7 * 7 * 64 + 2 * 64) + (3 * 3 * 64 * 128 + 2 * 128) + (3 * 3 * 128 * 256 + 2 * 256)
    block = 2 * (3 * 3 * 256 * 256 + 2 * 256)
    decoder = (3 * 3 * 256 * 128 + 2 * 128) + (3 * 3 * 128 * 64 + 2 * 64) + 7 * 7 * 64
    assert encoder + 10 * block + decoder == 12_551_552
    assert parameter_shapes(Generator(), phrases)[1] == 12_551_552


def test_the_middle_is_a_quarter_of_the_resolution(params, phrases):
    seen = []

    def look(call, arguments, options, context):
        if isinstance(context.module, ResidualBlock) and arguments[0].ndim:
            seen.append((arguments[0].shape, arguments[0].dtype))
        return call(*arguments, **options)

    for dtype in map(jnp.dtype, ("float32", "bfloat16")):
        seen.clear()
        with nn.intercept_methods(look):
            generator = Generator(**SMALL, dtype=dtype).clone(kernels=PLAIN)
            jax.eval_shape(generator.apply, {"params": params}, phrases)
        assert set(seen) == {((3, 16, 21, 4 * W), dtype)}


def test_blocks_start_with_weights_of_their_own(phrases):
    @jax.jit
    def kernels(key):
        blocks = Generator(**SMALL).init(key, phrases)["params"]["residual_blocks"]
        return blocks["Conv_0"]["kernel"], blocks["Conv_1"]["kernel"]

    one, other = kernels(jax.random.PRNGKey(0))
    for drawn in ([*one, *other][i : i + 2] for i in range(2 * BLOCKS - 1)):
        assert not np.any(drawn[0] == drawn[1])


def test_scan_and_unrolled_blocks_give_equal_outputs_and_gradients(params, phrases):
    blocks = jax.tree.map(lambda stacked: stacked[:2], params["residual_blocks"])
    params = params | {"residual_blocks": blocks}

    def loss(params, unroll):
        generator = Generator(W, blocks=2, kernels=Kernels(cpu_forms=True, unroll=unroll))
        y = generator.apply({"params": params}, phrases[:1])
        return jnp.square(y - phrases[:1]).mean(), y

    differentiate = jax.jit(jax.grad(loss, has_aux=True), static_argnums=1)
    (rolled, rolled_y), (unrolled, unrolled_y) = differentiate(params, False), differentiate(params, True)
    np.testing.assert_allclose(rolled_y, unrolled_y, atol=1e-5)
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, atol=1e-5), rolled, unrolled)
    assert max(np.abs(leaf).max() for leaf in jax.tree.leaves(rolled)) > 1e-3


def test_bfloat16_keeps_float32_parameters_and_output_and_close_values(transferred, params, phrases):
    shapes = jax.eval_shape(Generator(**SMALL, dtype=jnp.bfloat16).init, jax.random.PRNGKey(0), phrases)
    assert {leaf.dtype for leaf in jax.tree.leaves(shapes)} == {np.dtype(np.float32)}
    low = run(phrases, params, kernels=PLAIN, dtype=jnp.bfloat16)
    assert low.dtype == jnp.float32
    difference = np.abs(low - transferred)
    assert 1e-5 < difference.mean() < 0.02


@pytest.mark.slow
@pytest.mark.parametrize("width", [4, 32])
def test_a_fresh_generator_with_an_identity_leaves_notes_as_they_are_at_any_width(phrases, width):
    generator = Generator(
        width=width,
        blocks=1,
        identity_logits=1.0,
        positions=True,
        skips=True,
        kernels=Kernels(cpu_forms=True),
    )
    params = jax.jit(generator.init)(jax.random.PRNGKey(0), phrases)["params"]
    logits = jax.jit(lambda p, x: generator.apply({"params": p}, x, method="logits"))(params, phrases)
    moved = np.asarray(logits) - (2 * phrases - 1)
    assert ((logits > 0) == (phrases > 0)).mean() > 0.97
    assert 0.2 < moved.std() < 0.7


def test_the_identity_is_added_to_the_logits(params, phrases):
    plain, leaning = (Generator(**SMALL, identity_logits=k) for k in (0.0, 2.5))
    logits = [
        jax.jit(lambda p, x, g=g: g.apply({"params": p}, x, method="logits"))(params, phrases)
        for g in (plain, leaning)
    ]
    np.testing.assert_allclose(logits[1] - logits[0], 2.5 * (2 * phrases - 1), atol=1e-4)


def test_positions_change_what_the_residual_blocks_see(phrases):
    generator = Generator(**SMALL, positions=True)
    shapes, _ = parameter_shapes(generator, phrases)
    assert shapes["PositionEmbedding_0/embedding"] == (16, 21, 4 * W)
    params = random_params(generator, phrases, centre=0.0)
    without = {name: leaf for name, leaf in params.items() if name != "PositionEmbedding_0"}
    with_them = jax.jit(generator.apply)({"params": params}, phrases)
    assert np.abs(with_them - jax.jit(Generator(**SMALL).apply)({"params": without}, phrases)).max() > 1e-3


def test_skips_hand_on_what_the_encoder_had(phrases):
    generator = Generator(**SMALL, skips=True)
    shapes, _ = parameter_shapes(generator, phrases)
    assert shapes["ConvTranspose_1/kernel"] == (3, 3, 4 * W, W)
    assert shapes["Conv_3/kernel"] == (7, 7, 2 * W, 1)
    params = random_params(generator, phrases, centre=0.0)
    cut = jax.tree.map(np.copy, params)
    cut["ConvTranspose_0"]["kernel"][:] = 0
    cut["InstanceNorm_3"]["offset"][:] = 0
    apply = jax.jit(lambda p, x: generator.apply({"params": p}, x, method="logits"))
    one, other = apply({**cut}, phrases), apply({**cut}, np.roll(phrases, 1, axis=1))
    assert np.abs(one - other).max() > 1e-2, "with the narrow middle cut off, the input still shows"
