"""launch.listen, and the page of launch.evaluate, in a real browser, offline from a file."""

import shutil
from pathlib import Path

import pytest
from support.browsing import all_of, colours, complaints, durations, one_of, until, value
from support.forked_commands import forked
from support.midi_files import write_midi_file
from support.refusals import refused
from support.running import run_command

GREY, BLUE, ORANGE = (
    "rgb(90, 90, 90)",
    "rgb(0, 114, 178)",
    "rgb(213, 94, 0)",
)  # the latter two: Okabe and Ito's


def listen(model_path: Path, cwd: Path, *words: object):
    return run_command("listen", f"--model={model_path}", *words, cwd=cwd)


@pytest.fixture(scope="module")
def page(model_path, tmp_path_factory) -> Path:
    """A page of one song of 40 seconds, written and then moved where nothing else is."""
    place = tmp_path_factory.mktemp("listen")
    notes = [(beat * 480, beat * 480 + 400, 48 + beat * 7 % 24) for beat in range(80)]
    write_midi_file(place / "my song.mid", notes, drums=[(0, 9, 36)])
    done = listen(model_path, place, "my song.mid", "--to=jazz", "--out=new/page.html")
    assert done.returncode == 0, done.stderr
    assert "new/page.html" in done.stdout
    assert {path.name for path in place.iterdir()} == {"my song.mid", "new"}
    return shutil.move(place / "new/page.html", tmp_path_factory.mktemp("alone") / "a.html")


@pytest.fixture(scope="module")
def opened(page, browser):
    browser.get(page.as_uri())
    until(lambda: all(durations(browser)))
    return browser


def test_it_shows_and_plays_original_transfer_and_reconstruction(opened, page):
    assert [title.text for title in all_of(opened, "h3")] == ["original", "in jazz", "reconstruction in pop"]
    assert len(all_of(opened, ".rolls svg")) == 3
    widths = {picture.size["width"] for picture in all_of(opened, ".rolls svg")}
    assert len(widths) == 1 and widths.pop() >= 900
    assert all(39 < seconds < 43 for seconds in durations(opened))
    assert len(all_of(opened, ".side li")) == 6 and "%" in one_of(opened, ".original ul").text
    assert page.stat().st_size < 10_000_000
    assert complaints(opened) == []


def test_what_is_shared_new_and_dropped_has_a_colour_of_its_own(opened):
    assert colours(opened, ".rolls .shared") == {GREY}
    assert colours(opened, ".version .own") == {BLUE}
    assert colours(opened, ".original .own") == {ORANGE} == colours(opened, ".rolls .ghost")


def test_a_cursor_moves_while_it_plays_and_another_row_goes_on_from_there(opened):
    first, second, _ = all_of(opened, "audio")
    buttons, cursors = all_of(opened, ".play"), all_of(opened, ".cursor")
    assert not any(cursor.is_displayed() for cursor in cursors)
    buttons[0].click()
    until(lambda: value(opened, first, "currentTime") > 0.3)
    before = cursors[0].rect["x"]
    until(lambda: cursors[0].rect["x"] > before)
    there = value(opened, first, "currentTime")
    buttons[1].click()
    until(lambda: value(opened, second, "currentTime") > there)
    assert value(opened, second, "currentTime") < there + 5
    assert value(opened, first, "paused") and not value(opened, second, "paused")
    buttons[1].click()
    until(lambda: value(opened, second, "paused"))


def test_a_click_on_the_roll_goes_there(opened):
    third = all_of(opened, "audio")[2]
    roll = all_of(opened, ".roll")[2]
    script = (
        "const box = arguments[0].getBoundingClientRect();"
        "const there = {bubbles: true, clientX: box.left + 10 * arguments[1]};"
        "arguments[0].dispatchEvent(new MouseEvent('click', there))"
    )
    scale = float(one_of(opened, ".rolls").get_attribute("data-scale"))
    assert abs(value(opened, third, "currentTime") - 10) > 1
    opened.execute_script(script, roll, scale)
    until(lambda: abs(value(opened, third, "currentTime") - 10) < 0.05)
    assert value(opened, third, "duration") > 10


def test_the_midi_files_can_be_saved(opened):
    links = all_of(opened, "a.midi")
    assert [link.get_attribute("download") for link in links] == [
        "my song.mid",
        "my song_jazz.mid",
        "my song_jazz_pop.mid",
    ]
    links[1].click()
    saved = opened.downloads / "my song_jazz.mid"
    until(saved.exists)
    until(lambda: saved.read_bytes()[:4] == b"MThd")


def test_the_page_of_an_evaluation_has_six_phrases_and_two_songs(run_dir, browser):
    page = run_dir / "evaluation" / "listen.html"
    assert page.stat().st_size < 10_000_000
    browser.get(page.as_uri())
    titles = [title.text for title in all_of(browser, "h2")]
    phrases = [f"Phrase {a} → {b}, {n}" for a, b in (("jazz", "pop"), ("pop", "jazz")) for n in (1, 2, 3)]
    assert titles[:6] == phrases and len(titles) == 8
    assert "jazz → pop" in titles[6] and "pop → jazz" in titles[7]
    until(lambda: len(durations(browser)) == 24 and all(durations(browser)))
    assert max(durations(browser)) < 31
    assert [word for word in all_of(browser, ".remarks") if "cut after 0:30" in word.text] != []


def test_mistakes_are_told_in_one_line_and_nothing_is_written(model_path, tmp_path):
    write_midi_file(tmp_path / "waltz.mid", [(0, 9600, 60)], signatures=((0, 3, 4),))
    (tmp_path / "mine.html").write_text("mine")
    mistakes = [
        (["--to=jazz"], ["no MIDI file was named"]),
        (["--to=jazz", "none.mid"], ["none.mid was not transferred", "cannot be read"]),
        (["--to=jazz", "waltz.mid"], ["waltz.mid was not transferred", "3/4 throughout", "--any_metre"]),
        (["--to=jazz", "waltz.mid", "--out=mine.html"], ["'mine.html' exists", "--overwrite"]),
        (["--to=classic", "waltz.mid"], ["'classic'", "jazz, pop"]),
        (["--to=jazz", "waltz.mid", "--strength=2"], ["strength is 2.0", "between 0.0 and 1.0"]),
    ]
    with forked("listen") as call:
        for words, told in mistakes:
            refused(call(f"--model={model_path}", *words, cwd=tmp_path), *told)
        refused(call("--to=jazz", "waltz.mid", cwd=tmp_path), "--model", "--workdir")
    assert {path.name for path in tmp_path.iterdir()} == {"waltz.mid", "mine.html"}
