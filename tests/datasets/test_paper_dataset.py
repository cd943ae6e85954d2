"""The dataset `paper`: the arrays of the paper's authors as records, with their mixed phrases."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds

from cyclegan_jax.datasets.genre_rolls.building.table import table
from cyclegan_jax.datasets.genre_rolls.prepare import Prepared, prepare
from cyclegan_jax.datasets.genre_rolls.records.build_report import read_metadata, read_refused
from cyclegan_jax.datasets.pipeline.phrases import genres_of, has_mixed, load_phrases
from cyclegan_jax.errors import UserError
from cyclegan_jax.pianoroll.features import onsets, top_voice

ARRAYS = {
    "jazz_train": [*range(100, 120)],
    "jazz_test": [130, 131],
    "pop_train": [201, 200, 205],
    "pop_test": [230],
}
MIXED = [117, 105, 999, 201, 130, 998]  # 130 is of test, and left out


def phrase(number: int) -> np.ndarray:
    """[64, 84, 1] bool, with the bits of its number in its first step."""
    roll = np.zeros((64, 84, 1), bool)
    roll[0, :16, 0] = number >> np.arange(16) & 1
    return roll


def numbers_of(rolls: np.ndarray) -> list[int]:
    assert rolls.dtype == np.bool_ and rolls.shape[1:] == (64, 84, 1)
    return (rolls[:, 0, :16, 0] @ (1 << np.arange(16))).tolist()


def write_arrays(folder: Path) -> Path:
    (folder / "JCP_mixed").mkdir(parents=True)
    for name, numbers in ARRAYS.items():
        np.save(folder / f"{name}_piano.npy", np.stack([phrase(number) for number in numbers]))
    for place, number in enumerate(MIXED, 1):
        np.save(folder / f"JCP_mixed/piano_{place}.npy", phrase(number))
    return folder


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Prepared:
    place = tmp_path_factory.mktemp("paper")
    return prepare("paper", place / "data", write_arrays(place / "arrays"))


def test_the_records_say_where_they_come_from_and_what_is_unknown(prepared):
    builder = tfds.builder_from_directory(prepared.folder)
    assert (builder.info.config_name, str(builder.version)) == ("paper", "2.1.0")
    found = {}
    for split in builder.info.splits:
        for record in builder.as_data_source(split):
            (number,) = numbers_of(record["roll"][None])
            found.setdefault(split, {})[number] = record
            assert (record["song"], record["bar"], record["key_shift"]) == (b"", -1, 0)
            assert (record["programs"].any(), record["tempo"]) == (False, 120.0)
            np.testing.assert_array_equal(record["onsets"], onsets(record["roll"][None])[0])
            np.testing.assert_array_equal(record["melody"], top_voice(record["roll"][None])[0])
            assert not record["melody_track"]
    sources = {
        split: {number: (r["genre"], r["source"].decode(), r["phrase"]) for number, r in records.items()}
        for split, records in found.items()
    }
    jazz = {number: (1, "jazz_train_piano.npy", number - 100) for number in range(100, 120)}
    assert sources["train"] == {
        **{number: jazz[number] for number in range(100, 118)},
        201: (2, "pop_train_piano.npy", 0),
        200: (2, "pop_train_piano.npy", 1),
    }
    assert sources["validation"] == {118: jazz[118], 119: jazz[119], 205: (2, "pop_train_piano.npy", 2)}
    assert sources["test"] == {
        130: (1, "jazz_test_piano.npy", 0),
        131: (1, "jazz_test_piano.npy", 1),
        230: (2, "pop_test_piano.npy", 0),
    }
    assert sources["mixed"] == {
        117: (1, "JCP_mixed/piano_1.npy", 0),
        105: (1, "JCP_mixed/piano_2.npy", 0),
        999: (-1, "JCP_mixed/piano_3.npy", 0),
        201: (2, "JCP_mixed/piano_4.npy", 0),
        998: (-1, "JCP_mixed/piano_6.npy", 0),
    }


def test_phrases_are_loaded_in_the_order_of_their_rows_and_the_mixed_ones_by_the_name_of_their_split(
    prepared,
):
    assert genres_of(prepared.folder) == ("jazz", "pop")
    assert has_mixed(prepared.folder)
    loaded = load_phrases(prepared.folder, "train", ("pop", "jazz", "mixed"))
    assert numbers_of(loaded["jazz"].rolls) == list(range(100, 118))
    assert numbers_of(loaded["pop"].rolls) == [201, 200]
    assert sorted(numbers_of(loaded["mixed"].rolls)) == [105, 117, 201, 998, 999]
    assert loaded["jazz"].tempos.tolist() == [120.0] * 18
    with pytest.raises(UserError, match="'classic' has no phrase in the split 'train'"):
        load_phrases(prepared.folder, "train", ("classic",))


def test_the_report_counts_phrases_and_no_songs(prepared):
    metadata = read_metadata(prepared.folder)
    assert metadata["phrases"] == {
        "train": {"classic": 0, "jazz": 18, "pop": 2},
        "validation": {"classic": 0, "jazz": 2, "pop": 1},
        "test": {"classic": 0, "jazz": 2, "pop": 1},
        "mixed": {"classic": 0, "jazz": 2, "pop": 1},
    }
    assert read_refused(prepared.folder) == []
    head, _, jazz, *_ = table(prepared.folder)
    assert head == ["genre", *(f"{split} phrases" for split in metadata["phrases"])]
    assert jazz == ["jazz", "18", "2", "2", "2"]
    assert (prepared.folder / "phrases.png").exists()


def test_it_is_found_again_and_made_anew_of_other_arrays(tmp_path):
    arrays = write_arrays(tmp_path / "arrays")
    built = prepare("paper", tmp_path / "data", arrays)
    for source in (arrays, None):
        found = prepare("paper", tmp_path / "data", source)
        assert (found.built, found.fingerprint) == (False, built.fingerprint)
    np.save(arrays / "JCP_mixed/piano_3.npy", phrase(997))
    rebuilt = prepare("paper", tmp_path / "data", arrays)
    assert rebuilt.built and rebuilt.fingerprint != built.fingerprint
    assert 997 in numbers_of(load_phrases(rebuilt.folder, "train", ("mixed",))["mixed"].rolls)


def test_a_folder_of_demo_or_midi_has_no_mixed_phrases(demo_folder):
    assert not has_mixed(demo_folder)
    with pytest.raises(UserError, match="'mixed' has no phrase in the split 'train'"):
        load_phrases(demo_folder, "train", ("mixed",))


def test_arrays_that_cannot_be_used_leave_nothing_behind(tmp_path):
    arrays = write_arrays(tmp_path / "arrays")
    np.save(arrays / "pop_test_piano.npy", np.full((3, 64, 84, 1), 7))
    with pytest.raises(UserError, match=r"pop_test_piano\.npy has the value 7"):
        prepare("paper", tmp_path / "data", arrays)
    assert [path.name for path in (tmp_path / "data").iterdir()] == [".lock"]
