"""Piano rolls as pictures: where notes lie, what is marked, and where bars are."""

import re

import numpy as np
import pytest
from support.midi_files import write_midi_file

from cyclegan_jax.midi.song import parse_song
from cyclegan_jax.rendering.svg import HEAD, MARGIN, ROW, Drawing, lay_out

STEP = 120


def midi(tmp_path, name: str, *notes: tuple[int, int, int], **more) -> bytes:
    ticks = [(onset * STEP, end * STEP, pitch) for onset, end, pitch in notes]
    return write_midi_file(tmp_path / f"{name}.mid", ticks, **more).read_bytes()


def path(svg: str, name: str) -> str:
    (found,) = re.findall(rf'<path class="{name}" d="([^"]*)"/>', svg)
    return found


def spans(drawing: Drawing, svg: str, name: str) -> list[tuple[float, float, int]]:
    """Seconds from and to, and MIDI pitch, of each piece of a path."""
    pieces = re.findall(r"M([\d.]+) ([\d.]+)h([\d.]+)", path(svg, name))
    numbers = [tuple(map(float, piece)) for piece in pieces]
    return sorted(
        (
            round(x / drawing.scale, 1),
            round((x + width) / drawing.scale, 1),
            round(drawing.highest - (y - ROW / 2 - HEAD) / ROW),
        )
        for x, y, width in numbers
    )


def drawn(before: bytes, after: bytes, seconds: float = 100) -> tuple[Drawing, str, str]:
    first, second = parse_song(before), parse_song(after)
    drawing = lay_out([first, second], seconds)
    return drawing, drawing.draw(first, second, ghosts=False), drawing.draw(second, first, ghosts=True)


def test_shared_own_and_missing_cells_are_told_apart(tmp_path):
    before = midi(tmp_path, "a", (0, 8, 60), (8, 16, 64), (0, 16, 40))
    after = midi(tmp_path, "b", (0, 12, 60), (12, 16, 72), (0, 8, 40), (8, 16, 40))
    drawing, original, transfer = drawn(before, after)
    assert spans(drawing, original, "shared") == [(0.0, 1.0, 60), (0.0, 2.0, 40)]
    assert spans(drawing, original, "own") == [(1.0, 2.0, 64)]
    assert "ghost" not in original
    assert spans(drawing, transfer, "shared") == [(0.0, 1.0, 40), (0.0, 1.0, 60), (1.0, 2.0, 40)]
    assert spans(drawing, transfer, "own") == [(1.0, 1.5, 60), (1.5, 2.0, 72)]
    assert spans(drawing, transfer, "ghost") == [(1.0, 2.0, 64)]


def test_time_runs_by_the_originals_tempos(tmp_path):
    tempos = ((0, 120.0), (8 * STEP, 60.0), (16 * STEP, 240.0))
    before = midi(tmp_path, "a", (4, 12, 60), (12, 20, 60), tempos=tempos)
    drawing, original, _ = drawn(before, before)
    assert spans(drawing, original, "shared") == [(0.5, 2.0, 60), (2.0, 3.2, 60)]
    assert drawing.seconds == pytest.approx(3.25)


def test_bars_are_where_each_metre_has_them(tmp_path):
    before = midi(tmp_path, "a", (0, 56, 60), signatures=((0, 4, 4), (32 * STEP, 3, 4)))
    drawing, original, _ = drawn(before, before)
    at = [float(x) / drawing.scale for x in re.findall(r"M([\d.]+) \d+V", path(original, "bar"))]
    assert at == pytest.approx([0, 2, 4, 5.5], abs=0.01)
    assert re.findall(r'y="12">(\d+)<', original) == ["1", "2", "3", "4"]


def test_all_versions_share_one_frame_around_all_notes(tmp_path):
    before, after = midi(tmp_path, "a", (0, 16, 66)), midi(tmp_path, "b", (0, 32, 85), (0, 1, 62))
    drawing, original, transfer = drawn(before, after)
    assert (drawing.lowest, drawing.highest) == (62 - MARGIN, 85 + MARGIN)
    assert drawing.seconds == pytest.approx(4.0)
    frames = {re.findall(r'<svg width="(\d+)" height="(\d+)"', svg)[0] for svg in (original, transfer)}
    assert len(frames) == 1
    assert re.findall(r'class="pitch"[^>]*>(C\d)<', original) == ["C4", "C5", "C6"]


def test_a_song_without_a_note_on_the_roll_has_an_empty_picture(tmp_path):
    before = midi(tmp_path, "a", (0, 16, 10))
    _, original, _ = drawn(before, before)
    assert path(original, "shared") == path(original, "own") == ""


def test_a_picture_is_cut_where_it_is_to_end(tmp_path):
    before = midi(tmp_path, "a", (0, 16, 60), (16, 160, 62), (150, 160, 64))
    drawing, original, _ = drawn(before, before, seconds=5.0)
    assert drawing.seconds == 5.0
    assert spans(drawing, original, "shared") == [(0.0, 2.0, 60), (2.0, 5.0, 62)]


@pytest.mark.parametrize("seconds, scale", [(2, 120), (16, 60), (600, 40)])
def test_a_short_song_fills_the_page_and_a_long_one_is_scrolled(tmp_path, seconds, scale):
    before = midi(tmp_path, "a", (0, seconds * 8, 60))
    assert lay_out([parse_song(before)], np.inf).scale == pytest.approx(scale)
