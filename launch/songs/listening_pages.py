"""What the pages to listen to show: songs by a model, and what an evaluation has made."""

import json
from dataclasses import replace
from pathlib import Path

from cyclegan_jax.atomic_files import write_whole
from cyclegan_jax.datasets.pipeline.phrases import load_phrases
from cyclegan_jax.datasets.pipeline.whole_songs import longest_song
from cyclegan_jax.midi.io import midi_bytes
from cyclegan_jax.midi.reader import Tempo
from cyclegan_jax.midi.song import Song, parse_song
from cyclegan_jax.rendering.page import Piece, Version, page
from cyclegan_jax.transfer.controls import Controls
from cyclegan_jax.transfer.model import Model
from cyclegan_jax.transfer.song import TransferredSong
from launch.run.evaluation import most_telling
from launch.run.folder import RunFolder
from launch.run.samples import Sample, transfer_samples
from launch.run.trained_model import model_of_run

SECONDS = 30.0  # of an evaluation's songs


def piece_of_song(model: Model, name: str, midi: bytes, to: str, controls: Controls) -> Piece:
    """A song, its transfer by `model`, and the reconstruction from that; `name` without ending.

    Where nothing is left there is no reconstruction. Raises as `Model.transfer_midi`.
    """
    origin = model.origin_of(to)
    transferred = model.transfer_midi(midi, to, controls)
    versions = original_and_transfer(model, name, midi, to, transferred)
    if not transferred.kept + transferred.new:
        return Piece(name, versions, (*transferred.remarks, "nothing is left of it"))
    back = replace(controls, keep=())  # its tracks may be others
    reconstructed = model.transfer_midi(transferred.midi, origin, back)
    title, file_name = f"reconstruction in {origin}", f"{name}_{to}_{origin}.mid"
    versions.append(version_of(model, title, file_name, reconstructed.midi, parse_song(reconstructed.midi)))
    return Piece(name, versions, transferred.remarks)


def original_and_transfer(
    model: Model, name: str, midi: bytes, to: str, transferred: TransferredSong
) -> list[Version]:
    """The two versions that a page shows of a song: `midi` as it came, and its transfer to genre `to`."""
    return [
        version_of(model, "original", f"{name}.mid", midi, transferred.source),
        version_of(model, f"in {to}", f"{name}_{to}.mid", transferred.midi, parse_song(transferred.midi)),
    ]


def version_of(model: Model, title: str, file_name: str, midi: bytes, song: Song) -> Version:
    """A version of a song, with the classifier's probabilities if it has one."""
    return Version(title, file_name, midi, song, model.probabilities(song))


def facts(model: Model) -> str:
    """What a model is, in a sentence or two, for people."""
    trained = model.trained_on
    sentences = []
    if trained:
        counts = [f"{trained['phrases'][genre]} phrases of {genre}" for genre in model.genres]
        sentences.append(f"Trained on {trained['dataset']}: {' and '.join(counts)}.")
    if model.classifier is not None:
        right = f"{100 * model.classifier.accuracy:.0f} %"
        sentences.append(f"Percentages are the genre classifier's, which is right in {right} of phrases.")
    return " ".join(sentences)


def write_evaluation_page(folder: RunFolder, dataset_folder: Path, place: RunFolder | None = None) -> None:
    """The run's listening page: sample phrases of `test`, and half a minute of each genre's longest song.

    Above them it says what gives the transfers away. `place`: the folder that the evaluation was written to,
    the run's own without it.
    """
    place = place or folder
    model = model_of_run(folder, dataset_folder)
    test = load_phrases(dataset_folder, "test", model.genres, 2)
    pieces = [_piece_of_sample(model, sample) for sample in transfer_samples(model.phrase_transfer, test)]
    for genre in model.genres:
        song = longest_song(dataset_folder, "test", genre)
        if song is not None:
            midi = midi_bytes(song.roll, (Tempo(0.0, song.tempo),))
            to = model.origin_of(genre)
            pieces.append(
                piece_of_song(model, f"{Path(song.name).stem}, {genre} → {to}", midi, to, Controls())
            )
    title = "{} and {}".format(*model.genres)
    told = most_telling(json.loads(place.evaluation.read_text()))
    write_whole(place.listening_page, page(title, " ".join([facts(model), *told]), pieces, seconds=SECONDS))


def _piece_of_sample(model: Model, sample: Sample) -> Piece:
    titles = {"origin": "original", "transfer": "transferred", "cycle": "reconstruction"}
    versions = []
    for version, title in titles.items():
        midi = sample.midi(version)
        versions.append(version_of(model, title, f"{sample.name}_{version}.mid", midi, parse_song(midi)))
    return Piece(f"Phrase {sample.title}", versions)
