"""The TFDS builder of `genre_rolls`.

TFDS can write and read array_record without TensorFlow, and this project never imports it. Only TFDS's writer
would need it, so `_generate_splits` is overridden to write by way of a spool. With Apache Beam, TFDS's Beam
writer does the work.
"""

import dataclasses
import functools
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import tensorflow_datasets as tfds
from tensorflow_datasets.core.splits import SplitInfo

from cyclegan_jax.datasets.genre_rolls import composer
from cyclegan_jax.datasets.genre_rolls.building.local import spool_arrays, spool_songs
from cyclegan_jax.datasets.genre_rolls.open_corpus.conversion import CONVERTER
from cyclegan_jax.datasets.genre_rolls.open_corpus.corpus import open_songs, source_notes
from cyclegan_jax.datasets.genre_rolls.open_corpus.source_list import read_sources
from cyclegan_jax.datasets.genre_rolls.reading.midi_file import Rules
from cyclegan_jax.datasets.genre_rolls.reading.midi_folder import SongFile, find_song_files
from cyclegan_jax.datasets.genre_rolls.reading.paper_arrays import PAPER_GENRES
from cyclegan_jax.datasets.genre_rolls.records.build_report import Build
from cyclegan_jax.datasets.genre_rolls.records.catalogue import Catalogue, KeptSong
from cyclegan_jax.datasets.genre_rolls.records.spool import Spool
from cyclegan_jax.datasets.genre_rolls.records.tf_example import features, genre_names

# Without a homepage TFDS names a page of its catalogue, which does not have this dataset.
PAPER = "https://arxiv.org/abs/1809.07575"
DATASET_VERSION = "2.1.0"


@dataclasses.dataclass
class GenreRollsConfig(tfds.core.BuilderConfig):
    """How the phrases come about.

    `dataset`: demo, midi, open or paper. `midi_dir`: the folder with one sub-folder a genre, for midi.
    `sources_dir`: the folder that has the sources of open, which are fetched without it. `cache_dir`: keeps
    what is fetched and converted for open; without it, the builder's data_dir does. `rules`: what is done
    with MIDI files.
    """

    dataset: str = "demo"
    midi_dir: Path | None = None
    sources_dir: Path | None = None
    cache_dir: Path | None = None
    rules: Rules = dataclasses.field(default_factory=Rules)

    def rules_text(self) -> str:
        """What besides the files decides about the records, as text."""
        converter = f" converter {CONVERTER}" if self.dataset == "open" else ""
        return f"{self.name} {DATASET_VERSION} {self.rules}{converter}"


