"""The folder of a run: what it was started with, and what it has written so far."""

import dataclasses
import json
import os
from pathlib import Path

from cyclegan_jax.config import Config
from cyclegan_jax.errors import UserError
from cyclegan_jax.files import write_whole

LENGTH = ("steps", "constant_steps")  # the fields that --extend may change


@dataclasses.dataclass(frozen=True)
class RunFolder:
    """`workdir` with `config.json`, `dataset.json`, `metrics.jsonl`, `timing.jsonl`, `checkpoints/`,
    `samples/`, `evaluation/`, `evaluation.json` and `evaluation.md`.
    """

    workdir: Path

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints."""
        return self.workdir / "checkpoints"

    def check(self, config: Config, *, extend: bool | None) -> None:
        """Raise UserError where nothing can be written, or the run here is of another config.

        `extend`: whether more steps than it was begun with are allowed; None where no flag can allow them.
        """
        existing = next(p for p in (self.workdir, *self.workdir.absolute().parents) if p.exists())
        if not existing.is_dir() or not os.access(existing, os.W_OK):
            raise UserError(
                f"workdir {str(self.workdir)!r} cannot be made or written: {str(existing)!r} is not a folder "
                "that may be written to; name another one."
            )
        if not (self.workdir / "config.json").exists():
            return
        before = self.config()
        longer = config.steps > before.steps
        different = config.difference(before, ignored=LENGTH if longer and extend else ())
        if different:
            raise UserError(_explain(*different, str(self.workdir), longer and extend is not None))

    def is_finished(self, config: Config) -> bool:
        """Whether the run here has been trained to the end and evaluated there."""
        path = self.workdir / "evaluation.json"
        return path.exists() and json.loads(path.read_text())["trained_steps"] == config.steps

    def claim(self, config: Config, dataset_folder: Path) -> None:
        """Make the folder, if need be, and write down what the run is of."""
        self.workdir.mkdir(parents=True, exist_ok=True)
        write_whole(self.workdir / "dataset.json", json.dumps({"folder": str(dataset_folder)}) + "\n")
        write_whole(self.workdir / "config.json", config.to_json())

    def config(self) -> Config:
        """The run's config. Raises UserError where there is none."""
        path = self.workdir / "config.json"
        if not path.is_file():
            raise UserError(
                f"{str(self.workdir)!r} holds no run: there is no config.json in it; name one with --workdir."
            )
        try:
            return Config.from_json(path.read_text())
        except (TypeError, ValueError) as error:
            raise UserError(f"{path} is not a config of this version: {error}") from error

    def dataset_folder(self) -> Path:
        """Where the run's dataset was. Raises UserError where there is no run."""
        self.config()
        return Path(json.loads((self.workdir / "dataset.json").read_text())["folder"])


def _explain(field: str, new: object, old: object, workdir: str, extensible: bool) -> str:
    if field == "fingerprint":
        return (
            f"the dataset is not the one of the run in {workdir!r}: its fingerprint is {new}, not {old}; "
            "give the folder that the run was started with, unchanged, or another --workdir."
        )
    way_out = (
        "add --extend to train on"
        if extensible and field in LENGTH
        else f"give --dtype={old} or another --workdir"
        if field == "dtype"
        else "give the same value or another --workdir"
    )
    return f"{field} is {new!r}, but the run in {workdir!r} has {old!r}; {way_out}."
