"""Records on their way to the shards: on disk, not in memory, until their split and order are known.

TFDS's own writer holds up to 1000 MiB of records before it writes to disk, which it does with TensorFlow.
Here a record goes to one spool file as soon as it is made. Each split is then copied shard by shard, in the
order that TFDS would give it (`split_plan.py`). Records and their order equal TFDS's. The bytes need not,
because the maps of protobuf have no order.
"""

import errno
import os
from array import array
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from tensorflow_datasets.core import naming
from tensorflow_datasets.core.splits import SplitInfo
from tensorflow_datasets.core.utils import shard_utils
from tensorflow_datasets.core.writer import ExampleWriter

from cyclegan_jax.atomic_files import errno_in


class Spool:
    """Serialised records in the order they came in, in one file that is gone afterwards."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("w+b")
        self._ends = array("Q", [0])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._file.close()
        finally:
            self._path.unlink()

    def append(self, record: bytes) -> None:
        """Add one record; it gets the next number, from 0."""
        self._file.write(record)
        self._ends.append(self._ends[-1] + len(record))

    def write_split(
        self, numbers: np.ndarray, template: naming.ShardedFileTemplate, writer: ExampleWriter
    ) -> SplitInfo:
        """Write records, by their numbers in the order given, as the shards of a split.

        Raises OSError where they cannot be written.
        """
        assert template.split is not None
        self._file.flush()
        sizes = np.diff(np.frombuffer(self._ends, np.uint64))[numbers]
        count = shard_utils.ShardConfig().get_number_shards(int(sizes.sum()), len(numbers))
        bounds = [0, *shard_utils.get_shard_boundaries(len(numbers), count)]
        for shard in range(count):
            path = template.sharded_filepath(shard_index=shard, num_shards=count)
            records = self._read(numbers[bounds[shard] : bounds[shard + 1]])
            try:
                writer.write(os.fspath(path), enumerate(records))
            except RuntimeError as error:  # how array_record says that a write failed
                number = errno_in(str(error)) or errno.EIO
                raise OSError(number, os.strerror(number)) from error
        return SplitInfo(
            name=template.split,
            shard_lengths=np.diff(bounds).tolist(),
            num_bytes=int(sizes.sum()),
            filename_template=template,
        )

    def _read(self, numbers: np.ndarray) -> Iterator[bytes]:
        for number in numbers.tolist():
            start, end = self._ends[number], self._ends[number + 1]
            yield os.pread(self._file.fileno(), end - start, start)
