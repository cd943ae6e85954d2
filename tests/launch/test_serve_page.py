"""launch.serve as a musician uses it: a real process, a real browser, a real file."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.browsing import all_of, complaints, durations, one_of, until, value
from support.forked_commands import forked
from support.midi_files import write_midi_file
from support.refusals import refused
from support.running import ONE_DEVICE, run_command


@pytest.fixture(scope="module")
def address(model_path) -> Iterator[str]:
    words = [sys.executable, "-m", "launch.serve", f"--model={model_path}", "--port=0"]
    environment = {**os.environ, "XLA_FLAGS": ONE_DEVICE}
    with subprocess.Popen(
        words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        yield re.search(r"http://127\.0\.0\.1:\d+/", server.stdout.readline())[0]
        server.send_signal(signal.SIGINT)
        _, said = server.communicate(timeout=30)
        assert (server.returncode, said) == (0, "")


@pytest.fixture(scope="module")
def song(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("songs") / "my song.mid"
    notes = [(beat * 480, beat * 480 + 400, 48 + beat * 7 % 24) for beat in range(48)]
    return write_midi_file(path, notes, drums=[(0, 9, 36)])


@pytest.fixture
def page(address, browser):
    browser.get(address)
    complaints(browser)
    return browser


def status(page) -> str:
    return one_of(page, "#status").text


def send(page, path: Path) -> None:
    one_of(page, "#file").send_keys(str(path))
    one_of(page, "form button").click()


def test_a_song_is_seen_and_heard_and_its_download_is_the_command_lines_output(
    page, song, model_path, tmp_path
):
    slider = one_of(page, "#strength")
    page.execute_script("arguments[0].value = 0.6; arguments[0].dispatchEvent(new Event('input'))", slider)
    assert one_of(page, "output").text == "0.6"
    one_of(page, "#to").send_keys("jazz")
    send(page, song)
    until(lambda: status(page).startswith("Ready"))
    pictures = all_of(page, "#result svg")
    assert len(pictures) == 2 and all(picture.size["width"] > 500 for picture in pictures)
    assert [title.text for title in all_of(page, "h3")] == ["original", "in jazz"]
    assert "notes kept" in one_of(page, ".remarks").text and len(all_of(page, ".side li")) == 4
    until(lambda: all(durations(page)))
    assert all(23 < seconds < 28 for seconds in durations(page))
    second = all_of(page, "audio")[1]
    all_of(page, ".play")[1].click()
    until(lambda: value(page, second, "currentTime") > 0.2)
    all_of(page, "a.midi")[1].click()
    saved = page.downloads / "my song_jazz.mid"
    until(saved.exists)
    words = (f"--model={model_path}", "--to=jazz", "--strength=0.6", song, "--out_dir=.")
    done = run_command("transfer", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    until(lambda: saved.read_bytes() == (tmp_path / "my song_jazz.mid").read_bytes())
    assert complaints(page) == []


def test_the_picture_is_there_before_the_sound(page, song):
    page.execute_script(
        "window.seen = []; const fetched = window.fetch;"
        "window.fetch = (path, how) => {"
        "  if (String(path) === '/sound') seen.push(document.querySelectorAll('#result svg').length);"
        "  return fetched(path, how); };"
    )
    send(page, song)
    until(lambda: status(page).startswith("Ready"))
    assert page.execute_script("return window.seen") == [2, 2]


def test_a_file_can_be_dropped_on_it(page, song):
    page.execute_script(
        "const data = new DataTransfer();"
        "data.items.add(new File([Uint8Array.from(arguments[0])], 'dropped.mid'));"
        "const drop = new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true});"
        "document.querySelector('.drop').dispatchEvent(drop);",
        list(song.read_bytes()),
    )
    one_of(page, "form button").click()
    until(lambda: all_of(page, "h2") and one_of(page, "h2").text == "dropped")
    until(lambda: status(page).startswith("Ready"))
    assert len(all_of(page, "#result svg")) == 2


def test_a_bad_file_and_none_get_a_readable_message_and_the_page_goes_on(page, song, tmp_path):
    one_of(page, "form button").click()
    assert status(page) == "Choose a MIDI file first."
    bad = tmp_path / "bad.mid"
    bad.write_text("no music")
    send(page, bad)
    until(lambda: status(page).startswith("This song cannot be used: not a MIDI file"))
    assert not one_of(page, "#legend").is_displayed()
    assert "error" in one_of(page, "#status").get_attribute("class") and all_of(page, "#result svg") == []
    large = tmp_path / "large.mid"
    large.write_bytes(bytes(8 * 2**20 + 1))
    send(page, large)
    until(lambda: status(page) == "This file is larger than 8 MiB.")
    waltz = write_midi_file(tmp_path / "waltz.mid", [(0, 9600, 60)], signatures=((0, 3, 4),))
    send(page, waltz)
    until(lambda: "3/4 throughout; the box “any metre”" in status(page))
    one_of(page, "#any_metre").click()
    one_of(page, "form button").click()
    until(lambda: status(page).startswith("Ready"))
    assert "3/4 bars laid on" in one_of(page, ".remarks").text


def test_only_this_machine_reaches_it(address):
    port = int(re.search(r":(\d+)/", address)[1])
    bound = [
        line.split()[1]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if line.split()[3] == "0A"
    ]
    assert f"0100007F:{port:04X}" in bound and f"00000000:{port:04X}" not in bound


@pytest.mark.slow
def test_a_port_in_use_and_words_that_are_no_flags_are_told(model_path, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken, forked("serve") as serve:
        port = taken.getsockname()[1]
        done = serve(f"--model={model_path}", f"--port={port}", cwd=tmp_path)
        assert done.stdout == "", "nothing is announced that is not there"
        refused(done, f"port {port} cannot be used", "--port")
        refused(serve("song.mid", cwd=tmp_path), "'song.mid' is not a flag")
        refused(serve("--port=70000", cwd=tmp_path), "port")
        refused(serve(cwd=tmp_path), "--model", "--workdir")
