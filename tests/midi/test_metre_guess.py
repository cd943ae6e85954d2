"""What notes say about bars, on songs made for it and on real files."""

import os
from pathlib import Path

import numpy as np
import pytest

from cyclegan_jax.datasets.genre_rolls import composer
from cyclegan_jax.datasets.genre_rolls.reading.midi_folder import midi_paths
from cyclegan_jax.midi.io import read_score
from cyclegan_jax.midi.metre_guess import (
    IN_THREE,
    late_bars,
    remarks_on_bars,
    sounds_in_three,
)
from cyclegan_jax.midi.reader import Score
from cyclegan_jax.midi.song import Notes, quantise_notes
from cyclegan_jax.pianoroll.microtiming import has_beat

THREE = {(3, 4), (3, 8), (6, 8), (3, 2)}


def notes_of(onsets: list[int], lengths: list[int] | int = 2) -> Notes:
    starts = np.array(onsets, np.int64)
    ends = starts + np.broadcast_to(lengths, starts.shape)
    return Notes(starts, ends, np.full_like(starts, 60), np.zeros_like(starts))


def bars_of(steps: int, *within: int, bars: int = 24, start: int = 0) -> Notes:
    return notes_of([start + steps * bar + step for bar in range(bars) for step in within])


@pytest.mark.parametrize(
    "notes, three",
    [
        (bars_of(12, 0, 4, 8), True),
        (bars_of(12, 0, 4, 8, 10), True),
        (bars_of(12, 0, 0, 0, 6), True),
        (bars_of(16, 0, 6, 8, 12), False),
        (bars_of(8, 0, 4, 6), False),
        (notes_of([]), False),
        (notes_of([5]), False),
        (bars_of(12, 0, 4, 8, bars=5), False),
    ],
)
def test_onsets_that_come_back_after_three_beats_or_four(notes, three):
    assert sounds_in_three(notes) is three


def test_all_demo_songs_sound_in_four_and_their_bars_begin_where_written():
    scores = [read_score(composer.compose(genre, 0)) for genre in composer.GENRES]
    for notes in map(quantise_notes, scores):
        assert not sounds_in_three(notes) and late_bars(notes) == 0


@pytest.mark.parametrize("beats", [0, 1, 2, 3])
def test_bars_that_clearly_begin_later_are_told(beats):
    notes = bars_of(16, 0, 0, 0, 0, 0, 8, 10, start=4 * beats)
    assert late_bars(notes) == beats
    told = remarks_on_bars(notes, told=True)
    assert len(told) == (beats > 0)
    if told:
        assert f"{beats} beat" in told[0]
    assert late_bars(bars_of(16, 0, 4, 4, 8)) == 0, "twice as many is not clear"
    onsets = [16 * bar + step for bar in range(24) for step in (0, 0, 0, 4)]
    assert late_bars(notes_of(onsets, [1, 1, 1, 12] * 24)) == 0, (
        "most onsets on one beat, long notes on another"
    )


def test_three_to_a_bar_is_told_only_where_the_file_says_nothing():
    waltz = bars_of(12, 0, 4, 8)
    assert remarks_on_bars(waltz, told=False) == (IN_THREE,)
    assert IN_THREE not in remarks_on_bars(waltz, told=True)


def metre_told(score: Score) -> int:
    """4 or 3 where all signatures say so, else 0."""
    told = {(above, below) for _, above, below in score.time_signatures}
    if told and told <= {(4, 4), (2, 2)}:
        return 4
    return 3 if told and told <= THREE else 0


@pytest.mark.slow
@pytest.mark.skipif("GENRE_CORPUS" not in os.environ, reason="GENRE_CORPUS is not set")
def test_on_real_files_the_guess_is_what_the_file_says():
    right = {4: [], 3: []}
    for path in midi_paths(os.environ["GENRE_CORPUS"]):
        score = read_score(Path(path))
        metre = metre_told(score)
        if metre and has_beat(score.onsets, score.ticks_per_quarter):
            right[metre].append(sounds_in_three(quantise_notes(score)) == (metre == 3))
    assert len(right[4]) > 1400 and len(right[3]) > 50
    print({metre: f"{sum(said)} of {len(said)}" for metre, said in right.items()})
    assert np.mean(right[4]) > 0.97 and np.mean(right[3]) > 0.9
