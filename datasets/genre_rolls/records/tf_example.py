"""What one record of the dataset holds."""

from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from tensorflow_datasets.proto import tf_example_pb2

from cyclegan_jax.datasets.genre_rolls.reading.midi_file import PROGRAMS, ConvertedSong, Phrase
from cyclegan_jax.datasets.genre_rolls.reading.midi_folder import SongFile
from cyclegan_jax.pianoroll.roll import PHRASE_SHAPE

UNKNOWN = -1  # label and bar of a record where they are not known
TENSORS = ("roll", "onsets", "melody")
TEXTS = ("song", "source", "licence")
Record = dict[str, Any]


def features(genres: list[str]) -> tfds.features.FeaturesDict:
    """The dataset's features; `genres` are the labels."""
    return tfds.features.FeaturesDict(
        {
            "roll": tfds.features.Tensor(
                shape=PHRASE_SHAPE, dtype=np.bool_, encoding="zlib", doc="Step, pitch from MIDI 24 up, 1."
            ),
            "onsets": tfds.features.Tensor(
                shape=PHRASE_SHAPE, dtype=np.bool_, encoding="zlib", doc="Where a note begins, as `roll`."
            ),
            "melody": tfds.features.Tensor(
                shape=PHRASE_SHAPE, dtype=np.bool_, encoding="zlib", doc="Where the melody sounds, as `roll`."
            ),
            "melody_track": tfds.features.Scalar(
                np.bool_, doc="Whether the melody is a track named so; else it is the top voice."
            ),
            "genre": tfds.features.ClassLabel(names=genres),
            "song": tfds.features.Text(doc="Path of the song below its genre's folder."),
            "source": tfds.features.Text(doc="Path of the file below the folder that was given."),
            "licence": tfds.features.Text(doc="SPDX identifier of the file's licence; empty if not known."),
            "phrase": tfds.features.Scalar(np.int32, doc="Index of the phrase in the song."),
            "bar": tfds.features.Scalar(np.int32, doc="First bar of the phrase, from 0; -1 if unknown."),
            "key_shift": tfds.features.Scalar(np.int32, doc="Semitones that the phrase was moved up."),
            "programs": tfds.features.Tensor(
                shape=(PROGRAMS,), dtype=np.bool_, doc="Which General MIDI programs sound in the phrase."
            ),
            "tempo": tfds.features.Scalar(np.float32, doc="Beats per minute at the song's start."),
        }
    )


def features_of(info: tfds.core.DatasetInfo) -> tfds.features.FeaturesDict:
    """The features of a dataset that was built, by name."""
    assert isinstance(info.features, tfds.features.FeaturesDict)
    return info.features


def genre_names(info: tfds.core.DatasetInfo) -> list[str]:
    """The genres of a dataset, in the order of their labels."""
    genre = features_of(info)["genre"]
    assert isinstance(genre, tfds.features.ClassLabel)
    return genre.names


def key_of(name: str, index: int, key_shift: int) -> bytes:
    """What a record is shuffled by: unique in the dataset.

    Bytes, because TFDS's hasher takes a backslash in a text key for a slash.
    """
    return f"{name}:{index}:{key_shift}".encode()


def record_of(file: SongFile, song: ConvertedSong, phrase: Phrase, label: int) -> Record:
    """A phrase of a song as a record whose tensors are compressed."""
    return {
        "roll": phrase.roll,
        "onsets": phrase.onsets,
        "melody": phrase.melody,
        "melody_track": song.melody_track,
        "genre": label,
        "song": file.song,
        "source": file.name,
        "licence": file.licence,
        "phrase": phrase.index,
        "bar": phrase.bar,
        "key_shift": phrase.key_shift,
        "programs": flags_of(phrase.programs),
        "tempo": song.tempo,
    }


def flags_of(programs: tuple[int, ...]) -> tuple[int, ...]:
    """[128] 1 for each of the General MIDI programs, else 0. Of one length, so that batches can be made."""
    flags = bytearray(PROGRAMS)
    for program in programs:
        flags[program] = 1
    return tuple(flags)


class Serialiser:
    """Records as the tf.Examples that TFDS would write, several times as fast: it refills one Example."""

    RENEW = 1024  # records, after which the Example is replaced: its memory keeps all that it ever held

    def __init__(self) -> None:
        self._count = 0
        self._renew()

    def _renew(self) -> None:
        # protobuf makes the class at import, where type checkers do not look
        self._example = tf_example_pb2.Example()  # pyright: ignore[reportAttributeAccessIssue]
        feature = self._example.features.feature
        self._bytes = {name: feature[name].bytes_list.value for name in (*TENSORS, *TEXTS)}
        self._numbers = {
            name: feature[name].int64_list.value
            for name in ("melody_track", "genre", "phrase", "bar", "key_shift", "programs")
        }
        self._tempo = feature["tempo"].float_list.value

    def __call__(self, record: Record) -> bytes:
        """One record, serialised."""
        self._count += 1
        if self._count % self.RENEW == 0:
            self._renew()
        for name, values in self._bytes.items():
            value = record[name]
            values[:] = (value if isinstance(value, bytes) else value.encode(),)
        for name, values in self._numbers.items():
            number = record[name]
            values[:] = number if isinstance(number, tuple) else (int(number),)
        self._tempo[:] = (record["tempo"],)
        return self._example.SerializeToString(deterministic=True)
