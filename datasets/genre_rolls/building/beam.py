"""Making the records on Apache Beam, on more than one machine. The only module that imports Beam.

There are two passes. The first reads every file and reports on it, because duplicates and splits can be
decided only where all songs are known. The second reads the kept files again, and TFDS's own Beam writer
writes their records. They equal those of a build on one machine, in the same order.
"""

import base64
import dataclasses
import json
import os
import pickle
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import apache_beam as beam  # pyright: ignore[reportMissingImports]  # an extra
import numpy as np
import tensorflow_datasets as tfds
from tensorflow_datasets.core.splits import SplitInfo

from cyclegan_jax.datasets.genre_rolls.reading.midi_file import (
    ConvertedSong,
    Reading,
    Refused,
    Rules,
    convert,
    decompress,
)
from cyclegan_jax.datasets.genre_rolls.reading.midi_folder import SongFile
from cyclegan_jax.datasets.genre_rolls.reading.process_pool import TaskFailedError, Workers
from cyclegan_jax.datasets.genre_rolls.records.catalogue import Catalogue, KeptSong
from cyclegan_jax.datasets.genre_rolls.records.split_plan import SplitPlan, enters
from cyclegan_jax.datasets.genre_rolls.records.tf_example import TENSORS, Record, key_of, record_of
from cyclegan_jax.errors import UserError


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
        for reading in self._workers.map([(file.path, self._rules, file.refused)]):
            yield file, reading

    def teardown(self) -> None:
        """Stop the reader."""
        self._workers.close()


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
        _ = (
            pipeline
            | _files(files, folder / "files.jsonl")
            | beam.ParDo(ReadSongs(rules))
            | beam.Map(_to_line)
            | beam.io.WriteToText(str(folder / "survey"))
        )
    lines = sorted(folder.glob("survey-*"))
    readings = dict(_from_line(line) for path in lines for line in path.read_text().splitlines())
    for file in files:
        catalogue.add(file, readings[file.name])


def _to_line(pair: tuple[SongFile, Reading | TaskFailedError]) -> str:
    """A reading without its rolls, in one line of text."""
    file, reading = pair
    if isinstance(reading, Reading) and isinstance(reading.outcome, ConvertedSong):
        phrases = tuple(
            phrase._replace(roll=b"", onsets=b"", melody=b"") for phrase in reading.outcome.phrases
        )
        reading = dataclasses.replace(reading, outcome=dataclasses.replace(reading.outcome, phrases=phrases))
    return base64.b64encode(pickle.dumps((file.name, reading))).decode()


def check_written(folder: Path, plans: Mapping[str, SplitPlan], splits: Sequence[SplitInfo]) -> None:
    """Remove the text files; raise UserError where the two passes have read different music."""
    for path in (*folder.glob("survey-*"), *folder.glob("files*.jsonl")):
        path.unlink()
    for split in splits:
        planned = len(plans[split.name].order)
        if split.num_examples != planned:
            raise UserError(
                f"split {split.name!r} has {split.num_examples} phrases, but {planned} were found before: "
                "the MIDI files have changed meanwhile; start again."
            )


def _from_line(line: str) -> tuple[str, Reading | TaskFailedError]:
    return pickle.loads(base64.b64decode(line))


def _files(files: list[SongFile], path: Path) -> beam.PTransform:
    """The files, by way of a text file: a pipeline that held them all would be too large for some runners."""
    lines = (json.dumps({**dataclasses.asdict(file), "path": os.fsencode(file.path).hex()}) for file in files)
    path.write_text("".join(f"{line}\n" for line in lines))
    return beam.io.ReadFromText(str(path)) | beam.Map(_file_of) | beam.Reshuffle()


def _file_of(line: str) -> SongFile:
    told = json.loads(line)
    path = os.fsdecode(bytes.fromhex(told["path"]))
    return SongFile(**{**told, "path": path, "refused": tuple(told["refused"])})


def examples(
    songs: list[KeptSong], split: str, rules: Rules, genres: list[str], folder: Path
) -> beam.PTransform:
    """The second pass, for one split: its records, as `_generate_examples` gives them to TFDS."""
    return (
        _files([song.file for song in songs], folder / f"files-{split}.jsonl")
        | beam.ParDo(ReadSongs(rules))
        | beam.FlatMap(_records, split=split, genres=genres)
    )


def _records(pair: tuple[SongFile, Reading], split: str, genres: list[str]) -> Iterator[tuple[bytes, Record]]:
    file, reading = pair
    if isinstance(reading, TaskFailedError) or isinstance(reading.outcome, Refused):
        raise RuntimeError(f"{file.name} was read once and cannot be read again")
    song = reading.outcome
    for phrase in song.phrases:
        if enters(split, phrase.key_shift):
            record = record_of(file, song, phrase, genres.index(file.genre))
            key = key_of(file.name, phrase.index, phrase.key_shift)
            tensors = {name: decompress(record[name]) for name in TENSORS}
            yield key, {**record, **tensors, "programs": np.array(record["programs"], np.bool_)}
