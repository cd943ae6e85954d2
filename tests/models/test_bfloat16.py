"""Training in bfloat16 is training: its losses stay beside those of float32."""

import subprocess
import sys

import jax
import numpy as np
import pytest
from support.train_steps import batch_of

from cyclegan_jax.config import RECIPES, Config
from cyclegan_jax.models import layers
from cyclegan_jax.models.kernels import ON_CPU, PLAIN, Kernels
from cyclegan_jax.training.state import build_optimiser, create_state
from cyclegan_jax.training.train_step import build_train_step
from launch.flags.resolve import resolve_dtype

STEPS = 50
BATCHES = 8
NEAR = 0.02
# Of both signs or next to nothing in `robust`, so that a share says nothing: held to as much of 1, the
# hinge's scale.
AROUND_ZERO = {"loss/adv_ab", "loss/adv_ba", "loss/density_ab", "loss/density_ba"}


def losses(config: Config, kernels: Kernels) -> dict[str, np.ndarray]:
    """Each loss by step, from the same start."""
    optimiser = build_optimiser(config)
    state = create_state(config, optimiser)
    step = jax.jit(build_train_step(config, optimiser, kernels=kernels), donate_argnums=0)
    batches = [{name: rolls[:2] for name, rolls in batch_of(seed).items()} for seed in range(BATCHES)]
    history = []
    for number in range(STEPS):
        state, metrics = step(state, batches[number % BATCHES])
        history.append(metrics)
    assert {leaf.dtype for leaf in jax.tree.leaves(state.generators)} == {np.dtype(np.float32)}
    names = [name for name in history[0] if name.startswith("loss/")]
    return {name: np.array([float(metrics[name]) for metrics in history]) for name in names}


def config_of(recipe: str, dtype: str, width: int) -> Config:
    options = {**RECIPES[recipe], "width": width, "batch_size": 2, "dtype": dtype}
    if options.get("model") == "base":
        options["pool_size"] = 0
    return Config(("a", "b"), ("a", "b"), "", steps=STEPS, constant_steps=STEPS, blocks=1, **options)


@pytest.mark.parametrize(
    "recipe, width, as_on_a_gpu",
    [
        pytest.param("paper", 4, True, marks=pytest.mark.nightly),
        pytest.param("robust", 4, True, marks=pytest.mark.slow),
        pytest.param("paper", layers.MANY // 4, False, marks=pytest.mark.slow),
    ],
)
def test_losses_of_50_steps_are_within_2_percent_of_float32s(recipe, width, as_on_a_gpu):
    kernels = PLAIN if as_on_a_gpu else ON_CPU
    whole, narrow = (losses(config_of(recipe, dtype, width), kernels) for dtype in ("float32", "bfloat16"))
    around_zero = AROUND_ZERO if recipe == "robust" else set()
    assert {"loss/generators", "loss/discriminators", "loss/cycle_a", "loss/adv_ab"} <= whole.keys()
    for name, values in whole.items():
        assert np.any(narrow[name] != values), name
        allowed = {"abs": NEAR} if name in around_zero else {"rel": NEAR}
        assert narrow[name].mean() == pytest.approx(values.mean(), **allowed), name
    for name in ("loss/generators", "loss/discriminators"):  # so that a net which learns nothing is noticed
        assert abs(whole[name][-BATCHES:].mean() / whole[name][:2].mean() - 1) > 5 * NEAR


def test_the_type_is_float32_on_a_cpu_bfloat16_elsewhere_unless_named():
    assert [resolve_dtype("auto", backend) for backend in ("cpu", "gpu", "tpu")] == [
        "float32",
        "bfloat16",
        "bfloat16",
    ]
    assert resolve_dtype("float32", "gpu") == "float32"


@pytest.mark.parametrize(
    "backend, given, said",
    [
        ("gpu", [], "Preset 'paper', dtype bfloat16, for this machine computes on a GPU.\n"),
        ("gpu", ["--preset=tiny"], "Dtype bfloat16, for this machine computes on a GPU.\n"),
        ("gpu", ["--preset=tiny", "--dtype=bfloat16"], ""),
        ("cpu", [], "Preset 'tiny', for this machine computes on a CPU.\n"),
    ],
)
def test_what_is_chosen_for_the_machine_is_said(backend, given, said):
    words = ["train", "--pair=a_b", *given]
    code = "import jax; from absl import flags; from launch.flags import training; "
    code += f"flags.FLAGS({words!r}); jax.default_backend = lambda: {backend!r}; "
    code += "print(training.chosen_for_machine(), end='')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100)
    assert done.stdout == said, done.stderr
