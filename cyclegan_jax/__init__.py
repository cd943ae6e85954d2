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
>>> cg.Transfer(config, state.generators).generate(rolls[0], to="pop").shape
(2, 64, 84, 1)

Whole songs go by a model file: `load("jazz_pop.model").transfer("song.mid", to="pop")`. The dataset is in
`cyclegan_jax.datasets.genre_rolls`, the commands are in `launch`.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # for completion, type checkers and documentation; the table below is what runs
    from cyclegan_jax.config import PRESETS, Config
    from cyclegan_jax.errors import TrainingDivergedError, UserError
    from cyclegan_jax.evaluation.evaluate import evaluate
    from cyclegan_jax.evaluation.genre_classifier import GenreClassifier, robustness, train_genre_classifier
    from cyclegan_jax.midi.dataset_song import DatasetSong, SongRules, read_dataset_song
    from cyclegan_jax.midi.io import read_score, to_pretty_midi, write_midi
    from cyclegan_jax.midi.reader import Score, Tempo, parse_midi
    from cyclegan_jax.midi.refusals import Refusal, RefusedSongError
    from cyclegan_jax.midi.song import Song, quantise, read_song
    from cyclegan_jax.models.classifier import Classifier
    from cyclegan_jax.models.discriminator import Discriminator
    from cyclegan_jax.models.generator import Generator
    from cyclegan_jax.models.phrase_transfer import Transfer, binarise
    from cyclegan_jax.pianoroll.packing import as_table, pack_bits, unpack_bits
    from cyclegan_jax.pianoroll.roll import PHRASE_SHAPE, cut_padded
    from cyclegan_jax.training.cadence import Cadence
    from cyclegan_jax.training.checkpoint import Checkpoints
    from cyclegan_jax.training.data_parallel import Parallel
    from cyclegan_jax.training.memory_saving import MemorySaving
    from cyclegan_jax.training.state import (
        TrainState,
        build_optimiser,
        create_state,
        draw_state,
        state_shapes,
    )
    from cyclegan_jax.training.train_step import build_train_step, build_train_steps
    from cyclegan_jax.transfer.controls import Controls
    from cyclegan_jax.transfer.model import Model
    from cyclegan_jax.transfer.model_file import load, save
    from cyclegan_jax.transfer.song import TransferredSong, transfer_song

__version__ = "0.1.0"

_HOMES = {
    "config": ["Config", "PRESETS"],
    "errors": ["TrainingDivergedError", "UserError"],
    "evaluation.evaluate": ["evaluate"],
    "evaluation.genre_classifier": ["GenreClassifier", "robustness", "train_genre_classifier"],
    "midi.dataset_song": ["DatasetSong", "SongRules", "read_dataset_song"],
    "midi.io": ["read_score", "to_pretty_midi", "write_midi"],
    "midi.reader": ["Score", "Tempo", "parse_midi"],
    "midi.refusals": ["Refusal", "RefusedSongError"],
    "midi.song": ["Song", "quantise", "read_song"],
    "models.classifier": ["Classifier"],
    "models.discriminator": ["Discriminator"],
    "models.generator": ["Generator"],
    "models.phrase_transfer": ["Transfer", "binarise"],
    "pianoroll.packing": ["as_table", "pack_bits", "unpack_bits"],
    "pianoroll.roll": ["PHRASE_SHAPE", "cut_padded"],
    "training.cadence": ["Cadence"],
    "training.checkpoint": ["Checkpoints"],
    "training.data_parallel": ["Parallel"],
    "training.memory_saving": ["MemorySaving"],
    "training.state": ["TrainState", "build_optimiser", "create_state", "draw_state", "state_shapes"],
    "training.train_step": ["build_train_step", "build_train_steps"],
    "transfer.controls": ["Controls"],
    "transfer.model": ["Model"],
    "transfer.model_file": ["load", "save"],
    "transfer.song": ["TransferredSong", "transfer_song"],
}
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_MODULE_OF)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Import a public name's module when it is first asked for, so that no command pays for all."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    """The public names too, though none is imported yet."""
    return sorted({*globals(), *__all__})
