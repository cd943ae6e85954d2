"""A training whose losses are NaN at one step."""

import jax
import numpy as np

from cyclegan_jax.training.cadence import Cadence
from cyclegan_jax.training.data_parallel import Parallel
from cyclegan_jax.training.state import TrainState

CADENCE = Cadence(log_every=100, eval_every=100, save_every=2)


def poisoned(monkeypatch, steps: dict[int, int]) -> None:
    """Before a step a weight is not a number, so many times; by number of steps done."""
    whole = Parallel.steps

    def poison(self, state: TrainState, table: jax.Array, rows: list) -> tuple:
        if steps.get(int(state.step), 0) > 0:
            steps[int(state.step)] -= 1
            networks = dict(state.generators)
            networks["gen_ab"] = jax.tree.map(lambda leaf: leaf * np.nan, networks["gen_ab"])
            state = state.replace(generators=networks)
        return whole(self, state, table, rows)

    monkeypatch.setattr("launch.run.loop.Parallel.steps", poison)
