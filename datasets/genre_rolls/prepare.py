"""Making the dataset, and finding again the one made before."""

import contextlib
import io
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import tensorflow_datasets as tfds

from cyclegan_jax.config import check_choice
from cyclegan_jax.datasets.genre_rolls.genre_rolls_dataset_builder import (
    DATASET_VERSION,
    Builder,
    GenreRollsConfig,
    midi_config,
    rules_of,
)
from cyclegan_jax.datasets.genre_rolls.sources import find_song_files, fingerprint
from cyclegan_jax.errors import UserError

DATASETS = ("demo", "midi")


@dataclass(frozen=True)
class Prepared:
    """A dataset on disk: `folder` opens with `tfds.builder_from_directory`; `notice` says what was done."""

    folder: Path
    fingerprint: str
    notice: str


def prepare(dataset: str, data_dir: Path, midi_dir: Path | None = None) -> Prepared:
    """Make the dataset below `data_dir`, unless it is there and made of the same files in the same way.

    `dataset`: demo or midi. `midi` needs `midi_dir` the first time; without it, what was made before
    is used. Raises UserError where the folder is missing or has too little usable music.
    """
    check_choice("dataset", dataset, DATASETS)
    if dataset == "demo" and midi_dir:
        raise UserError(
            f"midi_dir {str(midi_dir)!r} was given, but the demo dataset is composed; "
            "add --dataset=midi to use your files."
        )
    folder = data_dir.resolve() / "genre_rolls" / dataset / DATASET_VERSION
    made_before = read_metadata(folder) if is_finished(folder) else None
    if dataset == "midi" and midi_dir is None and made_before is None:
        raise UserError(
            f"dataset 'midi' is not in {str(data_dir)!r} yet; name the folder to make it of with --midi_dir."
        )
    stale = _what_changed(made_before, midi_dir)
    if made_before is not None and not stale:
        return Prepared(folder, made_before["fingerprint"], f"Dataset {dataset!r} found in {folder}.")
    _build(midi_config(midi_dir.resolve()) if midi_dir else dataset, data_dir.resolve())
    made = read_metadata(folder)
    files, refused = sum(made["files"].values()), len(made["refused"])
    done = f"rebuilt in {folder}: {stale}" if stale else f"built in {folder}"
    notice = f"Dataset {dataset!r} {done}. {refused} of {files} files refused; launch.prepare lists them."
    return Prepared(folder, made["fingerprint"], notice)


def _what_changed(made_before: dict | None, midi_dir: Path | None) -> str:
    """Why a dataset made before does not serve; empty where it does, or where there is none."""
    if made_before is None or midi_dir is None:
        return ""
    if fingerprint(find_song_files(midi_dir), rules_of("midi")) == made_before["fingerprint"]:
        return ""
    before, now = made_before["midi_dir"], str(midi_dir.resolve())
    return f"the files in {now} have changed" if before == now else f"it was made of {before}, now of {now}"


def _build(config: GenreRollsConfig | str, data_dir: Path) -> None:
    tfds.disable_progress_bar()
    builder = Builder(data_dir=data_dir, config=config, file_format="array_record")
    settings = tfds.download.DownloadConfig(
        download_mode=tfds.GenerateMode.REUSE_CACHE_IF_EXISTS, try_download_gcs=False
    )
    with tempfile.TemporaryDirectory() as nothing, contextlib.redirect_stdout(io.StringIO()):
        builder.download_and_prepare(download_dir=nothing, download_config=settings)


def is_finished(folder: Path) -> bool:
    """Whether a whole dataset lies in `folder`."""
    return (folder / "dataset_info.json").exists()


def read_metadata(folder: Path) -> dict:
    """What the builder noted of a finished dataset: fingerprint, midi_dir, files, refused, dropped_notes."""
    return json.loads((folder / "metadata.json").read_text())
