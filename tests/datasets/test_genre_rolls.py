"""The dataset: its features, its records, its splits, and what it says of refused files."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from support.midi_files import write_midi_file

from cyclegan_jax.datasets.genre_rolls.building.table import refused_lines, table
from cyclegan_jax.datasets.genre_rolls.prepare import prepare
from cyclegan_jax.datasets.genre_rolls.reading.splits import SPLITS, split_songs
from cyclegan_jax.datasets.genre_rolls.records.build_report import read_metadata, read_refused
from cyclegan_jax.datasets.pipeline.phrases import genres_of
from cyclegan_jax.midi.refusals import Refusal

STEP, PHRASE = 120, 64 * 120
SONGS = {
    "Hip Hop": {"0.mid": 0, "deep/er/1.MID": 1, "2.midi": 2},
    "jazz": {"0.mid": 3, "1.mid": 4, "2.Mid": 5},
}
LONG = [(0, PHRASE, 60)]
BAR_OF_THREE = [(0, 5760, 36), (0, 480, 60), (480, 960, 64), (960, 1440, 67)]
WALTZ = [(1440 * bar + on, 1440 * bar + off, pitch) for bar in range(8) for on, off, pitch in BAR_OF_THREE]
REFUSED = {
    "Hip Hop/deep/torn.mid": (Refusal.DAMAGED, LONG, {}),
    "Hip Hop/march.mid": (Refusal.OTHER_METRE, LONG, {"signatures": ((0, 2, 4),)}),
    "Hip Hop/swing.mid": (Refusal.OTHER_METRE, LONG, {"signatures": ((0, 4, 4), (1920, 12, 8))}),
    "jazz/drums.mid": (Refusal.NO_NOTES, [], {"drums": LONG}),
    "jazz/high.mid": (Refusal.BLANK, [(0, PHRASE, 108)], {}),
    "jazz/late.mid": (Refusal.TOO_SHORT, LONG, {"signatures": ((480, 4, 4),)}),
    "jazz/long.mid": (Refusal.TOO_LONG, [*LONG, (4096 * 1920, 4096 * 1920 + STEP, 60)], {}),
    "jazz/none.mid": (Refusal.THREE_BEATS, WALTZ, {"signatures": ()}),
    "jazz/short.mid": (Refusal.TOO_SHORT, [(0, PHRASE - STEP, 60)], {}),
    "jazz/torn.mid": (Refusal.DAMAGED, LONG, {}),
    "jazz/waltz.mid": (Refusal.OTHER_METRE, LONG, {"signatures": ((0, 3, 4),)}),
}


TWIN = "jazz/twin.mid"  # of Hip Hop/2.midi


def write_song(path: Path, number: int, **more: object) -> None:
    """2 + number phrases of a note each, a blank and an incomplete one, and `number` notes too high.

    The last whole phrase's note is doubled by another program.
    """
    notes = [
        (PHRASE * (3 + number), PHRASE * (3 + number) + STEP, 60),
        *((0, STEP, 108 + high) for high in range(number)),
    ]
    for place in (0, *range(2, 3 + number)):
        onset = PHRASE * place + STEP * number
        notes.append((onset, onset + STEP * (2 + place), 30 + 10 * number + place))
    parts = {5 + number: notes[-1:]}
    write_midi_file(path, notes, tempos=((0, 60.0 + 10 * number), (STEP, 200.0)), parts=parts, **more)


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
    write_song(place / "midi" / TWIN, 2, drums=LONG)
    return prepare("midi", place / "data", place / "midi").folder


def test_it_opens_as_a_tfds_dataset_with_the_features_promised(folder):
    features = (builder := tfds.builder_from_directory(folder)).info.features
    assert set(features) == {
        *(
            "roll",
            "onsets",
            "melody",
            "melody_track",
            "genre",
            "song",
            "source",
            "licence",
            "phrase",
            "bar",
            "key_shift",
            "programs",
            "tempo",
        )
    }
    for name in ("roll", "onsets", "melody"):
        assert (features[name].shape, features[name].np_dtype) == ((64, 84, 1), np.bool_)
    assert features["genre"].names == ["Hip Hop", "jazz"] == list(genres_of(folder))
    numbers = ("phrase", "bar", "key_shift", "tempo")
    assert [features[name].np_dtype for name in numbers] == [np.int32] * 3 + [np.float32]
    assert (features["programs"].shape, features["programs"].np_dtype) == ((128,), np.bool_)
    assert builder.info.homepage == "https://arxiv.org/abs/1809.07575"
    assert (builder.name, builder.info.config_name, str(builder.version)) == ("genre_rolls", "midi", "2.1.0")


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
        np.testing.assert_array_equal(record["melody"], roll)
        assert not record["melody_track"]
        assert np.argwhere(record["onsets"]).tolist() == [[number, 6 + 10 * number + place, 0]]
        assert record["tempo"] == pytest.approx(60.0 + 10 * number, rel=1e-5)
        _, genre, song, _ = key
        assert record["source"].decode() == f"{genre}/{song}"
        assert (record["bar"], record["key_shift"]) == (4 * place, 0)
        assert np.flatnonzero(record["programs"]).tolist() == (
            [0, 5 + number] if place == 2 + number else [0]
        )


def test_every_refused_file_is_listed_with_its_reason(folder):
    reasons = {name: reason for name, reason, _ in read_refused(folder)}
    expected = {name: str(reason) for name, (reason, *_) in REFUSED.items()}
    assert reasons == {**expected, TWIN: "same notes as another file"}
    assert list(reasons) == sorted(reasons)
    assert len(lines := refused_lines(folder)) == 12
    assert "refused  jazz/twin.mid: same notes as another file (Hip Hop/2.midi)" in lines
    swing = "12/8 for 75 %, 4/4 for 25 %, no four bars of 4/4 in a row"
    assert f"refused  Hip Hop/swing.mid: metre other than 4/4 ({swing})" in lines


def test_the_table_counts_files_songs_and_phrases(folder):
    head, *rows = table(folder)
    by_split = [f"{split} {what}" for split in SPLITS for what in ("songs", "phrases")]
    occurring = {Refusal.DUPLICATE, *(reason for reason, *_ in REFUSED.values())}
    reasons = [reason for reason in Refusal if reason in occurring]
    assert head == ["genre", "files", "kept", *reasons, *by_split, "notes out of range"]
    by_split = {}
    for genre, songs in SONGS.items():
        song_of = {split: song for song, split in split_songs(genre, list(songs)).items()}
        by_split[genre] = [number for split in SPLITS for number in (1, 2 + songs[song_of[split]])]
    hip_hop = [6, 3, 1, 0, 0, 0, 2, 0, 0, 0, *by_split["Hip Hop"], 0 + 1 + 2]
    jazz = [12, 3, 1, 1, 1, 1, 1, 2, 1, 1, *by_split["jazz"], 3 + 4 + 5]
    both = [a + b for a, b in zip(hip_hop, jazz, strict=True)]
    assert [name for name, *_ in rows] == ["Hip Hop", "jazz", "all"]
    assert [list(map(int, numbers)) for _, *numbers in rows] == [hip_hop, jazz, both]


def test_beside_the_shards_lie_the_pictures_the_refused_files_and_the_positions(folder):
    for name in ("overview.png", "phrases.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG\r\n")
    shards = {f"genre_rolls-{split}.array_record-00000-of-00001" for split in SPLITS}
    assert {path.name for path in folder.iterdir()} == shards | {
        *("dataset_info.json", "features.json", "metadata.json", "genre.labels.txt"),
        *("overview.png", "phrases.png", "refused.csv"),
        *(f"positions-{split}.npz" for split in SPLITS),
    }


def test_the_demo_is_all_of_the_composers_songs(whole_demo_folder):
    assert refused_lines(whole_demo_folder) == []
    assert read_metadata(whole_demo_folder)["files"] == {"classic": 60, "jazz": 60, "pop": 60}
    assert tfds.builder_from_directory(whole_demo_folder).info.config_name == "demo"
