"""A growing file of JSON lines: a line is written whole, or the file stays as it was."""

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cyclegan_jax.atomic_files import DISK_FULL_OR_NO_PERMISSION, sync_folder, write_whole
from cyclegan_jax.errors import NotWrittenError
from launch.process.runner import warn


class JsonLines:
    """A file with one JSON object in each line, opened to append.

    Lines that it has already are kept if they are whole and `stays` is true for them. A crash may cut the
    last line short; a warning counts all other lines that are not whole. Raises NotWrittenError if the disk
    is full or permission is denied.
    """

    def __init__(self, path: Path, stays: Callable[[dict[str, Any]], bool]) -> None:
        self._path = path
        if path.exists():
            before = path.read_bytes()
            lines = before.splitlines(keepends=True)
            damaged = sum(not _is_whole(line) for line in lines[:-1])
            if damaged:
                warn(f"{path} had damaged lines, which are left out: {damaged}")
            kept = b"".join(line for line in lines if _is_whole(line) and stays(json.loads(line)))
            if kept != before:
                write_whole(path, kept)
        self._file = path.open("ab", buffering=0)
        sync_folder(path.parent)

    def write(self, row: dict[str, Any]) -> None:
        """Append a line."""
        line = (json.dumps(row) + "\n").encode()
        before = self._file.tell()
        try:
            written = 0
            while written < len(line):
                written += self._file.write(line[written:])
        except OSError as error:
            with contextlib.suppress(OSError):
                self._file.truncate(before)
            if error.errno in DISK_FULL_OR_NO_PERMISSION:
                raise NotWrittenError(error.errno, str(self._path), len(line)) from error
            raise

    def sync(self) -> None:
        """Make all lines survive a loss of power."""
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise NotWrittenError(error.errno, str(self._path)) from error

    def close(self) -> None:
        """No more lines."""
        self._file.close()


def _is_whole(line: bytes) -> bool:
    """Whether a line has its end and is a JSON object."""
    try:
        return line.endswith(b"\n") and isinstance(json.loads(line), dict)
    except ValueError:
        return False
