"""Symbolic music genre transfer with CycleGAN (Brunner et al. 2018), in JAX and Flax.

A step of training, on one device, and a phrase on its way from jazz to pop:

>>> import jax
>>> import numpy as np
>>> import cyclegan_jax as cg
>>> config = cg.Config(
...     pair=("jazz", "pop"), genres=("jazz", "pop"), fingerprint="", steps=2, constant_steps=1,
...     width=4, blocks=1, batch_size=2, pool_size=1,
... )
>>> optimiser = cg.build_optimiser(config)
>>> step = jax.jit(cg.build_train_step(config, optimiser))
>>> rolls = np.random.default_rng(0).random((3, 2, 64, 84, 1)) < 0.05
>>> state, metrics = step(cg.create_state(config, optimiser), dict(zip("abm", rolls)))
>>> int(state.step), bool(np.isfinite(metrics["loss/generators"]))
(1, True)
>>> cg.Transfer(config, state.generators).phrases(rolls[0], to="pop").shape
(2, 64, 84, 1)

Whole songs go by a model file: `load("jazz_pop.model").transfer("song.mid", to="pop")`. The dataset is in
`cyclegan_jax.datasets.genre_rolls`, the commands are in `launch`.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "checkpoint": ["Checkpoints"],
    "classifier": ["Classifier"],
    "config": ["PRESETS", "Cadence", "Config", "MemorySaving"],
    "controls": ["Controls"],
    "discriminator": ["Discriminator"],
    "errors": ["TrainingDivergedError", "UserError"],
    "generator": ["Generator"],
    "judge": ["Judge", "robustness", "train_judge"],
    "metrics": ["evaluate"],
    "model": ["Model"],
    "model_file": ["load", "save"],
    "midi": ["read_score", "to_pretty_midi", "write_midi"],
    "midi_reader": ["Score", "Tempo", "parse_midi"],
    "packing": ["as_table", "pack", "unpack"],
    "parallel": ["Parallel"],
    "refusals": ["Refusal", "RefusedSongError"],
    "rolls": ["PHRASE_SHAPE", "cut", "cut_padded"],
    "song_transfer": ["TransferredSong", "transfer_song"],
    "songs": ["Song", "quantise", "read_dataset_song", "read_song"],
    "state": ["TrainState", "build_optimiser", "create_state", "draw_state", "state_shapes"],
    "steps": ["build_train_step", "build_train_steps"],
    "transfer": ["Transfer", "to_notes"],
}
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_MODULE_OF)


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Import a public name's module when it is first asked for, so that no command pays for all."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
