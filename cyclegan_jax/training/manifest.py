"""The manifest of a checkpoint: written last, it makes a folder a checkpoint.

It has the SHA-256 of every file, because Orbax checks none of them. Its first line is its own SHA-256. So any
damaged bit and any cut-off file is found before training goes on from it. It also has the config, the
libraries' versions and, once the step is evaluated, its score.
"""

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import flax
import jax
import orbax.checkpoint

from cyclegan_jax.atomic_files import write_whole
from cyclegan_jax.config import Config
from cyclegan_jax.errors import UserError

NAME = "manifest.json"
VERSION = 1  # of what a checkpoint is made of


class BrokenCheckpointError(Exception):
    """A folder that is not a whole checkpoint; says why in a few words."""


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What a checkpoint says of itself.

    `files`: SHA-256, in hexadecimal, by path within the folder. `versions`: of the libraries that wrote it.
    `score`: by an evaluation; None where there was none or it was not finite.
    """

    step: int
    config: dict[str, Any]
    files: dict[str, str]
    versions: dict[str, str]
    evaluated: bool = False
    score: float | None = None
    version: int = VERSION

    @classmethod
    def of(cls, folder: Path, step: int, config: Config) -> "Manifest":
        """Of the files that lie in a folder."""
        versions = {library.__name__: library.__version__ for library in (jax, flax, orbax.checkpoint)}
        return cls(step, config.to_dict(), _digests(folder, _files(folder)), versions)

    def write(self, folder: Path) -> None:
        """Put it into the folder, in place of an older one. A first line is the SHA-256 of all others."""
        text = json.dumps(dataclasses.asdict(self), indent=1) + "\n"
        write_whole(folder / NAME, f"{_digest_of(text.encode())}\n{text}")


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder, itself checked.

    Raises BrokenCheckpointError where there is none or it is damaged, UserError for another version's.
    """
    try:
        first, _, rest = (folder / NAME).read_bytes().partition(b"\n")
    except FileNotFoundError as error:
        raise BrokenCheckpointError(f"it was never finished: there is no {NAME} in it") from error
    except OSError as error:
        raise BrokenCheckpointError(f"its {NAME} cannot be read: {error.strerror}") from error
    if first.decode(errors="replace") != _digest_of(rest):
        raise BrokenCheckpointError(f"its {NAME} is damaged")
    values = json.loads(rest)
    if values["version"] != VERSION:
        raise UserError(
            f"the checkpoint in {str(folder)!r} is of version {values['version']}, but this program reads "
            f"version {VERSION}; use the program that wrote it or another --workdir."
        )
    return Manifest(**values)


def check_files(folder: Path, manifest: Manifest) -> None:
    """Raise BrokenCheckpointError unless every file of the manifest is there, to the bit."""
    for name, digest in manifest.files.items():
        try:
            found = _digests(folder, [name])[name]
        except FileNotFoundError as error:
            raise BrokenCheckpointError(f"its {name} is missing") from error
        except OSError as error:
            raise BrokenCheckpointError(f"its {name} cannot be read: {error.strerror}") from error
        if found != digest:
            raise BrokenCheckpointError(f"its {name} is damaged")


def _files(folder: Path) -> list[str]:
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != NAME)
    return sorted(str(path.relative_to(folder)) for path in paths)


def _digests(folder: Path, names: list[str]) -> dict[str, str]:
    digests = {}
    for name in names:
        with (folder / name).open("rb") as file:
            digests[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return digests


def _digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
