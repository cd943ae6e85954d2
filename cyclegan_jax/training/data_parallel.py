"""Data-parallel training by `jax.pmap`: lays arrays out over devices, and passes values between processes.

State passes through `pmap` unreplicated (`in_axes=None`), so a checkpoint has plain shapes. The pool alone
is split over its batch axis: [pool, devices, batch / devices, ...] while training, [pool, batch, ...] in a
checkpoint. The first state is placed with its sharding before the first step; otherwise the second call
would compile again. A step may overwrite the state that it is given (donation), so `scatter`
makes a copy.

Noise is drawn for the batch of all devices, and each takes its slice. The pool's draws come from a key that
is the same on every device. So any number of devices draws the same. Gradients of both groups and the metrics
go through one `pmean`, on a CPU one all-reduce a step. The table of phrases is whole on every device; the
batch is split.

While only the first process has work to do, the others wait at jax.distributed's own barrier (through Orbax):
a collective operation between CPUs gives up after half a minute.
"""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.experimental import multihost_utils
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from orbax.checkpoint import multihost

from cyclegan_jax.config import Config
from cyclegan_jax.errors import UserError
from cyclegan_jax.training.host_memory import free_on_host
from cyclegan_jax.training.memory_saving import KEEP_ALL, MemorySaving
from cyclegan_jax.training.sample_pool import SamplePool
from cyclegan_jax.training.state import TrainState
from cyclegan_jax.training.train_step import AXIS, Metrics, build_train_steps

WAIT_SECONDS = 3600  # how long processes wait while only the first one has work to do

# The pool is split over its batch axis; all else is the same on every device.
_WHOLE: Any = None
_SPLIT: Any = 1
STATE_AXES = TrainState(
    step=_WHOLE,
    key=_WHOLE,
    generators=_WHOLE,
    discriminators=_WHOLE,
    generator_optimiser=_WHOLE,
    discriminator_optimiser=_WHOLE,
    pool=SamplePool(a=_SPLIT, b=_SPLIT, filled=_WHOLE),
    ema=_WHOLE,
)


