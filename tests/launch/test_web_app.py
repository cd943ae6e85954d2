"""The local page's program over real connections: its limits, its refusals, and what it never does."""

import base64
import contextlib
import dataclasses
import io
import os
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.bad_midi import BAD
from support.midi_bytes import SIGNATURE, midi, off, on, track
from support.midi_files import write_midi_file
from support.scores import HYMN, compressed
from support.serving import Ask, serving

from cyclegan_jax.rendering.page import MOST_BYTES
from cyclegan_jax.transfer.controls import Controls
from cyclegan_jax.transfer.model import Model
from launch.songs.web_app import Limits


@dataclasses.dataclass(frozen=True)
class SlowModel(Model):
    """A model whose generators sleep before they do nothing."""

    seconds: float = 0.0

    def network(self, to: str):
        def sleepy(phrases: np.ndarray) -> np.ndarray:
            time.sleep(self.seconds)
            return phrases.astype(np.float32)

        return sleepy


def slow(model: Model, seconds: float) -> SlowModel:
    fields = {field.name: getattr(model, field.name) for field in dataclasses.fields(model)}
    return SlowModel(**fields, seconds=seconds)


@pytest.fixture
def served() -> Iterator[Callable[[Model, Limits], Ask]]:
    """Serves a model under limits; returns how to ask it."""
    with contextlib.ExitStack() as servers:
        yield lambda model, limits: servers.enter_context(serving(model, limits))


@pytest.fixture
def song(tmp_path) -> bytes:
    """Sixteen seconds in 4/4."""
    notes = [(beat * 480, beat * 480 + 400, 48 + beat * 7 % 24) for beat in range(32)]
    return write_midi_file(tmp_path / "song.mid", notes).read_bytes()


def test_picture_and_midi_come_first_and_the_sound_by_a_second_request(served, model, song):
    request = served(model, Limits())
    found = request("POST", "/transfer?to=jazz&strength=0.7&name=a%3Cb%3E.mid", song)
    assert found.status == 200 and found.text.count("<svg") == 2 and "audio/mpeg" not in found.text
    assert "a&lt;b&gt;" in found.text and 'download="a&lt;b&gt;_jazz.mid"' in found.text
    midis = [base64.b64decode(m) for m in re.findall(r"data:audio/midi;base64,([\w+/=]+)", found.text)]
    assert midis == [song, model.transfer_midi(song, "jazz", Controls(strength=0.7)).midi]
    kept = request("POST", "/transfer?to=jazz&keep_melody=1", song)
    midis = [base64.b64decode(m) for m in re.findall(r"data:audio/midi;base64,([\w+/=]+)", kept.text)]
    assert midis[1] == model.transfer_midi(song, "jazz", Controls(keep=("melody",))).midi
    sound = request("POST", "/sound", midis[1])
    assert sound.status == 200 and sound.headers["content-type"] == "audio/mpeg"
    samples, rate = soundfile.read(io.BytesIO(sound.body))
    assert 15 < len(samples) / rate < 20 and np.abs(samples).max() > 0.1


def test_the_chooser_offers_files_by_every_ending_that_folders_are_searched_for(served, model):
    text = served(model, Limits())("GET", "/").text
    assert 'accept=".mid,.midi,.kar,.smf,.rmi,.mxl,.musicxml,.abc"' in text


def test_a_score_is_taken_as_a_song(served, model):
    found = served(model, Limits())("POST", "/transfer?to=jazz&name=hymn.abc", HYMN.encode())
    assert found.status == 200 and found.text.count("<svg") == 2
    assert 'download="hymn.mid"' in found.text and 'download="hymn_jazz.mid"' in found.text
    bad = served(model, Limits())("POST", "/transfer?to=jazz&name=a.mxl", compressed({}, "../secret"))
    assert bad.status == 422 and bad.text.startswith("This song cannot be used: damaged or cut off")


def test_the_page_may_load_nothing_from_elsewhere_and_is_not_to_be_kept(served, model):
    found = served(model, Limits())("GET", "/")
    assert found.status == 200 and "<option>pop</option><option>jazz</option>" in found.text
    assert "default-src 'none'" in found.headers["content-security-policy"]
    assert found.headers["cache-control"] == "no-store"
    assert "http" not in found.text and len(found.body) < MOST_BYTES


@pytest.mark.parametrize(
    "query, words",
    [
        ("to=polka", "'polka'"),
        ("", "jazz, pop"),
        ("to=pop&strength=x", "strength is 'x'"),
        ("to=pop&strength=nan", "strength is nan"),
        ("to=pop&strength=1.5", "strength is 1.5"),
    ],
)
def test_what_is_asked_wrongly_is_told(served, model, song, query, words):
    found = served(model, Limits())("POST", f"/transfer?{query}", song)
    assert (
        found.status == 400 and words in found.text and found.headers["content-type"].startswith("text/plain")
    )


@pytest.mark.parametrize("kind", ["empty", "text renamed", "HTML", "wrong magic"])
def test_a_bad_file_is_told_in_a_sentence(served, model, tmp_path, kind):
    write, reason = BAD[kind]
    write(tmp_path / "a.mid")
    request = served(model, Limits())
    for path in ("/transfer?to=pop", "/sound"):
        found = request("POST", path, (tmp_path / "a.mid").read_bytes())
        assert found.status == 422 and str(reason) in found.text and "Traceback" not in found.text


