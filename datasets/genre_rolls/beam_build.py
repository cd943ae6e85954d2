"""Making the records on Apache Beam, past one machine. The only module that needs it.

Two passes: the first reads every file and tells what became of it, so that songs of equal notes are
found and splits are drawn where all is known; the second reads the kept ones again and writes.
"""

import base64
import dataclasses
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import tensorflow_datasets as tfds

from cyclegan_jax.datasets.genre_rolls.catalogue import Catalogue, KeptSong
from cyclegan_jax.datasets.genre_rolls.convert import Reading, Rules, Song, convert
from cyclegan_jax.datasets.genre_rolls.records import Record, key_of, record_of
from cyclegan_jax.datasets.genre_rolls.sources import SongFile
from cyclegan_jax.datasets.genre_rolls.workers import TaskFailedError, Workers


class ReadSongs(beam.DoFn):
    """Files to pairs of file and reading, each Beam worker with a reader process of its own."""

    def __init__(self, rules: Rules) -> None:
        super().__init__()
        self._rules = rules

    def setup(self) -> None:
        """Start the reader."""
        self._workers = Workers(convert, count=1)

    def process(self, file: SongFile) -> Iterator[tuple[SongFile, Reading | TaskFailedError]]:
        """Read one file."""
        for reading in self._workers.map([(file.path, self._rules)]):
            yield file, reading

    def teardown(self) -> None:
        """Stop the reader."""
        self._workers.__exit__(None, None, None)


def survey(
    files: list[SongFile],
    catalogue: Catalogue,
    rules: Rules,
    config: tfds.download.DownloadConfig,
    folder: Path,
) -> None:
    """The first pass: enter every file in the catalogue, by way of text files in `folder`.

    `folder` must be seen by all workers under the same path.
    """
    with beam.Pipeline(runner=config.beam_runner, options=config.beam_options) as pipeline:
        (
            pipeline
            | beam.Create(files)
            | beam.Reshuffle()
            | beam.ParDo(ReadSongs(rules))
            | beam.Map(_to_line)
            | beam.io.WriteToText(str(folder / "survey"))
        )
    lines = sorted(folder.glob("survey*"))
    readings = dict(_from_line(line) for path in lines for line in path.read_text().splitlines())
    for path in lines:
        path.unlink()
    for file in files:
        catalogue.add(file, readings[file.name])


def _to_line(pair: tuple[SongFile, Reading | TaskFailedError]) -> str:
    """A reading without its rolls, in one line of text."""
    file, reading = pair
    if isinstance(reading, Reading) and isinstance(reading.outcome, Song):
        phrases = tuple(phrase._replace(packed=b"") for phrase in reading.outcome.phrases)
        reading = dataclasses.replace(reading, outcome=dataclasses.replace(reading.outcome, phrases=phrases))
    return base64.b64encode(pickle.dumps((file.name, reading))).decode()


def _from_line(line: str) -> tuple[str, Reading | TaskFailedError]:
    return pickle.loads(base64.b64decode(line))


def examples(songs: list[KeptSong], split: str, rules: Rules, genres: list[str]) -> beam.PTransform:
    """The second pass, for one split: its records, as `_generate_examples` gives them to TFDS."""
    return (
        beam.Create([song.file for song in songs])
        | beam.Reshuffle()
        | beam.ParDo(ReadSongs(rules))
        | beam.FlatMap(_records, split=split, genres=genres)
    )


def _records(pair: tuple[SongFile, Reading], split: str, genres: list[str]) -> Iterator[tuple[bytes, Record]]:
    file, reading = pair
    song: Any = reading.outcome
    for phrase in song.phrases:
        if split == "train" or not phrase.key_shift:
            record = record_of(file, song.tempo, phrase, genres.index(file.genre))
            key = key_of(file.name, phrase.index, phrase.key_shift)
            yield key, {**record, "roll": phrase.roll(), "programs": list(phrase.programs)}
