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


def draw_phrases(columns: Mapping[str, np.ndarray], rows: list[str]) -> "Figure":
    """Piano rolls side by side: a column a version, a row a phrase, time to the right, pitch upwards.

    `columns`: title -> [N, 64, 84, 1] bool; `rows`: N titles.
    """
    from matplotlib.figure import Figure  # takes half a second

    figure = Figure(figsize=(4.6 * len(columns), 2.1 * len(rows)), layout="constrained")
    grid = figure.subplots(len(rows), len(columns), sharex=True, sharey=True, squeeze=False)
    for axes_row, row, name in zip(grid, range(len(rows)), rows, strict=True):
        for axes, (title, phrases) in zip(axes_row, columns.items(), strict=True):
            axes.imshow(
                phrases[row, :, :, 0].T,
                origin="lower",
                aspect="auto",
                cmap="Blues",
                vmin=0,
                vmax=1,
                interpolation="nearest",
                extent=(0, PHRASE_STEPS, LOWEST_PITCH - 0.5, LOWEST_PITCH + PITCHES - 0.5),
            )
            mark_bars(axes)
            axes.set_yticks(list(OCTAVES), list(map(octave_name, OCTAVES)))
            axes.grid(alpha=0.3)
            if row == 0:
                axes.set_title(title)
        axes_row[0].set_ylabel(name)
    return figure


def mark_bars(axes: "Axes") -> None:
    """Ticks where the bars of a phrase begin, with the numbers of the bars, on an axis of steps."""
    bars = range(BARS_PER_PHRASE)
    axes.set_xticks([bar * STEPS_PER_BAR for bar in bars], [f"bar {bar + 1}" for bar in bars])


def save_png(figure: "Figure", path: Path) -> None:
    """Write a figure as PNG, whole or not at all."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    write_whole(path, buffer.getvalue())
