"""Preparing the dataset: made once, found again, rebuilt when the files have changed, and never lost."""

from pathlib import Path

import pytest
import tensorflow_datasets as tfds
from support.midi_files import write_midi_file

from cyclegan_jax.datasets.genre_rolls.install import is_finished
from cyclegan_jax.datasets.genre_rolls.prepare import prepare
from cyclegan_jax.datasets.genre_rolls.reading.midi_file import Rules
from cyclegan_jax.datasets.genre_rolls.records.build_report import read_metadata, read_refused
from cyclegan_jax.datasets.pipeline.phrases import genres_of
from cyclegan_jax.errors import UserError

PHRASE = 64 * 120


def write_song(path: Path, phrases: int, pitch: int = 60) -> Path:
    return write_midi_file(path, [(PHRASE * n, PHRASE * (n + 1), pitch + n) for n in range(phrases)])


def write_songs(midi_dir: Path, genres: tuple[str, ...] = ("a", "b"), count: int = 3) -> Path:
    """Songs of 1, 2, ... phrases in each genre, at pitches of its own."""
    for place, genre in enumerate(genres):
        for number in range(count):
            write_song(midi_dir / genre / f"{number}.mid", number + 1, 60 + 10 * place)
    return midi_dir


def count_phrases(folder: Path) -> int:
    return sum(split.num_examples for split in tfds.builder_from_directory(folder).info.splits.values())


def test_it_is_built_once_and_found_again_with_and_without_the_folder(tmp_path):
    midi_dir = write_songs(tmp_path / "midi")
    built = prepare("midi", tmp_path / "data", midi_dir)
    assert built.folder == tmp_path / "data/genre_rolls/midi/2.1.0"
    assert (built.built, built.notice) == (True, f"Dataset 'midi' built in {built.folder}.")
    before = (built.folder / "dataset_info.json").stat()
    for again in (midi_dir, None):
        found = prepare("midi", tmp_path / "data", again)
        assert (found.built, found.notice) == (False, f"Dataset 'midi' found in {built.folder}.")
        assert (found.folder, found.fingerprint) == (built.folder, built.fingerprint)
    assert (built.folder / "dataset_info.json").stat() == before


@pytest.mark.parametrize(
    "change, phrases",
    [
        (lambda midi_dir: write_song(midi_dir / "a/0.mid", 4), 15),
        (lambda midi_dir: write_song(midi_dir / "a/new.mid", 4), 16),
        (lambda midi_dir: write_song(midi_dir / "c/new.mid", 4).rename(midi_dir / "b/2.mid"), 13),
    ],
    ids=["changed", "added", "replaced"],
)
def test_other_files_rebuild_it_and_the_notice_says_why(tmp_path, change, phrases):
    midi_dir = write_songs(tmp_path / "midi")
    built = prepare("midi", tmp_path / "data", midi_dir)
    assert count_phrases(built.folder) == 12
    change(midi_dir)
    rebuilt = prepare("midi", tmp_path / "data", midi_dir)
    assert (
        rebuilt.notice
        == f"Dataset 'midi' rebuilt in {built.folder}: the files in {midi_dir} or the rules have changed."
    )
    assert rebuilt.built and rebuilt.fingerprint != built.fingerprint
    assert count_phrases(built.folder) == phrases


def test_other_rules_rebuild_it(tmp_path):
    midi_dir = write_songs(tmp_path / "midi", count=5)
    built = prepare("midi", tmp_path / "data", midi_dir)
    assert count_phrases(built.folder) == 30
    short = Rules(max_bars=16)
    rebuilt = prepare("midi", tmp_path / "data", midi_dir, rules=short)
    assert rebuilt.built and rebuilt.folder == built.folder
    assert rebuilt.fingerprint != built.fingerprint
    assert count_phrases(built.folder) == 20
    refused = [("a/4.mid", "too many bars", "20 bars, at most 16")]
    assert read_refused(built.folder) == [*refused, ("b/4.mid", *refused[0][1:])]
    assert not prepare("midi", tmp_path / "data", midi_dir, rules=short).built


def test_another_folder_rebuilds_it_with_its_own_genres(tmp_path):
    one, two = write_songs(tmp_path / "one"), write_songs(tmp_path / "two", ("x", "Y z", "9"))
    built = prepare("midi", tmp_path / "data", one)
    rebuilt = prepare("midi", tmp_path / "data", two)
    assert rebuilt.notice.endswith(f" rebuilt in {built.folder}: it was made of {one}, now of {two}.")
    assert genres_of(rebuilt.folder) == ("9", "Y z", "x")
    assert read_metadata(rebuilt.folder)["files"] == {"9": 3, "Y z": 3, "x": 3}


def test_the_same_files_in_another_place_are_found(tmp_path):
    built = prepare("midi", tmp_path / "data", write_songs(tmp_path / "one"))
    assert prepare("midi", tmp_path / "data", write_songs(tmp_path / "two")).fingerprint == built.fingerprint
    assert not prepare("midi", tmp_path / "data", tmp_path / "two").built


def test_a_rebuild_that_fails_leaves_the_dataset_as_it_was(tmp_path):
    midi_dir, other = write_songs(tmp_path / "midi"), write_songs(tmp_path / "other", ("c",), 2)
    built = prepare("midi", tmp_path / "data", midi_dir)
    with pytest.raises(UserError, match="'c' has 2 usable songs"):
        prepare("midi", tmp_path / "data", other)
    assert not prepare("midi", tmp_path / "data", midi_dir).built
    assert count_phrases(built.folder) == 12
    assert {path.name for path in (tmp_path / "data").iterdir()} == {"genre_rolls", ".lock"}


