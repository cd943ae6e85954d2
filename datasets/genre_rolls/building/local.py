"""Making the records on this machine, on all its cores, holding none of them in memory.

Workers read and cut the files; this process enters each song in the catalogue and spools its phrases. Splits
need all songs of a genre, so they are planned when the last file is read.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from cyclegan_jax.datasets.genre_rolls.reading.midi_file import Rules, compress, convert
from cyclegan_jax.datasets.genre_rolls.reading.midi_folder import SongFile, as_text, fingerprint
from cyclegan_jax.datasets.genre_rolls.reading.paper_arrays import (
    PAPER_GENRES,
    ArrayPhrase,
    array_files,
    read_phrases,
)
from cyclegan_jax.datasets.genre_rolls.reading.process_pool import Workers
from cyclegan_jax.datasets.genre_rolls.reading.splits import MIXED, SPLITS
from cyclegan_jax.datasets.genre_rolls.reading.statistics import Statistics
from cyclegan_jax.datasets.genre_rolls.records.build_report import Build
from cyclegan_jax.datasets.genre_rolls.records.catalogue import Catalogue
from cyclegan_jax.datasets.genre_rolls.records.split_plan import SplitPlan
from cyclegan_jax.datasets.genre_rolls.records.spool import Spool
from cyclegan_jax.datasets.genre_rolls.records.tf_example import (
    UNKNOWN,
    Record,
    Serialiser,
    flags_of,
    key_of,
    record_of,
)
from cyclegan_jax.midi.song import DEFAULT_TEMPO
from cyclegan_jax.pianoroll.features import onsets, top_voice

_bar = partial(tqdm, desc="reading", leave=False, disable=None)  # on a terminal only


def spool_songs(files: list[SongFile], catalogue: Catalogue, rules: Rules, spool: Spool) -> None:
    """Read MIDI files on all cores; put the phrases of those that are kept on the spool."""
    labels = {genre: label for label, genre in enumerate(catalogue.genres)}
    serialise = Serialiser()
    with Workers(convert) as workers:
        readings = workers.map((file.path, rules, file.refused) for file in files)
        for file, reading in zip(files, _bar(readings, total=len(files)), strict=True):
            for phrase in catalogue.add(file, reading):
                spool.append(serialise(record_of(file, reading.outcome, phrase, labels[file.genre])))


def spool_arrays(manual_dir: Path, rules: str, spool: Spool) -> Build:
    """Put the phrases of the authors' arrays on the spool."""
    serialise = Serialiser()
    statistics = {genre: Statistics.none() for genre in PAPER_GENRES}
    keys: dict[str, list[bytes]] = {split: [] for split in (*SPLITS, MIXED)}
    numbers: dict[str, list[int]] = {split: [] for split in keys}
    labels: dict[str, list[int]] = {split: [] for split in keys}
    for number, phrase in enumerate(_bar(read_phrases(manual_dir), unit=" phrases")):
        label = PAPER_GENRES.index(phrase.genre) if phrase.genre else UNKNOWN
        spool.append(serialise(_array_record(phrase, label)))
        keys[phrase.split].append(key_of(phrase.source, phrase.row, 0))
        numbers[phrase.split].append(number)
        labels[phrase.split].append(label)
        if phrase.split != MIXED:
            statistics[phrase.genre] += Statistics.of(phrase.roll[None])
    return Build(
        fingerprint=fingerprint(array_contents(manual_dir), rules),
        files={},
        refused=[],
        dropped={},
        statistics=statistics,
        splits={
            split: SplitPlan.of(
                split, keys[split], np.array(numbers[split]), np.array(labels[split]), Counter()
            )
            for split in keys
            if keys[split]
        },
    )


def array_contents(manual_dir: Path) -> Iterator[tuple[str, bytes]]:
    """Name and hash of every array that is read."""
    for path in array_files(manual_dir):
        with path.open("rb") as file:
            yield as_text(str(path.relative_to(manual_dir))), hashlib.file_digest(file, "sha256").digest()


def _array_record(phrase: ArrayPhrase, label: int) -> Record:
    return {
        "roll": compress(phrase.roll),
        "onsets": compress(onsets(phrase.roll[None])),
        "melody": compress(top_voice(phrase.roll[None])),
        "melody_track": False,
        "genre": label,
        "song": "",
        "source": phrase.source,
        "licence": "",
        "phrase": phrase.row,
        "bar": UNKNOWN,
        "key_shift": 0,
        "programs": flags_of(()),
        "tempo": DEFAULT_TEMPO,
    }
