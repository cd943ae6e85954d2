"""Solos in the two CSV files that the Weimar Jazz Database is read from, written by a test."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

BEAT = 0.5  # seconds


class Played(NamedTuple):
    """A note by its place: `tatum` of `division` in its beat; `length` in beats."""

    bar: int
    beat: int
    pitch: int
    tatum: int = 1
    division: int = 1
    length: float = 0.5


def write_solo(
    folder: Path,
    notes: Sequence[Played],
    chords: Sequence[str],
    first: tuple[int, int] = (1, 1),
    metre: int = 4,
    bass: Sequence[int] | None = None,
    name: str = "solo",
) -> tuple[Path, Path]:
    """The melody and the beat track of a solo. `chords`, `bass`: one a beat, from bar and beat `first` on."""
    melody, track = folder / f"{name}.csv", folder / f"{name}_beattrack.csv"
    rows = [
        f'{n.length * BEAT},{n.division},{n.bar},{n.beat},{n.tatum},{BEAT},"""{metre}/4""",{n.pitch}'
        for n in notes
    ]
    melody.write_text(
        "\n".join(["duration,division,bar,beat,tatum,beat_duration,signature,pitch", *rows]) + "\n"
    )
    rows = []
    bar, beat = first
    for place, chord in enumerate(chords):
        row = f"{BEAT},{bar},{beat},'{metre}/4',{chord},A1,1"
        rows.append(row if bass is None else f"{row},{bass[place]}")
        bar, beat = (bar, beat + 1) if beat < metre else (bar + 1, 1)
    header = "duration,bar,beat,signature,chord,form,chorus_id" + ("" if bass is None else ",bass")
    track.write_text("\n".join([header, *rows]) + "\n")
    return melody, track