class Parallel:
    """The train step over devices of this process and, under jax.distributed, of all the others.

    `devices`: all that take part, by default every device of every process. Raises UserError where
    the batch does not divide among them, or into the parts of `memory`. `looped`: whether several steps are
    one program; by default they are, except on a CPU, where loops are slow and a dispatch costs next to
    nothing.
    """

    def __init__(
        self,
        config: Config,
        optimiser: optax.GradientTransformation,
        devices: Sequence[jax.Device] | None = None,  # pyright: ignore[reportInvalidTypeForm]
        *,
        looped: bool | None = None,
        memory: MemorySaving = KEEP_ALL,
    ) -> None:
        devices = list(devices or sorted(jax.devices(), key=lambda d: (d.process_index, d.id)))
        check_divides(config.batch_size, len(devices), memory.accumulate)
        self.local_devices = [d for d in devices if d.process_index == jax.process_index()]
        self._processes = len(devices) // len(self.local_devices)
        self._looped = self.local_devices[0].platform != "cpu" if looped is None else looped
        self._mesh = Mesh(np.array(self.local_devices), (AXIS,))
        self._everywhere = NamedSharding(self._mesh, PartitionSpec())
        self._axes = STATE_AXES if config.pool_size else dataclasses.replace(STATE_AXES, pool=None)
        self._steps = jax.pmap(
            build_train_steps(config, optimiser, len(devices), memory),
            axis_name=AXIS,
            in_axes=(self._axes, None, 1),
            out_axes=(self._axes, None),
            devices=devices,
            donate_argnums=0,
        )

    def steps(
        self, state: TrainState, table: jax.Array, rows: Sequence[dict[str, np.ndarray]]
    ) -> tuple[TrainState, Metrics]:
        """A train step for each of `rows`, and the means of their metrics.

        `state`: from `scatter` or the last steps, and used up by these. `table`: phrases as bits, from
        `hold`. `rows`: by step the row numbers of the global batch, of which each device takes its own.
        """
        at_once = len(rows) if self._looped else 1
        means = []
        for first in range(0, len(rows), at_once):
            numbers = self._numbers(rows[first : first + at_once])
            state, metrics = self._steps(state, table, numbers)
            means.append(metrics)
        return state, _mean_of(means)

    def lower(
        self, state: TrainState, table: jax.Array, rows: Sequence[dict[str, np.ndarray]]
    ) -> jax.stages.Lowered:
        """The program that goes through all of `rows`, not yet compiled; arguments as of `steps`."""
        return self._steps.lower(state, table, self._numbers(rows))

    def hold(self, table: np.ndarray) -> jax.Array:
        """An array that every device holds whole."""
        return jax.device_put(table, self._everywhere)

    def free_memory(self) -> int:
        """Bytes that each device of this process may still take; CPU devices share the host's."""
        all_stats = [device.memory_stats() for device in self.local_devices]
        if all(all_stats):
            return min(stats["bytes_limit"] - stats["bytes_in_use"] for stats in all_stats)
        return free_on_host() // len(self.local_devices)

    def scatter(self, state: TrainState) -> TrainState:
        """A plain state laid out for `steps`: copied, the pool as [pool, devices, batch / devices, ...]."""

        def lay_out(axis: int | None, leaf: jax.Array) -> jax.Array:
            host = np.array(leaf)
            if axis is None:
                return jax.device_put(host, self._everywhere)
            spec = PartitionSpec(*[None] * axis, AXIS)
            return jax.device_put(
                self._split(self._own_rows(host, axis), axis), NamedSharding(self._mesh, spec)
            )

        return _map_by_axis(lay_out, self._axes, state)

    def gather(self, state: TrainState) -> TrainState:
        """The plain state, as NumPy arrays of their own, the pool as [pool, batch, ...].

        Every process must call it, and every process gets all of it.
        """

        def take_in(axis: int | None, leaf: jax.Array) -> np.ndarray:
            host = np.array(leaf)
            if axis is None:
                return host
            own = host.reshape(*host.shape[:axis], -1, *host.shape[axis + 2 :])
            if self._processes == 1:
                return own
            return np.concatenate(list(multihost_utils.process_allgather(own)), axis=axis)

        return _map_by_axis(take_in, self._axes, state)

    def _numbers(self, rows: Sequence[dict[str, np.ndarray]]) -> dict[str, jax.Array]:
        """Row numbers of K steps: [K, devices, batch / devices] by name, each device's on that device."""
        stacked = {name: np.stack([r[name] for r in rows]).astype(np.int32) for name in rows[0]}
        own = {name: self._split(self._own_rows(numbers, 1), 1) for name, numbers in stacked.items()}
        return jax.device_put(own, NamedSharding(self._mesh, PartitionSpec(None, AXIS)))

    def _own_rows(self, array: np.ndarray, axis: int) -> np.ndarray:
        rows = array.shape[axis] // self._processes
        place = jax.process_index() if self._processes > 1 else 0
        return array[(slice(None),) * axis + (slice(place * rows, (place + 1) * rows),)]

    def _split(self, array: np.ndarray, axis: int) -> np.ndarray:
        return array.reshape(*array.shape[:axis], len(self.local_devices), -1, *array.shape[axis + 1 :])


def _mean_of(metrics: Sequence[Metrics]) -> Metrics:
    if len(metrics) == 1:
        return metrics[0]
    return jax.tree.map(lambda *values: jnp.stack(values).mean(), *metrics)


def wait_for_all(name: str) -> None:
    """Wait until every process has come to the point of this name, which must be used once only.

    By jax.distributed's own service: a collective of CPUs gives up after half a minute.
    """
    multihost.get_barrier_sync_fn()(key=name, timeout_ms=WAIT_SECONDS * 1000)


def from_first_process(value: float, name: str) -> float:
    """The first process's value, on every process; all must call it, each time with another name."""
    if jax.process_count() == 1:
        return value
    wait_for_all(name)
    return float(multihost_utils.broadcast_one_to_all(np.float32(value)))


def from_any_process(value: int, after: Metrics) -> int:
    """The greatest of all processes' values, on every one; all must call it within half a minute.

    The step that gives the metrics `after` is waited for. On a CPU its collective operations and this one, if
    they ran at once, could wait for each other forever.
    """
    if jax.process_count() == 1:
        return value
    jax.block_until_ready(after)
    return int(multihost_utils.process_allgather(np.int32(value)).max())


def check_divides(batch_size: int, devices: int, accumulate: int = 1) -> None:
    """Raise UserError unless every device gets an equal part of a batch, which divides into `accumulate`."""
    if batch_size % (devices * accumulate):
        number = f"the number of devices, {devices}"
        if accumulate > 1:
            number = f"devices by accumulate, {devices} × {accumulate}"
        raise UserError(f"batch_size is {batch_size}, but must be a multiple of {number}.")


def _map_by_axis(function: Callable, axes: TrainState, state: TrainState) -> TrainState:
    """`function(axis, leaf)` of every leaf, `axis` being its device axis or None."""

    def subtree(axis: int | None, part: TrainState) -> TrainState:
        return jax.tree.map(functools.partial(function, axis), part)

    return jax.tree.map(subtree, axes, state, is_leaf=lambda axis: axis is None)
