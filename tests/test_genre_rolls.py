"""The dataset: its records, what it says of refused files, and when it is made again."""

import re
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from midi_files import write_midi_file

from cyclegan_jax.datasets.genre_rolls.prepare import is_finished, prepare, read_metadata
from cyclegan_jax.datasets.genre_rolls.splits import SPLITS, split_songs
from cyclegan_jax.datasets.genre_rolls.summary import refused_lines, table
from cyclegan_jax.datasets.pipeline.phrases import genres_of
from cyclegan_jax.errors import UserError
from cyclegan_jax.songs import Refusal

STEP, PHRASE = 120, 64 * 120
SONGS = {
    "Hip Hop": {"0.mid": 0, "deep/er/1.MID": 1, "2.midi": 2},
    "jazz": {"0.mid": 3, "1.mid": 4, "2.Mid": 5},
}
LONG = [(0, PHRASE, 60)]
REFUSED = {
    "Hip Hop/deep/torn.mid": (Refusal.UNREADABLE, LONG, {}),
    "Hip Hop/march.mid": (Refusal.OTHER_METRE, LONG, {"signatures": ((0, 2, 4),)}),
    "Hip Hop/swing.mid": (Refusal.OTHER_METRE, LONG, {"signatures": ((0, 4, 4), (1920, 12, 8))}),
    "jazz/drums.mid": (Refusal.NO_NOTES, [], {"drums": LONG}),
    "jazz/high.mid": (Refusal.BLANK, [(0, PHRASE, 108)], {}),
    "jazz/late.mid": (Refusal.LATE_TIME_SIGNATURE, LONG, {"signatures": ((480, 4, 4),)}),
    "jazz/none.mid": (Refusal.NO_TIME_SIGNATURE, LONG, {"signatures": ()}),
    "jazz/short.mid": (Refusal.TOO_SHORT, [(0, PHRASE - STEP, 60)], {}),
    "jazz/torn.mid": (Refusal.UNREADABLE, LONG, {}),
    "jazz/waltz.mid": (Refusal.OTHER_METRE, LONG, {"signatures": ((0, 3, 4),)}),
}


def write_song(path: Path, number: int) -> Path:
    """2 + number phrases of a note each, a blank and an incomplete one, and `number` notes too high."""
    notes = [(PHRASE * (3 + number), PHRASE * (3 + number) + STEP, 60), *[(0, STEP, 108)] * number]
    for place in (0, *range(2, 3 + number)):
        onset = PHRASE * place + STEP * number
        notes.append((onset, onset + STEP * (2 + place), 30 + 10 * number + place))
    return write_midi_file(path, notes, tempos=((0, 60.0 + 10 * number), (STEP, 200.0)))


def write_songs(midi_dir: Path, genres: tuple[str, ...] = ("a", "b"), count: int = 3) -> Path:
    for genre in genres:
        for number in range(count):
            write_song(midi_dir / genre / f"{number}.mid", number)
    return midi_dir


