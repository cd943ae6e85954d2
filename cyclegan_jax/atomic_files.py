"""Writing a file whole or not at all."""

import errno
import os
import tempfile
from pathlib import Path

from cyclegan_jax.errors import NotWrittenError

PREFIX = ".written."  # of what is not in its place yet, and of what a killed process leaves
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
NO_ROOM_OR_LEAVE = (*NO_ROOM, errno.EIO, errno.EACCES, errno.EPERM)


def errno_told_in(words: str) -> int | None:
    """The system's number of an error of writing that a library tells in words only."""
    numbers = (n for n in NO_ROOM_OR_LEAVE if os.strerror(n) in words or f"os_error_code='{n}'" in words)
    return next(numbers, None)


def write_whole(path: Path, content: bytes | str) -> None:
    """Write beside, sync, and rename into place: whoever opens `path` finds all of it or the old one.

    Raises NotWrittenError where there is no room or no leave to write.
    """
    data = content.encode() if isinstance(content, str) else content
    try:
        _write_beside(path, data)
    except OSError as error:
        if error.errno in NO_ROOM_OR_LEAVE:
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


def ask_for_room(folder: Path, need: int) -> None:
    """Raise NotWrittenError unless so many bytes may be written to a folder; they are not kept for anyone."""
    try:
        with tempfile.TemporaryFile(dir=folder, prefix=PREFIX) as file:
            if hasattr(os, "posix_fallocate"):  # macOS has none
                os.posix_fallocate(file.fileno(), 0, max(need, 1))
    except OSError as error:
        if error.errno in NO_ROOM_OR_LEAVE:
            raise NotWrittenError(error.errno, str(folder), need) from error
        raise


def sync_tree(folder: Path) -> None:
    """Have all that is in a folder, at any depth, outlast a loss of power."""
    for place, _, names in os.walk(folder):
        for name in names:
            with (Path(place) / name).open("rb") as file:
                os.fsync(file.fileno())
        sync_folder(Path(place))


def sync_folder(folder: Path) -> None:
    """Have the names in a folder outlast a loss of power, as fsync has a file's content."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
