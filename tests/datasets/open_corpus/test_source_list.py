"""The list of the open corpus's sources, and the sums that their files are held to."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from support.small_sources import SOURCES, with_sum, write_list, write_small_sources

from cyclegan_jax.datasets.genre_rolls.open_corpus import source_list
from cyclegan_jax.datasets.genre_rolls.open_corpus.source_list import (
    check_files,
    checksum,
    read_sources,
)
from cyclegan_jax.errors import UserError

SOURCE = SOURCES[3]


@pytest.fixture
def sources_dir(tmp_path) -> Path:
    write_small_sources(tmp_path)
    return tmp_path


def test_the_list_of_the_package_names_four_genres_free_licences_and_pinned_commits():
    sources = read_sources()
    assert {source.genre for source in sources} == {"jazz", "classic", "pop", "hymn"}
    for source in sources:
        assert source.repository.startswith("https://")
        assert len(source.commit) == 40 and len(source.sha256) == 64
        assert source.licence in ("MIT", "CC0-1.0", "ODbL-1.0", "LicenseRef-public-domain")
        assert source.attribution


def test_the_sums_of_the_list_are_those_of_the_real_files(open_sources):
    for source in read_sources():
        check_files(source, open_sources / source.name, "")


def test_a_list_is_read_as_it_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(source_list, "SOURCE_LIST", write_list(tmp_path / "list.toml", SOURCES))
    assert read_sources() == list(SOURCES)


@pytest.mark.parametrize(
    "before, after, words",
    [
        ('genre = "pop"\n', "", "missing 1 required positional argument: 'genre'"),
        ('genre = "pop"', 'genre = "pop"\nmood = "sad"', "unexpected keyword argument 'mood'"),
        ('format = "weimar_jazz"', 'format = "wav"', "'wav', but must be"),
        ('genre = "pop"', "genre =", "Invalid value"),
        ('genre = "pop"', "genre = 3", "genre of 'labelled' is 3, but must be a text"),
        ("beside = []", 'beside = "all"', "beside of 'labelled' is 'all', but must be a list of texts"),
        ("0" * 40, "main", "commit of 'labelled' is 'main', but must be 40 hexadecimal digits"),
        ("midi/*.mid", "../*.mid", "'labelled' has the pattern '../*.mid', but it must lead into its folder"),
        ("midi/*.mid", "", "'labelled' has the pattern '', but it must lead into its folder"),
    ],
)
def test_a_wrong_entry_is_told_with_its_source_and_file(tmp_path, monkeypatch, before, after, words):
    path = write_list(tmp_path / "list.toml", SOURCES)
    path.write_text(path.read_text().replace(before, after, 1))
    monkeypatch.setattr(source_list, "SOURCE_LIST", path)
    with pytest.raises(UserError) as error:
        read_sources()
    assert words in str(error.value) and "list.toml" in str(error.value)


def test_the_sum_is_that_of_sha256sum_over_its_own_lines(sources_dir):
    folder = sources_dir / SOURCE.name
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.csv"))
    lines = subprocess.run(["sha256sum", *names], cwd=folder, capture_output=True, check=True).stdout
    whole = subprocess.run(["sha256sum"], input=lines, capture_output=True, check=True).stdout
    assert checksum(SOURCE.used_paths(folder), folder) == whole.split()[0].decode()


def test_files_that_are_read_beside_the_songs_are_used_and_others_are_not(sources_dir):
    folder = sources_dir / SOURCE.name
    (folder / "README.md").touch()
    used = {str(path.relative_to(folder)) for path in SOURCE.used_paths(folder)}
    assert {"mcsv_melody/S0.csv", "mcsv_beat/S0_beattrack.csv"} < used and "README.md" not in used
    assert [path.name for path in SOURCE.song_paths(folder)] == ["S0.csv", "S1.csv", "S2.csv", "S3.csv"]


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "mcsv_beat/S0_beattrack.csv").write_text("other"),
        lambda folder: (folder / "mcsv_melody/S1.csv").unlink(),
        lambda folder: (folder / "mcsv_melody/S1.csv").rename(folder / "mcsv_melody/S9.csv"),
        lambda folder: (folder / "mcsv_melody/new.csv").touch(),
    ],
    ids=["altered", "missing", "renamed", "added"],
)
def test_other_files_than_those_of_the_commit_are_told(sources_dir, change):
    source, folder = with_sum(SOURCE, sources_dir), sources_dir / SOURCE.name
    check_files(source, folder, "do this")
    change(folder)
    with pytest.raises(UserError, match=r"files of source 'solos' in .* of commit 0{40}: .*; do this\.$"):
        check_files(source, folder, "do this")


def test_a_source_that_is_not_there_is_told(tmp_path):
    with pytest.raises(UserError, match=r"source 'solos' has no mcsv_melody/\*\.csv in .*; do this\.$"):
        check_files(replace(SOURCE, sha256="0"), tmp_path, "do this")


def test_a_file_that_cannot_be_read_is_told_by_its_name(sources_dir):
    (sources_dir / "solos/mcsv_melody/folder.csv").mkdir()  # no file, so none of the used ones
    source = with_sum(SOURCE, sources_dir)
    check_files(source, sources_dir / "solos", "")
    with pytest.raises(UserError, match=r"folder\.csv' cannot be read \(Is a directory\); make it readable"):
        checksum([sources_dir / "solos/mcsv_melody/folder.csv"], sources_dir)
