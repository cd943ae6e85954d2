"""Pictures of a dataset: bars as high as the shares, axes that compare, and every note on the page."""

import io
from itertools import combinations

import matplotlib.image
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from cyclegan_jax.datasets.genre_rolls.building.figures import DARK, draw_overview, draw_phrase_page
from cyclegan_jax.datasets.genre_rolls.reading.statistics import Statistics

GENRES = ("jazz", "pop", "nothing")
POLYPHONY, PITCH_CLASSES, REGISTER, ONSETS = range(4)
ALL_PLACES = (range(13), range(12), range(24, 108), range(16))


def array_of(size: int, counts: dict[int, int]) -> np.ndarray:
    array = np.zeros(size, np.int64)
    array[list(counts)] = list(counts.values())
    return array


def statistics_of(
    phrases: int, polyphony: dict, pitch_classes: dict, register: dict, onsets: dict
) -> Statistics:
    arrays = map(array_of, (13, 12, 84, 16), (polyphony, pitch_classes, register, onsets))
    return Statistics(phrases, *arrays)


JAZZ = statistics_of(6794, {0: 1, 2: 3, 12: 4}, {0: 3, 1: 1}, {0: 1, 83: 4}, {0: 5, 1: 1, 4: 2, 15: 2})
POP = statistics_of(12, {1: 600, 11: 200}, {7: 40, 11: 10}, {36: 7}, {8: 300, 10: 100})
JAZZ_SHARES = (
    {0: 12.5, 2: 37.5, 12: 50},
    {0: 75, 1: 25},
    {24: 20, 107: 80},
    {0: 50, 1: 10, 4: 20, 15: 20},
)
POP_SHARES = ({1: 75, 11: 25}, {7: 80, 11: 20}, {60: 100}, {8: 75, 10: 25})


@pytest.fixture(scope="module")
def grid():
    """[4, 3] axes: a row a histogram, a column a genre."""
    statistics = (JAZZ, POP, Statistics.none())
    return np.reshape(draw_overview(dict(zip(GENRES, statistics, strict=True))).axes, (4, 3))


