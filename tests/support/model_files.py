"""Model files that tell what a test wants."""

import json
from pathlib import Path

import safetensors.numpy

from cyclegan_jax.transfer.model_file import KEY, _digest


def with_evaluation(model_path: Path, path: Path, **entries: object) -> Path:
    """The model file with these entries in its evaluation, its checksum right."""
    arrays = safetensors.numpy.load_file(model_path)
    with safetensors.safe_open(model_path, framework="np") as file:
        told = json.loads(file.metadata()[KEY])
    told["facts"]["evaluation"] |= entries
    told["sha256"] = _digest(told["facts"], arrays)
    path.write_bytes(safetensors.numpy.save(arrays, {KEY: json.dumps(told)}))
    return path
