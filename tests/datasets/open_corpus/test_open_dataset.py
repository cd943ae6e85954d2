"""The dataset `open`: built of its sources' files, found again, with source and licence of every record."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import tensorflow_datasets as tfds
from support.git_server import commit, make_repository
from support.git_songs import files_in
from support.small_sources import SONGS, SOURCES, run_with_list, write_list, write_small_sources

from cyclegan_jax.datasets.genre_rolls.genre_rolls_dataset_builder import Builder
from cyclegan_jax.datasets.genre_rolls.open_corpus import source_list
from cyclegan_jax.datasets.genre_rolls.open_corpus.corpus import is_made_of
from cyclegan_jax.datasets.genre_rolls.open_corpus.source_list import read_sources
from cyclegan_jax.datasets.genre_rolls.prepare import prepare
from cyclegan_jax.datasets.genre_rolls.reading.midi_file import Rules
from cyclegan_jax.datasets.genre_rolls.reading.splits import SPLITS
from cyclegan_jax.datasets.genre_rolls.records.build_report import read_metadata, read_refused
from cyclegan_jax.errors import UserError
from cyclegan_jax.transfer.model_file import load


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with `list.toml` and the sources that it lists, in `sources`."""
    place = tmp_path_factory.mktemp("open")
    write_list(place / "list.toml", write_small_sources(place / "sources"))
    return place


@pytest.fixture(autouse=True)
def small_list(place, monkeypatch) -> None:
    monkeypatch.setattr(source_list, "SOURCE_LIST", place / "list.toml")


@pytest.fixture(scope="module")
def built(place) -> Path:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(source_list, "SOURCE_LIST", place / "list.toml")
        prepared = prepare("open", place / "data", place / "sources")
    assert prepared.built and prepared.notice.startswith("Dataset 'open' built in ")
    return prepared.folder


def records(folder: Path) -> list[dict]:
    builder = tfds.builder_from_directory(folder)
    return [record for split in SPLITS for record in builder.as_data_source(split)]


def test_each_record_has_its_source_and_its_licence(built):
    names = tfds.builder_from_directory(built).info.features["genre"].names
    assert names == ["classic", "hymn", "jazz", "pop"]
    licence_of = {source.name: source.licence for source in SOURCES}
    genre_of = {source.name: source.genre for source in SOURCES}
    found = records(built)
    assert len({record["source"] for record in found}) == 4 * SONGS
    for record in found:
        genre, source, _ = record["source"].decode().split("/", 2)
        assert record["licence"].decode() == licence_of[source]
        assert names[record["genre"]] == genre == genre_of[source]


def test_metadata_lists_the_sources_and_what_became_of_their_songs(built):
    sources = {source["name"]: source for source in read_metadata(built)["sources"]}
    assert list(sources) == [source.name for source in SOURCES]
    assert sources["scores"]["attribution"] == "B. Classic"
    assert sources["scores"]["refused"] == {"damaged or cut off": 1}
    assert (sources["scores"]["found"], sources["scores"]["kept"]) == (SONGS + 1, SONGS)
    assert (sources["solos"]["found"], sources["solos"]["kept"]) == (SONGS, SONGS)
    ((name, reason, _),) = read_refused(built)
    assert (name, reason) == ("classic/scores/scores/broken.mxl", "damaged or cut off")


@pytest.mark.parametrize("again", ["with", "without"])
def test_it_is_found_again_with_and_without_its_sources(built, place, again):
    found = prepare("open", place / "data", place / "sources" if again == "with" else None)
    assert (found.folder, found.built) == (built, False)


@pytest.mark.slow
def test_other_rules_and_another_list_build_it_anew(place, built, monkeypatch):
    before = read_metadata(built)["fingerprint"]
    narrower = prepare("open", place / "data", place / "sources", rules=Rules(metres=((4, 4),)))
    assert narrower.built and narrower.folder == built and narrower.fingerprint != before
    assert narrower.notice.endswith("the list of sources or the rules have changed.")
    others = [replace(source, without=()) for source in read_sources()[:2]]
    monkeypatch.setattr(source_list, "SOURCE_LIST", write_list(place / "others.toml", others))
    assert prepare("open", place / "data", place / "sources", rules=Rules(metres=((4, 4),))).built
    assert set(read_metadata(built)["files"]) == {"classic", "pop"}
    monkeypatch.setattr(source_list, "SOURCE_LIST", place / "list.toml")
    assert prepare("open", place / "data", place / "sources").fingerprint == before