def painted(figure) -> np.ndarray:
    """[height, width, 3] of 0 to 1, as saved."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    buffer.seek(0)
    return matplotlib.image.imread(buffer)[..., :3]


def bars(axes) -> dict[int, tuple[float, tuple]]:
    """Place -> height and colour of the bar that stands there."""
    found = {}
    for patch in axes.patches:
        values, edges, baseline = patch.get_data()
        assert baseline == 0
        for value, left, right in zip(values, edges[:-1], edges[1:], strict=True):
            if value:
                assert right - left <= 1 and (left + right) / 2 not in found
                found[round((left + right) / 2, 6)] = (value, patch.get_facecolor())
    return found


def heights(axes) -> dict[int, float]:
    return {place: round(height, 9) for place, (height, _) in bars(axes).items()}


def ticks(axes, name: str) -> dict[float, str]:
    axis = getattr(axes, name)
    labels = [label.get_text() for label in axis.get_ticklabels()]
    return dict(zip(axis.get_ticklocs().tolist(), labels, strict=True))


def overlapping_texts(figure) -> list[tuple[str, str]]:
    """Texts that run into each other or, paired with "edge", out of the picture."""
    figure.draw_without_rendering()
    texts = [text for axes in figure.axes for text in (axes.title, axes.xaxis.label, axes.yaxis.label)]
    for axes in figure.axes:
        texts += axes.get_xticklabels() + axes.get_yticklabels()
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts if text.get_text()]
    pairs = [(a, b) for (a, box), (b, other) in combinations(boxes, 2) if box.overlaps(other)]
    width, height = figure.bbox.size
    outside = [t for t, box in boxes if box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height]
    return pairs + [(text, "edge") for text in outside]


@pytest.mark.parametrize("row", range(4))
def test_bars_stand_at_their_places_as_high_as_the_genres_share_in_percent(grid, row):
    assert heights(grid[row, 0]) == JAZZ_SHARES[row]
    assert heights(grid[row, 1]) == POP_SHARES[row]
    assert heights(grid[row, 2]) == {}


def test_every_place_has_a_bar():
    def all_on(size):
        return {place: place + 1 for place in range(size)}

    axes = draw_overview({"all": statistics_of(1, all_on(13), all_on(12), all_on(84), all_on(16))}).axes
    for panel, places in zip(axes, ALL_PLACES, strict=True):
        total = sum(range(1, len(places) + 1))
        expected = [100 * (place + 1) / total for place in range(len(places))]
        assert heights(panel) == pytest.approx(dict(zip(places, expected, strict=True)))


def test_genres_of_other_size_but_the_same_shares_look_the_same():
    more = JAZZ
    for _ in range(10):
        more = more + more
    one, thousand = np.reshape(draw_overview({"one": JAZZ, "thousand": more}).axes, (4, 2)).T
    assert [heights(axes) for axes in one] == [heights(axes) for axes in thousand] == list(JAZZ_SHARES)


def test_columns_are_titled_with_genre_and_phrases(grid):
    titles = ["jazz · 6,794 phrases", "pop · 12 phrases", "nothing · 0 phrases"]
    assert [axes.get_title() for axes in grid.ravel()] == titles + [""] * 9


@pytest.mark.parametrize("row, highest", [(0, 75), (1, 80), (2, 100), (3, 75)])
def test_a_row_has_the_same_axes_for_all_genres_and_room_for_the_highest_bar(grid, row, highest):
    limits = {(axes.get_xlim(), axes.get_ylim()) for axes in grid[row]}
    assert len(limits) == 1
    ((left, right), (bottom, top)) = limits.pop()
    assert bottom == 0 and highest < top < 1.2 * highest
    assert left <= ALL_PLACES[row][0] - 0.5 and right >= ALL_PLACES[row][-1] + 0.5


def test_axes_say_what_they_measure(grid):
    words = ["notes sounding in a step", "pitch class", "pitch (C4: middle C)", "position in the bar, beats"]
    shares = ["steps, %", "sounding cells, %", "sounding cells, %", "onsets, %"]
    for row in range(4):
        assert {axes.get_xlabel() for axes in grid[row]} == {words[row]}
        assert [axes.get_ylabel() for axes in grid[row]] == [shares[row], "", ""]


def test_places_are_marked_in_the_fields_terms(grid):
    for column in range(3):
        polyphony, pitch_classes, register, onsets = (ticks(axes, "xaxis") for axes in grid[:, column])
        assert polyphony == {0: "0", 2: "2", 4: "4", 6: "6", 8: "8", 10: "10", 12: "12+"}
        assert " ".join(pitch_classes.values()) == "C C♯ D D♯ E F F♯ G G♯ A A♯ B"
        assert list(pitch_classes) == list(range(12))
        assert register == {24: "C1", 36: "C2", 48: "C3", 60: "C4", 72: "C5", 84: "C6", 96: "C7"}
        assert onsets == {0: "1", 4: "2", 8: "3", 12: "4"}


def test_beats_are_darker_than_what_lies_between():
    every = statistics_of(1, {1: 1}, {0: 1}, {0: 1}, dict.fromkeys(range(16), 2))
    onsets = draw_overview({"every": every}).axes[ONSETS]
    brightness = {place: sum(colour[:3]) for place, (_, colour) in bars(onsets).items()}
    beats = {brightness.pop(step) for step in (0, 4, 8, 12)}
    assert len(brightness) == 12
    assert max(beats) < min(brightness.values()) - 0.5


def test_only_empty_genres_can_be_drawn():
    figure = draw_overview({"a": Statistics.none(), "b": Statistics.none()})
    painted(figure)
    assert [heights(axes) for axes in figure.axes] == [{}] * 8


@pytest.mark.parametrize(
    "name, title",
    [
        (r"$\frac$", r"$\frac$"),
        ("a_b$c", "a_b$c"),
        ("爵士 jazz\n", "�� jazz�"),
        ("exactly_twenty_chars", "exactly_twenty_chars"),
        ("piano_music_of_the_19th_century", "piano_musi…h_century"),
    ],
)
def test_any_folders_name_can_be_a_title(name, title):
    overview, page = draw_overview({name: JAZZ}), draw_phrase_page({name: np.zeros((1, 64, 84, 1), bool)})
    assert overview.axes[0].get_title() == f"{title} · 6,794 phrases"
    assert page.axes[0].get_title() == title
    painted(overview)
    painted(page)


def test_no_text_runs_into_another_with_many_genres_of_long_names():
    names = [f"piano music of the {century}th century" for century in range(16, 20)]
    crowd = statistics_of(123_456, {2: 1}, {3: 1}, {4: 1}, {5: 1})
    assert overlapping_texts(draw_overview(dict.fromkeys(names, crowd))) == []
    page = draw_phrase_page(dict.fromkeys(names, np.ones((3, 64, 84, 1), bool)))
    assert overlapping_texts(page) == []


def blue(pixels: np.ndarray) -> np.ndarray:
    return np.abs(pixels - to_rgb(DARK)).max(axis=-1) < 0.1


def cells_of(axes, pixels: np.ndarray) -> np.ndarray:
    """[rows, 64, 3]: a colour for each cell, which is 5 pixels wide and 2 high, the highest first."""
    frame = axes.get_window_extent()
    assert frame.width == pytest.approx(5 * 64)
    left, top = round(frame.x0), len(pixels) - round(frame.y1)
    return pixels[top + 1 : top + round(frame.height) : 2, left + 2 : left + 5 * 64 : 5]


def random_phrases(count: int, seed: int) -> np.ndarray:
    phrases = np.random.default_rng(seed).random((count, 64, 84, 1)) < 0.2
    phrases[:, :, [0, -1]] = False  # where the frame may cover a note
    return phrases


def test_every_note_of_every_phrase_is_on_the_page_pitch_upwards():
    by_genre = {"jazz": random_phrases(8, 1), "pop": random_phrases(8, 2)}
    figure = draw_phrase_page(by_genre)
    pixels = painted(figure)
    for axes, phrases in zip(figure.axes, by_genre.values(), strict=True):
        notes = blue(cells_of(axes, pixels))
        assert notes.shape == (8 * 84 + 7 * 8, 64)
        for row, phrase in enumerate(phrases):
            np.testing.assert_array_equal(notes[row * 92 : row * 92 + 84][::-1].T, phrase[..., 0])
            assert not notes[row * 92 + 84 : (row + 1) * 92].any(), "nothing between two phrases"


def test_pitches_and_bars_are_marked_where_they_sound():
    phrases = np.zeros((2, 64, 84, 1), bool)
    phrases[1, 32:34, 60 - 24] = True  # C4 at the start of the third bar
    figure = draw_phrase_page({"jazz": phrases})
    (axes,) = figure.axes
    assert list(ticks(axes, "yaxis").values()) == ["C2", "C4", "C6"] * 2
    assert list(ticks(axes, "xaxis").values()) == ["bar 1", "bar 2", "bar 3", "bar 4"]
    _, _, _, _, c4, _ = ticks(axes, "yaxis")
    pixels = painted(figure)
    ys, xs = np.nonzero(blue(pixels))
    _, y = axes.transData.transform((0, c4))
    assert ys.mean() == pytest.approx(len(pixels) - y - 0.5, abs=0.1)
    _, _, third_bar, _ = ticks(axes, "xaxis")
    x, _ = axes.transData.transform((third_bar, 0))
    assert xs.mean() == pytest.approx(x + 4.5, abs=1)


def test_octaves_take_turns_in_the_tint_of_silence():
    figure = draw_phrase_page({"jazz": random_phrases(0, 1), "pop": np.zeros((1, 64, 84, 1), bool)})
    silence = cells_of(figure.axes[1], painted(figure))[::-1, 30].min(axis=-1)
    octaves = silence[1:-1].round(2)  # without the frame
    white, tinted = octaves[:11], octaves[11:23]
    assert set(white) == {1} and len(set(tinted)) == 1 and 0.85 < tinted[0] < 0.97
    np.testing.assert_array_equal(octaves[23:71], np.tile(octaves[[0] * 12 + [11] * 12], 2))


def test_genres_may_have_fewer_phrases_or_none():
    by_genre = {"none": random_phrases(0, 1), "three": random_phrases(3, 2), "one": random_phrases(1, 3)}
    figure = draw_phrase_page(by_genre)
    assert [axes.get_title() for axes in figure.axes] == ["none", "three", "one"]
    assert [len(ticks(axes, "yaxis")) for axes in figure.axes] == [0, 9, 3]
    pixels = painted(figure)
    none, three, one = (cells_of(axes, pixels) for axes in figure.axes)
    assert len(none) == len(three) == len(one) == 3 * 84 + 2 * 8
    assert not blue(none).any() and not blue(one[84:]).any()
    np.testing.assert_array_equal(blue(one[:84])[::-1].T, by_genre["one"][0, ..., 0])
    np.testing.assert_array_equal(blue(three[-84:])[::-1].T, by_genre["three"][2, ..., 0])
    assert none[100, 30].max() < 0.9 < three[84 - 6][~blue(three[84 - 6])].min(), "grey, unlike silence"


def test_a_page_without_any_phrase_can_be_drawn():
    assert not blue(painted(draw_phrase_page({"jazz": random_phrases(0, 1)}))).any()
