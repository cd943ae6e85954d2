"""The spool and the plan of a split: records lie on disk where TFDS's own writer would lay them."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from array_record.python.array_record_module import ArrayRecordReader
from tensorflow_datasets.core import file_adapters, naming
from tensorflow_datasets.core.utils import shard_utils
from tensorflow_datasets.core.writer import ExampleWriter, Writer

from cyclegan_jax.datasets.genre_rolls.records.build_report import Build, read_positions
from cyclegan_jax.datasets.genre_rolls.records.split_plan import SplitPlan
from cyclegan_jax.datasets.genre_rolls.records.spool import Spool

WRITER = ExampleWriter(file_format=file_adapters.FileFormat.ARRAY_RECORD)
COUNT = 700


class AsItIs:
    """Serialises bytes."""

    @staticmethod
    def serialize_example(example: bytes) -> bytes:
        return example


def record(number: int) -> bytes:
    return f"record {number} ".encode() + bytes(number % 7)


def key(number: int) -> bytes:
    return f"jazz/{number % 11}.mid:{number}:0".encode()


def template(folder: Path, split: str) -> naming.ShardedFileTemplate:
    folder.mkdir(exist_ok=True)
    return naming.ShardedFileTemplate(
        data_dir=folder, dataset_name="genre_rolls", split=split, filetype_suffix="array_record"
    )


def shards_of(folder: Path) -> dict[str, list[bytes]]:
    """File -> its records."""
    found = {}
    for path in sorted(folder.glob("*.array_record*")):
        reader = ArrayRecordReader(str(path))
        found[path.name] = reader.read_all()
        reader.close()
    return found


def by_tfds(folder: Path, split: str, numbers: list[int]) -> tuple[list[int], int]:
    writer = Writer(AsItIs(), template(folder, split), split, False, WRITER)
    for number in numbers:
        writer.write(key(number), record(number))
    return writer.finalize()


def plan_of(split: str, numbers: list[int], labels: list[int]) -> SplitPlan:
    keys = (key(number) for number in numbers)
    return SplitPlan.of(split, keys, np.array(numbers), np.array(labels), Counter())


@pytest.fixture
def spool(tmp_path):
    """A spool of COUNT records."""
    with Spool(tmp_path / "spool") as spool:
        for number in range(COUNT):
            spool.append(record(number))
        yield spool


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("shard_bytes, shards", [(1000, 16), (64 << 20, 1)])
def test_records_lie_as_tfds_would_lay_them(tmp_path, monkeypatch, spool, split, shard_bytes, shards):
    monkeypatch.setattr(shard_utils.ShardConfig, "min_shard_size", shard_bytes)
    numbers = [number for number in range(COUNT) if number % 10 < 8]
    plan = plan_of(split, numbers, [0] * len(numbers))
    info = spool.write_split(plan.numbers[plan.order], template(tmp_path / "ours", split), WRITER)
    lengths, size = by_tfds(tmp_path / "theirs", split, numbers)
    assert (info.name, info.shard_lengths, info.num_bytes) == (split, lengths, size)
    ours, theirs = shards_of(tmp_path / "ours"), shards_of(tmp_path / "theirs")
    assert ours == theirs
    assert len(ours) == shards and sum(map(len, ours.values())) == len(numbers) == 560
    read = [content for records in ours.values() for content in records]
    assert read != sorted(read) and set(read) == {record(number) for number in numbers}


def test_the_order_depends_on_the_split():
    orders = [plan_of(split, list(range(99)), [0] * 99).order.tolist() for split in ("train", "validation")]
    assert orders[0] != orders[1] and sorted(orders[0]) == sorted(orders[1]) == list(range(99))


def test_positions_say_where_each_genres_records_lie_in_their_own_order(tmp_path, spool):
    numbers = [*range(5, 90), *range(300, 350), *range(600, COUNT)]
    labels = [2] * 85 + [0] * 50 + [-1] * 100
    plan = plan_of("train", numbers, labels)
    spool.write_split(plan.numbers[plan.order], template(tmp_path, "train"), WRITER)
    Build("", {}, [], {}, {}, {"train": plan}).write(tmp_path)
    ((_, lying),) = shards_of(tmp_path).items()
    positions = read_positions(tmp_path, "train")
    assert set(positions) == {2, 0, -1}
    for label, expected in ((2, range(5, 90)), (0, range(300, 350)), (-1, range(600, COUNT))):
        assert [lying[place] for place in positions[label]] == [record(number) for number in expected]
        np.testing.assert_array_equal(positions[label], plan.positions()[label])


def test_records_may_be_of_any_size(tmp_path):
    sizes = [0, 1, 5 << 20, 0, 3, 70_000]
    contents = [bytes([size % 251]) * size for size in sizes]
    with Spool(tmp_path / "spool") as spool:
        for content in contents:
            spool.append(content)
        info = spool.write_split(np.array([4, 2, 0, 5, 1]), template(tmp_path / "out", "test"), WRITER)
    assert shards_of(tmp_path / "out") == {
        "genre_rolls-test.array_record-00000-of-00001": [contents[n] for n in (4, 2, 0, 5, 1)]
    }
    assert info.num_bytes == sum(sizes[n] for n in (4, 2, 0, 5, 1))


@pytest.mark.parametrize("error", [None, KeyError])
def test_the_file_is_gone_afterwards(tmp_path, error):
    try:
        with Spool(tmp_path / "spool") as spool:
            spool.append(b"record")
            assert (tmp_path / "spool").exists()
            if error:
                raise error
    except KeyError:
        assert error
    assert list(tmp_path.iterdir()) == []
