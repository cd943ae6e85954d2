"""A dataset is built aside and moved to its place when it is whole.

A build happens in `.building-*` beside the datasets, under a lock, and is renamed into place. A rebuild first
moves the old dataset to `.building-*/before`. If it is killed between the two renames, the old dataset lies
there, and the next build moves it back.
"""

import contextlib
import fcntl
import io
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from cyclegan_jax.atomic_files import DISK_FULL_OR_NO_PERMISSION, sync_folder, sync_tree
from cyclegan_jax.datasets.genre_rolls.genre_rolls_dataset_builder import Builder, GenreRollsConfig
from cyclegan_jax.datasets.genre_rolls.records.build_report import read_metadata, read_positions
from cyclegan_jax.datasets.genre_rolls.records.tf_example import genre_names
from cyclegan_jax.errors import NotWrittenError, UserError
from cyclegan_jax.pianoroll.roll import PHRASE_SHAPE
from cyclegan_jax.rendering.png import save_png

PREFIX = ".building-"
PAGE_PHRASES = 8  # a genre
MOST_DRAWN = 24  # genres, those with the most phrases


def is_finished(folder: Path) -> bool:
    """Whether a whole dataset lies in `folder`."""
    return (folder / "dataset_info.json").exists()


def has_fingerprint(folder: Path, fingerprint: str) -> bool:
    """Whether a whole dataset of this fingerprint lies in `folder`. Raises UserError if it is damaged."""
    return is_finished(folder) and read_metadata(folder)["fingerprint"] == fingerprint


@contextlib.contextmanager
def only_builder(data_dir: Path) -> Iterator[None]:
    """Hold the lock of `data_dir`, so that no other process builds there; clear what a killed build left.

    Raises NotWrittenError or UserError where nothing can be written there.
    """
    with _os_errors_as_sentences(data_dir):
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = (data_dir / ".lock").open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
    with lock:
        for left in data_dir.glob(f"{PREFIX}*"):
            _clear_away(left, data_dir)
        yield


def _clear_away(left: Path, data_dir: Path) -> None:
    """Remove what is left of a build; a dataset that it had taken out of its place goes back."""
    for before in left.glob("before/*/*/*"):
        place = data_dir / before.relative_to(left / "before")
        if not place.exists():
            before.rename(place)
    shutil.rmtree(left)


def build(config: GenreRollsConfig, data_dir: Path, folder: Path, download: Mapping[str, Any]) -> None:
    """Make a dataset and put it at `folder`, somewhere below `data_dir`; nothing is left of one that fails.

    `download`: fields of TFDS's DownloadConfig. Raises NotWrittenError where the disk is full or
    read-only.
    """
    tfds.disable_progress_bar()
    with _os_errors_as_sentences(data_dir), _aside(data_dir) as aside:
        builder = Builder(data_dir=aside, config=config, file_format="array_record")
        with contextlib.redirect_stdout(io.StringIO()):
            builder.download_and_prepare(
                download_dir=aside / "downloads", download_config=tfds.download.DownloadConfig(**download)
            )
        _write_pictures(builder)
        sync_tree(Path(builder.data_dir))
        folder.parent.mkdir(parents=True, exist_ok=True)
        if folder.exists():
            before = aside / "before" / folder.relative_to(data_dir)
            before.parent.mkdir(parents=True)
            folder.rename(before)
        Path(builder.data_dir).rename(folder)
        sync_folder(folder.parent)


@contextlib.contextmanager
def _aside(data_dir: Path) -> Iterator[Path]:
    aside = Path(tempfile.mkdtemp(dir=data_dir, prefix=PREFIX))
    try:
        yield aside
    finally:
        _clear_away(aside, data_dir)


@contextlib.contextmanager
def _os_errors_as_sentences(data_dir: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if isinstance(error, NotWrittenError) or error.errno in DISK_FULL_OR_NO_PERMISSION:
            raise NotWrittenError(error.errno, str(data_dir)) from error
        raise UserError(
            f"the dataset cannot be written to {str(data_dir)!r} ({error.strerror or error}); "
            "choose another --data_dir."
        ) from error


def _write_pictures(builder: Builder) -> None:
    """`overview.png` of all the build's phrases, and `phrases.png` of some of `train`, drawn by chance."""
    from cyclegan_jax.datasets.genre_rolls.building import figures  # matplotlib, for which only a build waits

    folder, statistics = Path(builder.data_dir), builder.build.statistics
    largest = sorted(statistics, key=lambda genre: -statistics[genre].phrases)[:MOST_DRAWN]
    shown = {genre: counts for genre, counts in statistics.items() if genre in largest}
    save_png(figures.draw_overview(shown), folder / "overview.png")
    names, positions = genre_names(builder.info), read_positions(folder, "train")
    source = builder.as_data_source("train")  # pyright: ignore[reportCallIssue]  # decorators hide its parameters
    draw = np.random.default_rng(0)
    page = {}
    for name in shown:
        label = names.index(name)
        places = positions.get(label, np.zeros(0, np.int64))
        drawn = draw.choice(places, min(PAGE_PHRASES, len(places)), replace=False)
        page[name] = np.array([source[int(place)]["roll"] for place in drawn]).reshape(-1, *PHRASE_SHAPE)
    save_png(figures.draw_phrase_page(page), folder / "phrases.png")
