"""ABC tunes as MIDI: bars where the score has them, voices that stay together."""

import contextlib
import time
from typing import Any

import pytest
import symusic
from support.scores import HYMN, HYMN_BARS

from cyclegan_jax.midi.dataset_song import filter_song
from cyclegan_jax.midi.reader import parse_midi
from cyclegan_jax.midi.refusals import RefusedSongError
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
    written: Any = symusic.Score.from_midi(abc_to_midi(HYMN.encode()))
    first, second = written.tracks
    assert first.end() == second.end() == sum(HYMN_BARS) * QUARTER


def test_a_plain_tune_without_voices_is_read():
    tune = "X:1\nT:tune\nM:6/8\nL:1/8\nK:D\nA|d2d dcB|A2A A2G|F2F FED|E3-E2:|\n"
    assert bars_of(tune) == [0.5, 3, 3, 3, 3, 3, 3, 3, 3]


def test_only_the_first_tune_is_taken():
    tunes = "X:1\nM:4/4\nL:1/4\nK:C\nCDEF|\n\nX:2\nM:3/4\nL:1/4\nK:C\nGAB|\n"
    assert bars_of(tunes) == [4]


HEADER = "X:1\nM:4/4\nL:1/4\nK:C\n"
PLAIN = HEADER + "CDEF|GABc|c4|]\n"


@pytest.mark.parametrize(
    "tune",
    [
        HEADER + "CD!fermata!EF|GABc|c4|]\n",
        HEADER + "CD+fermata+EF|GABc|Hc4|]\n",
        HEADER + "HCDEF|G.A.Bc|c4|] % !the end!\n",
        HEADER + "{e}CD{/f}EF|{ab}GA{[ce]d}Bc|{d}c4{e}|]\n",
        HEADER + 'CDEF|["1"G]A["Am"B]c|["5th"c]4|]\n',
        HEADER + '"Go!"CDEF|"Am"GABc|"^here!"c4|]\n',
        "\ufeff" + PLAIN + "\nX:2\nK:C\nccc|\n",
        PLAIN.replace("\n", "\r\n"),
    ],
)
def test_what_is_no_note_changes_no_note(tune):
    expected, score = (parse_midi(abc_to_midi(text.encode())) for text in (PLAIN, tune))
    assert (score.onsets == expected.onsets).all() and (score.pitches == expected.pitches).all()
    assert score.time_signatures == expected.time_signatures == ((0, 4, 4),)
    assert max(score.ends) == 12 * QUARTER


def test_bars_of_rest_are_bars():
    tune = HEADER + "V:1\nCDEF|Z2|GABc|]\nV:2\nC,4|X2|C,4|]\n"
    assert bars_of(tune) == [4, 4, 4, 4]


def test_the_notes_of_a_chord_begin_together():
    assert set(parse_midi(abc_to_midi((HEADER + "[CEGc]4|\n").encode())).onsets.tolist()) == {0}


@pytest.mark.parametrize("bar", ["(3::2(c2B  A2)", "(3:2:2 c2B A2", "c4 & E4", "c4 & E2 (3::2(c2B)"])
def test_the_colons_of_a_tuplet_and_a_second_voice_in_a_bar_move_no_bar_line(bar):
    assert bars_of(HEADER + f"CDEF|{bar}|c4|{bar}:|G4|]\n") == [4] * 9


def test_endings_in_quotes_are_those_of_all_voices():
    tune = 'V:1\nCDEF|["1" G4 :|["2-3" A4|c4|]\nV:2\nC,4|D,4 :| E,4|F,4|]\n'
    assert bars_of(HEADER + tune) == [4] * 5
    score = parse_midi(abc_to_midi((HEADER + tune).encode()))
    assert score.pitches[score.onsets == 12 * QUARTER].tolist() == [69, 52]


def test_voices_may_share_a_line():
    assert bars_of(HEADER + "[V:1] C|DEFG|ABcd| [V:2] C,|D,4|E,4|\n") == [1, 4, 4]


def test_a_low_note_is_no_marker():
    assert bars_of(HEADER + "=C,,,,DEF|GABc|\n") == [4, 4]


def test_a_tune_that_is_transposed_too_low_for_markers_is_read_without():
    score = parse_midi(abc_to_midi(PLAIN.replace("K:C", "K:C\n%%MIDI transpose -24").encode()))
    assert min(score.pitches) == 36 and score.time_signatures == ((0, 4, 4),)


@pytest.mark.parametrize("piece", ["{", "&:", "[K:", "|:", '"', "!", "H^"])
def test_a_long_line_of_what_never_ends_takes_no_long_time(piece):
    """Linear: a hundred thousand of them take less than a second, and would take minutes if quadratic."""
    started = time.process_time()
    with contextlib.suppress(RefusedSongError):
        abc_to_midi(PLAIN.replace("CDEF|", f"CDEF|{piece * 100_000}\n|").encode())
    assert time.process_time() - started < 10
