"""Making the dataset, and finding again the one made before."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from cyclegan_jax.config import check_choice
from cyclegan_jax.datasets.genre_rolls.building.local import array_contents
from cyclegan_jax.datasets.genre_rolls.genre_rolls_dataset_builder import (
    DATASET_VERSION,
    Builder,
    GenreRollsConfig,
)
from cyclegan_jax.datasets.genre_rolls.install import build, is_finished, only_builder
from cyclegan_jax.datasets.genre_rolls.open_corpus.corpus import is_made_of
from cyclegan_jax.datasets.genre_rolls.open_corpus.source_list import read_sources
from cyclegan_jax.datasets.genre_rolls.reading.midi_file import Rules, read_content
from cyclegan_jax.datasets.genre_rolls.reading.midi_folder import find_song_files, fingerprint
from cyclegan_jax.datasets.genre_rolls.reading.paper_arrays import array_files
from cyclegan_jax.datasets.genre_rolls.records.build_report import read_metadata
from cyclegan_jax.errors import UserError

DATASETS = ("demo", "midi", "open", "paper")
# The flags that name the folder a dataset is made of; `open` can do without.
FOLDER_FLAGS = {"midi": "midi_dir", "open": "sources_dir", "paper": "manual_dir"}
PLAIN = Rules()


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


def prepare(
    dataset: str,
    data_dir: Path,
    source: Path | None = None,
    *,
    rules: Rules = PLAIN,
    beam: Mapping[str, Any] | None = None,
) -> Prepared:
    """Make the dataset below `data_dir`, unless it is there and made of the same files in the same way.

    `dataset`: demo, midi, open or paper. `source`: the folder that it is made of, none for demo. Without it,
    what was made before is used, and the sources of open are fetched. `rules`: what is done with MIDI files.
    `beam`: the fields of TFDS's DownloadConfig, `beam_runner` and `beam_options`, that have Apache Beam do
    the work.

    Raises UserError where the folder is missing or has too little usable music, NotWrittenError where the
    disk is full or permission is denied; a dataset made before then stays as it is.
    """
    _check(dataset, source, rules, beam)
    data_dir = data_dir.resolve()
    config = config_of(dataset, source, rules, data_dir)
    folder = _folder_in(data_dir, config)
    if _pending_build(folder, config, source):
        _check_source(config, source, data_dir)
        with only_builder(data_dir):
            done = _pending_build(folder, config, source)
            if done:
                build(config, data_dir, folder, {"manual_dir": source, **(beam or {})})
                return _prepared(folder, f"Dataset {config.name!r} {done}.", built=True)
    return _prepared(folder, f"Dataset {config.name!r} found in {folder}.", built=False)


def _folder_in(data_dir: Path, config: GenreRollsConfig) -> Path:
    return data_dir / "genre_rolls" / config.name / DATASET_VERSION


def data_dir_of(folder: Path) -> Path:
    """The `data_dir` that the folder of a dataset lies in."""
    return folder.parents[2]


def below_data_dir(folder: Path) -> Path:
    """The folder of a dataset as seen from `data_dir`: genre_rolls, config, version."""
    return Path(*folder.parts[-3:])


def _prepared(folder: Path, notice: str, *, built: bool) -> Prepared:
    return Prepared(folder, read_metadata(folder)["fingerprint"], notice, built)


def _pending_build(folder: Path, config: GenreRollsConfig, source: Path | None) -> str | None:
    """What a build would do, as words for the notice; None if the dataset serves as it is."""
    if not is_finished(folder):
        return f"built in {folder}"
    made = read_metadata(folder)
    if config.dataset == "open":
        same = is_made_of(made.get("sources", []), read_sources()) and made["rules"] == config.rules_text()
        return None if same else f"rebuilt in {folder}: the list of sources or the rules have changed"
    if (
        not source
        or fingerprint(_contents(config.dataset, source), config.rules_text()) == made["fingerprint"]
    ):
        return None
    if made["source"] == str(source.resolve()):
        return f"rebuilt in {folder}: the files in {source.resolve()} or the rules have changed"
    return f"rebuilt in {folder}: it was made of {made['source']}, now of {source.resolve()}"


def _check_source(config: GenreRollsConfig, source: Path | None, data_dir: Path) -> None:
    """Raise UserError, before anything is written, where there is nothing to make the dataset of."""
    if config.dataset not in ("midi", "paper"):
        return
    if source is None:
        raise UserError(
            f"dataset {config.name!r} is not in {str(data_dir)!r} yet; "
            f"name the folder to make it of with --{FOLDER_FLAGS[config.dataset]}."
        )
    if config.dataset == "paper":
        array_files(source)
    else:
        find_song_files(source)


def _check(dataset: str, source: Path | None, rules: Rules, beam: Mapping[str, Any] | None) -> None:
    check_choice("dataset", dataset, DATASETS)
    if dataset == "demo" and source:
        raise UserError(
            f"the folder {str(source)!r} was given, but the demo dataset is composed; "
            "add --dataset=midi, open or paper to use your files."
        )
    if dataset == "open" and source and not source.is_dir():
        raise UserError(
            f"sources_dir {str(source)!r} is not a folder; give one that has the sources' folders."
        )
    if beam and dataset not in ("midi", "open"):
        raise UserError(f"Apache Beam is for midi and open, not for {dataset!r}; leave out the Beam flags.")
    if dataset == "demo" and replace(rules, key_shifts=PLAIN.key_shifts) != PLAIN:
        told = _told(replace(rules, key_shifts=PLAIN.key_shifts))
        raise UserError(f"the demo songs are taken as they are; leave out {told}.")
    if dataset == "paper" and rules != PLAIN:
        raise UserError(f"the arrays of 'paper' are taken as they are; leave out {_told(rules)}.")


def _told(rules: Rules) -> str:
    """The flags of the rules that differ from the defaults."""
    names = [field.name for field in fields(rules)]
    changed = [name for name in names if getattr(rules, name) != getattr(PLAIN, name)]
    flags = {"partial_songs": "nopartial_songs", "require_beat": "norequire_beat", "key_shifts": "transpose"}
    return " and ".join(f"--{flags.get(name, name)}" for name in changed)


def config_of(
    dataset: str, source: Path | None, rules: Rules, cache_dir: Path | None = None
) -> GenreRollsConfig:
    """The TFDS config; a transposed dataset has one of its own. `cache_dir`: see GenreRollsConfig."""
    low, high = min(rules.key_shifts), max(rules.key_shifts)
    name = dataset if low == high else f"{dataset}_transposed_{low}_{high}"
    if dataset in ("demo", "paper") and rules == PLAIN:
        return Builder.builder_configs[name]
    return GenreRollsConfig(
        name=name,
        description=f"Phrases of {dataset} under {rules}.",
        dataset=dataset,
        midi_dir=source.resolve() if source and dataset == "midi" else None,
        sources_dir=source.resolve() if source and dataset == "open" else None,
        cache_dir=cache_dir if dataset == "open" else None,
        rules=rules,
    )


def _contents(dataset: str, source: Path) -> Iterable[tuple[str, bytes]]:
    """Name and content hash of all that the dataset would be made of."""
    if dataset == "paper":
        return array_contents(source)
    return ((file.name, read_content(file.path)[0]) for file in find_song_files(source))
