"""The folder has what the TFDS convention asks for."""

from pathlib import Path

import tensorflow_datasets as tfds
from tensorflow_datasets.core import dataset_metadata

from cyclegan_jax.datasets.genre_rolls.genre_rolls_dataset_builder import DATASET_VERSION, Builder

PLACE = Path(str(Builder.pkg_dir_path))


def test_the_folder_has_every_file_of_the_convention():
    names = {path.name for path in PLACE.iterdir()}
    files = {"README.md", "CITATIONS.bib", "TAGS.txt", "dummy_data", "genre_rolls_dataset_builder.py"}
    assert files <= names


def test_tags_are_among_those_that_tfds_knows():
    tags = {line.split("#")[0].strip() for line in (PLACE / "TAGS.txt").read_text().splitlines()}
    assert tags - {""} and tags - {""} <= set(dataset_metadata.valid_tags())


def test_every_version_has_release_notes():
    assert DATASET_VERSION in Builder.RELEASE_NOTES
    assert list(Builder.RELEASE_NOTES) == sorted(Builder.RELEASE_NOTES)


def test_the_data_card_and_the_citation_are_the_datasets_description(demo_folder):
    info = tfds.builder_from_directory(demo_folder).info
    assert info.description == (PLACE / "README.md").read_text().strip()
    assert "brunner2018symbolic" in info.citation
