"""The hardened reader: whatever a file holds, it is refused for a reason or read exactly, at little cost."""

import json
import os
import re
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from support.bad_midi import BAD
from support.forked_readings import (
    KEPT,
    MIB,
    MUTANTS,
    SECONDS,
    SONG,
    Reading,
    quickly,
    run_apart,
    seconds_allowed,
)
from support.heavy_midi import HEAVY
from support.mended_midi import MENDED
from support.midi_bytes import (
    END,
    GOOD,
    LONG,
    SIGNATURE,
    Note,
    holding,
    meta,
    midi,
    off,
    on,
    riff,
    track,
    varlen,
)
from support.odd_midi import ODD, events_at_once

from cyclegan_jax.midi.dataset_song import read_dataset_song
from cyclegan_jax.midi.io import read_score
from cyclegan_jax.midi.reader import parse_midi, read_midi_bytes
from cyclegan_jax.midi.refusals import Refusal, RefusedSongError
from cyclegan_jax.midi.song import quantise_notes

NOBODY = 65534
MENDED_FILES = {kind: holding(data) for kind, (data, _, _) in MENDED.items()}
KINDS = {**{kind: write for zoo in (BAD, ODD) for kind, (write, _) in zoo.items()}, **MENDED_FILES, **HEAVY}
WITH_LONG_HEADER = b"MThd\0\0\0\x0a" + SONG[8:14] + b"more" + SONG[14:]
NAMES = [
    b"new\nline.mid",
    b"\x1b[31mred.mid",
    b"\xff\xfe\x80.mid",
    "日本.mid".encode(),
    b" .mid",
    b"-rf.MID",
    b"%s{0}.mid",
    b"n" * 255,
    b"b.mid.txt",
]


@pytest.fixture(scope="module")
def readings(tmp_path_factory) -> dict[str, Reading]:
    """What became of every kind of file; one that took too long is read again: a busy machine may be why."""
    paths = [tmp_path_factory.mktemp("zoo") / "a.mid" for _ in KINDS]
    for write, path in zip(KINDS.values(), paths, strict=True):
        write(path)
    tasks = [("say", str(path)) for path in paths]
    read = run_apart(tasks)
    slow = [number for number, reading in enumerate(read) if reading.seconds > SECONDS]
    for number, again in zip(slow, run_apart([tasks[number] for number in slow]), strict=True):
        read[number] = min(read[number], again, key=lambda reading: reading.seconds)
    for path in paths:
        shutil.rmtree(path.parent)
    return dict(zip(KINDS, read, strict=True))


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_refused_and_says_why(readings, kind):
    reading = readings[kind]
    assert reading.said == BAD[kind][1].name, reading.detail
    assert reading.detail and reading.detail.isprintable()


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_file_is_kept_with_the_very_notes_it_holds(readings, tmp_path, kind):
    write, expected = ODD[kind]
    assert readings[kind].said == KEPT, readings[kind].detail
    path = tmp_path / "a.mid"
    write(path)
    notes = quantise_notes(read_score(str(path)))
    found = zip(notes.onsets.tolist(), notes.ends.tolist(), notes.pitches.tolist(), strict=True)
    assert sorted(found) == sorted(expected)
    song = read_dataset_song(path).song
    np.testing.assert_array_equal(song.roll, drawn(expected))
    assert song.dropped == sum(not 24 <= pitch <= 107 for _, _, pitch in expected)


@pytest.mark.parametrize("kind", MENDED)
def test_a_file_written_wrong_is_kept_with_its_notes_and_a_remark(readings, kind):
    data, expected, remarks = MENDED[kind]
    assert readings[kind].said == KEPT, readings[kind].detail
    score = parse_midi(data)
    notes = quantise_notes(score)
    found = zip(notes.onsets.tolist(), notes.ends.tolist(), notes.pitches.tolist(), strict=True)
    assert sorted(found) == sorted(expected) and score.remarks == remarks


def drawn(notes: list[Note]) -> np.ndarray:
    roll = np.zeros((max(end for _, end, _ in notes), 84), bool)
    for onset, end, pitch in set(notes):
        if 24 <= pitch <= 107:
            roll[onset:end, pitch - 24] = True
    return roll


@pytest.mark.parametrize("kind", KINDS)
def test_no_file_costs_over_2_seconds_or_512_mib(readings, kind):
    reading = readings[kind]
    assert reading.said in {KEPT, *Refusal.__members__}, reading.detail
    assert reading.seconds <= SECONDS or reading.seconds <= seconds_allowed()
    assert reading.mib <= MIB


def test_the_zoo_is_large_and_has_every_kind_once():
    assert len(BAD) >= 40
    assert len(KINDS) == len(BAD) + len(ODD) + len(MENDED) + len(HEAVY)


@pytest.mark.parametrize(
    "whole", [SONG, riff((b"data", SONG)), WITH_LONG_HEADER], ids=["bare", "RMID", "header"]
)
def test_a_file_cut_off_at_any_byte_is_refused(whole):
    """But between two tracks: then some of those that it declares are missing, which is told."""
    assert quickly(whole) == KEPT
    read = [size for size in range(len(whole)) if quickly(whole[:size]) not in ("NOT_MIDI", "DAMAGED")]
    starts = [match.start() for match in re.finditer(b"MTrk", whole)][1:]
    allowed = [] if whole.startswith(b"RIFF") else [start + more for start in starts for more in range(4)]
    assert read == allowed
    for size in read:
        assert any("tracks declared" in remark for remark in parse_midi(whole[:size]).remarks)


