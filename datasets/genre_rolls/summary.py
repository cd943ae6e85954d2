"""What became of the files a dataset was made of, as text."""

from collections import Counter
from pathlib import Path

from cyclegan_jax.datasets.genre_rolls.report import read_metadata, read_refused
from cyclegan_jax.refusals import Refusal


def refused_lines(folder: Path) -> list[str]:
    """A line for every file that did not enter: `refused  name: reason (detail)`."""
    return [f"refused  {name}: {reason} ({detail})" for name, reason, detail in read_refused(folder)]


def table(folder: Path) -> str:
    """By genre: files, kept, refused by reason; songs and phrases by split; notes left out; the sums."""
    metadata = read_metadata(folder)
    genres = list(next(iter(metadata["phrases"].values())))
    refused = Counter((name.split("/")[0], reason) for name, reason, _ in read_refused(folder))
    reasons = [str(r) for r in Refusal if any(refused[g, str(r)] for g in genres)]

    def row(genre: str) -> list[int]:
        gone = [refused[genre, reason] for reason in reasons]
        files = metadata["files"].get(genre, 0)
        counts = [
            metadata[what][split].get(genre, 0)
            for split in metadata["phrases"]
            for what in ("songs", "phrases")
        ]
        return [files, files - sum(gone), *gone, *counts, metadata["dropped_notes"].get(genre, 0)]

    head = ["genre", "files", "kept", *reasons]
    head += [f"{split} {what}" for split in metadata["phrases"] for what in ("songs", "phrases")]
    head.append("notes out of range")
    numbers = [row(genre) for genre in genres]
    sums = [sum(column) for column in zip(*numbers, strict=True)]
    lines = [head, *([g, *map(str, r)] for g, r in zip([*genres, "all"], [*numbers, sums], strict=True))]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = [[cell.rjust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    return "\n".join("  ".join(cells) for cells in padded)
