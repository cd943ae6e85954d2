"""Scores of the tests' own making: MusicXML by the lengths of its bars, packed or not, and an ABC tune."""

import io
import zipfile
from collections.abc import Mapping, Sequence

CONTAINER = '<container><rootfiles><rootfile full-path="{}"/></rootfiles></container>'
PITCHES = "CDEFGAB"
DIVISIONS = "<divisions>1</divisions>"
REPEAT = '<barline location="right"><repeat direction="backward"/></barline>'
FINE, DA_CAPO = (
    f'<direction><direction-type><words>{words}</words></direction-type><sound {mark}="yes"/></direction>'
    for words, mark in (("Fine", "fine"), ("D.C. al Fine", "dacapo"))
)

# Four voices on two staves; an upbeat, a fermata in the first voice alone, a bar split by a repeat, an inline
# change of key. Its bars by hand: upbeat of one beat, 4, 4, 3 + 1 (split), 4, 4, 3.
HYMN = """X: 1
T: A hymn of the tests
M: 4/4 % time signature
L: 1/4
V: S1 clef=treble
V: S2 clef=bass
K: Bb
%
[V: S1] [Q:1/4=96] F | B c d B | !fermata!e2 d c | d c B :|
w: An up- beat
[V: S2] D, | B,, F, B, B, | !ferm!E2 B, A, | B, F, B,, :|
[V: S1] d | "|not a bar" e d c B | .f- f e d | B3 |]
[V: S2] B, | C B, F, G, | D2 C B, | B,,3 |]
"""
HYMN_BARS = [1, 4, 4, 4, 4, 4, 4, 4, 4, 3]  # quarter notes; the repeat is played


def music_xml(bars: Sequence[int], metre: tuple[int, int] = (4, 4), doctype: str = "") -> str:
    """One part with one note a beat, and as many beats to each bar as told."""
    numerator, denominator = metre
    measures = []
    for number, beats in enumerate(bars):
        first = (
            f"<attributes>{DIVISIONS}<time><beats>{numerator}</beats>"
            f"<beat-type>{denominator}</beat-type></time></attributes>"
        )
        step = PITCHES[number % 7]
        note = (
            f"<note><pitch><step>{step}</step><octave>4</octave></pitch><duration>1</duration>"
            "<type>quarter</type></note>"
        )
        implicit = ' implicit="yes"' if beats != numerator else ""
        measures.append(
            f'<measure number="{number}"{implicit}>{"" if number else first}{note * beats}</measure>'
        )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{doctype}<score-partwise version="4.0"><part-list>'
        '<score-part id="P1"><part-name>Flute</part-name></score-part></part-list>'
        f'<part id="P1">{"".join(measures)}</part></score-partwise>'
    )


def in_one_file(*scores: str) -> str:
    """Scores of `music_xml` as the movements of one, what a file says once being said once."""
    first, *others = scores
    parts = [score.partition('<part id="P1">')[2].partition("</part>")[0] for score in others]
    return first.replace("</part>", "".join(parts).replace(DIVISIONS, "") + "</part>")


def marked(score: str, **marks: str) -> str:
    """A score with marks at the ends of bars: `bar_2=FINE` for the bar numbered 2."""
    for bar, mark in marks.items():
        start = score.index(f'<measure number="{bar.removeprefix("bar_")}"')
        end = score.index("</measure>", start)
        score = f"{score[:end]}{mark}{score[end:]}"
    return score


def compressed(
    files: Mapping[str, str | bytes], score: str = "score.xml", *, container: bool = True
) -> bytes:
    """An .mxl: a zip of these files whose container names `score`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        if container:
            archive.writestr("META-INF/container.xml", CONTAINER.format(score))
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()
