"""String quartets of OpenScore against what their MusicXML says, written down by hand."""

import functools
from fractions import Fraction
from pathlib import Path

import pytest
from support.bars import Bar, Written, as_read

from cyclegan_jax.midi.dataset_song import filter_song
from cyclegan_jax.midi.reader import Score, parse_midi
from cyclegan_jax.midi.scores.convert import as_midi

THIRD = Fraction(1, 3)  # of a quarter note
MOZART = "Mozart,_Wolfgang_Amadeus/String_Quartet_No.18_in_A_major,_K.464_(Op._10,_No._5)"

K464_I = Written(
    f"{MOZART}/sq7093885",
    metre=(3, 4),
    upbeat=1,
    bars=540,
    table=(
        Bar(0, {0: (76, 61, 69, 57)}),
        Bar(1, {0: (76, 61, 69, 57), 1.5: (75,), 2: (78,), 2.5: (76,)}),
        Bar(
            43,
            {
                0: (76,),
                THIRD: (75,),
                2 * THIRD: (73,),
                1: (71,),
                4 * THIRD: (69,),
                5 * THIRD: (68,),
                2: (66, 63, 57, 47),
                7 * THIRD: (68,),
                8 * THIRD: (66,),
            },
        ),
        Bar(73, {0: (64, 76, 64, 61), 1.5: (75, 60), 2: (78, 62), 2.5: (76, 61)}),
        Bar(87, {0: (64, 59, 56, 40), 2: (76, 61, 69, 57)}),
        Bar(88, {0: (76, 61, 69, 57), 1.5: (75,), 2: (78,), 2.5: (76,)}),
        Bar(174, {0: (64, 59, 56, 40), 2: (83, 67, 76, 52)}),
        Bar(175, {0: (83, 67, 76, 52), 1.5: (82,), 2: (84,), 2.5: (83,)}),
        Bar(357, {0: (69, 69, 61, 45), 2: (83, 67, 76, 52)}),
        Bar(358, {0: (83, 67, 76, 52), 1.5: (82,), 2: (84,), 2.5: (83,)}),
        Bar(
            539,
            {
                0: (76, 68, 59, 40),
                0.5: (78, 69, 64, 52),
                1: (76, 68, 64, 52),
                1.5: (74, 71, 64, 52),
                2: (73, 69, 64, 52),
                2.5: (71, 68, 62, 52),
            },
        ),
        Bar(540, {0: (69, 69, 61, 45)}),
    ),
)
K464_II = Written(
    f"{MOZART}/sq7070781",
    metre=(3, 4),
    upbeat=0,
    bars=280,
    table=(
        Bar(1, {0: (57, 57, 57, 45), 2: (61, 61, 61, 49)}),
        Bar(29, {0: (57, 57, 57, 45), 2: (61, 61, 61, 49)}),
        Bar(57, {0: (71, 68), 1: (71, 68), 2: (71, 68)}),
        Bar(144, {0: (69, 61, 69, 45)}),
        Bar(145, {0: (68, 64, 59), 1: (52,), 2: (51,)}),
        Bar(
            161,
            {
                0: (63, 66, 59, 47),
                THIRD: (66,),
                0.5: (63,),
                2 * THIRD: (71,),
                1: (75, 66),
                4 * THIRD: (78,),
                5 * THIRD: (83,),
                2: (78, 71, 63),
                7 * THIRD: (75,),
                8 * THIRD: (71,),
            },
        ),
        Bar(208, {0: (76, 76, 68, 52), 1: (64,)}),
        Bar(209, {0: (57, 57, 57, 45), 2: (61, 61, 61, 49)}),
        Bar(280, {0: (69, 61, 69, 45)}),
    ),
)
K464_IV = Written(
    f"{MOZART}/sq7075297",
    metre=(4, 4),
    upbeat=0,
    bars=490,
    table=(
        Bar(1, {0: (76,), 2: (75,), 3: (74,)}),
        Bar(2, {0: (73,), 1: (69,), 2: (73,), 3: (77, 71)}),
        Bar(3, {0: (78, 70), 1: (78, 66), 2: (68,), 2.5: (79,), 3: (76, 70), 3.5: (78,)}),
        Bar(81, {0: (76, 61, 57), 2: (75,), 3: (74,)}),
        Bar(82, {0: (73,), 1: (69,), 2: (73,), 3: (77, 71)}),
        Bar(
            121,
            {
                0: (68, 64, 40),
                0.5: (40,),
                1: (40,),
                1.5: (40,),
                2: (63, 40),
                2.5: (40,),
                3: (62, 40),
                3.5: (40,),
            },
        ),
        Bar(162, {0: (73, 64, 57, 57), 1: (72,), 2: (71, 59, 56), 3: (65, 55), 3.5: (73,), 3.75: (71,)}),
        Bar(164, {0: (85, 82, 66, 54)}),  # a fermata
        Bar(309, {0: (76, 76, 61), 2: (75,), 3: (74,)}),  # the first ending
        Bar(310, {0: (73, 64, 57, 57), 1: (72,), 2: (71, 59, 56), 3: (65, 55), 3.5: (73,), 3.75: (71,)}),
        Bar(457, {0: (76, 76, 61, 61), 2: (75, 60), 3: (74, 59)}),  # the second
        Bar(
            468,
            {0: (71, 56, 52), 0.5: (80,), 1: (80,), 1.5: (80,), 2: (81,), 2.5: (80,), 3: (83,), 3.5: (80,)},
        ),
        Bar(490, {0: (81, 61, 57, 45)}),
    ),
)
MAYER = Written(
    "Mayer,_Emilie/String_Quartet_in_G_minor,_Op.14/sq7236909",
    metre=(4, 4),
    upbeat=1.5,
    bars=353,
    table=(
        Bar(0, {0: (73,), 0.5: (74,), 1: (70,)}),
        Bar(
            1, {0: (67, 62, 58), 0.5: (49,), 1: (50,), 1.5: (46,), 2: (43,), 2.5: (74,), 3: (79,), 3.5: (74,)}
        ),
        Bar(
            76,
            {
                0: (82, 67, 62, 55),
                0.5: (79, 70),
                1: (78, 75, 60, 57),
                1.5: (81,),
                2: (79, 74, 58, 58),
                2.5: (74, 67, 59),
                3: (75, 72, 60),
                3.5: (72, 69, 63, 48),
            },
        ),
        Bar(98, {0: (70, 67, 63, 48), 0.75: (36,), 1: (36,), 2: (64, 49), 2.75: (37,), 3: (37,)}),
        # The first ending, a fermata in it, and the upbeat again.
        Bar(99, {0: (69, 62, 50), 1: (66,), 1.5: (64,), 2: (66,), 2.5: (73,), 3: (74,), 3.5: (70,)}),
        Bar(
            100,
            {0: (67, 62, 58), 0.5: (49,), 1: (50,), 1.5: (46,), 2: (43,), 2.5: (74,), 3: (79,), 3.5: (74,)},
        ),
        Bar(
            223,
            {
                0: (73, 67, 57, 57),
                0.5: (69,),
                0.75: (69,),
                1: (67,),
                1.25: (67,),
                1.5: (64,),
                1.75: (64,),
                2: (61,),
                2.25: (61,),
                2.5: (57,),
                2.75: (57,),
                3: (73, 55, 45),
                3.25: (55,),
                3.5: (52,),
                3.75: (52,),
            },
        ),
        Bar(
            238,
            {
                0: (74, 68, 65),
                1: (67, 64),
                4 * THIRD: (68, 65),
                5 * THIRD: (70, 67),
                2: (68, 65),
                2.5: (86, 80, 77),
                2.75: (84, 79, 75),
                3: (82, 77, 74),
                3.25: (80, 75, 72),
                3.5: (79, 74, 70),
                3.75: (77, 72, 68),
            },
        ),
        Bar(352, {0: (79, 70, 62, 67, 58, 62, 55, 50, 43), 2: (86, 78, 69, 74, 66, 57, 62, 50, 50, 38)}),
        Bar(353, {0: (79, 70, 62, 70, 62, 55, 62, 55, 50, 43)}),
    ),
)
BEACH = Written(
    "Beach,_Amy/String_Quartet,_Op._89/sq14387632",
    metre=(4, 4),
    upbeat=1,
    bars=437,
    table=(
        Bar(0, {0: (82, 72, 67, 64)}),
        Bar(1, {1: (83, 71, 65, 61), 3: (76, 68, 64, 60)}),
        Bar(77, {0: (58, 52), 1.5: (50,), 2: (50,), 3: (57,)}),
        Bar(78, {}),
        Bar(79, {0: (81, 72, 66, 78, 69, 60, 69, 60, 54, 63, 57, 48)}),
        Bar(129, {0: (67,), 1: (67, 55), 1.75: (67, 55)}),
        Bar(134, {0: (69, 57), 1: (75, 66), 4 * THIRD: (75, 66), 5 * THIRD: (77, 66)}),
        Bar(263, {0.5: (65,), 1: (65,), 1.5: (65,), 2: (60,), 2.5: (60,)}),
        Bar(
            300,
            {
                0: (82, 65, 65, 59, 43),
                0.5: (83, 71, 65, 59, 38),
                1: (83, 65, 59),
                1.5: (82, 65, 65, 59),
                2: (83, 71, 65, 59),
                2.5: (83, 65, 59),
            },
        ),
        Bar(331, {1: (58, 46), 1.75: (58, 46)}),
        Bar(394, {3: (82, 72, 67, 64)}),
        Bar(411, {0: (69,), 1: (67,), 2: (67,), 3.75: (62,)}),  # three fermatas
        Bar(437, {0: (74,)}),
    ),
)
FAURE = Written(
    "Fauré,_Gabriel/String_Quartet,_Op.121/sq7358708",
    metre=(2, 2),
    upbeat=0,
    bars=679,
    table=(
        Bar(1, {0: (60,), 1: (52,), 2: (55,)}),
        Bar(3, {0: (59,), 2: (55,), 3: (58,)}),
        Bar(101, {0: (67, 58, 51), 1.5: (73,), 2: (74, 56, 46), 3.5: (66,)}),
        Bar(206, {2: (59, 56, 40)}),
        Bar(207, {0: (69,), 1: (72, 64), 2: (65,), 2.75: (70,), 3: (69, 62)}),
        Bar(208, {0: (69, 60, 69, 65), 1: (74,), 2: (70, 67), 2.5: (74,), 3: (75,)}),
        Bar(
            381,
            {
                0: (71, 59, 43),
                THIRD: (72, 60),
                2 * THIRD: (74, 62),
                1: (74, 74, 62),
                1.5: (72, 60),
                2: (71, 62, 59, 55),
                2.5: (72,),
                3: (74,),
                3.5: (69, 57),
            },
        ),
        # What accidentals say here contradicts the pitches.
        Bar(458, {0: (76, 71, 62, 56), 1.5: (64,), 2: (72, 65, 57), 3.5: (74,)}),
        Bar(628, {0: (57, 59, 53), 0.5: (61,), 1: (62,), 2: (69, 55), 3: (64,)}),
    ),
)
QUARTETS = {
    "3/4, an upbeat, two repeats that split bars": K464_I,
    "3/4, repeats, minuet da capo": K464_II,
    "4/4, first and second endings": K464_IV,
    "an upbeat of three eighths, grace notes, tremolo, a first ending that is a part of a bar": MAYER,
    "4/4, 6/8, 2/4, 6/8, 2/4, 4/4": BEACH,
    "2/2, then 4/4": FAURE,
}


