"""Atomic writes: a file is written whole or not at all."""

import errno
import os
import tempfile
from pathlib import Path

from cyclegan_jax.errors import NotWrittenError

PREFIX = ".written."  # of files that are not in their place yet, and of those that a killed process leaves
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
DISK_FULL_OR_NO_PERMISSION = (*DISK_FULL, errno.EIO, errno.EACCES, errno.EPERM)


def errno_in(words: str) -> int | None:
    """The system's number of a write error that a library reports in words only."""
    numbers = (
        n for n in DISK_FULL_OR_NO_PERMISSION if os.strerror(n) in words or f"os_error_code='{n}'" in words
    )
    return next(numbers, None)


def write_whole(path: Path, content: bytes | str) -> None:
    """Write beside, sync, and rename into place: whoever opens `path` finds all of it or the old file.

    Raises NotWrittenError where the disk is full or permission is denied.
    """
    data = content.encode() if isinstance(content, str) else content
    try:
        _write_beside(path, data)
    except OSError as error:
        if error.errno in DISK_FULL_OR_NO_PERMISSION:
            raise NotWrittenError(error.errno, str(path), len(data)) from error
        raise


def _write_beside(path: Path, data: bytes) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=PREFIX)
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.chmod(0o644)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def check_disk_space(folder: Path, need: int) -> None:
    """Raise NotWrittenError unless so many bytes may be written to a folder now; nothing is reserved."""
    try:
        with tempfile.TemporaryFile(dir=folder, prefix=PREFIX) as file:
            if hasattr(os, "posix_fallocate"):  # macOS has none
                os.posix_fallocate(file.fileno(), 0, max(need, 1))
    except OSError as error:
        if error.errno in DISK_FULL_OR_NO_PERMISSION:
            raise NotWrittenError(error.errno, str(folder), need) from error
        raise


def sync_tree(folder: Path) -> None:
    """Make all that is in a folder, at any depth, survive a loss of power."""
    for place, _, names in os.walk(folder):
        for name in names:
            with (Path(place) / name).open("rb") as file:
                os.fsync(file.fileno())
        sync_folder(Path(place))


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a loss of power, as fsync does a file's content."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
