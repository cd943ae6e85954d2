"""The hardened reader: whatever a file holds, it is refused for a reason or read exactly, at little cost."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from bad_midi import BAD
from heavy_midi import HEAVY
from odd_midi import (
    END,
    GOOD,
    LONG,
    ODD,
    SIGNATURE,
    TEMPO,
    Note,
    events_at_once,
    meta,
    midi,
    off,
    on,
    riff,
    track,
    varlen,
)

from cyclegan_jax.midi_reader import parse_midi, read_midi, read_midi_bytes
from cyclegan_jax.refusals import Refusal, RefusedSongError
from cyclegan_jax.songs import filter_song, quantise_notes, read_dataset_song

SECONDS, MIB = 2, 512  # what a file may cost
NOBODY = 65534
KEPT = "kept"
KINDS = {**{kind: writer for zoo in (BAD, ODD) for kind, (writer, _) in zoo.items()}, **HEAVY}
SONG = midi(  # of even length, so that a RIFF wrapper adds no padding after it
    track(SIGNATURE, TEMPO, meta(3, b"tune"), b"\x05\xf0\x04\x43\x12\x01\xf7"),
    track(on(40, 2), b"\x01\x47\x50\x02\x28\x00", off(71, 6), b"\x03\xc0\x07", on(50, 1), off(50, 130)),
    track(LONG, on(36, 0, 9), b"\x00\xb0\x07\x64", off(36, 9, 9)),
)
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


class Reading(NamedTuple):
    """What a child process said of a file, and its cost: CPU seconds and most memory in MiB."""

    said: str
    detail: str
    seconds: float
    mib: float


def say(path: str) -> tuple[str, str]:
    try:
        return KEPT, str(len(read_dataset_song(path).roll))
    except RefusedSongError as refusal:
        return refusal.reason.name, refusal.detail


def apart(task: Callable[[], tuple[str, str]]) -> Reading:
    """The task in a fork: with as much memory as a worker of `prepare`, and too little time to hang."""
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
        resource.setrlimit(resource.RLIMIT_CPU, (3 * SECONDS, 3 * SECONDS))
        signal.alarm(5 * SECONDS)
        try:
            os.write(theirs, json.dumps(task()).encode())
        except BaseException as error:
            os.write(theirs, json.dumps((type(error).__name__, str(error)[:9999])).encode())
        os._exit(0)
    os.close(theirs)
    _, status, used = os.wait4(child, 0)
    with os.fdopen(ours, "rb") as answer:
        said = json.loads(answer.read() or json.dumps((f"ended with status {status}", "")))
    return Reading(*said, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def run_apart(tasks: list[tuple[str, str | int]], user: int | None = None) -> list[Reading]:
    """Each task in a fork of its own of a process that has imported little."""
    words = [sys.executable, __file__, json.dumps([tasks, user])]
    alone = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}  # a process with threads had better not fork
    done = subprocess.run(words, capture_output=True, timeout=250, env=alone)
    assert (done.returncode, done.stderr.decode()) == (0, "")
    return [Reading(*reading) for reading in json.loads(done.stdout)]


def main(tasks: list[tuple[str, str | int]], user: int | None) -> None:
    with tempfile.NamedTemporaryFile() as file:  # so that no fork pays for what the first file costs
        file.write(GOOD)
        file.flush()
        say(file.name)
    if user is not None:
        os.setuid(user)
    does = {"say": say, "fuzz": fuzz}
    print(json.dumps([apart(partial(does[name], what)) for name, what in tasks]))


@pytest.fixture(scope="module")
def readings(tmp_path_factory) -> dict[str, Reading]:
    """What became of every kind of file."""
    paths = [tmp_path_factory.mktemp("zoo") / "a.mid" for _ in KINDS]
    for write, path in zip(KINDS.values(), paths, strict=True):
        write(path)
    read = run_apart([("say", str(path)) for path in paths])
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
    notes = quantise_notes(read_midi(str(path)))
    found = zip(notes.onsets.tolist(), notes.ends.tolist(), notes.pitches.tolist(), strict=True)
    assert sorted(found) == sorted(expected)
    song = read_dataset_song(path)
    np.testing.assert_array_equal(song.roll, drawn(expected))
    assert song.dropped == sum(not 24 <= pitch <= 107 for _, _, pitch in expected)


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
    assert reading.seconds <= SECONDS
    assert reading.mib <= MIB


def test_the_zoo_is_large_and_has_every_kind_once():
    assert len(BAD) >= 40
    assert len(KINDS) == len(BAD) + len(ODD) + len(HEAVY)


@pytest.mark.parametrize(
    "whole", [SONG, riff((b"data", SONG)), WITH_LONG_HEADER], ids=["bare", "RMID", "header"]
)
def test_a_file_cut_off_at_any_byte_is_refused(whole):
    assert quickly(whole) == KEPT
    kept = [size for size in range(len(whole)) if quickly(whole[:size]) not in ("NOT_MIDI", "DAMAGED")]
    assert kept == []


def quickly(data: bytes) -> str:
    try:
        filter_song(parse_midi(data))
    except RefusedSongError as refusal:
        return refusal.reason.name
    return KEPT


def fuzz(seed: int) -> tuple[str, str]:
    """Counts what becomes of 1,000 mutants, and the seconds of the slowest one."""
    random = np.random.default_rng(seed)
    said, slowest = Counter(), 0.0
    for _ in range(1000):
        data, start = mutant(random), time.process_time()
        try:
            said[quickly(data)] += 1
        except Exception as error:
            raise AssertionError(data.hex()) from error
        slowest = max(slowest, time.process_time() - start)
    return json.dumps(said), str(slowest)


def mutant(random: np.random.Generator) -> bytes:
    """A good song with bytes changed, lost, doubled or new, or a track of garbage; its track lengths hold."""
    start, end = sorted(random.integers(len(SONG), size=2))
    noise = random.integers(256, size=random.integers(1, 40), dtype=np.uint8).tobytes()
    flipped = bytearray(SONG)
    for place in random.integers(len(SONG), size=random.integers(1, 5)):
        flipped[place] ^= 1 << random.integers(8)
    first, *others = (bytes(event) for event in np.array_split(np.frombuffer(LONG * 9 + noise, np.uint8), 5))
    return [
        bytes(flipped),
        SONG[:start] + SONG[end:],
        SONG[:end] + SONG[start:],
        SONG[:start] + noise + SONG[start:],
        midi(track(SIGNATURE, LONG, noise)),
        midi(track(SIGNATURE, noise, LONG), track(first, noise, *others)),
    ][random.integers(6)]


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_mutants_of_a_good_file_give_songs_or_refusals(seed):
    (reading,) = run_apart([("fuzz", seed)])
    said = json.loads(reading.said)
    assert sum(said.values()) == 1000
    assert set(said) <= {KEPT, *Refusal.__members__}
    assert said[KEPT] > 10 and said["DAMAGED"] > 300
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
    assert quantise_notes(read_midi(os.fsdecode(path))).pitches.tolist() == [61]


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
    monkeypatch.setattr("cyclegan_jax.midi_tracks.MAX_PIECES", 9)
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
    assert sorted(found) == [(2, 12, 50, 0), (5, 5, 50, 0), (5, 312, 50, 0), (9, 10, 52, 7), (9, 312, 50, 7)]


@pytest.mark.parametrize("error, reason", [(MemoryError, Refusal.TOO_MANY), (RuntimeError, Refusal.DAMAGED)])
def test_what_symusic_cannot_take_is_refused(monkeypatch, error, reason):
    class Failing:
        @staticmethod
        def from_midi(data):
            raise error("bad")

    monkeypatch.setattr("cyclegan_jax.midi_reader.symusic.Score", Failing)
    with pytest.raises(RefusedSongError) as refused:
        parse_midi(GOOD)
    assert refused.value.reason is reason and refused.value.detail


def test_a_tempo_of_0_is_no_tempo():
    tempos = parse_midi(midi(track(meta(0x51, bytes(3), 5), meta(0x51, b"\x0f\x42\x40", 2), LONG))).tempos
    assert tempos == ((7, pytest.approx(60.0)),)


if __name__ == "__main__":
    main(*json.loads(sys.argv[1]))
