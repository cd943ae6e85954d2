"""Where a quartet's movement ends and the next begins, as the score has it, written down by hand."""

from pathlib import Path

import pytest
from support.bars import Bar, Written, as_read

from cyclegan_jax.midi.reader import parse_midi
from cyclegan_jax.midi.scores.convert import as_midi

# Two movements, each beginning with bars that are repeated without a forward repeat.
SAINT_GEORGES = Written(
    "Saint-Georges,_Joseph_Bologne/String_Quartet_in_G_minor,_Op.1_No.3/sq8438915",
    metre=(2, 2),
    upbeat=0.5,
    bars=251,
    table=(
        Bar(0, {0: (74,)}),
        Bar(
            1,
            {
                0: (79, 43),
                0.5: (62, 58),
                1: (62, 58, 43),
                1.5: (74, 62, 58),
                2: (72, 62, 58, 43),
                2.5: (62, 58),
                3: (70, 62, 58, 43),
                3.5: (69, 62, 58),
                3.75: (67,),
            },
        ),
        Bar(38, {0: (62, 58, 46), 2: (65, 62, 46), 3.5: (74,)}),
        Bar(76, {0: (62, 58, 46), 2: (65, 62, 46), 3.5: (77,)}),
        Bar(116, {0: (58, 55, 43), 1.5: (67,), 2: (79, 62, 58, 43), 3.5: (77,)}),
        Bar(156, {0: (58, 55, 43), 1.5: (67,), 2: (79, 62, 58, 43)}),
        Bar(157, {0: (74, 62, 59, 43), 0.5: (62,), 1: (71,), 1.5: (67, 62)}),
        Bar(158, {0: (67, 60, 50), 0.5: (62,), 1: (66,), 1.5: (69, 62)}),
        Bar(164, {0: (67, 62, 59, 43), 1: (62, 59, 55)}),
        Bar(165, {0: (74, 62, 59, 43), 0.5: (62,), 1: (71,), 1.5: (67, 62)}),
    ),
)
# Four movements; the second is a scherzo, played da capo as far as Fine.
MUELLER_HERMANN = Written(
    "Müller-Hermann,_Johanna/String_Quartet,_Op.6/sq7541288",
    metre=(12, 8),
    upbeat=0,
    bars=706,
    table=(
        Bar(96, {0: (87, 79, 70, 63, 55, 46, 39)}),
        Bar(97, {0: (74, 70, 62), 1: (43,), 2: (70, 67, 62, 55)}),
        Bar(98, {0: (67, 63, 60), 1: (48,), 2: (63, 60, 55)}),
        Bar(251, {0: (87, 70, 55, 39)}),
        Bar(252, {0: (74, 70, 62), 1: (43,), 2: (70, 67, 62, 55)}),
        Bar(253, {0: (67, 63, 60), 1: (48,), 2: (63, 60, 55)}),
        Bar(358, {0: (72, 64, 60, 49, 42), 1: (70, 58), 2.5: (73, 61)}),
        Bar(468, {0: (54, 46), 0.5: (58, 39), 1: (54, 46), 1.5: (58, 39)}),
        Bar(706, {0: (75, 70, 67, 63, 58, 55, 46, 39)}),
    ),
)


@pytest.mark.parametrize("written", [SAINT_GEORGES, MUELLER_HERMANN], ids=["repeats", "da capo"])
def test_bars_and_beats_are_those_of_the_score(written, open_sources: Path):
    path = open_sources / "openscore_quartets" / "scores" / f"{written.path}.mxl"
    assert as_read(parse_midi(as_midi(path.read_bytes())), written) == written.in_order()
