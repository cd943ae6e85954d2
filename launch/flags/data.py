"""The flags that say which data, shared by the commands, and what they resolve to."""

import shlex
from pathlib import Path
from typing import Any

from absl import flags

from cyclegan_jax.datasets.genre_rolls.building.table import refused_lines, table
from cyclegan_jax.datasets.genre_rolls.prepare import DATASETS, FOLDER_FLAGS, Prepared, prepare
from cyclegan_jax.datasets.genre_rolls.reading.midi_file import Rules
from cyclegan_jax.datasets.genre_rolls.reading.midi_folder import told_of_layout, told_of_others
from cyclegan_jax.datasets.genre_rolls.records.build_report import read_metadata
from cyclegan_jax.errors import UserError
from cyclegan_jax.midi.metre import Metre, makes_common_bars
from cyclegan_jax.midi.song import MAX_BARS
from launch.flags.shared import DATA_DIR, MIDI_DIR
from launch.process.text_table import text_table

NOTE_VALUES = (1, 2, 4, 8, 16)  # that a metre may count in
MOST_SEMITONES = 24  # in which a phrase is moved up or down
DEFAULT_DATA_DIR = "data"

for flag in (DATA_DIR, MIDI_DIR):
    flags.declare_key_flag(flag.name)

DATASET = flags.DEFINE_enum(
    "dataset",
    None,
    DATASETS,
    "Which data. demo: synthetic songs that this program composes; midi: your own files, in --midi_dir; "
    "open: music under free licences, fetched by git or taken from --sources_dir; "
    "paper: the arrays of the paper's authors, in --manual_dir. Default: midi with --midi_dir, open with "
    "--sources_dir, paper with --manual_dir, otherwise demo.",
)
SOURCES_DIR = flags.DEFINE_string(
    "sources_dir",
    None,
    "Folder that has the sources of the open corpus, a sub-folder for each. Default: git fetches them to "
    "sources in --data_dir.",
)
MANUAL_DIR = flags.DEFINE_string("manual_dir", None, "Folder with the .npy arrays of the paper's authors.")
MAX_BARS_FLAG = flags.DEFINE_integer(
    "max_bars", MAX_BARS, "Refuse songs of more bars than this.", lower_bound=1
)
METRES = flags.DEFINE_list(
    "metres",
    ["4/4", "2/2"],
    "Metres that count, as in 4/4,2/2,2/4. Their bars, or two or more of them, have to make sixteen "
    "sixteenths. The paper has 4/4 alone.",
)
REQUIRE_SIGNATURE = flags.DEFINE_bool(
    "require_signature",
    False,
    "Refuse songs without a time signature at their first tick, as the paper does.",
)
PARTIAL_SONGS = flags.DEFINE_bool(
    "partial_songs",
    True,
    "Take the parts in the metres that count of a song that changes metre; --nopartial_songs refuses it.",
)
REQUIRE_BEAT = flags.DEFINE_bool(
    "require_beat",
    True,
    "Refuse songs that were played freely, so that their notes do not follow the beat of the file.",
)
TRANSPOSE = flags.DEFINE_string(
    "transpose",
    "0,0",
    "Write each training phrase in several keys: shifted by every number of semitones from the first to the "
    "second, as in -3,3 for seven keys. 0,0: only as it is.",
)
BEAM_RUNNER = flags.DEFINE_string(
    "beam_runner", None, "Name of the Apache Beam runner that makes the dataset."
)
BEAM_OPTIONS = flags.DEFINE_string(
    "beam_options", None, "Options of the Beam pipeline, in quotes: --name=value ..."
)


def prepare_dataset() -> Prepared:
    """The dataset of the flags, made if need be; says what was done, and what became of each file."""
    source = MIDI_DIR.value or SOURCES_DIR.value or MANUAL_DIR.value
    data_dir = Path(DEFAULT_DATA_DIR if DATA_DIR.value is None else DATA_DIR.value)
    prepared = prepare(_dataset(), data_dir, Path(source) if source else None, rules=_rules(), beam=beam())
    if prepared.built:
        print_report(prepared.folder)
    print(prepared.notice, flush=True)
    return prepared


def print_report(folder: Path) -> None:
    """Print a line for every refused file; by genre, counts of reasons, songs and phrases; what is unused."""
    by_genre = list(zip(*table(folder), strict=True))
    print(*refused_lines(folder), text_table(by_genre, flush_left=("genre",)), sep="\n")
    metadata = read_metadata(folder)
    if metadata["files"] and (source := metadata["source"]):
        for told in filter(None, (*told_of_layout(source), told_of_others([source]))):
            print(told)


def _dataset() -> str:
    """The dataset asked for, or the one that the folder given is for."""
    given = [name for name, flag in FOLDER_FLAGS.items() if flags.FLAGS[flag].value]
    dataset = DATASET.value or (given or ["demo"])[0]
    for name in given:
        if name != dataset:
            raise UserError(
                f"--{FOLDER_FLAGS[name]} is for --dataset={name}, not for {dataset!r}; leave one of them out."
            )
    return dataset


def _rules() -> Rules:
    try:
        low, high = map(int, TRANSPOSE.value.split(","))
    except ValueError:
        low, high = 1, 0
    if not -MOST_SEMITONES <= low <= 0 <= high <= MOST_SEMITONES:
        raise UserError(
            f"transpose is {TRANSPOSE.value!r}, but must be two numbers of semitones around 0, at most "
            f"{MOST_SEMITONES} each way, as in --transpose=-3,3."
        )
    return Rules(
        max_bars=MAX_BARS_FLAG.value,
        metres=tuple(sorted(set(map(_metre, METRES.value)), reverse=True)),  # the order does not count
        require_signature=REQUIRE_SIGNATURE.value,
        partial_songs=PARTIAL_SONGS.value,
        require_beat=REQUIRE_BEAT.value,
        key_shifts=tuple(range(low, high + 1)),
    )


def _metre(text: str) -> Metre:
    """A metre such as 2/4. Raises UserError for one whose bars do not make sixteen steps."""
    above, _, below = text.strip().partition("/")
    if above.isdecimal() and below.isdecimal() and int(below) in NOTE_VALUES:
        metre = int(above), int(below)
        if makes_common_bars(metre):
            return metre
    raise UserError(
        f"metres has {text!r}, but must have metres whose bars, alone, in twos or in parts, make sixteen "
        "sixteenths, as 4/4, 2/2, 2/4, 4/8 or 8/4; a song in 3/4 is not for this dataset."
    )


def beam() -> dict[str, Any]:
    """The fields of TFDS's DownloadConfig for Beam, none without its flags; options go on as they are."""
    if not (BEAM_RUNNER.value or BEAM_OPTIONS.value):
        return {}
    try:
        from apache_beam.options.pipeline_options import (  # pyright: ignore[reportMissingImports]
            PipelineOptions,
        )
        from apache_beam.runners import create_runner  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise UserError(
            "--beam_runner and --beam_options need Apache Beam; pip install 'cyclegan_jax[beam]'."
        ) from error
    try:
        create_runner(BEAM_RUNNER.value or "DirectRunner")
        options = PipelineOptions(shlex.split(BEAM_OPTIONS.value or ""))
    except ValueError as error:
        raise UserError(f"the Beam flags cannot be used: {error}; see Beam's pages on runners.") from error
    return {"beam_runner": BEAM_RUNNER.value, "beam_options": options}
