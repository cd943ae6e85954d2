"""Pictures: pitch upwards, time to the right, and a file written whole or not at all."""

import matplotlib.image
import numpy as np
import pytest

from cyclegan_jax.rendering.png import draw_phrases, row_bottom, save_png

STEP, ROW = 2, 3  # a low, early note: MIDI pitch 27


@pytest.fixture
def figure():
    early_low, late_high = np.zeros((2, 64, 84, 1), bool), np.zeros((2, 64, 84, 1), bool)
    early_low[0, STEP, ROW] = True
    late_high[1, 60, 80] = True
    return draw_phrases({"origin": early_low, "transfer": late_high}, ["first phrase", "second phrase"])


def note_places(axes, row: int) -> list[tuple[float, float]]:
    """Where the cells of a row that are on have their middle: steps, and rows of the roll from its lowest."""
    image = axes.images[row]
    cells = np.asarray(image.get_array(), bool)
    cells = cells if image.origin == "lower" else cells[::-1]
    left, right, bottom, top = image.get_extent()
    heights, widths = cells.shape
    return [
        (
            left + (column + 0.5) * (right - left) / widths,
            bottom + (pitch + 0.5) * (top - bottom) / heights - row_bottom(row, 2),
        )
        for pitch, column in np.argwhere(cells)
    ]


def test_a_note_lies_at_its_step_and_pitch(figure):
    origin, transfer = figure.axes
    assert note_places(origin, 0) == [(STEP + 0.5, ROW + 0.5)]
    assert note_places(transfer, 0) == note_places(origin, 1) == []
    assert note_places(transfer, 1) == [(60.5, 80.5)]


def test_time_runs_to_the_right_and_pitch_upwards(figure):
    for axes in figure.axes:
        assert axes.get_xlim() == (0, 64)
        assert axes.get_ylim() == (0, row_bottom(0, 2) + 84)
    assert row_bottom(0, 2) > 84 and row_bottom(1, 2) == 0, "the second row below the first"


def test_an_early_low_note_is_painted_in_the_lower_left_of_its_row(figure, tmp_path):
    axes = figure.axes[0]
    save_png(figure, tmp_path / "all.png")
    pixels = matplotlib.image.imread(tmp_path / "all.png")
    frame = axes.get_window_extent()
    x = int(frame.x0 + frame.width * (STEP + 0.5) / 64)
    y = int(frame.y0 + frame.height * (row_bottom(0, 2) + ROW + 0.5) / (row_bottom(0, 2) + 84))
    assert pixels[len(pixels) - 1 - y, x, :3].min() < 0.3, "dark blue"


def test_columns_and_rows_have_their_titles(figure):
    first, _ = figure.axes
    assert [axes.get_title() for axes in figure.axes] == ["origin", "transfer"]
    heights = {text.get_text(): text.get_position()[1] for text in first.texts}
    assert heights == {"first phrase": row_bottom(0, 2) + 42, "second phrase": 42}
    assert [label.get_text() for label in first.get_xticklabels()] == ["bar 1", "bar 2", "bar 3", "bar 4"]
    names = dict(zip(first.get_yticks(), first.get_yticklabels(), strict=True))
    assert {names[row_bottom(row, 2) + 60 - 24 + 0.5].get_text() for row in (0, 1)} == {"C4"}


def test_the_file_is_a_png(figure, tmp_path):
    save_png(figure, tmp_path / "all.png")
    assert (tmp_path / "all.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert [path.name for path in tmp_path.iterdir()] == ["all.png"]


def test_a_failed_drawing_leaves_the_old_file(figure, tmp_path, monkeypatch):
    path = tmp_path / "all.png"
    path.write_bytes(b"before")

    def fail(buffer, **_):
        buffer.write(b"half")
        raise MemoryError

    monkeypatch.setattr(figure, "savefig", fail)
    with pytest.raises(MemoryError):
        save_png(figure, path)
    assert path.read_bytes() == b"before"
    assert [found.name for found in tmp_path.iterdir()] == ["all.png"]
