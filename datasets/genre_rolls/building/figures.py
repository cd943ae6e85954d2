"""Pictures of a dataset: its genres' statistics side by side, and a page of their phrases."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font

from cyclegan_jax.datasets.genre_rolls.reading.statistics import MOST_NOTES, Statistics
from cyclegan_jax.pianoroll.roll import (
    BEATS_PER_BAR,
    LOWEST_PITCH,
    PHRASE_STEPS,
    PITCHES,
    STEPS_PER_BEAT,
    octave_name,
)
from cyclegan_jax.rendering.png import OCTAVES, mark_bars

DPI = 100  # at which the lengths below, in inches, are whole pixels
MARGIN = {"left": 0.75, "right": 0.15, "top": 0.45, "bottom": 0.6}
LONGEST_NAME = 20  # characters
DARK, LIGHT = "#1f5a92", "#a9c8e4"

STEP_WIDTH, PITCH_HEIGHT = 5, 2  # pixels of a cell on the page of phrases
GAP = 8  # rows between two phrases
NOTE, BETWEEN = 2, 3  # on the page of phrases; 0 and 1 are silence, by the octave
PAGE_COLOURS = ListedColormap(["#ffffff", "#eef1f5", DARK, "#d0d0d0"])


@dataclass(frozen=True)
class _Panel:
    """A histogram of a field of Statistics.

    `first`: what its first count is of. `width`: of a bar, in counts. `dark_every`: one bar in so many is
    dark, from the first on, and the others are light.
    """

    field: str
    y_label: str
    x_label: str
    ticks: Mapping[int, str]
    first: int = 0
    width: float = 0.8
    dark_every: int = 1


OCTAVE_NAMES = {pitch: octave_name(pitch) for pitch in OCTAVES}
PANELS = (
    _Panel(
        "polyphony",
        "steps, %",
        "notes sounding in a step",
        {notes: str(notes) for notes in range(0, MOST_NOTES, 2)} | {MOST_NOTES: f"{MOST_NOTES}+"},
    ),
    _Panel(
        "pitch_classes",
        "sounding cells, %",
        "pitch class",
        dict(enumerate(["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"])),
    ),
    _Panel(
        "register", "sounding cells, %", "pitch (C4: middle C)", OCTAVE_NAMES, first=LOWEST_PITCH, width=1
    ),
    _Panel(
        "onsets",
        "onsets, %",
        "position in the bar, beats",
        {beat * STEPS_PER_BEAT: str(beat + 1) for beat in range(BEATS_PER_BAR)},
        dark_every=STEPS_PER_BEAT,
    ),
)


def draw_overview(by_genre: Mapping[str, Statistics]) -> Figure:
    """Side by side by genre: notes sounding a step, pitch classes, register, onset position in the bar.

    Bars are shares in percent of the genre's own sum; a row's panels have the same axes.
    """
    figure, grid = _grid(len(PANELS), len(by_genre), size=(3.0, 1.7), gap=(0.45, 0.65))
    for axes_row, panel in zip(grid, PANELS, strict=True):
        shares = [_percent(getattr(statistics, panel.field)) for statistics in by_genre.values()]
        top = 1.05 * np.max(shares) or 1
        for axes, share in zip(axes_row, shares, strict=True):
            _draw_panel(axes, panel, share, top)
        axes_row[0].set_ylabel(panel.y_label)
    for axes, (genre, statistics) in zip(grid[0], by_genre.items(), strict=True):
        _title(axes, genre, f" · {statistics.phrases:,} phrases")
    return figure


def draw_phrase_page(by_genre: Mapping[str, np.ndarray]) -> Figure:
    """A page of phrases: a column a genre, a row a phrase, time to the right, pitch upwards.

    [N, 64, 84, 1] bool each, N up to 8; it may differ by genre and be 0.
    """
    rows = max(1, *map(len, by_genre.values()))
    height = rows * (PITCHES + GAP) - GAP
    size = (PHRASE_STEPS * STEP_WIDTH / DPI, height * PITCH_HEIGHT / DPI)
    figure, (columns,) = _grid(1, len(by_genre), size, gap=(0.3, 0))
    for axes, (genre, phrases) in zip(columns, by_genre.items(), strict=True):
        _draw_column(axes, phrases, rows)
        _title(axes, genre)
    return figure


def _grid(
    rows: int, columns: int, size: tuple[float, float], gap: tuple[float, float]
) -> tuple[Figure, np.ndarray]:
    """A figure and its [rows, columns] panels, of one size in inches and with gaps between them."""
    width = MARGIN["left"] + columns * (size[0] + gap[0]) - gap[0] + MARGIN["right"]
    height = MARGIN["bottom"] + rows * (size[1] + gap[1]) - gap[1] + MARGIN["top"]
    figure = Figure(figsize=(width, height))
    grid = figure.subplots(
        rows,
        columns,
        squeeze=False,
        gridspec_kw={
            "left": MARGIN["left"] / width,
            "right": 1 - MARGIN["right"] / width,
            "bottom": MARGIN["bottom"] / height,
            "top": 1 - MARGIN["top"] / height,
            "wspace": gap[0] / size[0],
            "hspace": gap[1] / size[1],
        },
    )
    return figure, grid


def _percent(counts: np.ndarray) -> np.ndarray:
    """Shares of the sum; all 0 where nothing was counted."""
    return 100 * counts / max(counts.sum(), 1)


def _draw_panel(axes: Axes, panel: _Panel, shares: np.ndarray, top: float) -> None:
    places = np.arange(len(shares))
    dark = places % panel.dark_every == 0
    for colour, chosen in ((DARK, dark), (LIGHT, ~dark)):
        if chosen.any():
            _draw_bars(axes, panel.first + places[chosen], shares[chosen], panel.width, colour)
    axes.set_xlim(panel.first - 0.6, panel.first + len(shares) - 0.4)
    axes.set_ylim(0, top)
    axes.set_xticks(list(panel.ticks), list(panel.ticks.values()))
    axes.set_xlabel(panel.x_label)
    axes.locator_params(axis="y", nbins=5)
    axes.tick_params(labelsize=8)
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_bars(axes: Axes, centres: np.ndarray, heights: np.ndarray, width: float, colour: str) -> None:
    """All bars as one artist, which draws far faster than one each: between two bars a step of height 0."""
    edges = np.add.outer(centres, [-width / 2, width / 2]).ravel()
    values = np.insert(heights, range(1, len(heights)), 0)
    axes.stairs(values, edges, fill=True, color=colour)


def _draw_column(axes: Axes, phrases: np.ndarray, rows: int) -> None:
    page = _stack(phrases, rows)
    axes.imshow(
        page,
        cmap=PAGE_COLOURS,
        vmin=0,
        vmax=BETWEEN,
        aspect="auto",
        interpolation="nearest",
        extent=(0, PHRASE_STEPS, len(page), 0),
    )
    mark_bars(axes)
    ticks = {
        row * (PITCHES + GAP) + PITCHES - 0.5 - (pitch - LOWEST_PITCH): OCTAVE_NAMES[pitch]
        for row in range(len(phrases))
        for pitch in OCTAVES[1::2]
    }
    axes.set_yticks(list(ticks), list(ticks.values()))
    axes.tick_params(labelsize=8)
    axes.grid(axis="x", alpha=0.5)


def _stack(phrases: np.ndarray, rows: int) -> np.ndarray:
    """Phrases one below the other, the lowest pitch at the bottom of each: [rows, 64] uint8 colours."""
    page = np.full((rows, PITCHES + GAP, PHRASE_STEPS), BETWEEN, np.uint8)
    silence = np.arange(PITCHES)[:, None] // 12 % 2
    rolls = np.where(phrases[..., 0].swapaxes(1, 2), NOTE, silence)
    page[: len(phrases), :PITCHES] = rolls[:, ::-1]
    return page.reshape(-1, PHRASE_STEPS)[:-GAP]


def _title(axes: Axes, genre: str, addition: str = "") -> None:
    """Name the genre, its middle left out where it is long; a name's $ and _ are no formula."""
    half = LONGEST_NAME // 2
    short = genre if len(genre) <= LONGEST_NAME else f"{genre[:half]}…{genre[1 - half :]}"
    axes.set_title(_in_font(short) + addition, fontsize=10, parse_math=False)


def _in_font(text: str) -> str:
    """The text, `�` for each character that the font lacks, at which matplotlib would warn."""
    font = get_font(findfont(FontProperties()))
    return "".join(c if font.get_char_index(ord(c)) else "�" for c in text)
