"""How the phrases of a run get to its steps: kept on the devices, or streamed to them batch by batch.

Phrases are kept as bits, 672 bytes a channel: the paper's 12,341 of a genre take 8 MB. A step is then sent
only the numbers of its rows, and unpacking is part of the compiled step. If they would take over a quarter
of a device's free memory, as the first process measures it, batches are streamed. They are sent as bits too
and go through the same function, so the numbers are equal to the bit on a CPU.

The host draws the rows with NumPy in both cases. So a seed means the same run whether phrases are kept or
streamed, on any number of devices and processes, and after a resume.
"""

import itertools

import jax

from cyclegan_jax.datasets.pipeline.batches import PairBatches
from cyclegan_jax.pianoroll.packing import as_table
from cyclegan_jax.training.data_parallel import Parallel, from_first_process
from cyclegan_jax.training.objective import Metrics
from cyclegan_jax.training.state import TrainState

SHARE_OF_MEMORY = 0.25  # of a device's free memory, that phrases kept there may take
MOST_AT_ONCE = 50  # steps of one dispatch, unless told otherwise


def default_steps_per_dispatch(log_every: int) -> int:
    """The steps between two lines of metrics, at most 50; on a CPU 1, where grouping gains nothing."""
    return 1 if jax.default_backend() == "cpu" else min(log_every, MOST_AT_ONCE)


class Held:
    """All phrases are kept on every device, as bits; a step is sent only the numbers of its rows."""

    def __init__(self, batches: PairBatches, parallel: Parallel) -> None:
        self._batches, self._parallel = batches, parallel
        self._table = parallel.hold(batches.packed())

    def advance(self, state: TrainState, group: range) -> tuple[TrainState, Metrics]:
        """Train through a group of steps; the new state and the means of the metrics."""
        return self._parallel.steps(state, self._table, [self._batches.rows(step) for step in group])


class Streamed:
    """Batches are prepared ahead by the host and sent as bits. Groups of steps must come in order."""

    def __init__(self, batches: PairBatches, parallel: Parallel, start: int, stop: int) -> None:
        self._parallel = parallel
        self._stream = batches.stream(start, stop)

    def advance(self, state: TrainState, group: range) -> tuple[TrainState, Metrics]:
        """Train through a group of steps; the new state and the means of the metrics."""
        table, rows = as_table(itertools.islice(self._stream, len(group)))
        return self._parallel.steps(state, self._parallel.hold(table), rows)


def open_feed(batches: PairBatches, parallel: Parallel, start: int, stop: int) -> Held | Streamed:
    """Phrases kept on the devices if they fit, else streamed from step `start` to before `stop`.

    Every process must call it; the first one decides for all.
    """
    fits = batches.packed_bytes <= SHARE_OF_MEMORY * parallel.free_memory()
    if from_first_process(float(fits), "whether phrases are held on the devices"):
        return Held(batches, parallel)
    return Streamed(batches, parallel, start, stop)
