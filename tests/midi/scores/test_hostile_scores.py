"""Scores that mean harm, in both ways that songs are read: each is one line, in bounded time and memory."""

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from support.scores import compressed, music_xml

from cyclegan_jax.midi.reader import MAX_BYTES
from cyclegan_jax.midi.refusals import Refusal
from cyclegan_jax.midi.scores.convert import as_midi

SCORE = music_xml([4] * 8)
LAUGHS = "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10))
SECRET = "what no score may tell"
REASONS = {
    "gibibyte.mxl": Refusal.TOO_LARGE,
    "bomb_in_container.mxl": Refusal.TOO_LARGE,
    "absolute_path.mxl": Refusal.DAMAGED,
    "path_upwards.mxl": Refusal.DAMAGED,
    "entities.musicxml": None,
    "entities.mxl": None,
    "file_as_entity.musicxml": None,
}
MOST_SECONDS = 20  # of a file
MOST_MEMORY = 1 << 30  # bytes of a process, what it imports included


def bomb(name: str, **files: str) -> bytes:
    """An archive with a gibibyte of spaces in a file of this name."""
    buffer = io.BytesIO(compressed(files, container=name == "score.xml"))
    with (
        zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(name, "w") as file,
    ):
        for _ in range(1024):
            file.write(b" " * (1 << 20))
    return buffer.getvalue()


def with_part_name(name: str, entities: str) -> str:
    xml = music_xml([4] * 8, doctype=f"<!DOCTYPE score-partwise [{entities}]>")
    return xml.replace("Flute", name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The files; a score and a secret that they point to lie beside and above them."""
    above = tmp_path_factory.mktemp("above")
    folder = above / "songs"
    folder.mkdir()
    (above / "score.xml").write_text(SCORE)
    (above / "secret.txt").write_text(SECRET)
    laughs = with_part_name("&a9;", f"<!ENTITY a0 'ha'>{LAUGHS}")
    contents = {
        "gibibyte.mxl": bomb("score.xml"),
        "bomb_in_container.mxl": bomb("META-INF/container.xml", score=SCORE),
        "absolute_path.mxl": compressed({"other.xml": SCORE}, str(above / "score.xml")),
        "path_upwards.mxl": compressed({"other.xml": SCORE}, "../score.xml"),
        "entities.musicxml": laughs.encode(),
        "entities.mxl": compressed({"score.xml": laughs}),
        "file_as_entity.musicxml": with_part_name(
            "&secret;", f'<!ENTITY secret SYSTEM "file://{above / "secret.txt"}">'
        ).encode(),
    }
    for name, content in contents.items():
        assert len(content) < MAX_BYTES
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize("way", ["apart", "worker"])
def test_a_hostile_score_takes_bounded_time_and_memory(way, folder):
    words = [sys.executable, "-m", "support.hostile_readings", way, *REASONS]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    told = json.loads(done.stdout)
    for said, reason in zip(told["words"], REASONS.values(), strict=True):
        assert said is None if reason is None else said.startswith(reason) and "\n" not in said
    assert max(told["seconds"]) < MOST_SECONDS and told["peak"] < MOST_MEMORY


def test_no_other_file_is_in_what_is_read(folder):
    assert SECRET.encode() not in as_midi((folder / "file_as_entity.musicxml").read_bytes())
