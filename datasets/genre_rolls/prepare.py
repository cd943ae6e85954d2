"""Making the dataset, and finding again the one made before."""

import contextlib
import io
import json
import shutil
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
    """A dataset on disk.

    `folder` opens with `tfds.builder_from_directory`. `notice` says in one line what was done.
    `built`: whether it was made just now.
    """

    folder: Path
    fingerprint: str
    notice: str
    built: bool


def prepare(dataset: str, data_dir: Path, midi_dir: Path | None = None) -> Prepared:
    """Make the dataset below `data_dir`, unless it is there and made of the same files in the same way.

    `dataset`: demo or midi. `midi` needs `midi_dir` the first time; without it, what was made before
    is used. Raises UserError where the folder is missing or has too little usable music; a dataset
    made before then stays as it is.
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
    changed = _what_changed(made_before, midi_dir) if midi_dir else ""
    if made_before and not changed:
        notice = f"Dataset {dataset!r} found in {folder}."
        return Prepared(folder, made_before["fingerprint"], notice, built=False)
    _build(midi_config(midi_dir.resolve()) if midi_dir else dataset, data_dir.resolve(), folder)
    done = f"rebuilt in {folder}: {changed}" if changed else f"built in {folder}"
    return Prepared(folder, read_metadata(folder)["fingerprint"], f"Dataset {dataset!r} {done}.", built=True)


def _what_changed(made_before: dict | None, midi_dir: Path) -> str:
    """Why a dataset made before does not serve; empty where it does, or where there is none."""
    files = find_song_files(midi_dir)
    if not made_before or fingerprint(files, rules_of("midi")) == made_before["fingerprint"]:
        return ""
    before, now = made_before["midi_dir"], str(midi_dir.resolve())
    return f"the files in {now} have changed" if before == now else f"it was made of {before}, now of {now}"


def _build(config: GenreRollsConfig | str, data_dir: Path, folder: Path) -> None:
    """Make a dataset aside, and put it in its place when it is whole."""
    tfds.disable_progress_bar()
    data_dir.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=data_dir, prefix=".building-"))
    try:
        builder = Builder(data_dir=aside, config=config, file_format="array_record")
        with contextlib.redirect_stdout(io.StringIO()):
            builder.download_and_prepare(download_dir=aside / "downloads")
        folder.parent.mkdir(parents=True, exist_ok=True)
        if folder.exists():
            folder.rename(aside / "before")
        Path(builder.data_dir).rename(folder)
    finally:
        shutil.rmtree(aside)


def is_finished(folder: Path) -> bool:
    """Whether a whole dataset lies in `folder`."""
    return (folder / "dataset_info.json").exists()


def read_metadata(folder: Path) -> dict:
    """What the builder noted of a finished dataset: fingerprint, midi_dir, files, refused, dropped_notes."""
    return json.loads((folder / "metadata.json").read_text())
