"""A trained model as a musician uses it: songs in, songs in the other genre out."""

import functools
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np
import pretty_midi

from cyclegan_jax.config import Config, check_choice
from cyclegan_jax.evaluation.genre_classifier import GenreClassifier
from cyclegan_jax.midi.io import Source, midi_of
from cyclegan_jax.midi.pretty_midi_objects import open_pretty_midi
from cyclegan_jax.midi.song import Song
from cyclegan_jax.models.build import Params
from cyclegan_jax.models.phrase_transfer import Transfer
from cyclegan_jax.pianoroll.roll import PHRASE_SHAPE, cut_padded
from cyclegan_jax.transfer.cleaning import Bounds
from cyclegan_jax.transfer.controls import Controls
from cyclegan_jax.transfer.crossfade import Network
from cyclegan_jax.transfer.song import TransferredSong, transfer_song
from cyclegan_jax.transfer.strength import calibrated


@dataclass(frozen=True, repr=False)
class Model:
    """Both generators of a pair of genres and, if there is one, the genre classifier.

    `trained_on`: the dataset, its songs and phrases in `train` by genre, and where it is `open`, the sources
    of its music with their licences. `evaluation`: the figures of evaluation.json. Either may be empty.
    """

    config: Config
    generators: dict[str, Params]
    classifier: GenreClassifier | None
    trained_on: dict[str, Any]
    evaluation: dict[str, Any]

    def __repr__(self) -> str:
        """One line: what the model is, and how many weights it has, without the weights themselves."""
        parameters = sum(leaf.size for leaf in jax.tree.leaves(self.generators))
        return (
            f"Model(genres={self.genres}, width={self.config.width}, blocks={self.config.blocks}, "
            f"parameters={parameters}, classifier={self.classifier is not None}, "
            f"dataset={self.trained_on.get('dataset')!r})"
        )

    @property
    def genres(self) -> tuple[str, str]:
        """The two genres, A and B."""
        return self.config.pair

    @functools.cached_property
    def phrase_transfer(self) -> Transfer:
        """The generators ready for use on single phrases."""
        return Transfer(self.config, self.generators)

    def generate(self, phrases: np.ndarray, to: str) -> np.ndarray:
        """Note probabilities of phrases in genre `to`, one of the pair, as of `Transfer.generate`.

        [N, 64, 84, C], bool or in [0, 1] -> [N, 64, 84, C] float32 in (0, 1), with the config's `channels`.
        """
        return self.phrase_transfer.generate(phrases, to)

    def transfer(self, source: Source, to: str, **controls: Any) -> pretty_midi.PrettyMIDI:  # noqa: ANN401
        """A song, the path of a MIDI file or score or a PrettyMIDI, in genre `to`.

        `controls`: the fields of Controls. Lyrics, texts and names are read as UTF-8 where they are that, and
        else as Latin-1; `write` writes them as UTF-8. Raises UserError for a genre or a control that is not
        allowed, RefusedSongError for a song that cannot be transferred, TypeError for another kind of source.
        """
        return open_pretty_midi(self.transfer_midi(midi_of(source), to, Controls(**controls)).midi)

    def transfer_midi(self, midi: bytes, to: str, controls: Controls) -> TransferredSong:
        """As `transfer`, from the bytes of a MIDI file to those of another."""
        return transfer_song(midi, self.network(to), to, self.calibrated(controls, to), self.bounds(to))

    def calibrated(self, controls: Controls, to: str) -> Controls:
        """The controls as `transfer_song` takes them: with the strength that makes its share of all changes.

        Unchanged where the evaluation has no curve of the genre `to`.
        """
        curve = self.evaluation.get("strength_curves", {}).get(to)
        return replace(controls, strength=calibrated(controls.strength, curve)) if curve else controls

    def bounds(self, to: str) -> Bounds | None:
        """What new notes in genre `to` keep to; None where the evaluation has no such bounds."""
        known = self.evaluation.get("note_bounds", {}).get(to)
        return Bounds(**known) if known else None

    def network(self, to: str) -> Network:
        """The generator into genre `to`. Raises UserError for a genre that is not of the pair."""
        check_choice("to", to, self.genres)
        return functools.partial(self.generate, to=to)

    def warm_up(self) -> None:
        """Compile all that a song needs, so that the first one need not wait."""
        phrase = np.zeros((1, *PHRASE_SHAPE), np.bool_)
        self.generate(phrase, to=self.genres[0])
        if self.classifier is not None:
            self.classifier.probabilities(phrase)

    def origin_of(self, to: str) -> str:
        """The genre that is not `to`."""
        return self.genres[to == self.genres[0]]

    def probabilities(self, song: Song) -> dict[str, float]:
        """The classifier's mean probability of each genre over a song's phrases, 0 to 1.

        Empty without a classifier, and for a song without a note on the roll.
        """
        phrases = cut_padded(song.roll)
        phrases = phrases[phrases.any(axis=(1, 2, 3))]
        if self.classifier is None or not len(phrases):
            return {}
        means = self.classifier.probabilities(phrases).mean(axis=0)
        return dict(zip(self.genres, means.tolist(), strict=True))
