"""Sources: which files of a folder are songs, and the fingerprint of what they say."""

import os
from pathlib import Path

import pytest

from cyclegan_jax.datasets.genre_rolls.sources import find_song_files, fingerprint
from cyclegan_jax.errors import UserError


def lay(folder: Path, **contents: str) -> Path:
    """Files by name, '__' for '/' and '_dot_' for '.'."""
    for name, content in contents.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def mark(folder: Path, rules: str = "rules") -> str:
    return fingerprint(find_song_files(folder), rules)


def test_any_case_any_depth_any_genre_name_sorted(tmp_path):
    names = [
        "Hip Hop/live/1999/b.Mid",
        "Hip Hop/z.mid",
        "jazz/A.MID",
        "jazz/a.midi",
        "jazz/deep/er/c.MIDI",
        "Übung/x y.mid",
    ]
    for name in [*names, "jazz/readme.txt", "jazz/mid", "jazz/x.mid.bak", "top.mid", ".git/hidden.mid"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    files = find_song_files(tmp_path)
    assert [file.name for file in files] == names
    assert [(file.genre, file.song) for file in files[:2]] == [
        ("Hip Hop", "live/1999/b.Mid"),
        ("Hip Hop", "z.mid"),
    ]
    assert [file.path for file in files] == [tmp_path / name for name in names]


@pytest.mark.parametrize("place", ["absent", "a_file"])
def test_a_missing_folder_is_named_with_the_layout_wanted(tmp_path, place):
    (tmp_path / "a_file").write_text("")
    with pytest.raises(UserError, match=rf"{place}' is not a folder.*<genre>/\*\*/\*\.mid"):
        find_song_files(tmp_path / place)


def test_a_folder_without_midi_says_what_was_looked_for(tmp_path):
    lay(tmp_path, jazz__notes_dot_txt="", top_dot_mid="")
    with pytest.raises(UserError, match=r"no MIDI file in any sub-folder: looked for .*\*\.mid and \.midi"):
        find_song_files(tmp_path)


def test_a_genre_with_blanks_around_its_name_is_a_user_error(tmp_path):
    (tmp_path / "jazz ").mkdir()
    (tmp_path / "jazz /a.mid").write_text("")
    with pytest.raises(UserError, match="genre 'jazz ' has blanks around its name; rename"):
        find_song_files(tmp_path)


def test_names_that_are_not_utf_8_are_spelt_out(tmp_path):
    (tmp_path / "jazz").mkdir()
    path = tmp_path / "jazz" / os.fsdecode(b"caf\xe9.mid")
    path.write_text("one")
    (found,) = find_song_files(tmp_path)
    assert (found.song, found.path) == ("caf\\xe9.mid", path)
    assert len(mark(tmp_path)) == 16


@pytest.fixture
def folder(tmp_path) -> Path:
    return lay(tmp_path / "music", jazz__a_dot_mid="one", jazz__b_dot_mid="two", pop__a_dot_mid="three")


def test_the_fingerprint_is_16_hex_digits_whatever_the_place_and_the_dates(folder, tmp_path):
    before = mark(folder)
    assert len(before) == 16 and int(before, 16)
    os.utime(folder / "jazz/a.mid", (1, 1))
    assert mark(folder) == before
    folder.rename(tmp_path / "elsewhere")
    assert mark(tmp_path / "elsewhere") == before


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "jazz/a.mid").write_text("One"),
        lambda folder: (folder / "jazz/c.mid").write_text("one"),
        lambda folder: (folder / "jazz/b.mid").unlink(),
        lambda folder: (folder / "jazz/b.mid").rename(folder / "jazz/c.mid"),
        lambda folder: (folder / "jazz/b.mid").rename(folder / "pop/b.mid"),
        lambda folder: lay(folder, jazz__a_dot_mid="two", jazz__b_dot_mid="one"),
    ],
    ids=["changed", "added", "removed", "renamed", "moved", "swapped"],
)
def test_the_fingerprint_follows_names_and_contents(folder, change):
    before = mark(folder)
    change(folder)
    assert mark(folder) != before


def test_the_fingerprint_follows_the_rules(folder):
    assert mark(folder, "midi 1.0.0") != mark(folder, "midi 1.1.0")


def test_a_folder_named_like_a_song_does_not_stop_the_fingerprint(folder):
    (folder / "jazz/album.mid").mkdir()
    assert len(mark(folder)) == 16
