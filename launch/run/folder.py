"""The folder of a run: what it was started with, and what it has written so far."""

import contextlib
import dataclasses
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from cyclegan_jax.atomic_files import PREFIX, write_whole
from cyclegan_jax.config import Config
from cyclegan_jax.errors import NotWrittenError, UserError
from launch.run.provenance import provenance
from launch.run.training_data import trained_on

HALF = f"{PREFIX}*"  # files of a process killed before it could rename them
LENGTH = ("steps", "constant_steps")  # the fields that --extend may change


@dataclasses.dataclass(frozen=True)
class RunFolder:
    """`workdir` with `config.json`, `dataset.json`, `started.jsonl`, `metrics.jsonl`, `timing.jsonl`,
    `checkpoints/`, `samples/`, `evaluation/`, `evaluation.json` and `evaluation.md`; `diverged.json` and
    `rollbacks.json` if training diverged or was rolled back.
    """

    workdir: Path

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints."""
        return self.workdir / "checkpoints"

    @property
    def samples(self) -> Path:
        """The folder of the samples that each evaluation during training has written."""
        return self.workdir / "samples"

    @property
    def metrics(self) -> Path:
        """The lines of metrics and of evaluations during training, as JSON, without times."""
        return self.workdir / "metrics.jsonl"

    @property
    def timing(self) -> Path:
        """The speed at each line of metrics, as JSON lines."""
        return self.workdir / "timing.jsonl"

    @property
    def evaluation(self) -> Path:
        """The figures of the evaluation on `test`, as JSON."""
        return self.workdir / "evaluation.json"

    @property
    def evaluation_folder(self) -> Path:
        """The folder of the samples of the evaluation on `test`, and of its page."""
        return self.workdir / "evaluation"

    @property
    def listening_page(self) -> Path:
        """The page of the evaluation on `test`, to see and hear."""
        return self.evaluation_folder / "listen.html"

    @property
    def diverged(self) -> Path:
        """Why the run diverged, if it did, as JSON."""
        return self.workdir / "diverged.json"

    @property
    def rollbacks(self) -> Path:
        """The run's rollbacks, if it had any, as JSON."""
        return self.workdir / "rollbacks.json"

    def check(self, config: Config, *, extend: bool | None) -> None:
        """Raise UserError if nothing can be written here, or if the run here has another config.

        `extend`: whether the run may get more steps than it began with; None if no flag can allow that.
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

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Make the folder, if need be, and lock it: within the block no other process can train into it.

        Half-written files of a killed process are deleted. The lock ends when this process ends, in whatever
        way. Raises UserError, which names the other process, if the folder is locked.
        """
        self.workdir.mkdir(parents=True, exist_ok=True)
        with (self.workdir / ".lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                lock.seek(0)
                raise UserError(
                    f"workdir {str(self.workdir)!r} is in use by {lock.read() or 'another process'}; wait "
                    "for it, stop it, or name another --workdir."
                ) from error
            except OSError as error:
                raise UserError(
                    f"workdir {str(self.workdir)!r} cannot be locked ({error.strerror}); name one on another "
                    "file system."
                ) from error
            _write_holder(lock.fileno(), self.workdir / ".lock")
            self._clear_half_written()
            yield

    def _clear_half_written(self) -> None:
        """Delete only this run's files: the folder of a sweep has other runs' folders in it."""
        ours = (self.checkpoints, self.samples, self.evaluation_folder)
        for left in chain(self.workdir.glob(HALF), *(folder.rglob(HALF) for folder in ours)):
            left.unlink(missing_ok=True)  # an evaluation in another process may have renamed it

    def is_finished(self, config: Config) -> bool:
        """Whether the run here has been trained to the end and evaluated there."""
        return self.evaluation.exists() and _read(self.evaluation).get("trained_steps") == config.steps

    def claim(self, config: Config, dataset_folder: Path) -> None:
        """Make the folder, if need be, and write down the run's config, its dataset and its provenance.

        With the dataset goes what a model of the run is trained on (`trained_on`): it may be gone when the
        model is exported.
        """
        self.workdir.mkdir(parents=True, exist_ok=True)
        dataset = {"folder": str(dataset_folder), "trained_on": trained_on(config, dataset_folder)}
        write_whole(self.workdir / "dataset.json", json.dumps(dataset) + "\n")
        write_whole(self.workdir / "config.json", config.to_json())
        started = self.workdir / "started.jsonl"
        before = started.read_text() if started.exists() else ""
        write_whole(started, before + json.dumps(provenance()) + "\n")

    def config(self) -> Config:
        """The run's config. Raises UserError where there is none."""
        path = self.workdir / "config.json"
        if not path.is_file():
            raise UserError(
                f"{str(self.workdir)!r} holds no run: there is no config.json in it; name one with --workdir."
            )
        try:
            return Config.from_json(path.read_text())
        except ValueError as error:
            raise UserError(
                f"{path} is not a config of this version ({str(error).rstrip('.')}); put a good copy in its "
                "place, use the program that wrote it, or name another --workdir."
            ) from error

    def dataset_folder(self) -> Path:
        """Where the run's dataset was. Raises UserError where there is no run."""
        self.config()
        path = self.workdir / "dataset.json"
        folder = _read(path).get("folder")
        if not isinstance(folder, str):
            raise UserError(f"{path} does not name the run's dataset; put a good copy in its place.")
        return Path(folder)

    def trained_on(self) -> dict[str, Any]:
        """The dataset as `training_data.trained_on` noted it when the run was started."""
        return dict(_read(self.workdir / "dataset.json").get("trained_on", {}))


def _write_holder(lock: int, path: Path) -> None:
    try:
        os.truncate(lock, 0)
        os.write(lock, f"process {os.getpid()} on {socket.gethostname()}".encode())
    except OSError as error:
        raise NotWrittenError(error.errno, str(path)) from error


def _read(path: Path) -> dict[str, Any]:
    """The JSON object in a file. Raises UserError if it is missing or damaged."""
    try:
        content = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        content = None
    if not isinstance(content, dict):
        raise UserError(f"{path} is missing or damaged; put a good copy in its place, or delete it.")
    return content


def name_of(field: str) -> str:
    """What users call a field of the config: `model` is set by --discriminators."""
    return "discriminators" if field == "model" else field


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
    return f"{name_of(field)} is {new!r}, but the run in {workdir!r} has {old!r}; {way_out}."