def test_a_folder_left_half_made_is_not_taken_for_a_dataset(tmp_path):
    midi_dir = write_songs(tmp_path / "midi")
    built = prepare("midi", tmp_path / "data", midi_dir)
    (built.folder / "dataset_info.json").unlink()
    assert not is_finished(built.folder)
    assert prepare("midi", tmp_path / "data", midi_dir).built
    assert count_phrases(built.folder) == 12


@pytest.mark.parametrize(
    "dataset, midi_dir, message",
    [
        ("midi", "absent", "absent' is not a folder"),
        ("midi", "empty", "no MIDI file in any sub-folder"),
        ("midi", None, "not in .* yet; name the folder to make it of with --midi_dir"),
        ("midi", "two_songs", "'b' has 2 usable songs, but needs at least 3; add MIDI files in 4/4 to '/"),
        ("midi", "waltzes", r"nothing was kept of 1 files \(refused: metre other than 4/4 1\); add MIDI"),
        ("demo", "empty", "was given, but the demo dataset is composed; add --dataset=midi"),
        ("pop909", None, "dataset is 'pop909', but must be one of demo, midi, open, paper"),
        ("paper", None, "not in .* yet; name the folder to make it of with --manual_dir"),
        ("paper", "empty", "empty' has none of the genres classic, jazz, pop"),
        ("paper", "empty/jazz", "jazz' has none of the genres classic, jazz, pop"),
        ("paper", "absent", "absent' is not a folder"),
    ],
)
def test_what_the_user_can_mend_is_a_user_error(tmp_path, dataset, midi_dir, message):
    (tmp_path / "empty/jazz").mkdir(parents=True)
    write_songs(tmp_path / "two_songs", ("b",), 2)
    write_midi_file(tmp_path / "waltzes/waltz/1.mid", [(0, PHRASE, 60)], signatures=((0, 3, 4),))
    with pytest.raises(UserError, match=message):
        prepare(dataset, tmp_path / "data", midi_dir and tmp_path / midi_dir)


@pytest.mark.parametrize(
    "dataset, more, message",
    [
        ("demo", {"rules": Rules(max_bars=9)}, "the demo songs are taken as they are; leave out --max_bars"),
        (
            "paper",
            {"rules": Rules(max_bars=9)},
            "taken as they are; leave out --max_bars",
        ),
        (
            "demo",
            {"rules": Rules(require_beat=False, key_shifts=(0, 1))},
            "as they are; leave out --norequire_beat\\.",
        ),
        (
            "paper",
            {"rules": Rules(require_signature=True, partial_songs=False, key_shifts=(0, 1))},
            "as they are; leave out --require_signature and --nopartial_songs and --transpose",
        ),
        ("paper", {"rules": Rules(key_shifts=(0, 1))}, "are taken as they are; leave out --transpose"),
        ("demo", {"beam": {"beam_runner": "DirectRunner"}}, "is for midi and open, not for 'demo'"),
        ("paper", {"beam": {"beam_runner": "DirectRunner"}}, "is for midi and open, not for 'paper'"),
    ],
)
def test_rules_and_beam_are_for_what_they_can_serve(tmp_path, dataset, more, message):
    with pytest.raises(UserError, match=message):
        prepare(dataset, tmp_path / "data", **more)
    assert list(tmp_path.iterdir()) == []


def test_the_demo_is_made_once(demo_dir, demo_folder):
    before = (demo_folder / "dataset_info.json").stat()
    assert prepare("demo", demo_dir).notice == f"Dataset 'demo' found in {demo_folder}."
    assert (demo_folder / "dataset_info.json").stat() == before


def test_a_genre_of_which_nothing_is_kept_is_refused_and_nothing_is_left(tmp_path):
    midi_dir, data = write_songs(tmp_path / "midi"), tmp_path / "data"
    (midi_dir / "loop").symlink_to("loop")
    write_midi_file(midi_dir / "waltz/1.mid", [(0, PHRASE, 60)], signatures=((0, 3, 4),))
    write_midi_file(midi_dir / "waltz/a/b/2.mid", [(0, 1920, 60)])
    write_midi_file(midi_dir / "waltz/3.mid", [(0, PHRASE, 62)], signatures=((0, 3, 4),))
    message = (
        r"^genre 'waltz' has 0 usable songs, but needs at least 3 \(refused: metre other than 4/4 2, shorter "
        rf"than a phrase 1\); add MIDI files in 4/4 to '{midi_dir}/waltz', or move that folder away\.$"
    )
    with pytest.raises(UserError, match=message):
        prepare("midi", data, midi_dir)
    assert [path.name for path in data.iterdir()] == [".lock"]
    (midi_dir / "waltz").rename(tmp_path / "waltz")
    built = prepare("midi", data, midi_dir)
    assert genres_of(built.folder) == ("a", "b") and count_phrases(built.folder) == 12


def test_an_interrupt_between_the_renames_puts_the_former_dataset_back(tmp_path, monkeypatch):
    midi_dir = write_songs(tmp_path / "midi")
    built = prepare("midi", tmp_path / "data", midi_dir)
    write_midi_file(midi_dir / "a/more.mid", [(0, PHRASE, 99)])
    rename, interrupts = Path.rename, [KeyboardInterrupt]

    def interrupted(path: Path, target: Path) -> Path:
        if target == built.folder and interrupts:
            raise interrupts.pop()
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        prepare("midi", tmp_path / "data", midi_dir)
    assert read_metadata(built.folder)["fingerprint"] == built.fingerprint
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == [".lock", "genre_rolls"]