def test_another_metre_is_refused_until_the_box_is_ticked(served, model, tmp_path):
    waltz = write_midi_file(tmp_path / "a.mid", [(0, 9600, 60)], signatures=((0, 3, 4),)).read_bytes()
    request = served(model, Limits())
    found = request("POST", "/transfer?to=pop", waltz)
    assert found.status == 422 and "the box “any metre”" in found.text and "--" not in found.text
    assert request("POST", "/transfer?to=pop&any_metre=1", waltz).status == 200


def test_files_and_songs_beyond_the_limits_are_refused(served, model, song):
    request = served(model, Limits(file_bytes=1000, music=10.0))
    for path in ("/transfer?to=pop", "/sound"):
        found = request("POST", path, bytes(1001))
        assert found.status == 413 and "larger than" in found.text
        found = request("POST", path, song)
        assert found.status == 400 and "at most 0.166667 minutes" in found.text


def test_a_small_file_of_endless_music_costs_nothing(served, model):
    endless = midi(track(SIGNATURE, on(60), off(60, 2**28 - 1)), division=1)
    for path in ("/transfer?to=pop", "/sound"):
        found = served(model, Limits())("POST", path, endless)
        assert found.status == 422 and "too many bars" in found.text


def test_the_limits_are_those_that_users_are_told():
    assert Limits() == (8 * 2**20, 600.0, 90.0, 30.0, 2)


@pytest.mark.parametrize(
    "headers, status",
    [
        ({"Host": "elsewhere.example"}, 400),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_other_sites_pages_get_nothing_done(served, model, song, headers, status):
    assert served(model, Limits())("POST", "/transfer?to=pop", song, headers).status == status


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "//etc/passwd",
        "/static/../serve.html",
        "/transfer/../../etc/passwd",
        "/player.js",
        "/file=/etc/passwd",
        "/sound?name=/etc/passwd",
    ],
)
def test_no_file_of_the_machine_can_be_reached_by_name(served, model, path):
    found = served(model, Limits())("GET", path)
    assert found.status in (404, 405) and b"root:" not in found.body


def test_a_path_as_a_name_is_but_a_name(served, model, song):
    request = served(model, Limits())
    for name in ("../../etc/passwd", "..%5C..%5Cetc%5Cpasswd.mid", "/etc/passwd"):
        found = request("POST", f"/transfer?to=pop&name={name}", song)
        assert 'download="passwd_pop.mid"' in found.text
    assert 'download="song_pop.mid"' in request("POST", "/transfer?to=pop&name=", song).text


def test_two_work_at_once_and_who_waits_too_long_is_told_it_is_busy(served, model, song):
    request = served(slow(model, 1.5), Limits(waiting=0.5))
    with ThreadPoolExecutor(4) as threads:
        started = time.monotonic()
        answers = list(threads.map(lambda _: request("POST", "/transfer?to=pop", song), range(4)))
    assert sorted(answer.status for answer in answers) == [200, 200, 503, 503]
    assert "busy" in next(answer.text for answer in answers if answer.status == 503)
    assert time.monotonic() - started < 15
    assert request("POST", "/transfer?to=pop", song).status == 200


def test_who_waits_gets_a_turn(served, model, song):
    request = served(slow(model, 0.4), Limits(waiting=20.0))
    with ThreadPoolExecutor(5) as threads:
        answers = list(threads.map(lambda _: request("POST", "/transfer?to=pop", song), range(5)))
    assert {answer.status for answer in answers} == {200}


def test_work_beyond_its_time_is_given_up_and_its_place_is_free_again(served, model, tmp_path):
    notes = [(bar * 1920, bar * 1920 + 1920, 60) for bar in range(260)]  # three batches of phrases
    long = write_midi_file(tmp_path / "a.mid", notes, tempos=((0, 240.0),)).read_bytes()
    request = served(slow(model, 1.0), Limits(work=0.5, at_once=1))
    started = time.monotonic()
    found = request("POST", "/transfer?to=pop", long)
    assert found.status == 504
    assert found.text == "This song takes over 0.5 seconds; try a shorter one."
    again = request("POST", "/sound", b"no music")
    assert again.status == 422 and time.monotonic() - started < 2.9


def test_a_song_whose_sound_takes_too_long_is_told_and_its_process_is_gone(served, model, song):
    found = served(model, Limits(work=0.05))("POST", "/sound", song)
    assert found.status in (422, 504)
    deadline = time.monotonic() + 10
    while "cyclegan_jax.rendering.audio" in _commands():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _commands() -> str:
    lines = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if int((folder / "stat").read_text().split()[3]) == os.getpid():
                    lines.append((folder / "cmdline").read_text())
            except OSError:
                pass
    return "\n".join(lines)


def test_nothing_that_is_sent_is_kept(served, model, song, tmp_path, monkeypatch):
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setattr("tempfile.tempdir", None)
    request = served(model, Limits())
    assert request("POST", "/transfer?to=pop", song).status == 200
    assert request("POST", "/sound", song).status == 200
    assert list(place.rglob("*")) == []