@functools.cache
def read(open_sources: Path, kind: str) -> Score:
    path = open_sources / "openscore_quartets" / "scores" / f"{QUARTETS[kind].path}.mxl"
    return parse_midi(as_midi(path.read_bytes()))


@pytest.mark.parametrize("kind", QUARTETS)
def test_bars_and_beats_are_those_of_the_score(kind, open_sources):
    assert as_read(read(open_sources, kind), QUARTETS[kind]) == QUARTETS[kind].in_order()


@pytest.mark.parametrize(
    "kind, signatures",
    [
        (
            "4/4, 6/8, 2/4, 6/8, 2/4, 4/4",
            [(0, 1, 4), (1, 4, 4), (309, 6, 8), (462, 2, 4), (730, 6, 8), (934, 2, 4), (1060, 4, 4)],
        ),
        ("2/2, then 4/4", [(0, 2, 2), (824, 4, 4)]),
    ],
)
def test_metres_change_where_the_score_has_it(kind, signatures, open_sources):
    score = read(open_sources, kind)
    told = [(tick / score.ticks_per_quarter, above, below) for tick, above, below in score.time_signatures]
    assert told == signatures


def test_phrases_begin_at_bar_lines(open_sources):
    """By steps: after the upbeat of three eighths, and again where that is played after the first ending."""
    starts = filter_song(read(open_sources, list(QUARTETS)[3])).starts
    assert starts[:2].tolist() == [6, 70] and not ((starts - 6) % 16).any()