@pytest.mark.parametrize("entry, value", [("without", ()), ("songs", "midi/*"), ("licence", "CC0-1.0")])
def test_every_entry_of_the_list_tells_one_dataset_from_another(built, entry, value):
    sources, notes = read_sources(), read_metadata(built)["sources"]
    assert is_made_of(notes, sources)
    assert not is_made_of(notes, [replace(sources[0], **{entry: value}), *sources[1:]])


def test_it_is_fetched_by_git_checked_and_built_in_one(place, tmp_path, built, alone):
    sources = []
    (tmp_path / "repositories").mkdir()
    for source in read_sources():
        repository = tmp_path / "repositories" / source.name
        make_repository(repository)
        newest = commit(repository, files_in(place / "sources" / source.name))
        sources.append(replace(source, repository=repository.as_uri(), commit=newest))
    path = write_list(tmp_path / "list.toml", sources)
    done = run_with_list(path, "prepare", "--dataset=open", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Dataset 'open' built in" in done.stdout
    folder = tmp_path / "data/genre_rolls/open" / built.name
    assert read_metadata(folder)["fingerprint"] == read_metadata(built)["fingerprint"]
    assert (tmp_path / "data/sources/hymns/README.md").exists()


def test_altered_files_stop_the_build_and_nothing_is_left(place, tmp_path):
    shutil.copytree(place / "sources", tmp_path / "sources")
    (tmp_path / "sources/hymns/0.abc").write_text("X:1\nK:C\nC\n")
    with pytest.raises(UserError, match=r"4 files of source 'hymns' .* are not those of commit"):
        prepare("open", tmp_path / "data", tmp_path / "sources")
    assert [path.name for path in (tmp_path / "data").iterdir()] == [".lock"]


def test_a_folder_that_is_none_is_told_before_anything_is_written(tmp_path):
    with pytest.raises(UserError, match=r"sources_dir '.*nowhere' is not a folder; give one that"):
        prepare("open", tmp_path / "data", tmp_path / "nowhere")
    assert not (tmp_path / "data").exists()


def test_tfds_users_have_the_config_by_its_name(place, tmp_path):
    builder = Builder(data_dir=tmp_path, config="open", file_format="array_record")
    assert builder.builder_config.name == "open"
    assert builder.info.features["genre"].names == ["classic", "hymn", "jazz", "pop"]


@pytest.mark.slow
def test_a_run_trains_on_it_and_keeps_the_licences_and_its_model_takes_a_score(place, built):
    flags = ["--pair=pop_hymn", "--sources_dir=sources", "--steps=4", "--width=4", "--blocks=1"]
    commands = [
        ("train", *flags, "--preset=tiny", "--batch_size=4"),
        ("export", "--workdir=runs/pop_hymn"),
        ("transfer", "--model=pop_hymn.model", "--to=hymn", "sources/scores/scores/Ä, B/1.mxl"),
    ]
    printed = []
    for name, *arguments in commands:
        done = run_with_list(place / "list.toml", name, *arguments, cwd=place)
        assert done.returncode == 0, done.stderr
        printed.append(done.stdout)
    run = json.loads((place / "runs/pop_hymn/dataset.json").read_text())
    assert run["trained_on"] == load(place / "pop_hymn.model").trained_on
    seen = [source for source in read_metadata(built)["sources"] if source["genre"] in ("pop", "hymn")]
    assert run["trained_on"]["sources"] == seen and len(seen) == 2
    assert "Trained on hymns (CC-PDDC): C. Hymn.\n" in printed[1] and "solos" not in printed[1]
    assert list(place.glob("**/1*hymn*.mid")), printed[2]
