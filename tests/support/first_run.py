"""A run of README's first command."""

import os
from pathlib import Path

from support.running import run_command


def first_run(place: Path) -> Path:
    """Its folder: the one that FIRST_RUN names, or made in `place`."""
    if folder := os.environ.get("FIRST_RUN"):
        return Path(folder)
    done = run_command("train", "--pair=jazz_pop", cwd=place, timeout=1500)
    assert done.returncode == 0, done.stderr
    return place / "runs" / "jazz_pop"
