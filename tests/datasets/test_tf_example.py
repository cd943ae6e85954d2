"""Records: their features, their keys, and their bytes, which are those that TFDS would write."""

import subprocess
import sys

import numpy as np
import pytest
from tensorflow_datasets.core import example_serializer
from tensorflow_datasets.proto import tf_example_pb2

from cyclegan_jax.datasets.genre_rolls.reading.midi_file import ConvertedSong, Phrase, compress
from cyclegan_jax.datasets.genre_rolls.reading.midi_folder import SongFile
from cyclegan_jax.datasets.genre_rolls.reading.statistics import Statistics
from cyclegan_jax.datasets.genre_rolls.records.tf_example import (
    Record,
    Serialiser,
    features,
    flags_of,
    key_of,
    record_of,
)

FEATURES = features(["Hip Hop", "jazz", "Übung"])
PLAIN = {
    "melody_track": False,
    "genre": 1,
    "song": "deep/er/1.MID",
    "source": "jazz/deep/er/1.MID",
    "licence": "",
    "phrase": 3,
    "bar": 12,
    "key_shift": 0,
    "programs": flags_of((0, 40, 127)),
    "tempo": 97.3,
}


def roll(seed: int, density: float = 0.04) -> np.ndarray:
    return np.random.default_rng(seed).random((64, 84, 1)) < density


def tensors_of(cells: np.ndarray) -> dict[str, np.ndarray]:
    """Three different tensors: the cells, and two that are made of them."""
    return {"roll": cells, "onsets": cells & ~np.roll(cells, 1, 0), "melody": np.flip(cells)}


def compressed(cells: np.ndarray) -> dict[str, bytes]:
    return {name: compress(tensor) for name, tensor in tensors_of(cells).items()}


def by_tfds(record: Record, cells: np.ndarray) -> bytes:
    """The record as TFDS encodes and serialises it."""
    plain = {**record, **tensors_of(cells), "programs": np.array(record["programs"], bool)}
    serialiser = example_serializer.ExampleSerializer(FEATURES.get_serialized_info())
    return serialiser.serialize_example(FEATURES.encode_example(plain))


def assert_same(ours: bytes, theirs: bytes) -> None:
    assert tf_example_pb2.Example.FromString(ours) == tf_example_pb2.Example.FromString(theirs)


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"programs": flags_of(())},
        {"programs": flags_of((5,))},
        {"song": "日本 – ☂\\x1b.mid", "source": "Übung/日本 – ☂\\x1b.mid"},
        {"song": ""},
        {"melody_track": True},
        {"licence": "ODbL-1.0"},
        {"key_shift": -12, "phrase": 2**31 - 1},
        {"genre": -1, "bar": -1, "phrase": 0},
        {"tempo": 120},
        {"tempo": 33.300001},
        {"programs": (1,) * 128, "genre": 2},
    ],
)
def test_a_record_has_the_bytes_that_tfds_would_write(odd):
    cells = roll(3)
    record = {**PLAIN, **odd}
    ours = Serialiser()({**record, **compressed(cells)})
    assert_same(ours, by_tfds(record, cells))
    back = FEATURES.deserialize_example_np(ours)
    for name, tensor in tensors_of(cells).items():
        np.testing.assert_array_equal(back[name], tensor)
    texts = ("song", "source", "licence")
    assert [back[name].decode() for name in texts] == [record[name] for name in texts]
    assert back["programs"].tolist() == list(map(bool, record["programs"]))
    numbers = ("melody_track", "genre", "phrase", "bar", "key_shift")
    assert [back[name] for name in numbers] == [record[name] for name in numbers]
    assert back["tempo"] == np.float32(record["tempo"])


def test_nothing_of_a_record_is_left_in_the_next_however_many_there_are():
    serialise = Serialiser()
    rolls = [roll(0, 0.3), roll(1, 0.01), roll(2, 0.0)]
    for number in range(2100):
        record = {
            **PLAIN,
            "song": "n" * (7 - number % 5),
            "programs": flags_of(tuple(range(number % 4))),
            "phrase": number,
            "tempo": 60.0 + number,
        }
        cells = rolls[number % 3]
        ours = serialise({**record, **compressed(cells)})
        if number < 20 or number % 1024 > 1020 or number % 1024 < 3:
            assert_same(ours, by_tfds(record, cells))


def test_a_phrase_becomes_a_record():
    file = SongFile("jazz", "live/1.mid", "/nowhere/jazz/live/1.mid", "MIT")
    phrase = Phrase(7, 29, -3, b"roll", b"onsets", b"melody", (4, 9))
    song = ConvertedSong(b"hash", 98.5, True, 0, (phrase,), Statistics.none())
    assert record_of(file, song, phrase, 1) == {
        "roll": b"roll",
        "onsets": b"onsets",
        "melody": b"melody",
        "melody_track": True,
        "genre": 1,
        "song": "live/1.mid",
        "source": "jazz/live/1.mid",
        "licence": "MIT",
        "phrase": 7,
        "bar": 29,
        "key_shift": -3,
        "programs": tuple(int(program in (4, 9)) for program in range(128)),
        "tempo": 98.5,
    }


def test_keys_are_different_for_different_records():
    names = ["a", "a:1", "a:1:1", "ü/a"]
    keys = {key_of(name, index, shift) for name in names for index in (0, 1, 11) for shift in (-1, 0, 1, 11)}
    assert len(keys) == len(names) * 3 * 4
    assert key_of("ü/a", np.int32(11), np.int8(-1)) == "ü/a:11:-1".encode()


def test_memory_does_not_grow_with_the_records():
    program = """
import os, psutil
from cyclegan_jax.datasets.genre_rolls.records.tf_example import TENSORS, Serialiser

def resident(records):
    for number in range(records):
        serialise(dict(RECORD, **dict.fromkeys(TENSORS, os.urandom(400)), phrase=number))
    return psutil.Process().memory_info().rss / 2**20

RECORD = dict(genre=1, song="s", source="g/s", licence="", bar=0, key_shift=0, tempo=1.0)
RECORD.update(programs=(0, 1) * 64, melody_track=False)
serialise = Serialiser()
before = resident(5_000)
print(resident(50_000) - before)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 10, "MiB; all of the records are 60"
