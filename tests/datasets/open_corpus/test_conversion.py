"""The open corpus's songs as MIDI: converted once, kept, and again only when something changed."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest
from support.scores import compressed, music_xml
from support.small_sources import BROKEN, SONGS, write_small_sources

from cyclegan_jax.datasets.genre_rolls.open_corpus import conversion
from cyclegan_jax.datasets.genre_rolls.open_corpus.conversion import converted_songs
from cyclegan_jax.datasets.genre_rolls.open_corpus.corpus import open_songs
from cyclegan_jax.datasets.genre_rolls.reading.midi_file import Rules, convert
from cyclegan_jax.errors import NotWrittenError, UserError
from cyclegan_jax.midi.io import read_score
from cyclegan_jax.midi.refusals import Refusal


@pytest.fixture
def place(tmp_path) -> Path:
    return tmp_path


@pytest.fixture
def sources(place) -> list:
    return write_small_sources(place / "sources")


def songs_of(place: Path, sources: list) -> list:
    return converted_songs(sources, place / "sources", place / "cache")


def written(place: Path) -> dict[str, int]:
    """The files of the cache, and when each was written."""
    files = [path for path in (place / "cache").rglob("*") if path.is_file()]
    return {str(path.relative_to(place)): path.stat().st_mtime_ns for path in files}


def test_all_songs_are_named_by_genre_source_and_path_with_their_licences(place, sources):
    songs = songs_of(place, sources)
    names = [song.name for song in songs]
    assert names == sorted(names) and len(names) == 4 * SONGS + 1
    licences = {song.name: song.licence for song in songs}
    assert licences["pop/labelled/midi/0.mid"] == "MIT"
    assert licences["classic/scores/scores/Ä, B/3.mxl"] == "CC0-1.0"
    assert licences["jazz/solos/mcsv_melody/S2.csv"] == "ODbL-1.0"
    assert not any("README" in name or "beattrack" in name for name in names)


def test_every_song_is_a_midi_file_but_the_broken_one_which_is_given_as_it_is(place, sources):
    for song in songs_of(place, sources):
        outcome = convert(song.path, Rules(), song.refused).outcome
        if song.name == f"classic/scores/{BROKEN}":
            assert song.path == str(place / "sources/scores" / BROKEN)
            assert outcome.reason is Refusal.DAMAGED and "unpacked" in outcome.detail
        else:
            assert Path(song.path).read_bytes()[:4] == b"MThd"
            assert len(outcome.phrases) >= 1


@pytest.mark.parametrize(
    "name, content, reason, words",
    [
        ("solos/mcsv_melody/S1.csv", b"onset,pitch\n1,60\n", Refusal.DAMAGED, "S1.csv lacks bar, beat"),
        ("labelled/midi/1.mid", b"MThd and no more", Refusal.READER_FAILED, ""),
    ],
)
def test_a_song_that_cannot_be_converted_is_refused_by_the_reason_and_never_read_as_it_is(
    place, sources, name, content, reason, words
):
    (place / "sources" / name).write_bytes(content)
    (song,) = (song for song in songs_of(place, sources) if song.path.endswith(name))
    outcome = convert(song.path, Rules(), song.refused).outcome
    assert outcome.reason is reason and words in outcome.detail


def test_the_track_of_labels_is_left_out_and_the_music_stays(place, sources):
    before = read_score(place / "sources/labelled/midi/1.mid")
    (song,) = (song for song in songs_of(place, sources) if song.name.endswith("midi/1.mid"))
    after = read_score(song.path)
    assert set(before.pitches) == {51, 52, 53, 100} and set(after.pitches) == {51, 52, 53}
    assert after.onsets.tolist() == before.onsets[before.pitches < 100].tolist()
    assert after.time_signatures == before.time_signatures


def test_a_second_time_nothing_is_converted(place, sources, monkeypatch):
    first = songs_of(place, sources)
    before = written(place)
    monkeypatch.setattr(conversion, "Workers", None)
    assert songs_of(place, sources) == first
    assert written(place) == before


@pytest.mark.parametrize(
    "metre, refused", [((3, 4), "3/4, as the score names them"), ((2, 4), ""), ((8, 4), ""), ((4, 4), "")]
)
def test_a_score_that_names_no_metre_of_sixteen_steps_is_refused_at_sight(place, sources, metre, refused):
    path = place / "sources/scores/scores/Ä, B/1.mxl"
    path.write_bytes(compressed({"score.xml": music_xml([metre[0]] * 8, metre)}))
    (song,) = (song for song in songs_of(place, sources) if song.name.endswith("/1.mxl"))
    outcome = convert(song.path, Rules(metres=((4, 4), (2, 4), (8, 4))), song.refused).outcome
    if refused:
        assert (outcome.reason, outcome.detail) == (Refusal.OTHER_METRE, refused)
    else:
        assert outcome.phrases


def test_a_score_whose_notes_come_before_its_first_metre_is_converted(place, sources):
    """As quartets have it whose first movement tells no metre, and the second 3/4."""
    time = "<time><beats>3</beats><beat-type>4</beat-type></time>"
    xml = music_xml([4] * 8).replace("<time><beats>4</beats><beat-type>4</beat-type></time>", "")
    xml = xml.replace('<measure number="7">', f'<measure number="7"><attributes>{time}</attributes>')
    path = place / "sources/scores/scores/Ä, B/1.mxl"
    path.write_bytes(compressed({"score.xml": xml}))
    (song,) = (song for song in songs_of(place, sources) if song.name.endswith("/1.mxl"))
    assert not song.refused


def test_a_song_on_which_the_reader_hung_is_tried_again(place, sources, monkeypatch):
    monkeypatch.setattr(conversion, "HANG_SECONDS", 0.001)
    assert {song.refused[0] for song in songs_of(place, sources) if song.refused} >= {Refusal.READER_FAILED}
    monkeypatch.undo()
    refused = [song.name for song in songs_of(place, sources) if song.refused]
    assert refused == [f"classic/scores/{BROKEN}"]


def test_a_conversion_that_was_ended_in_the_middle_goes_on(place, sources):
    songs_of(place, sources)
    before = written(place)
    gone = next(name for name in before if "hymns" in name)
    (place / gone).unlink()
    songs_of(place, sources)
    after = written(place)
    assert after.keys() == before.keys() and after.pop(gone) > before.pop(gone)
    assert after == before


@pytest.mark.parametrize("what", ["files", "tracks", "verovio", "converter"])
def test_what_decides_about_the_midi_files_gives_them_another_folder(place, sources, what, monkeypatch):
    songs_of(place, sources)
    before = {path.name for path in (place / "cache").iterdir()}
    if what == "files":
        sources[0] = replace(sources[0], sha256="1")
    elif what == "tracks":
        sources[0] = replace(sources[0], without=("piano",))
    elif what == "verovio":
        monkeypatch.setattr(importlib.metadata, "version", lambda name: "7")
    else:
        monkeypatch.setattr(conversion, "CONVERTER", -1)
    songs_of(place, sources)
    after = {path.name for path in (place / "cache").iterdir()}
    assert len(after - before) == (1 if what in ("files", "tracks") else len(sources))
    assert len(after) == len(sources), "the old folders are gone"


def test_who_is_to_be_named_decides_about_no_midi_file(place, sources):
    songs_of(place, sources)
    before = written(place)
    songs_of(place, [replace(source, attribution="Other", licence="MIT") for source in sources])
    assert written(place) == before


def test_without_verovio_a_sentence_says_what_to_install(place, sources, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"scores in MusicXML.*pip install 'cyclegan-jax\[scores\]'"):
        open_songs(place, None)
    assert not (place / "sources_as_midi").exists()


def test_where_nothing_may_be_written_it_is_told(place, sources):
    (place / "cache").write_text("a file in the way")
    with pytest.raises(NotWrittenError, match="cache"):
        songs_of(place, sources)