@pytest.mark.parametrize("seed", [3, 4, 5, 6, 7, 8])
def test_mutants_of_a_good_file_give_songs_or_refusals(seed):
    (reading,) = run_apart([("fuzz", seed)])
    said = json.loads(reading.said)
    assert sum(said.values()) == MUTANTS
    assert set(said) <= {KEPT, *Refusal.__members__}
    assert said[KEPT] > 10 and said["DAMAGED"] > MUTANTS * 0.3
    assert float(reading.detail) <= SECONDS and reading.mib <= MIB


def test_a_file_without_the_right_to_read_it_is_refused():
    # Root may read everything, and nobody may enter the folders of pytest.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        paths = [Path(folder, name) for name in ("open.mid", "closed.mid")]
        for path, mode in zip(paths, (0o644, 0o000), strict=True):
            path.write_bytes(GOOD)
            path.chmod(mode)
        read = run_apart([("say", str(path)) for path in paths], None if os.geteuid() else NOBODY)
    assert [reading.said for reading in read] == [KEPT, "UNREADABLE"]
    assert read[1].detail == "Permission denied"


@pytest.mark.parametrize("name", NAMES)
def test_a_file_may_have_any_name(tmp_path, name):
    path = os.fsencode(tmp_path) + b"/" + name
    Path(os.fsdecode(path)).write_bytes(GOOD)
    assert quantise_notes(read_score(os.fsdecode(path))).pitches.tolist() == [61]


@pytest.mark.parametrize("name", ["no/a.mid", "file/a.mid", "n" * 300, "a\0.mid", "\udcff.mid", ""])
def test_a_path_that_leads_nowhere_is_refused(tmp_path, name):
    (tmp_path / "file").write_bytes(GOOD)
    with pytest.raises(RefusedSongError) as refused:
        read_dataset_song(tmp_path / name)
    assert refused.value.reason is Refusal.UNREADABLE and refused.value.detail


def test_a_file_s_bytes_are_read_as_they_are(tmp_path):
    (tmp_path / "a.mid").write_bytes(SONG)
    assert read_midi_bytes(tmp_path / "a.mid") == SONG


def test_the_parts_of_a_score():
    score = parse_midi(SONG)
    found = zip(score.onsets, score.ends, score.pitches, score.programs, strict=True)
    assert sorted(found) == [(2, 5, 40, 0), (3, 11, 71, 0), (3, 70, 61, 0), (15, 145, 50, 7)]
    assert (score.ticks_per_quarter, score.time_signatures) == (4, ((0, 4, 4),))
    assert score.tempos == ((0, pytest.approx(120.0)),)


def test_no_file_has_more_events_than_the_limit(monkeypatch):
    monkeypatch.setattr("cyclegan_jax.midi.track_events.MAX_PIECES", 9)
    said = [quickly(data) for data in (events_at_once(9), events_at_once(10), midi(*[track(SIGNATURE)] * 5))]
    assert said == [KEPT, "TOO_MANY", "TOO_MANY"]


def test_of_many_tempos_at_one_tick_the_last_comes_last():
    changes = [meta(0x51, (1000 + number).to_bytes(3, "big"), number % 100 == 0) for number in range(300)]
    tempos = parse_midi(midi(track(*changes, LONG), track(*reversed(changes), SIGNATURE))).tempos
    assert [tempo.position for tempo in tempos] == sorted([0] * 99 + [1, 2, 3] * 100 + [1, 2] * 100 + [3])
    of_tick_2 = [*range(1100, 1200), *range(1100, 1000, -1)]
    found = [tempo.beats_per_minute for tempo in tempos if tempo.position == 2]
    assert found == [60e6 / tempo for tempo in of_tick_2]


def test_what_nothing_closes_ends_with_its_track_and_keeps_its_program():
    events = on(50, 2), on(50, 3), b"\0\xc0\7", on(50, 4), on(52), off(52, 1), off(50, 2)
    score = parse_midi(midi(track(*events, end=varlen(300) + END[1:]), track(on(50, 5), on(36, 0, 9))))
    found = zip(score.onsets, score.ends, score.pitches, score.programs, strict=True)
    assert sorted(found) == [(2, 5, 50, 0), (5, 9, 50, 0), (9, 10, 52, 7), (9, 12, 50, 7)]


def test_tempo_and_metre_are_read_exactly_and_may_be_longer_than_they_need_be():
    score = parse_midi(
        midi(track(meta(0x51, b"\x0f\x42\x40\x99", 2), meta(0x58, bytes([7, 34, 8, 8, 9]), 3)))
    )
    assert (score.tempos, score.time_signatures) == (((2, 60.0),), ((5, 7, 2**34),))


def test_a_refusal_tells_the_place_of_the_damage():
    with pytest.raises(RefusedSongError, match="no event at byte 46 of the file"):
        parse_midi(midi(track(LONG), track(on(50), b"\0\xf4")))


def test_a_tempo_of_0_is_no_tempo():
    tempos = parse_midi(midi(track(meta(0x51, bytes(3), 5), meta(0x51, b"\x0f\x42\x40", 2), LONG))).tempos
    assert tempos == ((7, pytest.approx(60.0)),)
