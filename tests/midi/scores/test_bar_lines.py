"""Bar lines as time signatures: each bar has that of its own length, and what is no signature stays."""

import pytest
from support.midi_bytes import meta, midi, off, on, track

from cyclegan_jax.midi.reader import parse_midi
from cyclegan_jax.midi.scores.bar_lines import with_bar_lines

QUARTER = 480
IN_4_4 = meta(0x58, bytes([4, 2, 24, 8]))
IN_6_8 = meta(0x58, bytes([6, 3, 24, 8]))
IN_2_2 = meta(0x58, bytes([2, 1, 24, 8]))


def signatures(signature: bytes, *bars: float) -> list[tuple[float, int, int]]:
    """Of a file in one metre whose bars have so many quarter notes: (onset, numerator, denominator)."""
    lines = [0]
    for bar in bars:
        lines.append(lines[-1] + round(bar * QUARTER))
    data = midi(track(signature), track(on(60), off(60, 96)), division=QUARTER)
    score = parse_midi(with_bar_lines(data, lines))
    assert len(score.onsets) == 1
    return [(tick / QUARTER, above, below) for tick, above, below in score.time_signatures]


@pytest.mark.parametrize(
    "signature, bars, expected",
    [
        (IN_4_4, (4, 4, 4), [(0, 4, 4)]),
        (IN_4_4, (1, 4, 4, 3), [(0, 1, 4), (1, 4, 4)]),
        (IN_4_4, (0.5, 4, 3.5), [(0, 1, 8), (0.5, 4, 4)]),
        (IN_6_8, (0.5, 3, 3), [(0, 1, 8), (0.5, 6, 8)]),
        (IN_2_2, (4, 4), [(0, 2, 2)]),
        (IN_2_2, (1, 4), [(0, 1, 4), (1, 2, 2)]),
        (IN_4_4, (4, 5), [(0, 4, 4), (4, 5, 4)]),
    ],
)
def test_each_bar_has_the_signature_of_its_length(signature, bars, expected):
    assert signatures(signature, *bars) == expected


def test_a_bar_that_a_repeat_splits_is_one():
    assert signatures(IN_4_4, 1, 4, 3, 1, 4, 3) == [(0, 1, 4), (1, 4, 4)]


def test_short_bars_that_make_no_whole_one_stay():
    assert signatures(IN_4_4, 4, 2, 3, 4) == [(0, 4, 4), (4, 2, 4), (6, 3, 4), (9, 4, 4)]


def test_behind_a_length_that_no_metre_has_the_bar_line_is_told_again():
    assert signatures(IN_4_4, 4, 3.9, 4, 4) == [(0, 4, 4), (4, 4, 4), (7.9, 4, 4)]
    assert signatures(IN_4_4, 3.9, 4) == [(0, 4, 4), (3.9, 4, 4)]
