"""The dataset's filter: which songs it takes, and which phrases of them.

Phrases are four whole bars that adjoin, of 4/4 or 2/2 or of the metres asked for. They are counted from where
such bars begin: at the start, or after an upbeat or a part in another metre. An incomplete phrase at the end
of such a part is left out. But after an upbeat a last bar that lacks just as much is whole.
"""

from dataclasses import dataclass

import numpy as np

from cyclegan_jax.midi.io import Source, read_score
from cyclegan_jax.midi.metre import (
    COMMON_TIME,
    Metre,
    bar_lines,
    common_bars,
    in_common_time,
    shares,
    stretches_of,
    with_upbeat_at_end,
)
from cyclegan_jax.midi.metre_guess import sounds_in_three
from cyclegan_jax.midi.reader import Score
from cyclegan_jax.midi.refusals import Refusal, RefusedSongError
from cyclegan_jax.midi.song import MAX_BARS, Song, check_notes, quantise, quantise_notes
from cyclegan_jax.pianoroll.features import top_voice
from cyclegan_jax.pianoroll.microtiming import grid_deviation, has_beat
from cyclegan_jax.pianoroll.roll import (
    BARS_PER_PHRASE,
    LOWEST_PITCH,
    PHRASE_SHAPE,
    PHRASE_STEPS,
    PITCHES,
    STEPS_PER_BAR,
    rasterise,
)


@dataclass(frozen=True)
class SongRules:
    """Which songs are for the dataset.

    `max_bars`: a longer song is refused. `require_signature`: so is one without a time signature at its
    first tick. `metres`: those that count; their bars make sixteen steps, alone, in twos or in parts.
    `partial_songs`: of a song that is in another metre in places, the phrases in these metres are taken;
    else it is refused. `require_beat`: a song played without its file's beat is refused. The paper's
    rule is a signature of 4/4 at the first tick and no other: `metres` of 4/4 alone, a signature required,
    no partial songs, no beat required. An upbeat passes it here.
    """

    max_bars: int = MAX_BARS
    metres: tuple[Metre, ...] = COMMON_TIME
    require_signature: bool = False
    partial_songs: bool = True
    require_beat: bool = True


DEFAULT_RULES = SongRules()


@dataclass(frozen=True)
class DatasetSong:
    """A song that passed the filter, and its N phrases with a note in range, in their order.

    `phrases`, `onsets`, `melody`: [N, 64, 84, 1] bool, where a note sounds, where one begins, and where the
    melody sounds. That is the track named so, if `melody_track`, else the top voice. `starts`: [N] their
    first steps. `bars`: [N] their first bars, counted from 0 by the song's own bar lines. `indices`: [N]
    their places among all phrases, blank ones too.
    """

    song: Song
    phrases: np.ndarray
    onsets: np.ndarray
    melody: np.ndarray
    melody_track: bool
    starts: np.ndarray
    bars: np.ndarray
    indices: np.ndarray


def read_dataset_song(source: Source, rules: SongRules = DEFAULT_RULES) -> DatasetSong:
    """Read a MIDI file or a score, or take a PrettyMIDI. Raises RefusedSongError where the rules do."""
    return filter_song(read_score(source), rules)


def filter_song(score: Score, rules: SongRules = DEFAULT_RULES) -> DatasetSong:
    """A score as a song of the dataset. Raises RefusedSongError where the rules refuse it."""
    check_notes(score, rules.max_bars)
    _check_signature(score, rules)
    if rules.require_beat:
        _check_beat(score)
    song = quantise(score)
    starts = _phrase_starts(score, len(song.roll), rules)
    indices = np.flatnonzero(_at(starts, song.roll).any(axis=(1, 2, 3)))
    if not len(indices):
        raise RefusedSongError(Refusal.BLANK, f"{song.dropped} notes out of range")
    starts = starts[indices]
    phrases = _at(starts, song.roll)
    return DatasetSong(
        song=song,
        phrases=phrases,
        onsets=_at(starts, _onset_roll(score, len(song.roll))),
        melody=top_voice(phrases)
        if score.melody is None
        else _at(starts, _melody_roll(score, len(song.roll))),
        melody_track=score.melody is not None,
        starts=starts,
        bars=np.searchsorted(bar_lines(score, len(song.roll)), starts + 0.5, side="right") - 1,
        indices=indices,
    )