class Builder(tfds.core.GeneratorBasedBuilder):
    """Four-bar piano rolls of songs in 4/4, by genre, split by song.

    The configs `demo`, `open` and `paper` are there by name; others are made by `prepare.config_of`. With
    `file_format="array_record"` no TensorFlow is needed. Local builds use all cores and hold no rolls
    in memory; with a Beam runner or options in the DownloadConfig, Apache Beam reads and writes.
    After a build, `build` says what became of the files.
    """

    VERSION = tfds.core.Version(DATASET_VERSION)
    RELEASE_NOTES: ClassVar = {
        "1.0.0": "Sixteen steps a bar, rounded to the nearest, halves up.",
        "1.1.0": "Programs, source, bar and key shift; note-ons never closed end with their track; "
        "songs of equal notes enter once. The quantiser's rule is that of 1.0.0.",
        "2.0.0": "A note struck again ends the one before, so that no note hangs over bars; drums are "
        "found on other channels than 10 too; files that players read in spite of a mistake are read. "
        "Parts in 4/4 of songs that change metre, 2/2, and songs without a time signature are taken, songs "
        "without a beat are not. New: onsets, melody; programs have a fixed length.",
        "2.1.0": "New: the config open, and the licence of each record.",
    }
    BUILDER_CONFIGS: ClassVar = [
        GenreRollsConfig(name="demo", description="Synthetic songs by the project's own composer."),
        GenreRollsConfig(name="open", dataset="open", description="Freely licensed music, from its sources."),
        GenreRollsConfig(name="paper", dataset="paper", description="The arrays of the paper's authors."),
    ]
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "The config `paper` reads <genre>_train_piano.npy and <genre>_test_piano.npy, of shape "
        "[N, 64, 84, 1], or single phrases as .npy below <pair>_<letter>/train and test, from manual_dir."
    )
    pkg_dir_path: Path = Path(__file__).parent
    builder_config: GenreRollsConfig
    builder_configs: ClassVar[dict[str, GenreRollsConfig]]
    build: Build

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=features(self._genres()), homepage=PAPER, metadata=tfds.core.MetadataDict()
        )

    def _genres(self) -> list[str]:
        match self.builder_config.dataset:
            case "paper":
                return list(PAPER_GENRES)
            case "demo":
                return sorted(composer.GENRES)
            case "open":
                return sorted({source.genre for source in read_sources()})
        return sorted({file.genre for file in self._song_files})

    def _create_builder_config(
        self, builder_config: str | tfds.core.BuilderConfig | None, version: str | tfds.core.Version | None
    ) -> tfds.core.BuilderConfig | None:
        """A config that is given stays as it is; TFDS wants other rules to have another name."""
        if isinstance(builder_config, GenreRollsConfig):
            return builder_config
        return super()._create_builder_config(builder_config, version)

    @functools.cached_property
    def _song_files(self) -> list[SongFile]:
        if self.builder_config.dataset == "open":
            cache_dir = self.builder_config.cache_dir or Path(self._data_dir_root)
            return open_songs(cache_dir, self.builder_config.sources_dir)
        assert self.builder_config.midi_dir is not None
        return find_song_files(self.builder_config.midi_dir)

    def _generate_splits(
        self, dl_manager: tfds.download.DownloadManager, download_config: tfds.download.DownloadConfig
    ) -> Sequence[SplitInfo]:
        if download_config.beam_runner or download_config.beam_options:
            splits = self._write_with_beam(dl_manager, download_config)
        else:
            with Spool(Path(self.data_dir) / "spool") as spool:
                self.build = self._spool(dl_manager, spool)
                splits = [self._write(spool, split) for split in self.build.splits]
        source = self.builder_config.midi_dir
        if self.builder_config.dataset == "paper":
            source = Path(dl_manager.manual_dir).resolve()
        assert self.info.metadata is not None  # as `_info` made it
        self.info.metadata.update(
            source=str(source or ""),
            rules=self.builder_config.rules_text(),
            **self.build.metadata(self._label_names()),
            **self._source_notes(),
        )
        self.build.write(Path(self.data_dir))
        return splits

    def _source_notes(self) -> dict[str, Any]:
        """What is noted of the sources of `open`."""
        if self.builder_config.dataset != "open":
            return {}
        names = [file.name for file in self._song_files]
        refused = {name: str(why.reason) for name, why in self.build.refused}
        return {"sources": source_notes(read_sources(), names, refused)}

    def _write_with_beam(
        self, dl_manager: tfds.download.DownloadManager, download_config: tfds.download.DownloadConfig
    ) -> Sequence[SplitInfo]:
        from cyclegan_jax.datasets.genre_rolls.building import beam as beam_build

        self._catalogue, folder = Catalogue(self._label_names()), Path(self.data_dir)
        files, rules = self._song_files, self.builder_config.rules
        beam_build.survey(files, self._catalogue, rules, download_config, folder)
        self.build = self._catalogue.build(self.builder_config.rules_text())
        splits = super()._generate_splits(dl_manager, download_config)
        beam_build.check_written(folder, self.build.splits, splits)
        return splits

    def _label_names(self) -> list[str]:
        return genre_names(self.info)

    def _spool(self, dl_manager: tfds.download.DownloadManager, spool: Spool) -> Build:
        rules = self.builder_config.rules_text()
        match self.builder_config.dataset:
            case "paper":
                return spool_arrays(Path(dl_manager.manual_dir), rules, spool)
            case "demo":
                with tempfile.TemporaryDirectory() as folder:
                    composer.write_songs(Path(folder))
                    return self._spool_songs(find_song_files(Path(folder)), spool)
        return self._spool_songs(self._song_files, spool)

    def _spool_songs(self, files: list[SongFile], spool: Spool) -> Build:
        catalogue = Catalogue(self._label_names())
        spool_songs(files, catalogue, self.builder_config.rules, spool)
        return catalogue.build(self.builder_config.rules_text())

    def _write(self, spool: Spool, split: str) -> SplitInfo:
        plan = self.build.splits[split]
        template = self._get_filename_template(split_name=split)
        return spool.write_split(plan.numbers[plan.order], template, self._example_writer())

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        """The splits as Beam transforms; local builds do not come this way."""
        del dl_manager
        songs_of = self._catalogue.songs_of_splits()
        return {split: self._generate_examples(songs, split) for split, songs in songs_of.items()}

    def _generate_examples(self, songs: list[KeptSong], split: str) -> Any:  # noqa: ANN401
        from cyclegan_jax.datasets.genre_rolls.building import beam as beam_build

        rules, folder = self.builder_config.rules, Path(self.data_dir)
        return beam_build.examples(songs, split, rules, self._label_names(), folder)