def records_of(folder: Path) -> list[tuple[str, str, str, int, dict]]:
    builder, names = tfds.builder_from_directory(folder), genres_of(folder)
    return [
        (split, names[record["genre"]], record["song"].decode(), record["phrase"], record)
        for split in SPLITS
        for record in builder.as_data_source(split)
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The dataset of SONGS and of a file for every refusal."""
    place = tmp_path_factory.mktemp("genre_rolls")
    for genre, songs in SONGS.items():
        for song, number in songs.items():
            write_song(place / "midi" / genre / song, number)
    for name, (_, notes, more) in REFUSED.items():
        write_midi_file(place / "midi" / name, notes, **more)
    for torn in (place / "midi").rglob("torn.mid"):
        torn.write_bytes(torn.read_bytes()[:50])
    return prepare("midi", place / "data", place / "midi").folder


def test_it_opens_as_a_tfds_dataset_with_the_features_promised(folder):
    features = (builder := tfds.builder_from_directory(folder)).info.features
    assert set(features) == {"roll", "genre", "song", "phrase", "tempo"}
    assert (features["roll"].shape, features["roll"].np_dtype) == ((64, 84, 1), np.bool_)
    assert features["genre"].names == ["Hip Hop", "jazz"] == list(genres_of(folder))
    assert (features["phrase"].np_dtype, features["tempo"].np_dtype) == (np.int32, np.float32)
    assert (builder.name, builder.info.config_name, str(builder.version)) == ("genre_rolls", "midi", "1.0.0")


def test_the_records_are_the_phrases_converted_by_hand_with_each_song_whole_in_its_split(folder):
    splits = {genre: split_songs(genre, list(songs)) for genre, songs in SONGS.items()}
    expected = {
        (splits[genre][song], genre, song, place): number
        for genre, songs in SONGS.items()
        for song, number in songs.items()
        for place in (0, *range(2, 3 + number))
    }
    records = records_of(folder)
    assert sorted(key for *key, _ in records) == sorted(map(list, expected))
    for *key, record in records:
        place, number = key[-1], expected[tuple(key)]
        roll = np.zeros((64, 84, 1), bool)
        roll[number : number + 2 + place, 6 + 10 * number + place] = True
        np.testing.assert_array_equal(record["roll"], roll)
        assert record["tempo"] == pytest.approx(60.0 + 10 * number, rel=1e-5)


def test_every_refused_file_is_listed_with_its_reason(folder):
    reasons = {name: reason for name, reason, _ in read_metadata(folder)["refused"]}
    assert reasons == {name: str(reason) for name, (reason, *_) in REFUSED.items()}
    assert len(lines := refused_lines(folder)) == 10
    assert "refused  Hip Hop/swing.mid: metre other than 4/4 (12/8)" in lines


def test_the_table_counts_files_songs_and_phrases(folder):
    head, *rows = [re.split(r"\s{2,}", line.strip()) for line in table(folder).splitlines()]
    by_split = [f"{split} {what}" for split in SPLITS for what in ("songs", "phrases")]
    assert head == ["genre", "files", "kept", *map(str, Refusal), *by_split, "notes out of range"]
    by_split = {}
    for genre, songs in SONGS.items():
        song_of = {split: song for song, split in split_songs(genre, list(songs)).items()}
        by_split[genre] = [number for split in SPLITS for number in (1, 2 + songs[song_of[split]])]
    hip_hop = [6, 3, 1, 0, 0, 2, 0, 0, 0, *by_split["Hip Hop"], 0 + 1 + 2]
    jazz = [10, 3, 1, 1, 1, 1, 1, 1, 1, *by_split["jazz"], 3 + 4 + 5]
    both = [a + b for a, b in zip(hip_hop, jazz, strict=True)]
    assert [name for name, *_ in rows] == ["Hip Hop", "jazz", "all"]
    assert [list(map(int, numbers)) for _, *numbers in rows] == [hip_hop, jazz, both]


def test_it_is_built_once_and_found_again_with_and_without_the_folder(tmp_path):
    midi_dir = write_songs(tmp_path / "midi")
    built = prepare("midi", tmp_path / "data", midi_dir)
    assert built.folder == tmp_path / "data/genre_rolls/midi/1.0.0"
    assert built.notice.startswith(f"Dataset 'midi' built in {built.folder}. 0 of 6 files refused")
    before = (built.folder / "dataset_info.json").stat()
    for again in (midi_dir, None):
        found = prepare("midi", tmp_path / "data", again)
        assert found.notice == f"Dataset 'midi' found in {built.folder}."
        assert (found.folder, found.fingerprint) == (built.folder, built.fingerprint)
    assert (built.folder / "dataset_info.json").stat() == before


@pytest.mark.parametrize(
    "change, phrases",
    [
        (lambda midi_dir: write_song(midi_dir / "a/0.mid", 3), 21),
        (lambda midi_dir: write_song(midi_dir / "a/new.mid", 3), 23),
    ],
    ids=["changed", "added"],
)
def test_other_files_rebuild_it_and_the_notice_says_why(tmp_path, change, phrases):
    midi_dir = write_songs(tmp_path / "midi")
    built = prepare("midi", tmp_path / "data", midi_dir)
    assert len(records_of(built.folder)) == 18
    change(midi_dir)
    rebuilt = prepare("midi", tmp_path / "data", midi_dir)
    assert f" rebuilt in {built.folder}: the files in {midi_dir} have changed." in rebuilt.notice
    assert rebuilt.fingerprint != built.fingerprint
    assert len(records_of(built.folder)) == phrases


def test_another_folder_rebuilds_it_with_its_own_genres(tmp_path):
    one, two = write_songs(tmp_path / "one"), write_songs(tmp_path / "two", ("x", "Y z", "9"))
    built = prepare("midi", tmp_path / "data", one)
    rebuilt = prepare("midi", tmp_path / "data", two)
    assert f" rebuilt in {built.folder}: it was made of {one}, now of {two}." in rebuilt.notice
    assert genres_of(rebuilt.folder) == ("9", "Y z", "x")
    assert read_metadata(rebuilt.folder)["files"] == {"9": 3, "Y z": 3, "x": 3}


def test_a_folder_left_half_made_is_not_taken_for_a_dataset(tmp_path):
    midi_dir = write_songs(tmp_path / "midi")
    built = prepare("midi", tmp_path / "data", midi_dir)
    (built.folder / "dataset_info.json").unlink()
    assert not is_finished(built.folder)
    assert " built in " in prepare("midi", tmp_path / "data", midi_dir).notice


@pytest.mark.parametrize(
    "dataset, midi_dir, message",
    [
        ("midi", "absent", "absent' is not a folder"),
        ("midi", "empty", "no MIDI file in any sub-folder"),
        ("midi", None, "not in .* yet; name the folder to make it of with --midi_dir"),
        ("midi", "two_songs", "'b' has 2 usable songs, but needs at least 3; add MIDI files"),
        ("midi", "one_genre", "'waltz' has 0 usable songs, but needs at least 3; add MIDI files"),
        ("demo", "empty", "was given, but the demo dataset is composed; add --dataset=midi"),
        ("pop909", None, "dataset is 'pop909', but must be one of demo, midi"),
    ],
)
def test_what_the_user_can_mend_is_a_user_error(tmp_path, dataset, midi_dir, message):
    (tmp_path / "empty/jazz").mkdir(parents=True)
    write_songs(tmp_path / "two_songs", ("b",), 2)
    write_midi_file(write_songs(tmp_path / "one_genre") / "waltz/1.mid", LONG, signatures=((0, 3, 4),))
    with pytest.raises(UserError, match=message):
        prepare(dataset, tmp_path / "data", midi_dir and tmp_path / midi_dir)


def test_the_demo_is_all_of_the_composers_songs_and_is_made_once(demo_dir, demo_folder):
    before = (demo_folder / "dataset_info.json").stat()
    assert prepare("demo", demo_dir).notice == f"Dataset 'demo' found in {demo_folder}."
    assert (demo_folder / "dataset_info.json").stat() == before
    assert refused_lines(demo_folder) == []
    assert read_metadata(demo_folder)["files"] == {"classic": 60, "jazz": 60, "pop": 60}
