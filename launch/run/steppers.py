"""How the loop makes its steps: one run over all devices, or several runs in one program on one device."""

from collections.abc import Sequence
from typing import Protocol

from cyclegan_jax.config import Config
from cyclegan_jax.datasets.pipeline.batches import PairBatches
from cyclegan_jax.training.data_parallel import Parallel
from cyclegan_jax.training.objective import Metrics
from cyclegan_jax.training.state import TrainState
from cyclegan_jax.training.vmapped_runs import VmappedRuns
from launch.run.feed import open_feed


class Stepper(Protocol):
    """Makes the train steps of some runs; their states stay with it, on the devices."""

    def begin(self, states: Sequence[TrainState], start: int, stop: int) -> None:
        """Lay out the runs' plain states of step `start`, for steps to before `stop`."""

    def advance(self, group: range) -> Metrics:
        """Do a group of steps; groups must come in order. Returns the metrics of all runs, on the device."""
        ...

    def metrics(self, fetched: Metrics, run: int) -> Metrics:
        """One run's part of what `advance` returned."""
        ...

    def state(self, run: int) -> TrainState:
        """The plain state of one run, as NumPy arrays."""
        ...


class DataParallelStepper:
    """One run, its batches split over all devices of all processes."""

    def __init__(self, batches: PairBatches, parallel: Parallel) -> None:
        self._batches, self._parallel = batches, parallel

    def begin(self, states: Sequence[TrainState], start: int, stop: int) -> None:
        """Lay the one state out over the devices; every process must call it."""
        (state,) = states
        self._state = self._parallel.scatter(state)
        self._feed = open_feed(self._batches, self._parallel, start, stop)

    def advance(self, group: range) -> Metrics:
        """One dispatch; the means of the group's metrics."""
        self._state, metrics = self._feed.advance(self._state, group)
        return metrics

    def metrics(self, fetched: Metrics, run: int) -> Metrics:
        """All of them."""
        return fetched

    def state(self, run: int) -> TrainState:
        """The state, gathered from all devices; every process must call it."""
        return self._parallel.gather(self._state)


class VmappedStepper:
    """Several runs whose configs differ only in `sigma_d`, all on the same batches, a step at a time."""

    def __init__(self, configs: Sequence[Config], batches: PairBatches) -> None:
        self._batches, self._runs = batches, VmappedRuns(configs)

    def begin(self, states: Sequence[TrainState], start: int, stop: int) -> None:
        """Stack the runs' states."""
        self._states = self._runs.stack(states)
        self._stream = self._batches.stream(start, stop)

    def advance(self, group: range) -> Metrics:
        """A step of every run; the group must be one step."""
        (_,) = group
        self._states, metrics = self._runs.step(self._states, next(self._stream))
        return metrics

    def metrics(self, fetched: Metrics, run: int) -> Metrics:
        """The scalars of one run."""
        return self._runs.metrics(fetched, run)

    def state(self, run: int) -> TrainState:
        """The state of one run, taken from the stack."""
        return self._runs.state(self._states, run)