def _at(starts: np.ndarray, roll: np.ndarray) -> np.ndarray:
    """The phrases of a roll, [steps, 84], silence behind it, that begin at [N] steps: [N, 64, 84, 1]."""
    missing = max(int(starts[-1]) + PHRASE_STEPS - len(roll), 0)
    roll = np.pad(roll, ((0, missing), (0, 0)))
    return roll[starts[:, None] + np.arange(PHRASE_STEPS)].reshape(-1, *PHRASE_SHAPE)


def _onset_roll(score: Score, steps: int) -> np.ndarray:
    """[steps, 84] bool: where a note in range begins, so that a repeated note is two."""
    notes = quantise_notes(score)
    inside = notes.in_range()
    roll = np.zeros((steps, PITCHES), np.bool_)
    roll[notes.onsets[inside], notes.pitches[inside] - LOWEST_PITCH] = True
    return roll


def _melody_roll(score: Score, steps: int) -> np.ndarray:
    """[steps, 84] bool: where a note of the track sounds that is named as the melody."""
    notes = quantise_notes(score)
    roll, _ = rasterise(notes.onsets[score.melody], notes.ends[score.melody], notes.pitches[score.melody])
    return np.pad(roll, ((0, steps - len(roll)), (0, 0)))


def _check_signature(score: Score, rules: SongRules) -> None:
    if not score.time_signatures:
        if rules.require_signature:
            raise RefusedSongError(Refusal.NO_TIME_SIGNATURE, "unknown metre")
        if sounds_in_three(quantise_notes(score)):
            raise RefusedSongError(
                Refusal.THREE_BEATS, "its onsets come back after three beats, not after four"
            )
    elif rules.require_signature and score.time_signatures[0][0]:
        raise RefusedSongError(Refusal.LATE_TIME_SIGNATURE, f"first at tick {score.time_signatures[0][0]}")


def _check_beat(score: Score) -> None:
    if not has_beat(score.onsets, score.ticks_per_quarter):
        deviation = grid_deviation(score.onsets, score.ticks_per_quarter)
        raise RefusedSongError(
            Refusal.NO_BEAT, f"onsets {deviation:.2f} of a step from the grid on average; chance gives 0.25"
        )


def _phrase_starts(score: Score, steps: int, rules: SongRules) -> np.ndarray:
    """[N] the first steps of a song's whole phrases, at least one. Raises RefusedSongError for none."""
    stretches = with_upbeat_at_end(stretches_of(score, steps), rules.metres)
    runs = common_bars(stretches, rules.metres)
    if not runs or not (rules.partial_songs or in_common_time(stretches, rules.metres)):
        raise RefusedSongError(Refusal.OTHER_METRE, shares(stretches))
    starts = [start for run in runs for start in _starts_in(run)]
    if not starts and in_common_time(stretches, rules.metres):
        raise RefusedSongError(Refusal.TOO_SHORT, f"{steps} steps, no four whole bars in a row")
    if not starts:
        raise RefusedSongError(Refusal.OTHER_METRE, f"{shares(stretches)}, no four bars of 4/4 in a row")
    return np.array(starts)


def _starts_in(run: np.ndarray) -> list[int]:
    """The first steps of the phrases in adjoining bars; a bar that is cut short belongs to none."""
    starts, bars = [], 0
    for start, end in run.tolist():
        bars = bars + 1 if end - start == STEPS_PER_BAR else 0
        if bars == BARS_PER_PHRASE:
            starts.append(end - PHRASE_STEPS)
            bars = 0
    return starts
