"""The TFDS builder of `genre_rolls`."""

import dataclasses
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds
from tqdm import tqdm

from cyclegan_jax.datasets.genre_rolls import composer
from cyclegan_jax.datasets.genre_rolls.sources import SongFile, find_song_files, fingerprint
from cyclegan_jax.datasets.genre_rolls.splits import SPLITS, split_songs
from cyclegan_jax.errors import UserError
from cyclegan_jax.rolls import PHRASE_SHAPE, cut
from cyclegan_jax.songs import RefusedSongError, read_dataset_song

DATASET_VERSION = "1.0.0"


@dataclasses.dataclass
class GenreRollsConfig(tfds.core.BuilderConfig):
    """`midi_dir`: the folder with one sub-folder a genre; None has the demo composer write one."""

    midi_dir: Path | None = None


def midi_config(midi_dir: Path) -> GenreRollsConfig:
    """The config that makes the dataset of a folder of MIDI files."""
    return GenreRollsConfig(name="midi", description="Songs from a folder of MIDI files.", midi_dir=midi_dir)


@dataclasses.dataclass(frozen=True)
class SongPhrases:
    """A kept song's phrases.

    `packed`: bits of [N, 64, 84, 1]. `indices`: [N] in the song. `tempo`: beats per minute. `dropped`:
    notes out of range.
    """

    file: SongFile
    packed: np.ndarray
    indices: np.ndarray
    tempo: float
    dropped: int

    def rolls(self) -> np.ndarray:
        """The phrases unpacked: [N, 64, 84, 1] bool."""
        bits = np.unpackbits(self.packed, axis=1, count=int(np.prod(PHRASE_SHAPE)))
        return bits.reshape(-1, *PHRASE_SHAPE).astype(np.bool_)


class Builder(tfds.core.GeneratorBasedBuilder):
    """Four-bar piano rolls of songs in 4/4, by genre, split by song.

    The config `demo` is there by name; a folder of MIDI files is built with
    `config=midi_config(midi_dir)`. With `file_format="array_record"` no
    TensorFlow is needed.
    """

    VERSION = tfds.core.Version(DATASET_VERSION)
    RELEASE_NOTES: ClassVar = {DATASET_VERSION: "Sixteen steps a bar, rounded to the nearest, halves up."}
    BUILDER_CONFIGS: ClassVar = [
        GenreRollsConfig(name="demo", description="Synthetic songs by the project's own composer."),
    ]
    pkg_dir_path = Path(__file__).parent

    def _info(self) -> tfds.core.DatasetInfo:
        midi_dir = self.builder_config.midi_dir
        genres = {file.genre for file in find_song_files(midi_dir)} if midi_dir else set(composer.GENRES)
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "roll": tfds.features.Tensor(shape=PHRASE_SHAPE, dtype=np.bool_, encoding="zlib"),
                    "genre": tfds.features.ClassLabel(names=sorted(genres)),
                    "song": tfds.features.Text(doc="Path of the song below its genre's folder."),
                    "phrase": tfds.features.Scalar(np.int32, doc="Index of the phrase in the song."),
                    "tempo": tfds.features.Scalar(np.float32, doc="Beats per minute at the song's start."),
                }
            ),
            metadata=tfds.core.MetadataDict(),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        del dl_manager
        if self.builder_config.midi_dir:
            kept = self._convert(self.builder_config.midi_dir)
        else:
            with tempfile.TemporaryDirectory() as folder:
                composer.write_songs(Path(folder))
                kept = self._convert(Path(folder))
        split_of = _split_by_song(kept, self.info.features["genre"].names)
        return {
            split: self._generate_examples([p for p in kept if split_of[p.file.name] == split])
            for split in SPLITS
        }

    def _convert(self, midi_dir: Path) -> list[SongPhrases]:
        """Read every file, keep the songs that pass the filter, note in the metadata what became of all."""
        files = find_song_files(midi_dir)
        kept: list[SongPhrases] = []
        refused: list[tuple[str, str, str]] = []
        for file in tqdm(files, desc="reading MIDI files", unit=" files", leave=False):
            try:
                kept.append(_read_phrases(file))
            except RefusedSongError as refusal:
                refused.append((file.name, str(refusal.reason), refusal.detail))
        dropped: Counter[str] = Counter()
        for song in kept:
            dropped[song.file.genre] += song.dropped
        self.info.metadata.update(
            fingerprint=fingerprint(files, rules_of(self.builder_config.name)),
            midi_dir=str(self.builder_config.midi_dir or ""),
            files=dict(Counter(file.genre for file in files)),
            refused=refused,
            dropped_notes=dict(dropped),
        )
        return kept

    def _generate_examples(self, songs: list[SongPhrases]) -> Iterator[tuple[str, dict[str, Any]]]:
        for song in songs:
            for roll, index in zip(song.rolls(), song.indices, strict=True):
                yield (
                    f"{song.file.name}:{index}",
                    {
                        "roll": roll,
                        "genre": song.file.genre,
                        "song": song.file.song,
                        "phrase": index,
                        "tempo": song.tempo,
                    },
                )


def rules_of(config_name: str) -> str:
    """What besides the files decides about the records."""
    return f"{config_name} {DATASET_VERSION}"


def _read_phrases(file: SongFile) -> SongPhrases:
    song = read_dataset_song(file.path)
    phrases, indices = cut(song.roll)
    packed = np.packbits(phrases.reshape(len(phrases), -1), axis=1)
    return SongPhrases(file, packed, indices.astype(np.int32), song.tempo, song.dropped)


def _split_by_song(kept: list[SongPhrases], genres: list[str]) -> dict[str, str]:
    """Name -> split, genre by genre; a genre with too few usable songs is the user's to mend."""
    split_of: dict[str, str] = {}
    for genre in genres:
        try:
            splits = split_songs(genre, [p.file.song for p in kept if p.file.genre == genre])
        except ValueError as error:
            raise UserError(f"{error}; add MIDI files in 4/4 or leave the genre's folder out.") from error
        split_of |= {f"{genre}/{song}": split for song, split in splits.items()}
    return split_of
