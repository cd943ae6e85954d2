"""Time `launch.prepare` against pretty_midi, and streaming; measure memory on many files.

Every round builds the dataset in a fresh process, then reads a part of the same files with pretty_midi
and makes their piano rolls at 4 steps a beat. All rounds together read every file once. Then batches
are streamed from the dataset on disk, as `launch.train` does if it does not fit in memory. With
`--copies=N` each file is written N times, with other pitches and another order of its bars, and the
dataset is built from the copies.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pretty_midi
import psutil
import symusic
from absl import flags
from tqdm import tqdm

from cyclegan_jax.atomic_files import write_whole
from cyclegan_jax.datasets.genre_rolls.reading.midi_folder import SongFile, find_song_files
from cyclegan_jax.datasets.genre_rolls.records.build_report import read_metadata, read_refused
from cyclegan_jax.datasets.pipeline.batches import PairBatches
from cyclegan_jax.datasets.pipeline.phrases import columns, genres_of
from cyclegan_jax.midi.refusals import Refusal
from cyclegan_jax.pianoroll.roll import BEATS_PER_BAR, STEPS_PER_BEAT
from launch.flags.shared import JSON, MIDI_DIR, ROUNDS, required
from launch.process.runner import refuse_arguments, run

DEFAULT_ROUNDS = 3
for flag in (MIDI_DIR, ROUNDS, JSON):
    flags.declare_key_flag(flag.name)
COPIES = flags.DEFINE_integer(
    "copies", 0, "Copies of each file to build a large dataset of, in place of the timing.", 0, 72
)

KEY_SHIFTS = range(-6, 6)  # semitones; copies differ in these, and in how far their bars are rotated
STREAMED_BATCH = 16  # phrases of each genre, the paper's


def main(arguments: list[str]) -> None:
    """Measure, print, and write the figures."""
    refuse_arguments(arguments)
    midi_dir = Path(required(MIDI_DIR, "music"))
    files = find_song_files(midi_dir)
    with tempfile.TemporaryDirectory(prefix="benchmark_dataset_") as scratch:
        if COPIES.value:
            figures = measure_scale(files, COPIES.value, Path(scratch))
        else:
            figures = measure_speed(midi_dir, files, ROUNDS.value or DEFAULT_ROUNDS, Path(scratch))
    text = json.dumps(figures, indent=2)
    print(text)
    if JSON.value:
        write_whole(Path(JSON.value), text + "\n")


def measure_speed(midi_dir: Path, files: list[SongFile], rounds: int, scratch: Path) -> dict:
    """Seconds of each build, seconds of all pretty_midi readings in two ways, and their ratios."""
    builds, by_beats, by_rate = [], 0.0, 0.0
    for number in range(rounds):
        builds.append(build(midi_dir, scratch / str(number))["seconds"])
        for file in tqdm(files[number::rounds], f"pretty_midi, part {number + 1}", leave=False):
            parse, beats, rate = time_pretty_midi(file.path)
            by_beats += parse + beats
            by_rate += parse + rate
    median = statistics.median(builds)
    (folder,) = (scratch / "0" / "genre_rolls" / "midi").iterdir()
    return {
        "files": len(files),
        "prepare_seconds": builds,
        "pretty_midi_seconds": {"at its beats": by_beats, "at the first tempo": by_rate},
        "ratio": {"at its beats": by_beats / median, "at the first tempo": by_rate / median},
        "streamed_phrases_per_second": stream_rate(folder),
    }


def build(midi_dir: Path, data_dir: Path) -> dict:
    """Seconds of one `launch.prepare` from cold, and the peak resident memory of its processes in MiB."""
    command = [sys.executable, "-m", "launch.prepare", f"--midi_dir={midi_dir}", f"--data_dir={data_dir}"]
    peaks: dict[str, float] = {"main_mib": 0.0, "worker_mib": 0.0}
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        for name, memory in resident(process.pid):
            peaks[name] = max(peaks[name], memory)
        time.sleep(0.05)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return {"seconds": time.perf_counter() - start, **peaks}


def resident(pid: int) -> Iterator[tuple[str, float]]:
    """Resident memory in MiB of a process, and of each of its children."""
    try:
        process = psutil.Process(pid)
        yield "main_mib", process.memory_info().rss / 2**20
        for child in process.children():
            yield "worker_mib", child.memory_info().rss / 2**20
    except psutil.Error:  # the process has ended
        return


def time_pretty_midi(path: str) -> tuple[float, float, float]:
    """Seconds to parse a file, to take its roll at its own beats, and at the rate of its first tempo."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start = time.perf_counter()
        song = pretty_midi.PrettyMIDI(path)
        parsed = time.perf_counter()
        beats = song.get_beats()
        steps = np.arange((len(beats) - 1) * STEPS_PER_BEAT + 1) / STEPS_PER_BEAT
        song.get_piano_roll(times=np.interp(steps, np.arange(len(beats)), beats))
        at_beats = time.perf_counter()
        song.get_piano_roll(fs=STEPS_PER_BEAT * song.get_tempo_changes()[1][0] / 60)
        return parsed - start, at_beats - parsed, time.perf_counter() - at_beats


def stream_rate(folder: Path) -> float:
    """Phrases of A, B and M a second that batches of `full` bring from disk, nothing kept in memory."""
    by_genre = [columns(folder, "train", genre)[0] for genre in genres_of(folder)]
    batches = PairBatches(by_genre[0], by_genre[1], by_genre, STREAMED_BATCH, seed=0)
    phrases = 0
    start = time.perf_counter()
    for batch in batches.stream(0, batches.steps_per_epoch):
        phrases += sum(map(len, batch.values()))
    return phrases / (time.perf_counter() - start)


def measure_scale(files: list[SongFile], copies: int, scratch: Path) -> dict:
    """Write the copies and build the dataset from them; how many were kept, the time and the memory."""
    for file in tqdm(files, "writing copies", leave=False):
        score = symusic.Score.from_file(file.path)
        for number in range(copies):
            path = scratch / "midi" / file.genre / f"{number:02d}" / file.song
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(copy_of(score, number).dumps_midi())
    figures = build(scratch / "midi", scratch / "data")
    (folder,) = (scratch / "data" / "genre_rolls" / "midi").iterdir()
    metadata, refused = read_metadata(folder), read_refused(folder)
    written = len(files) * copies
    return {
        "files": written,
        "kept": written - len(refused),
        "duplicates": sum(reason == Refusal.DUPLICATE for _, reason, _ in refused),
        "phrases": sum(sum(counts.values()) for counts in metadata["phrases"].values()),
        **figures,
    }


def copy_of(score: symusic.Score, number: int) -> symusic.Score:  # pyright: ignore[reportInvalidTypeForm]
    """Copy `number` of a song: moved by whole semitones, and beginning with another of its bars."""
    rotation, key = divmod(number, len(KEY_SHIFTS))
    bar = score.ticks_per_quarter * BEATS_PER_BAR
    length = (score.end() // bar + 1) * bar
    moved = length // bar * rotation // 8 * bar
    copy = score.copy()
    for track in copy.tracks:
        notes = track.notes.numpy()
        notes["time"] = (notes["time"] - moved) % length
        if not track.is_drum:
            notes["pitch"] = (notes["pitch"] + KEY_SHIFTS[key]).clip(0, 127).astype(notes["pitch"].dtype)
        track.notes = symusic.Note.from_numpy(**notes)
    return copy


if __name__ == "__main__":
    run(main)
