"""Pictures of piano rolls."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cyclegan_jax.atomic_files import write_whole
from cyclegan_jax.pianoroll.roll import (
    BARS_PER_PHRASE,
    LOWEST_PITCH,
    PHRASE_STEPS,
    PITCHES,
    STEPS_PER_BAR,
    octave_name,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OCTAVES = range(LOWEST_PITCH, LOWEST_PITCH + PITCHES, 12)
GAP = 5  # between the rows of a picture, in pitches


def draw_phrases(columns: Mapping[str, np.ndarray], rows: list[str]) -> "Figure":
    """Piano rolls side by side: a column a version, a row a phrase, time to the right, pitch upwards.

    `columns`: title -> [N, 64, 84, C] bool; `rows`: N titles. A column is one axes, its phrases one
    below the other: axes for each phrase would take longer to draw.
    """
    from matplotlib.figure import Figure  # takes half a second

    width, height = 4.6 * len(columns), 2.1 * len(rows)
    figure = Figure(figsize=(width, height))
    spacing = {  # margins in inches; a constrained layout would draw all twice to find them
        "left": 0.75 / width,
        "right": 1 - 0.1 / width,
        "bottom": 0.3 / height,
        "top": 1 - 0.35 / height,
        "wspace": 0.06,
    }
    bottoms = [row_bottom(row, len(rows)) for row in range(len(rows))]
    grid = figure.subplots(1, len(columns), sharex=True, sharey=True, squeeze=False, gridspec_kw=spacing)[0]
    for axes, (title, phrases) in zip(grid, columns.items(), strict=True):
        for phrase, bottom in zip(phrases, bottoms, strict=True):
            axes.imshow(
                phrase[:, :, 0].T,
                origin="lower",
                aspect="auto",
                cmap="Blues",
                vmin=0,
                vmax=1,
                interpolation="nearest",
                extent=(0, PHRASE_STEPS, bottom, bottom + PITCHES),
            )
        axes.set_facecolor("0.7")  # between the phrases
        axes.grid(alpha=0.3)
        axes.set_title(title)
    mark_bars(grid[0])  # of all columns, since they share their axes
    ticks = {
        bottom + pitch - LOWEST_PITCH + 0.5: octave_name(pitch) for bottom in bottoms for pitch in OCTAVES
    }
    grid[0].set_yticks(list(ticks), list(ticks.values()))
    grid[0].set_ylim(0, bottoms[0] + PITCHES)
    for name, bottom in zip(rows, bottoms, strict=True):
        beside = (-0.14, bottom + PITCHES / 2)
        grid[0].text(
            *beside, name, transform=grid[0].get_yaxis_transform(), rotation=90, ha="center", va="center"
        )
    return figure


def row_bottom(row: int, rows: int) -> int:
    """Where the lowest pitch of a row begins on the axis of a column: 0 for the last row."""
    return (rows - 1 - row) * (PITCHES + GAP)


def mark_bars(axes: "Axes") -> None:
    """Ticks where the bars of a phrase begin, with the numbers of the bars, on an axis of steps."""
    bars = range(BARS_PER_PHRASE)
    axes.set_xticks([bar * STEPS_PER_BAR for bar in bars], [f"bar {bar + 1}" for bar in bars])


def save_png(figure: "Figure", path: Path) -> None:
    """Write a figure as PNG, whole or not at all."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    write_whole(path, buffer.getvalue())
