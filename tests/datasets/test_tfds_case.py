"""TFDS's own test case for dataset builders, where TensorFlow is installed."""

from pathlib import Path
from typing import ClassVar

import pytest
import tensorflow_datasets as tfds

from cyclegan_jax.datasets.genre_rolls.genre_rolls_dataset_builder import Builder

pytest.importorskip("tensorflow", reason="tfds.testing needs TensorFlow")

DUMMY_DATA = Path(str(Builder.pkg_dir_path)) / "dummy_data"


class DemoTest(tfds.testing.DatasetBuilderTestCase):
    """The composed songs."""

    DATASET_CLASS = Builder
    EXAMPLE_DIR = DUMMY_DATA
    BUILDER_CONFIG_NAMES_TO_TEST = ("demo",)
    SPLITS: ClassVar = {"train": 2113, "validation": 231, "test": 265}


class PaperTest(tfds.testing.DatasetBuilderTestCase):
    """The arrays of dummy_data: jazz as two arrays, the others as single phrases."""

    DATASET_CLASS = Builder
    EXAMPLE_DIR = DUMMY_DATA
    BUILDER_CONFIG_NAMES_TO_TEST = ("paper",)
    SPLITS: ClassVar = {"train": 7, "validation": 3, "test": 4, "mixed": 3}
    OVERLAPPING_SPLITS = ("mixed",)
