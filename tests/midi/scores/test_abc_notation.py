"""ABC tunes as MIDI: bars where the score has them, voices that stay together."""

import symusic
from support.scores import HYMN, HYMN_BARS

from cyclegan_jax.midi.dataset_song import filter_song
from cyclegan_jax.midi.reader import parse_midi
from cyclegan_jax.midi.scores.abc_notation import abc_to_midi

QUARTER = 480


def bars_of(abc: str) -> list[float]:
    """The lengths of a tune's bars in quarter notes, by its signatures; a short last one passes for whole."""
    score = parse_midi(abc_to_midi(abc.encode()))
    end = max(score.ends)
    edges = [*(tick for tick, _, _ in score.time_signatures), end]
    lengths = []
    for (tick, above, below), stop in zip(score.time_signatures, edges[1:], strict=True):
        bar = 4 * above * QUARTER // below
        lengths += [bar / QUARTER] * round((stop - tick) / bar)
    return lengths


def test_bars_are_those_of_the_score_upbeat_and_split_bar_included():
    assert bars_of(HYMN) == [*HYMN_BARS[:-1], 4]


def test_the_phrases_begin_at_the_first_whole_bar():
    song = filter_song(parse_midi(abc_to_midi(HYMN.encode())))
    assert song.starts.tolist() == [4, 68]


def test_notes_begin_on_the_beat_and_a_fermata_lengthens_none():
    score = parse_midi(abc_to_midi(HYMN.encode()))
    assert all(onset % QUARTER == 0 for onset in score.onsets)
    first, second = symusic.Score.from_midi(abc_to_midi(HYMN.encode())).tracks
    assert first.end() == second.end() == sum(HYMN_BARS) * QUARTER


def test_a_plain_tune_without_voices_is_read():
    tune = "X:1\nT:tune\nM:6/8\nL:1/8\nK:D\nA|d2d dcB|A2A A2G|F2F FED|E3-E2:|\n"
    assert bars_of(tune) == [0.5, 3, 3, 3, 3, 3, 3, 3, 3]


def test_only_the_first_tune_is_taken():
    tunes = "X:1\nM:4/4\nL:1/4\nK:C\nCDEF|\n\nX:2\nM:3/4\nL:1/4\nK:C\nGAB|\n"
    assert bars_of(tunes) == [4]
