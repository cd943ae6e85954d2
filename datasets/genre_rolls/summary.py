"""What became of the files a dataset was made of, as text."""

from collections import Counter
from pathlib import Path

import tensorflow_datasets as tfds

from cyclegan_jax.datasets.genre_rolls.prepare import read_metadata
from cyclegan_jax.datasets.genre_rolls.splits import SPLITS
from cyclegan_jax.songs import Refusal


def refused_lines(folder: Path) -> list[str]:
    """A line for every file that did not enter: `refused  name: reason (detail)`."""
    refused = read_metadata(folder)["refused"]
    return [f"refused  {name}: {reason} ({detail})" for name, reason, detail in refused]


def table(folder: Path) -> str:
    """By genre: files, kept, refused by reason; songs and phrases by split; notes left out; the sums."""
    metadata = read_metadata(folder)
    genres = list(metadata["files"])
    refused = Counter((name.split("/")[0], reason) for name, reason, _ in metadata["refused"])
    reasons = [str(r) for r in Refusal if any(refused[g, str(r)] for g in genres)]
    songs, phrases = _count_by_split(folder)

    def row(genre: str) -> list[int]:
        gone = [refused[genre, reason] for reason in reasons]
        files = metadata["files"][genre]
        by_split = [count[genre, split] for split in SPLITS for count in (songs, phrases)]
        return [files, files - sum(gone), *gone, *by_split, metadata["dropped_notes"].get(genre, 0)]

    head = ["genre", "files", "kept", *reasons]
    head += [f"{split} {what}" for split in SPLITS for what in ("songs", "phrases")]
    head.append("notes out of range")
    numbers = [row(genre) for genre in genres]
    sums = [sum(column) for column in zip(*numbers, strict=True)]
    lines = [head, *([g, *map(str, r)] for g, r in zip([*genres, "all"], [*numbers, sums], strict=True))]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = [[cell.rjust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    return "\n".join("  ".join(cells) for cells in padded)


def _count_by_split(folder: Path) -> tuple[Counter, Counter]:
    """Songs and phrases by (genre, split)."""
    builder = tfds.builder_from_directory(folder)
    names = builder.info.features["genre"].names
    songs: Counter = Counter()
    phrases: Counter = Counter()
    for split in SPLITS:
        source = builder.as_data_source(split, decoders={"roll": tfds.decode.SkipDecoding()})
        pairs = [(names[r["genre"]], r["song"]) for r in source.__getitems__(range(len(source)))]
        phrases.update((genre, split) for genre, _ in pairs)
        songs.update((genre, split) for genre, _ in set(pairs))
    return songs, phrases
