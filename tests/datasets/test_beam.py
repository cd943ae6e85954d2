"""The same dataset from Apache Beam, with several workers, as from this machine's cores."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from absl.testing import flagsaver
from support.midi_files import write_midi_file
from support.running import run_command
from support.small_sources import run_with_list, write_list, write_small_sources

from cyclegan_jax.datasets.genre_rolls.reading.splits import SPLITS
from cyclegan_jax.datasets.genre_rolls.records.build_report import read_metadata, read_positions, read_refused
from launch.flags import data as data_flags

pytest.importorskip("apache_beam")

PHRASE = 7680
REFUSED = {  # of each dataset
    "midi": ["a/text.mid", "a/waltz.mid", "b b/copy.mid"],
    "open": ["classic/scores/scores/broken.mxl"],
}
OPTIONS = "--direct_num_workers=2 --direct_running_mode=multi_processing"


def write_music(place: Path) -> Path:
    """Two genres of seven songs, a song under two names, a waltz and a file that is no MIDI."""
    for genre, pitch in {"a": 40, "b b": 70}.items():
        for n in range(7):
            notes = [(PHRASE * p + 240 * n, PHRASE * p + 960, pitch + n + p) for p in range(n % 3 + 1)]
            write_midi_file(place / genre / f"{n}.mid", [*notes, (0, PHRASE * 4, 20)])
    write_midi_file(place / "b b" / "copy.mid", [(0, 960, 40), (0, PHRASE * 4, 20)])
    write_midi_file(place / "a" / "waltz.mid", [(0, PHRASE * 4, 50)], signatures=((0, 3, 4),))
    (place / "a" / "text.mid").write_text("words")
    return place


@pytest.fixture(scope="module", params=REFUSED)
def folders(request, tmp_path_factory) -> tuple[Path, Path]:
    """A folder of MIDI files, or a small open corpus, built locally and by Beam."""
    place = tmp_path_factory.mktemp("beam")
    if request.param == "open":
        sources = write_list(place / "list.toml", write_small_sources(place / "sources"))
        prepare, given = partial(run_with_list, sources, "prepare"), f"--sources_dir={place / 'sources'}"
    else:
        prepare, given = partial(run_command, "prepare"), f"--midi_dir={write_music(place / 'music')}"
    common = (given, "--transpose=-1,1")
    beam = ("--beam_runner=DirectRunner", f"--beam_options={OPTIONS}")
    for data_dir, more in (("local", ()), ("beam", beam)):
        done = prepare(*common, *more, f"--data_dir={data_dir}", cwd=place)
        assert done.returncode == 0, done.stderr
    return tuple(next((place / name).glob("genre_rolls/*/*")) for name in ("local", "beam"))


def test_records_and_their_order_are_the_same(folders):
    for split in SPLITS:
        local, beam = (tfds.builder_from_directory(folder).as_data_source(split) for folder in folders)
        assert len(local) == len(beam) > 1
        for ours, theirs in zip(local, beam, strict=True):
            np.testing.assert_equal(ours, theirs)


def test_all_that_lies_beside_the_records_is_the_same(folders):
    local, beam = folders
    assert read_metadata(local) == read_metadata(beam)
    assert read_refused(local) == read_refused(beam)
    assert [name for name, *_ in read_refused(beam)] in REFUSED.values()
    for split in SPLITS:
        positions = [read_positions(folder, split) for folder in folders]
        assert positions[0].keys() == positions[1].keys() == set(range(len(read_metadata(local)["files"])))
        assert all((places == positions[1][label]).all() for label, places in positions[0].items())
    assert {path.name for path in local.iterdir()} == {path.name for path in beam.iterdir()}


def test_runner_and_options_reach_the_pipeline_untouched():
    options = "--flink_master=host:8081 --job_name='a b' --parallelism=7"
    with flagsaver.as_parsed(beam_runner="FlinkRunner", beam_options=options):
        fields = data_flags.beam()
    assert fields["beam_runner"] == "FlinkRunner"
    given = fields["beam_options"].get_all_options(drop_default=True)
    assert given == {"flink_master": "host:8081", "job_name": "a b", "parallelism": 7}
