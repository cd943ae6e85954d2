"""`python -m launch.prepare`: what it prints and leaves of a folder with bad files, and its errors."""

import importlib.util
import os
import re
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from absl import flags
from absl.testing import flagsaver
from support.forked_commands import Call, forked
from support.midi_files import write_midi_file
from support.running import run_command

from cyclegan_jax.datasets.pipeline.phrases import load_phrases
from cyclegan_jax.errors import UserError
from launch.flags import data as data_flags

PHRASE = 64 * 120
GOOD = {"Hip Hop": ["a.mid", "b b.MID", "Übung.midi"], "jazz": ["1.mid", "2.mid", "new\nline.mid"]}
BAD = {
    b"jazz/\x1b[31mred.mid": r"refused  jazz/\x1b[31mred.mid: not a MIDI file (empty)",
    b"jazz/caf\xe9.mid": r"refused  jazz/caf\udce9.mid: not a MIDI file (begins with b'\x1b[2J' instead of b'MThd')",  # noqa: E501
    b"Hip Hop/gone.mid": "refused  Hip Hop/gone.mid: cannot be read (No such file or directory)",
    b"jazz/z\nz.mid": r"refused  jazz/z\nz.mid: same notes as another file (jazz/new\nline.mid)",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder `midi` with good and bad files of good and bad names."""
    place = tmp_path_factory.mktemp("command")
    pitch = 40
    for genre, songs in GOOD.items():
        for song in songs:
            write_midi_file(place / "midi" / genre / song, [(0, 2 * PHRASE, pitch), (0, 120, 120)])
            pitch += 1
    midi = os.fsencode(place / "midi")
    red, cafe, gone, twin = (os.path.join(midi, name) for name in BAD)  # noqa: PTH118
    (place / "midi/jazz/list.txt").touch()
    (place / "midi/blues").mkdir()
    (place / "midi/top.mid").touch()
    Path(os.fsdecode(red)).touch()
    Path(os.fsdecode(cafe)).write_bytes(b"\x1b[2J")
    Path(os.fsdecode(gone)).symlink_to("nowhere")
    Path(os.fsdecode(twin)).write_bytes((place / "midi/jazz/new\nline.mid").read_bytes())
    return place


@pytest.fixture(scope="module")
def done(place) -> CompletedProcess:
    """The first run of the command."""
    return run_command("prepare", "--midi_dir=midi", "--transpose=-1,2", "--max_bars=9", cwd=place)


@pytest.fixture
def folder(place, done) -> Path:
    return place / "data/genre_rolls/midi_transposed_-1_2/2.1.0"


def test_bad_files_are_told_and_the_others_are_kept(done, folder):
    assert (done.returncode, done.stderr) == (0, "")
    *lines, empty, beside, others, notice = done.stdout.splitlines()
    assert empty == "Folders without a MIDI file, so no genres: 1 (blues)."
    assert beside.startswith("MIDI files beside the genres' folders, so not used: 1 (top.mid)")
    assert others == "Ignored, as their names do not end like those of MIDI files or scores: 1 (.txt 1)."
    refused, rows = lines[: len(BAD)], [re.split(r"  +", line) for line in lines[len(BAD) :]]
    assert refused == sorted(BAD.values())
    assert rows[:3] == [
        ["genre", "Hip Hop", "jazz", "all"],
        ["files", "4", "6", "10"],
        ["kept", "3", "3", "6"],
    ]
    assert ["same notes as another file", "0", "1", "1"] in rows
    assert rows[-1][0] == "notes out of range" and rows[-1][-1] == "6"
    assert notice == f"Dataset 'midi_transposed_-1_2' built in {folder}."
    assert all(line.isprintable() for line in done.stdout.splitlines())


def test_the_flags_came_to_the_builder(folder):
    jazz = load_phrases(folder, "train", ("jazz",))["jazz"]
    assert len(jazz) == 2 * 4 * jazz.songs


def test_pictures_and_refused_files_lie_beside_the_records(folder):
    for name in ("overview.png", "phrases.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG\r\n")
    rows = (folder / "refused.csv").read_text(encoding="utf-8").splitlines()
    assert rows[0] == "path,reason,detail" and len(rows) == 1 + len(BAD)


def test_the_second_time_it_is_found_and_told_again(place, done, folder):
    again = run_command("prepare", "--dataset=midi", "--transpose=-1,2", cwd=place)
    assert (again.returncode, again.stderr) == (0, "")
    notice = f"Dataset 'midi_transposed_-1_2' found in {folder}."
    assert again.stdout.splitlines() == [notice, *done.stdout.splitlines()[:-1]]


def test_where_nothing_is_kept_that_is_said_in_one_line(tmp_path):
    for name in "abcd":
        (tmp_path / "midi/jazz").mkdir(parents=True, exist_ok=True)
        (tmp_path / f"midi/jazz/{name}.mid").write_text("no music")
    done = run_command("prepare", "--midi_dir=midi", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line == "nothing was kept of 4 files (refused: not a MIDI file 4); add MIDI files in 4/4."
    assert [path.name for path in (tmp_path / "data").iterdir()] == [".lock"]


ERRORS = {
    "transpose": ({"transpose": "up"}, "transpose is 'up', but must be two numbers"),
    "no bars": ({"max_bars": 0}, "max_bars"),
}
if not importlib.util.find_spec("apache_beam"):
    ERRORS["no Beam"] = ({"beam_runner": "DirectRunner"}, "pip install 'cyclegan_jax[beam]'")


@pytest.fixture(scope="module")
def prepare() -> Iterator[Call]:
    with forked("prepare") as call:
        yield call


@pytest.mark.parametrize("given, words", ERRORS.values(), ids=ERRORS)
def test_a_mistake_is_one_line_with_exit_code_2(prepare, tmp_path, given, words):
    done = prepare(*(f"--{name}={value}" for name, value in given.items()), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert words in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "transpose", ["3", "", "1,2", "-2,-1", "2,-2", "-25,0", "0,25", "-1,0,1", "a,b", "-1.5,1", "-1;1"]
)
def test_keys_that_are_no_two_numbers_around_0_are_a_user_error(tmp_path, transpose):
    message = f"transpose is '{transpose}', but must be two numbers of semitones around 0, at most 24 each"
    with flags_set(tmp_path, transpose=transpose), pytest.raises(UserError, match=message):
        data_flags.prepare_dataset()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("metre", ["3/4", "6/8", "12/8", "4", "4/3", "0/4", "-4/4", "/", "", "a/b", "4/4/4"])
def test_a_metre_whose_bars_do_not_make_sixteen_steps_is_a_user_error(tmp_path, metre):
    message = f"metres has '{metre}', but must have metres whose bars, alone, in twos or in parts, make"
    with flags_set(tmp_path, metres=["4/4", metre]), pytest.raises(UserError, match=message):
        data_flags.prepare_dataset()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "given, words",
    [
        ({"dataset": "midi", "manual_dir": "x"}, "--manual_dir is for --dataset=paper, not for 'midi'"),
        ({"dataset": "demo", "manual_dir": "x"}, "--manual_dir is for --dataset=paper, not for 'demo'"),
        ({"dataset": "paper", "midi_dir": "x"}, "--midi_dir is for --dataset=midi, not for 'paper'"),
        ({"dataset": "demo", "midi_dir": "x"}, "--midi_dir is for --dataset=midi, not for 'demo'"),
        ({"midi_dir": "x", "manual_dir": "y"}, "--manual_dir is for --dataset=paper, not for 'midi'"),
        ({"midi_dir": "nowhere"}, r"midi_dir '.*nowhere' is not a folder"),
        ({"manual_dir": "nowhere"}, "manual_dir 'nowhere' is not a folder"),
        ({"manual_dir": "x", "max_bars": 7}, "leave out --max_bars"),
        ({"dataset": "paper"}, "name the folder to make it of with --manual_dir"),
        ({"metres": ["4/4"]}, "the demo songs are taken as they are; leave out --metres"),
        ({"max_bars": 7}, "the demo songs are taken as they are; leave out --max_bars"),
    ],
)
def test_the_folder_given_says_which_dataset_is_meant(tmp_path, given, words):
    with flags_set(tmp_path / "data", **given), pytest.raises(UserError, match=words):
        data_flags.prepare_dataset()


def flags_set(data_dir: Path, **values: object):
    """The flags of a command line, here."""
    if not flags.FLAGS.is_parsed():
        flags.FLAGS.mark_as_parsed()
    return flagsaver.flagsaver(data_dir=str(data_dir), **values)
