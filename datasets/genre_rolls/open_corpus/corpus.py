"""The open corpus: its songs as MIDI files, from wherever its sources are, and what a build notes of them."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cyclegan_jax.datasets.genre_rolls.open_corpus.conversion import check_converters, converted_songs
from cyclegan_jax.datasets.genre_rolls.open_corpus.fetch import fetch
from cyclegan_jax.datasets.genre_rolls.open_corpus.source_list import Source, check_files, read_sources
from cyclegan_jax.datasets.genre_rolls.reading.midi_folder import SongFile

FETCHED = "sources"  # below the data_dir
CONVERTED = "sources_as_midi"
COPY_AGAIN = "copy them again, or leave out --sources_dir and they are fetched"
CORRECT_LIST = "correct its songs, commit or sha256 in open_sources.toml"


def open_songs(data_dir: Path, sources_dir: Path | None) -> list[SongFile]:
    """The songs of the open corpus as MIDI files below `data_dir`, sorted by name.

    `sources_dir`: has the folders of the sources already; without it git fetches them. Raises UserError
    where they can't be fetched, are not the files of their commits, or verovio is missing; NotWrittenError
    where the disk is full or permission is denied.
    """
    check_converters()
    sources, way_out = read_sources(), COPY_AGAIN
    if sources_dir is None:
        sources_dir, way_out = data_dir / FETCHED, CORRECT_LIST
        fetch(sources, sources_dir)
    for source in sources:
        check_files(source, sources_dir / source.name, way_out)
    return converted_songs(sources, sources_dir, data_dir / CONVERTED)


def source_notes(
    sources: Sequence[Source], songs: Sequence[str], refused: Mapping[str, str]
) -> list[dict[str, Any]]:
    """For metadata.json: each source, its licence, whom to name, and what became of its songs.

    `songs`: the names of all. `refused`: those that did not enter, and why.
    """
    notes = []
    for source in sources:
        start = f"{source.genre}/{source.name}/"
        found = sum(name.startswith(start) for name in songs)
        reasons = Counter(reason for name, reason in refused.items() if name.startswith(start))
        told = {"found": found, "kept": found - reasons.total(), "refused": dict(reasons)}
        notes.append({**_as_json(source), **told})
    return notes


def is_made_of(notes: Sequence[Mapping[str, Any]], sources: Sequence[Source]) -> bool:
    """Whether notes of a dataset are of these sources, as the list has them."""
    return len(notes) == len(sources) and all(
        note.items() >= _as_json(source).items() for note, source in zip(notes, sources, strict=True)
    )


def _as_json(source: Source) -> dict[str, Any]:
    return json.loads(json.dumps(asdict(source)))
