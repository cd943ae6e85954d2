"""The same train step in PyTorch, as another program has it, to be timed beside ours.

Such a program takes `--width`, `--batch`, `--steps` and `--variant` (one of `VARIANTS`), times so many steps
of the paper's objective with nothing compiled in the timing, and ends with a line of JSON that has `step_s`,
median seconds a step, and `transfer_s`, those of one generator over a batch.
"""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from cyclegan_jax.config import POOL_BATCHES, Config
from cyclegan_jax.errors import UserError

VARIANTS = (
    "eager",
    "channels_last",
    "compile",
    "compile_channels_last",
    "bf16_channels_last",
    "compile_bf16_channels_last",
)
NEAR = 1.25  # times the least seconds, above which a variant is not timed again


def peer_config(config: Config) -> Config:
    """The config of the peer's net and step, ours in width, batch and arithmetic."""
    paper: dict[str, Any] = {field.name: field.default for field in dataclasses.fields(Config)}
    kept = ("pair", "genres", "fingerprint", "steps", "constant_steps", "width", "batch_size", "dtype")
    own = {name: getattr(config, name) for name in kept}
    return Config(**(paper | own | {"blocks": 10, "model": "full", "pool_size": POOL_BATCHES}))


class Peer:
    """The variants of a script that run on this machine.

    `figures`: by variant what the script printed, one entry a round. Raises UserError where none runs.
    """

    def __init__(self, script: Path, config: Config, steps: int) -> None:
        if not script.is_file():
            raise UserError(f"peer is {str(script)!r}, but that is no file; name the PyTorch script.")
        sizes = (f"--width={config.width}", f"--batch={config.batch_size}", f"--steps={steps}")
        self._command = [sys.executable, str(script), *sizes]
        self._running: list[str] = list(VARIANTS)
        self.failures: dict[str, str] = {}
        self.figures: dict[str, list[dict]] = {variant: [] for variant in VARIANTS}

    def round(self) -> dict[str, float]:
        """Time every variant that may be the fastest; the least seconds of a step and of a transfer."""
        for variant in list(self._running):
            done = subprocess.run([*self._command, f"--variant={variant}"], capture_output=True, text=True)
            if done.returncode:
                self.failures[variant] = (done.stderr.strip().splitlines() or ["no message"])[-1]
                self._running.remove(variant)
            else:
                self.figures[variant].append(json.loads(done.stdout.splitlines()[-1]))
        if not self._running:
            raise UserError(
                f"no variant of the peer runs here: {self.failures}; install PyTorch beside this package."
            )
        latest = {variant: self.figures[variant][-1] for variant in self._running}
        least = {key: min(figures[key] for figures in latest.values()) for key in ("step_s", "transfer_s")}
        self._running = [
            variant
            for variant, figures in latest.items()
            if any(figures[key] <= NEAR * seconds for key, seconds in least.items())
        ]
        return {"step": least["step_s"], "transfer": least["transfer_s"]}
