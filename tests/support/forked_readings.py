"""Reading files apart from the tests, each in a process of its own with limits on time and memory."""

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from cyclegan_jax.midi.dataset_song import filter_song, read_dataset_song
from cyclegan_jax.midi.reader import parse_midi
from cyclegan_jax.midi.refusals import RefusedSongError
from support.midi_bytes import GOOD, LONG, SIGNATURE, TEMPO, meta, midi, off, on, track

MUTANTS = 250  # of a seed, so many that whole transfers of them keep to what a process may take
HANGS = 40  # seconds of the processor after which a child is ended
SECONDS, MIB = 2, 512  # what a file may cost; more on a slow processor, see `seconds_allowed`
KEPT = "kept"
SONG = midi(  # of even length, so that a RIFF wrapper adds no padding after it
    track(SIGNATURE, TEMPO, meta(3, b"tune"), b"\x05\xf0\x04\x43\x12\x01\xf7"),
    track(on(40, 2), b"\x01\x47\x50\x02\x28\x00", off(71, 6), b"\x03\xc0\x07", on(50, 1), off(50, 130)),
    track(LONG, on(36, 0, 9), b"\x00\xb0\x07\x64", off(36, 9, 9)),
)


class Reading(NamedTuple):
    """What a child process said of a file, and its cost: CPU seconds and most memory in MiB."""

    said: str
    detail: str
    seconds: float
    mib: float


def say(path: str) -> tuple[str, str]:
    try:
        return KEPT, str(len(read_dataset_song(path).song.roll))
    except RefusedSongError as refusal:
        return refusal.reason.name, refusal.detail


def apart(task: Callable[[], tuple[str, str]]) -> Reading:
    """The task in a fork: with as much memory as a worker of `prepare`, and too little time to hang."""
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
        resource.setrlimit(resource.RLIMIT_CPU, (HANGS, HANGS))
        signal.alarm(3 * HANGS)
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
    done = subprocess.run(words, capture_output=True, timeout=500, env=alone)
    assert (done.returncode, done.stderr.decode()) == (0, "")
    return [Reading(*reading) for reading in json.loads(done.stdout)]


def main(tasks: list[tuple[str, str | int]], user: int | None) -> None:
    with tempfile.NamedTemporaryFile() as file:  # so that no fork pays for what the first file costs
        file.write(GOOD)
        file.flush()
        say(file.name)
    if user is not None:
        os.setuid(user)
    does = {"say": say, "fuzz": fuzz, "transferred": transferred}
    print(json.dumps([apart(partial(does[name], what)) for name, what in tasks]))


def transferred(seed: int) -> tuple[str, str]:
    """As `fuzz`, of whole transfers by an identity: what is not refused is a MIDI file that reads again."""
    from cyclegan_jax.transfer.controls import Controls
    from cyclegan_jax.transfer.song import transfer_song

    controls = Controls(any_metre=True)

    def transfer(data: bytes) -> str:
        try:
            song = transfer_song(data, lambda phrases: phrases.astype(np.float32), "pop", controls)
        except RefusedSongError as refusal:
            return refusal.reason.name
        parse_midi(song.midi)
        return KEPT

    return mutants(seed, transfer)


def seconds_allowed() -> float:
    """`SECONDS`, or ten times what a plain loop takes now; 0.15 s on a good processor with nothing beside."""
    start = time.process_time()
    sum(number * number for number in range(3_000_000))
    return max(SECONDS, 10 * (time.process_time() - start))


def quickly(data: bytes) -> str:
    try:
        filter_song(parse_midi(data))
    except RefusedSongError as refusal:
        return refusal.reason.name
    return KEPT


def fuzz(seed: int) -> tuple[str, str]:
    """Counts what becomes of `MUTANTS` mutants, and the seconds of the slowest one."""
    return mutants(seed, quickly)


def mutants(seed: int, read: Callable[[bytes], str]) -> tuple[str, str]:
    """What `read` says of `MUTANTS` mutants, counted, and the seconds of the slowest one."""
    random = np.random.default_rng(seed)
    said, slowest = Counter(), 0.0
    for _ in range(MUTANTS):
        data, start = mutant(random), time.process_time()
        try:
            said[read(data)] += 1
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


if __name__ == "__main__":
    main(*json.loads(sys.argv[1]))
