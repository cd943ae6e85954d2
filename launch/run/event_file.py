"""The file that TensorBoard shows a run from, written by the thread that trains.

tensorboardX's own SummaryWriter writes from a second thread. A full disk ends that thread, and the next event
then waits for it forever. A resumed run writes a new file, whose first event hides what earlier files have
of later steps.
"""

import contextlib
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tensorboardX import summary
from tensorboardX.proto.event_pb2 import Event, SessionLog  # pyright: ignore[reportAttributeAccessIssue]
from tensorboardX.record_writer import RecordWriter

from cyclegan_jax.errors import NotWrittenError

VERSION = "brain.Event:2"  # of the file format, as TensorBoard expects it


class EventFile:
    """A file of events in `folder`. Events of earlier files after step `start` are hidden.

    Raises NotWrittenError where the disk is full or permission is denied.
    """

    def __init__(self, folder: Path, start: int) -> None:
        self._path = folder / f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}"
        with self._raising_not_written():
            folder.mkdir(parents=True, exist_ok=True)
            self._records = RecordWriter(str(self._path))
        self._put(Event(file_version=VERSION))
        self._put(Event(step=start + 1, session_log=SessionLog(status=SessionLog.START)))

    def scalars(self, step: int, figures: dict[str, float]) -> None:
        """A point of each curve."""
        for name, value in figures.items():
            self._put(Event(step=step, summary=summary.scalar(name, value)))

    def images(self, step: int, name: str, images: np.ndarray) -> None:
        """Grey images side by side: float [count, height, width], 0 black to 1 white."""
        self._put(Event(step=step, summary=summary.image(name, images[:, None], dataformats="NCHW")))

    def sync(self) -> None:
        """Make all events so far survive a loss of power."""
        with self._raising_not_written():
            self._records.flush()

    def close(self) -> None:
        """No more events."""
        with self._raising_not_written():
            self._records.close()

    def _put(self, event: Event) -> None:
        event.wall_time = time.time()
        with self._raising_not_written():
            self._records.write(event.SerializeToString())

    @contextlib.contextmanager
    def _raising_not_written(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise NotWrittenError(error.errno, str(self._path)) from error
