"""The same held-out phrases, transferred at every evaluation: as MIDI files and as one picture."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cyclegan_jax.atomic_files import write_whole
from cyclegan_jax.datasets.pipeline.phrases import Phrases
from cyclegan_jax.midi.io import Tempo, midi_bytes
from cyclegan_jax.models.phrase_transfer import Transfer, played
from cyclegan_jax.rendering.png import draw_phrases, save_png

PHRASES = 3  # of each genre


@dataclass(frozen=True)
class Sample:
    """A phrase and its transfer: `name` of files, `title` in pictures, rolls [64, 84, C] bool by version."""

    name: str
    title: str
    tempo: float
    versions: dict[str, np.ndarray]

    def midi(self, version: str) -> bytes:
        """A version as a MIDI file."""
        return midi_bytes(self.versions[version], (Tempo(0.0, self.tempo),))


def transfer_samples(transfer: Transfer, held_out: dict[str, Phrases]) -> list[Sample]:
    """Origin, transfer and reconstruction of `PHRASES` phrases of each genre, spread over the split."""
    a, b = transfer.config.pair
    samples = []
    for source, target in ((a, b), (b, a)):
        phrases = held_out[source]
        rows = np.linspace(0, len(phrases) - 1, PHRASES + 2).astype(int)[1:-1]
        origin = phrases.rolls[rows]
        transferred = played(transfer.generate(origin, to=target), origin)
        cycle = played(transfer.generate(transferred, to=source), transferred)
        for number, row in enumerate(rows):
            rolls = {"origin": origin[number], "transfer": transferred[number], "cycle": cycle[number]}
            samples.append(
                Sample(
                    name=f"{source}_to_{target}_{number + 1}",
                    title=f"{source} → {target}, {number + 1}",
                    tempo=float(phrases.tempos[row]),
                    versions=rolls,
                )
            )
    return samples


def picture(samples: list[Sample]) -> dict[str, np.ndarray]:
    """The rolls of all samples by version: the columns of `draw_phrases`."""
    return {name: np.stack([s.versions[name] for s in samples]) for name in samples[0].versions}


def write_samples(samples: list[Sample], folder: Path) -> None:
    """`<name>_<version>.mid` of every sample and `phrases.png` of all."""
    folder.mkdir(parents=True, exist_ok=True)
    for sample in samples:
        for version in sample.versions:
            write_whole(folder / f"{sample.name}_{version}.mid", sample.midi(version))
    save_png(draw_phrases(picture(samples), [s.title for s in samples]), folder / "phrases.png")
