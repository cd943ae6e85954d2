"""Sources: which files of a folder are songs, and the fingerprint of what they say."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cyclegan_jax.datasets.genre_rolls.reading.midi_file import read_content
from cyclegan_jax.datasets.genre_rolls.reading.midi_folder import (
    as_text,
    find_song_files,
    fingerprint,
    told_of_layout,
    told_of_others,
)
from cyclegan_jax.errors import UserError
from cyclegan_jax.midi.refusals import Refusal


def lay(folder: Path, **contents: str) -> Path:
    """Files by name, '__' for '/' and '_dot_' for '.'."""
    for name, content in contents.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def mark(folder: Path, rules: str = "rules") -> str:
    return fingerprint(((file.name, read_content(file.path)[0]) for file in find_song_files(folder)), rules)


def test_any_case_any_depth_any_genre_name_sorted(tmp_path):
    names = [
        "Hip Hop/live/1999/b.Mid",
        "Hip Hop/z.mid",
        "jazz/A.MID",
        "jazz/a.midi",
        "jazz/deep/er/c.MIDI",
        "jazz/ring.RmI",
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
    assert [file.path for file in files] == [str(tmp_path / name) for name in names]


@pytest.mark.parametrize("place", ["absent", "a_file"])
def test_a_missing_folder_is_named_with_the_layout_wanted(tmp_path, place):
    (tmp_path / "a_file").write_text("")
    with pytest.raises(UserError, match=rf"{place}' is not a folder.*<genre>/\*\*/\*\.mid"):
        find_song_files(tmp_path / place)


def test_a_folder_without_midi_says_what_was_looked_for(tmp_path):
    lay(tmp_path, jazz__notes_dot_txt="", top_dot_mid="")
    with pytest.raises(
        UserError,
        match=r"no MIDI file in any .* looked for \.mid, \.midi, .* \.musicxml and \.abc, in any case",
    ):
        find_song_files(tmp_path)


def test_a_genre_with_blanks_around_its_name_is_a_user_error(tmp_path):
    (tmp_path / "jazz ").mkdir()
    (tmp_path / "jazz /a.mid").write_text("")
    with pytest.raises(UserError, match="genre 'jazz ' has blanks around its name; rename"):
        find_song_files(tmp_path)


ODD_NAMES = {
    b"caf\xe9.mid": r"caf\udce9.mid",
    "café.mid".encode(): "café.mid",
    b"new\nline.mid": r"new\nline.mid",
    b"new\\nline.mid": r"new\\nline.mid",
    b"\x1b[31mred.mid": r"\x1b[31mred.mid",
    "\x85\u2028\U000e0001.mid".encode(): r"\x85\u2028\U000e0001.mid",
    b"\x85.mid": r"\udc85.mid",
    "日本 語.mid".encode(): "日本 語.mid",
}


def test_odd_names_are_spelt_out_each_in_its_own_way_and_can_be_encoded(tmp_path):
    (tmp_path / "a\tb").mkdir()
    paths = {os.fsdecode(name): text for name, text in ODD_NAMES.items()}
    for name in paths:
        (tmp_path / "a\tb" / name).write_text(name.encode("utf-8", "backslashreplace").hex())
    found = find_song_files(tmp_path)
    assert {os.path.basename(file.path): file.song for file in found} == paths  # noqa: PTH119
    assert {file.genre for file in found} == {"a\\tb"}
    assert len({file.name.encode() for file in found}) == len(ODD_NAMES)
    assert all(os.path.getsize(file.path) for file in found)  # noqa: PTH202
    assert len(mark(tmp_path)) == 16


def test_a_name_that_looks_escaped_is_another_name():
    names = {os.fsdecode(name) for name in ODD_NAMES}
    names |= {as_text(name) for name in names}
    assert len(names) == 13
    assert len({as_text(name) for name in names}) == 13


def test_links_to_files_are_followed_links_to_folders_are_not(tmp_path):
    lay(tmp_path / "music", jazz__a_dot_mid="one")
    lay(tmp_path / "else", z_dot_mid="two", album__y_dot_mid="three")
    jazz = tmp_path / "music/jazz"
    (jazz / "b.mid").symlink_to(tmp_path / "else/z.mid")
    (jazz / "gone.mid").symlink_to(tmp_path / "nowhere")
    (jazz / "album").symlink_to(tmp_path / "else/album")
    (jazz / "round").symlink_to(jazz)
    assert [file.song for file in find_song_files(tmp_path / "music")] == ["a.mid", "b.mid", "gone.mid"]


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A folder that others than root may enter, as they may not enter pytest's."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_folder_that_cannot_be_listed_is_among_the_files(open_path):
    lay(open_path, jazz__a_dot_mid="one", jazz__locked__b_dot_mid="two", pop__c_dot_mid="three")
    (open_path / "jazz/locked").chmod(0)
    (open_path / "pop").chmod(0)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)  # nobody, whom the modes bind
    try:
        found = find_song_files(open_path)
    finally:
        if root:
            os.seteuid(0)
        (open_path / "jazz/locked").chmod(0o755)
        (open_path / "pop").chmod(0o755)
    assert [file.name for file in found] == ["jazz/a.mid", "jazz/locked", "pop/."]
    folders = [str(open_path / genre) for genre in ("jazz", "jazz", "pop")]
    assert [file.genre_folder for file in found] == folders
    refusals = [read_content(file.path)[1] for file in found[1:]]
    assert {refused.reason for refused in refusals} == {Refusal.UNREADABLE}


@pytest.fixture
def folder(tmp_path) -> Path:
    return lay(tmp_path / "music", jazz__a_dot_mid="one", jazz__b_dot_mid="two", pop__a_dot_mid="three")


def test_other_files_are_counted_by_their_endings(tmp_path):
    for name in (
        "a/1.mid",
        "a/1.KAR",
        "a/.DS_Store",
        "a/.git/x",
        "__MACOSX/y",
        "a/list.TXT",
        "b/x/notes.txt",
        "b/README",
        "b/s.als",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    folders = [str(tmp_path / "a"), str(tmp_path / "b")]
    assert told_of_others(folders) == (
        "Ignored, as their names do not end like those of MIDI files or scores: "
        "4 (.txt 2, .als 1, no ending 1)."
    )
    assert told_of_others([]) == ""
    for letter in "cdefg":
        (tmp_path / f"a/x.{letter}").touch()
    assert told_of_others(folders[:1]).endswith("6 (.c 1, .d 1, .e 1, .f 1, .g 1, ...).")


def test_folders_without_midi_and_midi_in_no_folder_are_told(tmp_path):
    for name in ("jazz/a.mid", "blues/x.txt", ".git/x", "__MACOSX/x", "list.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "links").symlink_to("links")
    assert told_of_layout(str(tmp_path)) == ["Folders without a MIDI file, so no genres: 1 (blues)."]
    (tmp_path / "blues/b.mid").touch()
    assert told_of_layout(str(tmp_path)) == [] == told_of_layout(str(tmp_path / "gone"))
    for name in "abcdef":
        (tmp_path / f"{name}\n.MID").touch()
    (tmp_path / "folk.mid").mkdir()
    assert told_of_layout(str(tmp_path)) == [
        "Folders without a MIDI file, so no genres: 1 (folk.mid).",
        "MIDI files beside the genres' folders, so not used: 6 "
        r"(a\n.MID, b\n.MID, c\n.MID, d\n.MID, e\n.MID, ...); move them into one.",
    ]


def test_the_fingerprint_is_16_hex_digits_and_depends_on_neither_place_nor_dates(folder, tmp_path):
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
    assert mark(folder, "midi 1.1.0") != mark(folder, "midi 2.0.0")


def test_a_folder_named_like_a_song_does_not_stop_the_fingerprint(folder):
    (folder / "jazz/album.mid").mkdir()
    assert len(mark(folder)) == 16
