"""One MIDI file to its phrases, or to the reason why not: the work of one worker."""

import hashlib
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cyclegan_jax.datasets.genre_rolls.reading.statistics import Statistics
from cyclegan_jax.midi.dataset_song import DatasetSong, SongRules, filter_song
from cyclegan_jax.midi.reader import parse_midi, read_midi_bytes
from cyclegan_jax.midi.refusals import Refusal, RefusedSongError
from cyclegan_jax.midi.scores.convert import as_midi, check_readable
from cyclegan_jax.midi.song import Notes, quantise_notes
from cyclegan_jax.pianoroll.roll import PHRASE_SHAPE, PHRASE_STEPS, transpose

PROGRAMS = 128  # of General MIDI


@dataclass(frozen=True)
class Rules(SongRules):
    """What besides the files decides about the records.

    `key_shifts`: semitones that each phrase of `train` is written in; 0 among them.
    """

    key_shifts: tuple[int, ...] = (0,)


class Phrase(NamedTuple):
    """A phrase of a song in one key.

    `index`: its place in the song. `bar`: its first bar, from 0. `key_shift`: semitones up. `roll`, `onsets`,
    `melody`: [64, 84, 1] bool each, as `compress` makes them. `programs`: General MIDI programs of the notes
    that sound in it.
    """

    index: int
    bar: int
    key_shift: int
    roll: bytes
    onsets: bytes
    melody: bytes
    programs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ConvertedSong:
    """A song that passed the filter.

    `note_hash`: hash of its quantised notes. `tempo`: beats per minute at its start. `melody_track`: whether
    its melody is of a track named so. `dropped`: notes out of range. `statistics`: of its phrases as they
    are, untransposed.
    """

    note_hash: bytes
    tempo: float
    melody_track: bool
    dropped: int
    phrases: tuple[Phrase, ...]
    statistics: Statistics


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that did not pass."""

    reason: Refusal
    detail: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of a file; `content`: hash of its bytes, or of why they cannot be read."""

    content: bytes
    outcome: ConvertedSong | Refused


def read_content(path: str | os.PathLike[str]) -> tuple[bytes, bytes | Refused]:
    """The hash of a file's bytes, and the bytes or why they cannot be read."""
    try:
        data = read_midi_bytes(path)
        check_readable(data)  # here, so that the dataset is built again when the reader has been installed
    except RefusedSongError as refusal:
        return hashlib.sha256(refusal.detail.encode()).digest(), Refused(refusal.reason, refusal.detail)
    return hashlib.sha256(data).digest(), data


def convert(path: str, rules: Rules, refused: tuple[str, ...] = ()) -> Reading:
    """Read a MIDI file or a score and cut it into phrases, unless it is refused already: reason, detail."""
    content, data = read_content(path)
    if refused:
        reason, detail = refused
        return Reading(content, Refused(Refusal(reason), detail))
    if isinstance(data, Refused):
        return Reading(content, data)
    try:
        return Reading(content, _to_song(data, rules))
    except RefusedSongError as refusal:
        return Reading(content, Refused(refusal.reason, refusal.detail))


def _to_song(data: bytes, rules: Rules) -> ConvertedSong:
    score = parse_midi(as_midi(data))  # here, for a worker may crash
    song = filter_song(score, rules)
    notes = quantise_notes(score)
    programs = _programs_by_phrase(notes, song.starts)
    phrases = [phrase for shift in rules.key_shifts for phrase in _in_key(song, shift, programs)]
    return ConvertedSong(
        note_hash=_note_hash(notes),
        tempo=song.song.tempo,
        melody_track=song.melody_track,
        dropped=song.song.dropped,
        phrases=tuple(sorted(phrases, key=lambda phrase: (phrase.index, phrase.key_shift))),
        statistics=Statistics.of(song.phrases),
    )


def _in_key(song: DatasetSong, shift: int, programs: list[tuple[int, ...]]) -> Iterator[Phrase]:
    """The phrases of a song so many semitones up, without those that it leaves blank."""
    moved = [transpose(rolls, shift) for rolls in (song.phrases, song.onsets, song.melody)]
    for number, (roll, onsets, melody) in enumerate(zip(*moved, strict=True)):
        if roll.any():
            yield Phrase(
                index=int(song.indices[number]),
                bar=int(song.bars[number]),
                key_shift=shift,
                roll=compress(roll),
                onsets=compress(onsets),
                melody=compress(melody),
                programs=programs[number],
            )


def _programs_by_phrase(notes: Notes, starts: np.ndarray) -> list[tuple[int, ...]]:
    """The programs of the notes in range that sound in each phrase, ascending; `starts`: [N] first steps."""
    inside = notes.in_range()
    first = np.searchsorted(starts, notes.onsets[inside] - PHRASE_STEPS, side="right")
    last = np.searchsorted(starts, notes.ends[inside], side="left") - 1
    sounds = first <= last
    phrases = len(starts)
    codes = np.unique(((first * phrases + last) * PROGRAMS + notes.programs[inside])[sounds])
    sounding: list[set[int]] = [set() for _ in range(phrases)]
    for code in codes.tolist():
        span, program = divmod(code, PROGRAMS)
        start, end = divmod(span, phrases)
        for phrase in range(start, end + 1):
            sounding[phrase].add(program)
    return [tuple(sorted(programs)) for programs in sounding]


def _note_hash(notes: Notes) -> bytes:
    """Equal for songs of equal notes; order, tracks, programs, velocities and tempo do not count."""
    rows = np.stack([notes.onsets, notes.ends, notes.pitches])
    return hashlib.sha256(rows[:, np.lexsort(rows)].tobytes()).digest()


def compress(roll: np.ndarray) -> bytes:
    """A roll, [64, 84, 1] bool, as TFDS stores a tensor encoded by zlib."""
    return zlib.compress(roll.tobytes())


def decompress(compressed: bytes) -> np.ndarray:
    """The inverse of `compress`."""
    return np.frombuffer(zlib.decompress(compressed), np.bool_).reshape(PHRASE_SHAPE)
