"""The phrases that a run is trained on, and the batches that they come in."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cyclegan_jax.config import Config
from cyclegan_jax.datasets.genre_rolls.prepare import Prepared, below_data_dir
from cyclegan_jax.datasets.genre_rolls.reading.splits import MIXED
from cyclegan_jax.datasets.genre_rolls.records.build_report import read_metadata
from cyclegan_jax.datasets.pipeline.batches import PairBatches
from cyclegan_jax.datasets.pipeline.phrases import Phrases, genres_of, has_mixed, load_phrases


@dataclass(frozen=True)
class TrainingData:
    """The training split of genres A and B, and of the genres M that mixed discriminators see."""

    folder: Path  # of the dataset
    fingerprint: str  # of the dataset
    pair: tuple[str, str]
    everything: tuple[str, ...]  # the genres of M for `full`
    phrases: dict[str, Phrases]

    def mixed(self, discriminators: str) -> tuple[str, ...]:
        """The genres of M: none for `base`, the pair for `partial`, those of the dataset for `full`."""
        return _mixed(discriminators, self.pair, self.everything)

    def batches(self, discriminators: str, batch_size: int, seed: int) -> PairBatches:
        """Batches of A, B and M."""
        a, b, *m = (self.phrases[genre].rolls for genre in (*self.pair, *self.mixed(discriminators)))
        return PairBatches(a, b, m, batch_size, seed)


def trained_on(config: Config, folder: Path) -> dict[str, Any]:
    """For JSON: a dataset's name and fingerprint, songs and phrases of its training split by genre.

    `sources`, if the dataset has them: the sources of what the run sees of it, with their licences. Empty
    where there is no dataset.
    """
    if not (folder / "metadata.json").exists():
        return {}
    metadata = read_metadata(folder)
    told = {"dataset": below_data_dir(folder).as_posix(), "fingerprint": metadata["fingerprint"]}
    train = {name: metadata[name]["train"] for name in ("songs", "phrases")}
    seen = {*config.pair, *config.genres}
    sources = [source for source in metadata.get("sources", []) if source["genre"] in seen]
    return {**told, **train, **({"sources": sources} if sources else {})}


def load_training_data(
    prepared: Prepared, pair: tuple[str, str], discriminators: Sequence[str], channels: int
) -> TrainingData:
    """The phrases of the pair, and those that the sets of discriminators need besides.

    `channels`: 2 to have those of onsets, too.
    """
    folder = prepared.folder
    everything = (MIXED,) if has_mixed(folder) else genres_of(folder)
    seen = [genre for name in discriminators for genre in _mixed(name, pair, everything)]
    phrases = load_phrases(folder, "train", tuple(dict.fromkeys((*pair, *seen))), channels)
    return TrainingData(folder, prepared.fingerprint, pair, everything, phrases)


def _mixed(discriminators: str, pair: tuple[str, str], everything: tuple[str, ...]) -> tuple[str, ...]:
    return {"base": (), "partial": pair, "full": everything}[discriminators]
