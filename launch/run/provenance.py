"""What a run was trained by: the command, the versions, the machine."""

import importlib.metadata
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jax

import cyclegan_jax

LIBRARIES = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy")


def provenance() -> dict[str, Any]:
    """For JSON: `time` in seconds since 1970, `command` by words, `commit` or None, `versions`, `devices`."""
    return {
        "time": time.time(),
        "command": sys.argv,
        "commit": commit(),
        "versions": {
            "cyclegan_jax": cyclegan_jax.__version__,
            **{library: importlib.metadata.version(library) for library in LIBRARIES},
            "python": platform.python_version(),
        },
        "platform": platform.platform(),
        "devices": [device.device_kind for device in jax.devices()],
    }


def commit() -> str | None:
    """The commit of the checkout that this code runs from, with a plus if files differ from it."""
    checkout = Path(cyclegan_jax.__file__).parents[1]
    if not (checkout / ".git").exists():
        return None
    words = ("git", "-C", str(checkout), "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+")
    try:
        told = subprocess.run(words, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return told.stdout.strip()
