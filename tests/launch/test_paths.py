"""What the words of launch.transfer name, and where the results go."""

import shutil
from pathlib import Path

import pytest

from cyclegan_jax.errors import UserError
from launch.songs.paths import plan


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    for name in (
        "a.mid",
        "music/b.MID",
        "music/deep/b.midi",
        "music/deep/c.rmi",
        "music/d.KAR",
        "music/e.smf",
        "music/notes.txt",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"music")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def planned(*words: str, out: str = "out", overwrite: bool = False) -> dict[str, str]:
    found = plan(list(words), Path(out), "jazz", overwrite=overwrite)
    return {str(source): str(target) for source, target in found.items()}


def test_files_and_folders_go_to_their_names_below_the_out_dir(place):
    assert planned("a.mid", "music") == {
        "a.mid": "out/a_jazz.mid",
        "music/b.MID": "out/b_jazz.mid",
        "music/deep/b.midi": "out/deep/b_jazz.mid",
        "music/deep/c.rmi": "out/deep/c_jazz.mid",
        "music/d.KAR": "out/d_jazz.mid",
        "music/e.smf": "out/e_jazz.mid",
    }


def test_a_file_named_twice_is_taken_once(place):
    assert planned("music/b.MID", "music")["music/b.MID"] == "out/b_jazz.mid"
    assert len(planned("a.mid", "a.mid", "music/../a.mid", str(place / "a.mid"))) == 1


def test_the_second_of_two_alike_but_for_their_endings_keeps_its_ending(place):
    (place / "a.midi").write_bytes(b"music")
    assert planned("a.mid", "a.midi") == {"a.mid": "out/a_jazz.mid", "a.midi": "out/a.midi_jazz.mid"}


def test_two_that_would_become_one_are_refused(place):
    (place / "b.MID").write_bytes(b"music")
    shutil.copytree(place / "music", place / "more")
    with pytest.raises(UserError, match=r"two files would both become 'out/b.MID_jazz.mid'"):
        planned("b.MID", "music/b.MID", "more/b.MID")


def test_what_was_written_before_into_the_folder_that_is_read_is_no_source(place):
    (place / "music/out").mkdir()
    (place / "music/out/b_jazz.mid").write_bytes(b"before")
    assert "music/out/b_jazz.mid" not in planned("music", out="music/out", overwrite=True)
    assert "music/out/b_jazz.mid" in planned("music", out="elsewhere")


@pytest.mark.parametrize(
    "words, match",
    [
        ([], "no MIDI file was named"),
        (["a.mid", "none.mid"], "'none.mid' is not a file or folder"),
        (["empty"], "'empty' has no MIDI file in it"),
    ],
)
def test_words_that_name_nothing_are_refused(place, words, match):
    (place / "empty").mkdir()
    with pytest.raises(UserError, match=match):
        planned(*words)


def test_what_is_there_is_replaced_only_if_told_and_a_source_never(place):
    (place / "a_jazz.mid").write_bytes(b"mine")
    with pytest.raises(UserError, match=r"'a_jazz.mid' exists; add --overwrite"):
        planned("a.mid", out=".")
    assert planned("a.mid", out=".", overwrite=True) == {"a.mid": "a_jazz.mid"}
    with pytest.raises(UserError, match=r"'a_jazz.mid' is to be read and to be written"):
        planned("a.mid", "a_jazz.mid", out=".", overwrite=True)
