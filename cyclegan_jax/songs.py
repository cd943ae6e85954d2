"""Songs: a MIDI file as one long roll, and the filter that says why a file is no song for the dataset."""

import enum
from dataclasses import dataclass

import numpy as np

from cyclegan_jax.midi import Score, Source, Tempo, read_score
from cyclegan_jax.rolls import BEATS_PER_BAR, PHRASE_STEPS, STEPS_PER_BEAT, cut, rasterise, to_steps

MAX_BARS = 4096  # over two hours at 120 beats per minute; a longer roll is a broken file
DEFAULT_TEMPO = 120.0  # beats per minute, where a file names none (MIDI 1.0 specification)


class Refusal(enum.StrEnum):
    """Why a file does not enter the dataset."""

    UNREADABLE = "unreadable"
    NO_TIME_SIGNATURE = "no time signature"
    LATE_TIME_SIGNATURE = "time signature not at tick 0"
    OTHER_METRE = "metre other than 4/4"
    NO_NOTES = "no pitched notes"
    TOO_LONG = "longer than 4096 bars"
    TOO_SHORT = "shorter than a phrase"
    BLANK = "no phrase with a note in range"


class RefusedSongError(Exception):
    """A file that the filter refuses: `reason` from the fixed list, `detail` in words."""

    def __init__(self, reason: Refusal, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class Song:
    """A whole song as a roll.

    `roll`: [steps, 84] bool, True where a pitch sounds. `tempos`: positions in steps, at least one,
    the first at step 0. `dropped`: number of notes outside MIDI pitches 24 to 107.
    """

    roll: np.ndarray
    tempos: tuple[Tempo, ...]
    dropped: int

    @property
    def tempo(self) -> float:
        """Beats per minute at the start."""
        return self.tempos[0].beats_per_minute


def quantise(score: Score) -> Song:
    """Lay a score on the grid of sixteenth-note steps, from its ticks, so that tempo does not matter.

    Onsets and ends are rounded alike; a note lasts at least one step; all channels are merged by OR.
    """
    onsets = to_steps(score.onsets, score.ticks_per_quarter)
    ends = np.maximum(to_steps(score.ends, score.ticks_per_quarter), onsets + 1)
    roll, dropped = rasterise(onsets, ends, score.pitches)
    return Song(roll=roll, tempos=_tempos_in_steps(score), dropped=dropped)


def _tempos_in_steps(score: Score) -> tuple[Tempo, ...]:
    """The tempos, the last one where several stand at one tick, and one from the start in any case."""
    by_tick = {0: DEFAULT_TEMPO} | {tempo.position: tempo.beats_per_minute for tempo in score.tempos}
    steps_per_tick = STEPS_PER_BEAT / score.ticks_per_quarter
    return tuple(Tempo(tick * steps_per_tick, tempo) for tick, tempo in by_tick.items())


def read_song(source: Source) -> Song:
    """Read a MIDI file, or take a PrettyMIDI, in any metre.

    Raises RefusedSongError where it cannot be parsed, has no pitched note or lasts over 4096 bars.
    """
    return quantise(_read_notes(source))


def read_dataset_song(source: Source) -> Song:
    """As `read_song`, but raises RefusedSongError for whatever the dataset's filter refuses."""
    score = _read_notes(source)
    _check_metre(score)
    song = quantise(score)
    if len(song.roll) < PHRASE_STEPS:
        raise RefusedSongError(Refusal.TOO_SHORT, f"{len(song.roll)} of {PHRASE_STEPS} steps")
    if not len(cut(song.roll)[0]):
        raise RefusedSongError(Refusal.BLANK, f"{song.dropped} notes out of range")
    return song


def _read_notes(source: Source) -> Score:
    try:
        score = read_score(source)
    except ValueError as error:
        raise RefusedSongError(Refusal.UNREADABLE, str(error)) from error
    if not len(score.pitches):
        raise RefusedSongError(Refusal.NO_NOTES, "only drums, or nothing")
    bars = int(score.ends.max()) / (score.ticks_per_quarter * BEATS_PER_BAR)
    if bars > MAX_BARS:
        raise RefusedSongError(Refusal.TOO_LONG, f"{bars:.0f} bars")
    return score


def _check_metre(score: Score) -> None:
    if not score.time_signatures:
        raise RefusedSongError(Refusal.NO_TIME_SIGNATURE, "unknown metre")
    for _, numerator, denominator in score.time_signatures:
        if (numerator, denominator) != (4, 4):
            raise RefusedSongError(Refusal.OTHER_METRE, f"{numerator}/{denominator}")
    first_tick = score.time_signatures[0][0]
    if first_tick != 0:
        raise RefusedSongError(Refusal.LATE_TIME_SIGNATURE, f"first at tick {first_tick}")
