"""Models as one file: float16 weights as safetensors, with the config and facts about the training.

The metadata is one entry of JSON with version, SHA-256 and facts. It is one entry because safetensors writes
several in no fixed order, and the same model should be the same file to the byte. Nothing in a file is run.
Shapes are checked against those that its config asks for. The networks compute in float32 or bfloat16, as in
training.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import flax.traverse_util
import jax
import jax.numpy as jnp
import numpy as np
import safetensors
import safetensors.numpy

from cyclegan_jax.atomic_files import write_whole
from cyclegan_jax.config import Config
from cyclegan_jax.errors import UserError
from cyclegan_jax.evaluation.genre_classifier import GenreClassifier
from cyclegan_jax.models.build import Params, generator_shapes
from cyclegan_jax.models.classifier import Classifier
from cyclegan_jax.pianoroll.roll import PHRASE_SHAPE
from cyclegan_jax.transfer.cleaning import Bounds
from cyclegan_jax.transfer.model import Model

KEY = "cyclegan_jax model"  # the name of the one entry of metadata
VERSION = 1
CLASSIFIER = "judge"  # the name in all files written so far, like the fact `judge_accuracy`


def save(model: Model, path: Path) -> None:
    """Write a model as one file, whole or not at all.

    Raises UserError if it has no classifier or if float16 cannot hold its parameters.
    """
    if model.classifier is None:
        raise UserError("this model has no classifier, but a model file needs one; export it from its run.")
    params = {**model.generators, CLASSIFIER: model.classifier.params}
    with np.errstate(over="ignore"):
        arrays = {name: np.asarray(leaf, np.float16) for name, leaf in _flat(params).items()}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise UserError(f"parameter {name} has values that float16 cannot hold; train the model again.")
    facts = {
        "config": model.config.to_dict(),
        "judge_accuracy": model.classifier.accuracy,
        "trained_on": model.trained_on,
        "evaluation": model.evaluation,
    }
    told = {"version": VERSION, "sha256": _digest(facts, arrays), "facts": facts}
    write_whole(path, safetensors.numpy.save(arrays, {KEY: json.dumps(told)}))


def load(path: str | Path) -> Model:
    """Read a model file. Nothing in it is run.

    Raises UserError if it is not a model file, is cut off or damaged, or has another version or shape.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{str(path)!r} is not a file; name a model that launch.export wrote.")
    try:
        with safetensors.safe_open(path, framework="np") as file:
            told = _metadata(path, file.metadata() or {})
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except OSError as error:
        raise UserError(f"{str(path)!r} cannot be read; make it readable or name another model.") from error
    except (safetensors.SafetensorError, AttributeError, TypeError) as error:
        raise UserError(
            f"{str(path)!r} is no model file, or is cut off: {error}; export it again."
        ) from error
    facts = told["facts"]
    if _digest(facts, arrays) != told["sha256"]:
        raise UserError(f"{str(path)!r} is damaged: its checksum is another; copy or export it again.")
    try:
        config, accuracy = Config.from_dict(facts["config"]), float(facts["judge_accuracy"])
        trained_on, evaluation = dict(facts["trained_on"]), dict(facts["evaluation"])
        _check_facts(config, trained_on)
        _check_calibration(evaluation, config.pair)
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{str(path)!r} has a missing or wrong entry: {error}; export it again.") from error
    params = _shaped(path, config, arrays)
    return Model(config, params, GenreClassifier(params.pop(CLASSIFIER), accuracy), trained_on, evaluation)


def _metadata(path: Path, metadata: dict[str, str]) -> dict[str, Any]:
    """What a file tells of itself. Raises UserError for another project's, and for another version."""
    try:
        told = json.loads(metadata[KEY])
        version, _, _ = told["version"], told["sha256"], told["facts"]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise UserError(
            f"{str(path)!r} is no model of this project; name a file that launch.export wrote."
        ) from error
    if version != VERSION:
        raise UserError(
            f"{str(path)!r} is a model file of version {version}, but this program reads version {VERSION}; "
            "export the model again or use the program that wrote it."
        )
    return told


def _check_facts(config: Config, trained_on: dict[str, Any]) -> None:
    """Raise ValueError unless genres are two plain names and numbers are whole that must be."""
    genres = config.pair
    if len(set(genres)) != 2 or not all(
        isinstance(g, str) and g.isprintable() and "/" not in g for g in genres
    ):
        raise ValueError(f"genres {genres}")
    if not all(
        type(number) is int for number in (config.width, config.blocks, config.batch_size, config.pool_size)
    ):
        raise ValueError("sizes that are no whole numbers")
    if trained_on and not ("dataset" in trained_on and set(genres) <= set(dict(trained_on["phrases"]))):
        raise ValueError(f"trained on {trained_on}")


def _check_calibration(evaluation: dict[str, Any], genres: tuple[str, str]) -> None:
    """Raise ValueError unless the bounds of notes, if there are any, can be, and curves of strength rise."""
    for genre, bounds in dict(evaluation.get("note_bounds", {})).items():
        if genre not in genres:
            raise ValueError(f"the bounds of {genre!r}")
        Bounds(**bounds)
    for genre, curve in dict(evaluation.get("strength_curves", {})).items():
        points = np.array([0.0, *curve, 1.0], np.float64)
        if genre not in genres or len(curve) < 2 or not (np.diff(points) >= 0).all():
            raise ValueError(f"the strength curve of {genre!r}")


def _shaped(path: Path, config: Config, arrays: dict[str, np.ndarray]) -> dict[str, Params]:
    """The parameters as float32, by network. Raises UserError unless they are what the config asks for."""
    depths = {array.shape[:1] for name, array in arrays.items() if "residual_blocks" in name}
    if depths != {(config.blocks,)}:
        raise UserError(f"{str(path)!r} has not the {config.blocks} blocks that it says; export it again.")
    wanted = _flat(_shapes(config))
    for name in sorted({*wanted, *arrays}):
        found = arrays[name].shape if name in arrays and arrays[name].dtype == np.float16 else None
        if name not in wanted or found != wanted[name].shape:
            shape = wanted[name].shape if name in wanted else None
            raise UserError(
                f"{str(path)!r} is not the model it says: {name!r} is {found}, not {shape}; export it again."
            )
        if not np.isfinite(arrays[name]).all():
            raise UserError(
                f"{str(path)!r} has values in {name!r} that are NaN or infinite; export it again."
            )
    return flax.traverse_util.unflatten_dict({n: a.astype(np.float32) for n, a in arrays.items()}, sep="/")


def _shapes(config: Config) -> dict[str, Any]:
    """The shapes of all parameters; nothing is computed."""
    phrase = jnp.zeros((1, *PHRASE_SHAPE))
    classifier = jax.eval_shape(lambda: Classifier().init(jax.random.key(0), phrase)["params"])
    return {**generator_shapes(config), CLASSIFIER: classifier}


def _flat(params: dict[str, Params]) -> dict[str, Any]:
    return flax.traverse_util.flatten_dict(params, sep="/")


def _digest(facts: dict[str, Any], arrays: dict[str, np.ndarray]) -> str:
    """SHA-256 of the facts and of every array's name, type, shape and content."""
    digest = hashlib.sha256(json.dumps(facts).encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"\0{name}\0{array.dtype}\0{array.shape}\0".encode() + array.tobytes())
    return digest.hexdigest()
