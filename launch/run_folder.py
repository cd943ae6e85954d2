"""The folder of a run: what it was started with, and what it has written so far."""

import dataclasses
import json
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

    def check(self, config: Config, *, extend: bool) -> None:
        """Raise UserError where the run here is of another config, naming the field and both values."""
        path = self.workdir / "config.json"
        if self.workdir.exists() and not self.workdir.is_dir():
            raise UserError(f"workdir {str(self.workdir)!r} is a file; name a folder, new or of a run.")
        if not path.exists():
            return
        before = self.config()
        for field in dataclasses.fields(Config):
            old, new = getattr(before, field.name), getattr(config, field.name)
            longer = field.name in LENGTH and config.steps > before.steps
            if old != new and not (longer and extend):
                way_out = "add --extend to train on" if longer else "give the same value or another --workdir"
                raise UserError(
                    f"{field.name} is {new!r}, but the run in {str(self.workdir)!r} has {old!r}; {way_out}."
                )

    def is_finished(self, config: Config) -> bool:
        """Whether the run here has been trained to the end and evaluated."""
        evaluated = (self.workdir / "evaluation.json").exists()
        return evaluated and (self.checkpoints / str(config.steps)).is_dir()

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
        """Where the run's dataset was."""
        return Path(json.loads((self.workdir / "dataset.json").read_text())["folder"])
