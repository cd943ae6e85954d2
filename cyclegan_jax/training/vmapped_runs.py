"""Several runs in one program: their train steps side by side on one device, by `jax.vmap`.

One small run leaves most of a GPU idle. On a CPU it is slower: XLA turns the batched convolutions into
grouped ones, and a step of three runs took twice as long as three single steps (0.175 s a run instead of
0.085 s, at width 8 and batch 4). So runs go one after the other there.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from cyclegan_jax.config import Config
from cyclegan_jax.training.state import TrainState, build_optimiser, state_shapes
from cyclegan_jax.training.train_step import Metrics, build_train_step

_Tree = TypeVar("_Tree", TrainState, Metrics)
Batch = Mapping[str, np.ndarray | jax.Array]  # as it comes from the host, or from a device
SHARE_OF_MEMORY = 0.8  # of a device's, that one program may take


class VmappedRuns:
    """The train step of runs whose configs differ only in `sigma_d`, by `jax.vmap`.

    All runs see the same batches. For a single run no axis is added, so its program is the usual one.
    """

    def __init__(self, configs: Sequence[Config]) -> None:
        self._several = len(configs) > 1
        self._sigmas = [config.sigma_d for config in configs]
        step = build_train_step(configs[0], build_optimiser(configs[0]))
        self._step = jax.jit(
            jax.vmap(step, in_axes=(0, None, 0)) if self._several else step, donate_argnums=0
        )

    def step(self, states: TrainState, batch: Batch) -> tuple[TrainState, Metrics]:
        """One step of every run: `states` as `stack` made them, and used up; `metrics` takes them apart."""
        return self._step(states, batch, self._sigma_d())

    def metrics(self, metrics: Metrics, run: int) -> Metrics:
        """The scalars of one run."""
        return self._of(metrics, run)

    def stack(self, states: Sequence[TrainState]) -> TrainState:
        """The runs' plain states as one, copied; each leaf with an axis of runs before it, if several."""
        if not self._several:
            return jax.tree.map(jnp.array, states[0])
        return jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)

    def state(self, states: TrainState, run: int) -> TrainState:
        """The plain state of one run, as NumPy arrays."""
        return jax.device_get(self._of(states, run))

    def bytes_needed(self, plain: TrainState, batch: Batch) -> int:
        """The memory that XLA says it reserves for a step; `plain`: a run's state or its shapes."""
        states = jax.eval_shape(self.stack, [plain] * len(self._sigmas))
        memory = self._step.lower(states, batch, self._sigma_d()).compile().memory_analysis()
        assert memory is not None  # on every backend that JAX has
        return memory.temp_size_in_bytes + memory.argument_size_in_bytes

    def _sigma_d(self) -> jax.Array:
        """Of every run, [runs] float32; of a single one a scalar."""
        return jnp.array(self._sigmas if self._several else self._sigmas[0], jnp.float32)

    def _of(self, tree: _Tree, run: int) -> _Tree:
        return jax.tree.map(lambda leaf: leaf[run], tree) if self._several else tree


def how_many_fit(configs: Sequence[Config], batch: Batch) -> int:
    """How many of the runs one device takes at once: halved until they fit its memory, by XLA's estimate.

    1 on a CPU, where a run alone fills all cores.
    """
    device = jax.devices()[0]
    if device.platform == "cpu":
        return 1
    room = SHARE_OF_MEMORY * device.memory_stats()["bytes_limit"]
    plain = state_shapes(configs[0], build_optimiser(configs[0]))
    count = len(configs)
    while count > 1 and VmappedRuns(configs[:count]).bytes_needed(plain, batch) > room:
        count = -(-count // 2)
    return count
