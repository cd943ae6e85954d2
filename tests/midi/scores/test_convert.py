"""Which files are scores, and their conversion in a process of its own."""

import subprocess
import sys

import numpy as np
import pytest
from support.midi_bytes import GOOD, midi, off, on, track
from support.midi_files import write_midi_file
from support.scores import HYMN, compressed, music_xml

from cyclegan_jax.datasets.genre_rolls.reading.midi_file import (
    ConvertedSong,
    Refused,
    Rules,
    convert,
    read_content,
)
from cyclegan_jax.midi.io import midi_of, read_score
from cyclegan_jax.midi.refusals import Refusal, RefusedSongError
from cyclegan_jax.midi.scores.convert import as_midi, as_midi_apart

XML = music_xml([4] * 8)
SCORES = {
    "mxl": compressed({"score.xml": XML}),
    "musicxml": XML.encode(),
    "utf-16": b"\xff\xfe" + XML.replace("UTF-8", "UTF-16").encode("utf-16-le"),
    "abc": HYMN.encode(),
    "abc with a comment first": b"%abc-2.1\n" + HYMN.encode(),
}


@pytest.mark.parametrize("kind", SCORES)
def test_a_score_is_known_by_its_first_bytes_and_converted_alike_in_both_ways(kind):
    midi = as_midi_apart(SCORES[kind])
    assert midi == as_midi(SCORES[kind])
    assert midi[:4] == b"MThd"


@pytest.mark.parametrize("data", [GOOD, b"", b"<html>", b"RIFF", b"X"])
def test_anything_else_comes_back_as_it_is(data, monkeypatch):
    monkeypatch.setattr(subprocess, "run", None)
    assert as_midi_apart(data) == as_midi(data) == data


def test_a_refusal_comes_through_from_the_other_process():
    with pytest.raises(RefusedSongError) as refused:
        as_midi_apart(compressed({}, "../secret"))
    assert refused.value.reason == Refusal.DAMAGED and "../secret" in refused.value.detail


def test_a_conversion_that_takes_too_long_is_refused_in_one_line():
    with pytest.raises(RefusedSongError, match=r"reader crashed or hung: took over 0\.01 s"):
        as_midi_apart(SCORES["abc"], 0.01)


@pytest.mark.parametrize(
    "last, words",
    [
        ("kill -ABRT $$", "killed by SIGABRT"),
        ("echo 'no memory' >&2; exit 1", "no memory"),
        ("exit 4", "exit status 4"),
    ],
)
def test_a_reader_that_crashes_is_one_line(last, words, tmp_path, monkeypatch):
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\ncat > /dev/null\n{last}\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    with pytest.raises(RefusedSongError, match=f"^reader crashed or hung: {words}$"):
        as_midi_apart(SCORES["abc"])


def test_it_works_where_less_memory_is_allowed_and_beside_modules_of_the_same_names(tmp_path):
    (tmp_path / "verovio.py").write_text("raise SystemExit('not this one')")
    (tmp_path / "song.mxl").write_bytes(SCORES["mxl"])
    program = (
        "from pathlib import Path; from cyclegan_jax.midi.scores.convert import as_midi_apart;"
        "print(len(as_midi_apart(Path('song.mxl').read_bytes())))"
    )
    words = ["bash", "-c", 'ulimit -v 3000000; exec "$0" -P -c "$1"', sys.executable, program]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == f"{len(as_midi(SCORES['mxl']))}\n", done.stderr


def test_a_song_in_which_an_abc_field_stands_by_chance_is_midi():
    data = midi(track(on(60), b"\nX:", off(60)))  # ten ticks on, by running status, pitch "X", velocity ":"
    assert as_midi_apart(data) == data


def test_a_dataset_is_built_again_once_the_reader_is_installed(tmp_path, monkeypatch):
    (tmp_path / "song.mxl").write_bytes(SCORES["mxl"])
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "verovio", None)
        before, refused = read_content(tmp_path / "song.mxl")
    assert isinstance(refused, Refused) and refused.reason == Refusal.NO_SCORE_READER
    assert read_content(tmp_path / "song.mxl")[0] != before


def test_readers_of_songs_take_scores(tmp_path):
    (tmp_path / "hymn.abc").write_text(HYMN)
    (tmp_path / "song.mxl").write_bytes(SCORES["mxl"])
    assert read_score(tmp_path / "hymn.abc").time_signatures[:2] == ((0, 1, 4), (480, 4, 4))
    assert midi_of(tmp_path / "song.mxl") == as_midi(SCORES["mxl"])


def test_a_score_gives_the_phrases_of_the_same_song_as_midi(tmp_path):
    (tmp_path / "song.mxl").write_bytes(SCORES["mxl"])
    pitches = [60, 62, 64, 65, 67, 69, 71, 60]
    notes = [(480 * beat, 480 * beat + 479, pitches[beat // 4]) for beat in range(32)]
    write_midi_file(tmp_path / "song.mid", notes)
    score, midi = (convert(str(tmp_path / name), Rules()).outcome for name in ("song.mxl", "song.mid"))
    assert isinstance(score, ConvertedSong) and isinstance(midi, ConvertedSong)
    assert [phrase.onsets for phrase in score.phrases] == [phrase.onsets for phrase in midi.phrases]
    (tmp_path / "bad.mxl").write_bytes(b"PK\3\4")
    assert isinstance(convert(str(tmp_path / "bad.mxl"), Rules()).outcome, Refused)
    assert np.count_nonzero(score.statistics.phrases) == 1
