"""The page to listen to: all that it needs is in it, it says what it shows, and it is never too large."""

import base64
import dataclasses
import io
import re

import pytest
import soundfile
from support.midi_bytes import LONG, SIGNATURE, meta, midi, off, on, riff, track
from support.midi_files import write_midi_file

from cyclegan_jax.errors import UserError
from cyclegan_jax.midi.song import parse_song
from cyclegan_jax.rendering import page as listening
from cyclegan_jax.rendering.page import Piece, Version, page, piece_html


@pytest.fixture
def piece(tmp_path) -> Piece:
    """Ten seconds, transferred and reconstructed, with a title that would be a tag."""
    midis = [
        write_midi_file(tmp_path / "a.mid", [(0, 9600, 60), (n * 480, n * 480 + 480, 70 + n)]).read_bytes()
        for n in range(3)
    ]
    titles = ("original", "in pop & co", "and <again>")
    versions = [
        Version(title, f'song"{n}.mid', midi, parse_song(midi), {"jazz": 0.25, "pop": 0.75} if n else {})
        for n, (title, midi) in enumerate(zip(titles, midis, strict=True))
    ]
    return Piece("<script>alert(1)</script>", versions, ("taken as 4/4", "<i>"))


def decoded(text: str, kind: str) -> list[bytes]:
    return [base64.b64decode(data) for data in re.findall(f"data:{kind};base64,([A-Za-z0-9+/=]+)", text)]


def test_pictures_sounds_and_files_are_in_the_page_and_nothing_comes_from_elsewhere(piece):
    text = page("jazz → pop", "facts", [piece, piece])
    assert len(re.findall("<svg", text)) == 6
    assert decoded(text, "audio/midi") == [version.midi for version in piece.versions] * 2
    for mp3 in decoded(text, "audio/mpeg"):
        samples, rate = soundfile.read(io.BytesIO(mp3))
        assert len(samples) / rate > 9.9
    assert len(decoded(text, "audio/mpeg")) == 6
    assert not re.findall(r"(?:src|href)=\"(?!data:)", text) and "http" not in text and "url(" not in text


def test_what_people_name_is_text_and_no_markup(piece):
    text = page("a <b> & c", "<facts>", [piece])
    assert "<script>alert" not in text and "&lt;script&gt;alert" in text
    assert "a &lt;b&gt; &amp; c" in text and "&lt;facts&gt;" in text and "and &lt;again&gt;" in text
    assert 'download="song&quot;0.mid"' in text and "taken as 4/4; &lt;i&gt;" in text


def test_a_song_that_cannot_be_played_is_still_seen(piece):
    strange = midi(track(SIGNATURE, on(60), off(60, 70), on(62, 12_000_000), off(62, 70)), division=9600)
    versions = [dataclasses.replace(v, midi=strange, song=parse_song(strange)) for v in piece.versions]
    text = page("a", "", [dataclasses.replace(piece, versions=versions)])
    assert text.count("<svg") == 3 and decoded(text, "audio/mpeg") == []


@pytest.mark.parametrize("wrap", [bytes, lambda data: riff((b"data", data))], ids=["bare", "RMID"])
def test_what_no_other_reader_takes_is_heard_all_the_same(piece, wrap):
    strange = wrap(midi(track(SIGNATURE, meta(0x59, b"\x63\x09"), LONG)))
    versions = [dataclasses.replace(v, midi=strange, song=parse_song(strange)) for v in piece.versions]
    assert len(decoded(page("a", "", [dataclasses.replace(piece, versions=versions)]), "audio/mpeg")) == 3


def test_the_genres_are_told_where_they_are_known(piece):
    text = piece_html(piece, 60, with_sound=False)
    assert re.findall(r"<li>(\w+) <b>(\d+ %)</b>", text) == [("jazz", "25 %"), ("pop", "75 %")] * 2
    assert decoded(text, "audio/mpeg") == [] and text.count("<audio") == 3


def test_songs_are_cut_until_the_page_is_small_enough_and_say_so(piece, monkeypatch):
    whole = page("a", "", [piece])
    assert "cut after" not in whole
    monkeypatch.setattr(listening, "MOST_BYTES", len(whole) // 2)
    cut = page("a", "", [piece])
    assert len(cut.encode()) <= len(whole) // 2
    (told,) = re.findall(r"cut after 0:0(\d) of 0:10", cut)
    for mp3 in decoded(cut, "audio/mpeg"):
        samples, rate = soundfile.read(io.BytesIO(mp3))
        assert int(told) <= len(samples) / rate < int(told) + 1.1


def test_more_songs_than_a_page_holds_are_refused(piece, monkeypatch):
    monkeypatch.setattr(listening, "MOST_BYTES", 1000)
    with pytest.raises(UserError, match="the songs, 2 of them, and their MIDI files are too large"):
        page("a", "", [piece, piece])


def test_no_song_is_longer_than_asked_for(piece):
    assert "cut after 0:04 of 0:10" in page("a", "", [piece], seconds=4.0)


def test_a_songs_length_is_by_its_tempos(tmp_path):
    path = write_midi_file(tmp_path / "a.mid", [(0, 1920, 60)], tempos=((0, 120.0), (960, 30.0)))
    assert parse_song(path.read_bytes()).duration == pytest.approx(5.0)
