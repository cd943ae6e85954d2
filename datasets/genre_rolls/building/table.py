"""What became of the files a dataset was made of, as lines and cells of text."""

from collections import Counter
from pathlib import Path
from typing import Any

from cyclegan_jax.datasets.genre_rolls.records.build_report import read_metadata, read_refused
from cyclegan_jax.midi.refusals import Refusal


def refused_lines(folder: Path) -> list[str]:
    """A line for every file that did not enter: `refused  name: reason (detail)`."""
    return [f"refused  {name}: {reason} ({detail})" for name, reason, detail in read_refused(folder)]


def table(folder: Path) -> list[list[str]]:
    """The cells of a table, line by line, the first one its head.

    By genre: files, kept, refused by reason; songs and phrases by split; notes left out; last the sums.
    """
    metadata = read_metadata(folder)
    genres, splits = list(metadata["phrases"]["train"]), list(metadata["phrases"])
    columns = _file_columns(folder, metadata, genres) if metadata["files"] else {}
    for split in splits:
        for what in ("songs", "phrases") if metadata["files"] else ("phrases",):
            columns[f"{split} {what}"] = [metadata[what][split].get(genre, 0) for genre in genres]
    if metadata["files"]:
        columns["notes out of range"] = [metadata["dropped_notes"].get(genre, 0) for genre in genres]
    lines = [["genre", *columns]]
    lines += [[genre, *(str(c[at]) for c in columns.values())] for at, genre in enumerate(genres)]
    lines.append(["all", *(str(sum(column)) for column in columns.values())])
    return lines


def _file_columns(folder: Path, metadata: dict[str, Any], genres: list[str]) -> dict[str, list[int]]:
    """What became of the files, by genre: all, kept, and refused by each reason that there was."""
    refused = Counter((name.split("/")[0], reason) for name, reason, _ in read_refused(folder))
    by_reason = {str(reason): [refused[genre, str(reason)] for genre in genres] for reason in Refusal}
    by_reason = {reason: counts for reason, counts in by_reason.items() if any(counts)}
    files = [metadata["files"].get(genre, 0) for genre in genres]
    gone = [sum(counts) for counts in zip(*by_reason.values(), strict=True)] or [0] * len(genres)
    kept = [all_of - refused_of for all_of, refused_of in zip(files, gone, strict=True)]
    return {"files": files, "kept": kept, **by_reason}
