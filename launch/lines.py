"""Lines of JSON that grow: each is written whole, or the file is as it was."""

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cyclegan_jax.errors import NotWrittenError
from cyclegan_jax.files import NO_ROOM_OR_LEAVE, sync_folder, write_whole


class Lines:
    """A file of JSON objects, a line each, opened to append.

    Of the lines that it has already those stay for which `stays` is true, up to the first that a crash
    has cut short. Raises NotWrittenError where there is no room or leave.
    """

    def __init__(self, path: Path, stays: Callable[[dict[str, Any]], bool]) -> None:
        self._path = path
        if path.exists():
            before = path.read_bytes()
            kept = b"".join(line for line in _whole_lines(before) if stays(json.loads(line)))
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
            if error.errno in NO_ROOM_OR_LEAVE:
                raise NotWrittenError(error.errno, str(self._path), len(line)) from error
            raise

    def sync(self) -> None:
        """Have all lines outlast a loss of power."""
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise NotWrittenError(error.errno, str(self._path)) from error

    def close(self) -> None:
        """No more lines."""
        self._file.close()


def _whole_lines(content: bytes) -> list[bytes]:
    """The lines up to the first that has no end or is no object of JSON."""
    lines = []
    for line in content.splitlines(keepends=True):
        try:
            whole = line.endswith(b"\n") and isinstance(json.loads(line), dict)
        except ValueError:
            whole = False
        if not whole:
            break
        lines.append(line)
    return lines
