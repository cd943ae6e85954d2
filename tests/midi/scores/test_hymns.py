"""Hymns of the Open Hymnal against what their ABC notation says, written down by hand."""

from fractions import Fraction
from pathlib import Path

import pytest
from support.bars import Bar, Written, as_read

from cyclegan_jax.midi.dataset_song import filter_song
from cyclegan_jax.midi.reader import Score, parse_midi
from cyclegan_jax.midi.scores.convert import as_midi

THIRD = Fraction(1, 3)  # of a quarter note

HYMNS = {
    "a change of metre at bar 10": Written(
        "One_Things_Needful/One_Things_Needful-Eins_Ist_Not",
        metre=(4, 4),
        upbeat=0,
        bars=24,
        table=(
            Bar(1, {0: (70, 63, 55, 51), 1: (70, 58, 53, 50), 2: (72, 63, 55, 48), 3: (74, 65, 58, 46)}),
            Bar(
                9,
                {
                    0: (63, 63, 55, 51),
                    0.5: (65, 62, 56),
                    1: (67, 63, 58, 51),
                    2: (67, 62, 58, 55),
                    3: (67, 63, 58, 51),
                },
            ),
            Bar(10, {0: (65, 63, 58, 46), 1: (65, 63, 60, 45), 2: (65, 62, 58, 46), 2.5: (67, 63)}),
            Bar(16, {0: (63, 58, 55, 51), 1: (63, 58, 55, 51), 2: (63, 63, 55, 51), 2.5: (65, 62, 56)}),
            Bar(22, {0: (70, 65, 53, 50), 1: (62, 58, 46), 1.5: (68,), 2: (67, 63, 58, 51)}),
            Bar(24, {0: (63, 63, 55, 39)}),
        ),
    ),
    "bars 8 to 22 repeated": Written(
        "The_Strife_Is_Oer_The_Battle_Done/The_Strife_Is_Oer_The_Battle_Done-Victory-Palestrina",
        metre=(3, 4),
        upbeat=0,
        bars=44,
        table=(
            Bar(1, {0: (40,), 1: (68, 64, 59, 52), 2: (68, 64, 59, 52)}),
            Bar(5, {0: (71, 64, 56, 52), 1: (71, 64, 59, 56), 2: (76, 68, 59, 52)}),
            Bar(8, {0: (71, 68, 64, 52), 1: (71, 68, 64, 52), 2: (71, 68, 64, 52)}),
            Bar(10, {0: (71, 68, 63, 56), 1: (69, 66, 61, 54), 2: (68, 64, 61, 61)}),
            Bar(22, {0: (76, 68, 59, 52)}),
            Bar(23, {0: (71, 68, 64, 52), 1: (71, 68, 64, 52), 2: (71, 68, 64, 52)}),
            Bar(38, {0: (40,), 1: (68, 64, 59, 52), 2: (68, 64, 59, 52)}),
            Bar(43, {0: (75, 66, 59, 47)}),
            Bar(44, {0: (76, 68, 59, 52)}),
        ),
    ),
    "an upbeat of half a beat, 6/8": Written(
        "It_Came_Upon_A_Midnight_Clear/It_Came_Upon_A_Midnight_Clear-Carol",
        metre=(6, 8),
        upbeat=0.5,
        bars=16,
        table=(
            Bar(0, {0: (65, 62, 53, 46)}),
            Bar(
                1,
                {
                    0: (74, 62, 53, 46),
                    1: (69, 62, 54, 46),
                    1.5: (72, 63, 55, 46),
                    2: (70,),
                    2.5: (67, 63, 57, 46),
                },
            ),
            Bar(4, {0: (72, 65, 57, 53), 2.5: (65, 65, 53, 53)}),
            Bar(
                9,
                {
                    0: (74, 62, 50, 50),
                    1: (62, 62, 54, 50),
                    1.5: (62, 62, 54, 50),
                    2: (64, 55),
                    2.5: (66, 62, 57, 48),
                },
            ),
            Bar(14, {0: (65, 62, 58, 46), 1: (67, 63, 53, 45), 1.5: (65, 62, 53, 46), 2.5: (65, 65, 58, 50)}),
            Bar(16, {0: (70, 62, 58, 46)}),
        ),
    ),
    "an upbeat of a beat, eighteen fermatas": Written(
        "A_Mighty_Fortress_Is_Our_God/A_Mighty_Fortress_Is_Our_God-Ein_Feste_Burg_Isorhythmic",
        metre=(4, 4),
        upbeat=1,
        bars=16,
        table=(
            Bar(0, {0: (74, 66, 57, 50)}),
            Bar(
                1,
                {
                    0: (74, 62, 57, 54),
                    1: (74, 66, 57, 50),
                    2: (69, 64, 57, 49),
                    2.5: (71, 56, 47),
                    3: (73, 64, 57, 45),
                },
            ),
            Bar(
                2,
                {
                    0: (74, 62, 54, 47),
                    0.5: (73,),
                    1: (71, 64, 56, 52),
                    2: (69, 61, 57, 45),
                    3: (74, 62, 54, 47),
                },
            ),
            Bar(10, {0: (69, 64, 61, 45), 1: (62, 62, 54, 47), 2: (69, 64, 57, 49), 3: (69, 66, 62, 50)}),
            Bar(
                13,
                {0: (69, 61, 57, 45), 1: (71, 67, 62, 43), 2: (71, 67, 62, 47), 3: (69, 66, 50), 3.5: (60,)},
            ),
            Bar(
                15,
                {
                    0: (73, 66, 57, 54),
                    0.5: (64,),
                    1: (71, 62, 55, 55),
                    2: (69, 62, 54, 50),
                    2.5: (60,),
                    3: (71, 59, 54, 51),
                },
            ),
            Bar(16, {0: (67, 59, 55, 52), 0.5: (66,), 1: (64, 60, 57, 45), 1.5: (55,), 2: (62, 62, 54, 50)}),
        ),
    ),
    "2/2, an upbeat of half a bar": Written(
        "How_Firm_A_Foundation/How_Firm_A_Foundation-Foundation-Protection",
        metre=(2, 2),
        upbeat=2,
        bars=16,
        table=(
            Bar(0, {0: (63, 63, 56, 44), 1: (65, 61)}),
            Bar(1, {0: (68, 60, 51, 44), 1: (63, 56, 48), 2: (65, 61, 56, 49), 3: (68, 61, 56, 53)}),
            Bar(3, {0: (72, 63, 56, 44), 2: (70, 63, 55, 46), 3: (72, 63, 53, 46)}),
            Bar(8, {0: (68, 60, 56, 44), 2: (72, 63, 56, 56)}),
            Bar(9, {0: (75, 68, 60, 56), 2: (72, 63, 56, 56), 3: (75, 63, 58, 55)}),
            Bar(15, {0: (72, 63, 56, 51), 2: (70, 61, 55, 51), 3: (70, 61, 55, 51)}),
            Bar(16, {0: (68, 60, 56, 44)}),
        ),
    ),
    "first and second endings, told in the top voice alone": Written(
        "I_Bind_Unto_Myself_Today/I_Bind_Unto_Myself_Today-St_Patricks_Breastplate",
        metre=(3, 4),
        upbeat=1,
        bars=48,
        table=(
            Bar(0, {0: (62, 62, 62, 50, 50)}),
            Bar(1, {0: (67, 67, 62, 58, 55, 50, 43), 1: (46,), 2: (67, 67, 43)}),
            Bar(3, {0: (70, 70, 65, 62, 53, 46), 1: (74, 74), 2: (72, 72, 67, 63, 51, 51), 2.5: (70, 70)}),
            Bar(17, {0: (67, 67, 62, 58, 55, 50, 43), 1: (46,), 2: (67, 67, 43)}),
            Bar(31, {0: (67, 67, 62, 58, 55, 43), 2: (67, 63, 60, 48)}),
            Bar(33, {0: (70, 70, 65, 62, 46), 1: (58, 50), 2: (70, 70, 67, 63, 58, 51)}),
            Bar(
                46,
                {0: (70, 70, 62, 58, 55, 43), 1: (67, 67, 63, 58, 55, 39), 2: (69, 69, 65, 62, 57, 50, 38)},
            ),
        ),
    ),
    "3/2, triplets of a half and a quarter note": Written(
        "O_Be_Glad_All_Nations_on_Earth/O_Be_Glad_All_Nations_on_Earth-Gwalia",
        metre=(3, 2),
        upbeat=0,
        bars=32,
        table=(
            Bar(1, {0: (69, 65, 60, 53), 4: (70, 65, 58, 50)}),
            Bar(2, {0: (72, 67, 55, 52), 4 * THIRD: (70,), 2: (69, 65, 60, 53), 4: (67, 64, 58, 48)}),
            Bar(4, {0: (69, 65, 60, 53), 4 * THIRD: (67, 64), 2: (69, 65, 60, 53)}),
            Bar(
                18, {0: (72, 67, 60, 52), 3: (58,), 4: (72, 65, 57, 53), 14 * THIRD: (74,), 16 * THIRD: (75,)}
            ),
            Bar(23, {0: (74, 65, 58, 58), 4 * THIRD: (72, 57), 2: (70, 55), 3: (64,), 4: (69, 65, 60, 53)}),
            Bar(31, {0: (65, 60, 57, 48), 2: (55,), 4: (64, 60, 60, 48), 5: (58,)}),
            Bar(32, {0: (65, 60, 57, 53, 41)}),
        ),
    ),
    "grace notes at the end, ties across bar lines": Written(
        "Lift_High_The_Cross/Lift_High_The_Cross-Crucifier",
        metre=(4, 4),
        upbeat=0,
        bars=16,
        table=(
            Bar(1, {0: (67, 60, 52, 36), 1: (62, 53), 2: (72, 64, 55), 3: (60, 40), 3.5: (67,)}),
            Bar(2, {0: (65, 57, 38), 1: (59, 55, 43), 2: (60, 53, 45), 3: (67, 62, 50, 47)}),
            Bar(4, {0: (62, 60, 55, 43), 1: (59,), 2: (57, 45), 3: (62, 55, 53, 47)}),
            Bar(6, {0: (64, 59, 55), 1: (69, 65, 60, 57), 2: (67, 67, 62, 59), 3: (65, 60, 57)}),
            Bar(12, {0: (71, 63, 54, 47), 2: (67, 64, 55, 52), 3: (62,)}),
            Bar(15, {0: (64, 60, 52, 48), 1.5: (67, 64, 60, 48), 2: (67, 62, 57, 50), 3: (66, 62, 57, 50)}),
            Bar(16, {0: (67, 62, 59, 43)}),
        ),
    ),
    "no metre, half bars between lines, chords on two staves": Written(
        "Now_Thank_We_All_Our_God/Now_Thank_We_All_Our_God-Nun_Danket",
        metre=(4, 4),
        upbeat=2,
        bars=18,
        table=(
            Bar(0, {0: (72, 65, 57, 53)}),
            Bar(1, {0: (72, 65, 57, 53), 1.5: (72, 65, 57, 53), 2: (74, 65, 58, 46), 3: (74, 65, 58, 46)}),
            Bar(3, {0: (70, 65, 62, 50), 1: (69, 65, 60, 41), 2: (67, 62, 58, 43), 3: (65, 60, 57, 45)}),
            Bar(5, {0: (72, 65, 57, 53)}),
            Bar(8, {0: (70, 65, 62, 46), 1: (69, 65, 60, 41), 2: (67, 62, 58, 43), 3: (65, 60, 57, 45)}),
            Bar(10, {0: (67, 64, 60, 48)}),
            Bar(13, {0: (69, 65, 60, 53), 1: (72, 67, 55, 52), 2: (72, 65, 57, 53), 3: (71, 62, 55)}),
            Bar(14, {0: (72, 64, 55, 48), 3: (72, 65, 57, 53)}),
            Bar(16, {0: (70, 65, 62, 46), 2: (69, 65, 60, 41)}),
            Bar(18, {0: (65, 60, 57, 41)}),
        ),
    ),
    "9/8, an upbeat of three eighths": Written(
        "Blessed_Assurance/Blessed_Assurance-Blessed_Assurance-Assurance",
        metre=(9, 8),
        upbeat=1.5,
        bars=16,
        table=(
            Bar(0, {0: (66, 62, 57, 50), 0.5: (64, 62, 55, 50), 1: (62, 62, 54, 50)}),
            Bar(
                1,
                {
                    0: (69, 66, 57, 50),
                    1.5: (69, 66, 57, 50),
                    3: (67, 62, 59, 50),
                    3.5: (69, 62, 54, 50),
                    4: (71, 62, 55, 50),
                },
            ),
            Bar(
                3,
                {
                    0: (74, 66, 57, 50),
                    1.5: (73, 64, 57, 52),
                    2.5: (73, 64, 57, 52),
                    3: (71, 64, 62, 52),
                    3.5: (69, 64, 61, 52),
                    4: (68, 64, 59, 52),
                },
            ),
            Bar(
                15,
                {
                    0: (67, 64, 59, 43),
                    1.5: (64, 59, 55, 43),
                    3: (62, 62, 54, 45),
                    3.75: (64, 61, 55, 45),
                    4: (61, 57, 52, 45),
                },
            ),
            Bar(16, {0: (62, 57, 54, 50)}),
        ),
    ),
    "a second voice beside the first one's own, in one bar": Written(
        "Jesus_Wants_All_Of_His_Children/Jesus_Wants_All_Of_His_Children-Blessed_Are_They",
        metre=(4, 4),
        upbeat=0,
        bars=8,
        table=(
            Bar(1, {0: (66, 62, 57), 1: (66, 62, 57), 2: (66, 61, 57, 55), 3: (64, 61, 57, 55)}),
            Bar(2, {0: (62, 57, 54), 1: (66, 62, 57, 54), 2: (71, 62, 55), 3: (69, 62, 57, 54)}),
            Bar(3, {0: (74, 66, 62, 57), 1: (74, 66, 62, 57), 2: (69, 66, 57), 3: (66, 62, 57)}),
            Bar(7, {0: (64, 59, 55), 1: (67, 59, 52), 2: (66, 62, 57), 3: (64, 61, 55, 45)}),
            Bar(8, {0: (62, 57, 54, 50)}),
        ),
    ),
}


def read(open_sources: Path, kind: str) -> Score:
    path = open_sources / "open_hymnal" / "Complete" / f"{HYMNS[kind].path}.abc"
    return parse_midi(as_midi(path.read_bytes()))


@pytest.mark.parametrize("kind", HYMNS)
def test_bars_and_beats_are_those_of_the_notation(kind, open_sources):
    assert as_read(read(open_sources, kind), HYMNS[kind]) == HYMNS[kind].in_order()


@pytest.mark.parametrize(
    "kind, starts",
    [
        ("a change of metre at bar 10", [0, 64]),
        ("an upbeat of a beat, eighteen fermatas", [4, 68, 132, 196]),
        ("2/2, an upbeat of half a bar", [8, 72, 136, 200]),
        ("no metre, half bars between lines, chords on two staves", [8, 80, 152, 216]),
        ("grace notes at the end, ties across bar lines", [0, 64, 128, 192]),
    ],
)
def test_phrases_begin_at_bar_lines(kind, starts, open_sources):
    """By steps: four whole bars of 4/4 or 2/2 each, none across a half bar or a change of metre.

    After an upbeat the last bar, shorter by it, is whole.
    """
    assert filter_song(read(open_sources, kind)).starts.tolist() == starts
