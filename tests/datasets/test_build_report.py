"""The report: metadata, refused files and positions as written and read again, and the table made of them."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from cyclegan_jax.datasets.genre_rolls.building.table import refused_lines, table
from cyclegan_jax.datasets.genre_rolls.reading.midi_file import Refused
from cyclegan_jax.datasets.genre_rolls.records.build_report import (
    Build,
    read_metadata,
    read_positions,
    read_refused,
)
from cyclegan_jax.datasets.genre_rolls.records.split_plan import SplitPlan
from cyclegan_jax.errors import UserError
from cyclegan_jax.midi.refusals import Refusal

GENRES = ["Hip Hop", "jazz"]
REFUSED = [
    ("Hip Hop/a, b.mid", Refused(Refusal.DAMAGED, 'says "no", twice')),
    ("Hip Hop/Übung\\n日本.mid", Refused(Refusal.DUPLICATE, "Hip Hop/a.mid")),
    ("jazz/x.mid", Refused(Refusal.DAMAGED, "one\ntwo")),
    ("jazz/y.mid", Refused(Refusal.READER_FAILED, "")),
    ("jazz/z.mid", Refused(Refusal.READER_FAILED, "took over 20 s")),
]


def plan(labels: list[int], **songs: int) -> SplitPlan:
    keys = (f"key {place}".encode() for place in range(len(labels)))
    numbers = np.arange(len(labels)) + 7
    return SplitPlan.of("any", keys, numbers, np.array(labels), Counter({GENRES[1]: 0} | songs))


@pytest.fixture
def build() -> Build:
    return Build(
        fingerprint="0123456789abcdef",
        files={"jazz": 12, "Hip Hop": 4},
        refused=REFUSED,
        dropped={"jazz": 31},
        statistics={},
        splits={
            "train": plan([0, 0, 1, 1, 1, 1, 1], **{"Hip Hop": 2, "jazz": 4}),
            "validation": plan([1], jazz=1),
            "test": plan([1, 1, 1], jazz=4),
        },
    )


@pytest.fixture
def folder(build, tmp_path) -> Path:
    build.write(tmp_path)
    (tmp_path / "metadata.json").write_text(json.dumps(build.metadata(GENRES)))
    return tmp_path


def test_metadata_counts_songs_and_phrases_by_split_and_genre(folder):
    assert read_metadata(folder) == {
        "fingerprint": "0123456789abcdef",
        "files": {"Hip Hop": 4, "jazz": 12},
        "dropped_notes": {"jazz": 31},
        "songs": {
            "train": {"Hip Hop": 2, "jazz": 4},
            "validation": {"jazz": 1},
            "test": {"jazz": 4},
        },
        "phrases": {
            "train": {"Hip Hop": 2, "jazz": 5},
            "validation": {"Hip Hop": 0, "jazz": 1},
            "test": {"Hip Hop": 0, "jazz": 3},
        },
    }


def test_refused_files_are_read_as_they_were_written(folder):
    written = [(name, str(refused.reason), refused.detail) for name, refused in REFUSED]
    assert read_refused(folder) == written
    assert (folder / "refused.csv").read_text(encoding="utf-8").startswith("path,reason,detail\n")
    assert refused_lines(folder)[0] == 'refused  Hip Hop/a, b.mid: damaged or cut off (says "no", twice)'


def test_positions_are_read_as_they_were_written(build, folder):
    for split, written in build.splits.items():
        positions = read_positions(folder, split)
        assert list(positions) == sorted({*written.labels.tolist()})
        for label, places in written.positions().items():
            np.testing.assert_array_equal(positions[label], places)
    assert sorted(np.concatenate(list(read_positions(folder, "train").values()))) == list(range(7))


def test_the_table_has_a_column_for_every_reason_that_occurs_and_0_for_what_is_not_there(folder):
    head, *rows = table(folder)
    assert head == [
        *("genre", "files", "kept"),
        *("damaged or cut off", "reader crashed or hung", "same notes as another file"),
        *("train songs", "train phrases", "validation songs", "validation phrases"),
        *("test songs", "test phrases", "notes out of range"),
    ]
    assert [(name, *map(int, numbers)) for name, *numbers in rows] == [
        ("Hip Hop", 4, 2, 1, 0, 1, 2, 2, 0, 0, 0, 0, 0),
        ("jazz", 12, 9, 1, 2, 0, 4, 5, 1, 1, 4, 3, 31),
        ("all", 16, 11, 2, 2, 1, 6, 7, 1, 1, 4, 3, 31),
    ]
    assert {len(line) for line in (head, *rows)} == {13}


def test_a_table_where_nothing_is_refused_has_no_reasons(build, tmp_path):
    build.refused.clear()
    build.write(tmp_path)
    (tmp_path / "metadata.json").write_text(json.dumps(build.metadata(GENRES)))
    assert read_refused(tmp_path) == refused_lines(tmp_path) == []
    assert table(tmp_path)[0][:4] == ["genre", "files", "kept", "train songs"]


@pytest.mark.parametrize("content", [b"", b"{", b"3", b"\xff", None])
def test_damaged_metadata_is_told_with_what_to_do(tmp_path, content):
    if content is not None:
        (tmp_path / "metadata.json").write_bytes(content)
    with pytest.raises(UserError, match=r"metadata\.json is missing or damaged; delete its dataset and make"):
        read_metadata(tmp_path)
