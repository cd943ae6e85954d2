"""A MusicXML score of several movements, taken apart before it is read, and its MIDI put together again.

verovio takes a file for one movement. A backward repeat without a forward one goes back into the movement
before. D.C. goes back to the start of the file, and what follows the bar that says D.C. or D.S. is not played
at all, a coda excepted. So each movement is read alone.

MusicXML has no element for a movement. In what a notation program writes, one shows by its bars' numbers,
which begin again with 1, or with 0 for an upbeat. The number of a part of a bar that a repeat had split is no
number ("X1"), or the same as before it. Double bar lines and page breaks show nothing, since trios have both.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise

from cyclegan_jax.midi.events import Event, end_of_track, sequence_of
from cyclegan_jax.midi.midi_file import read_file

PART = re.compile(r"(<part\s[^<>]*>)")
BAR = re.compile(r"""<measure\s[^<>]*?\bnumber\s*=\s*["'](\d{1,9})["']""")
FIRST = (0, 1)  # numbers of a movement's first bar
# What a part says once, and means in the movements after it too. A clef does not matter to how it sounds.
LASTING = re.compile(r"<(divisions|key|time|staves|transpose)(?=[\s>])(?:(?!<\1[\s>]).)*?</\1>", re.DOTALL)


def movements(score: str) -> Iterator[str]:
    """The movements of a score-partwise, each a score; one where its parts disagree on them."""
    head, *parts = PART.split(score)
    openings, bodies = parts[::2], parts[1::2]
    cut = [_movements_of(body.partition("</part>")[0]) for body in bodies]
    count = len(cut[0]) if cut else 1
    if count == 1 or any(len(part) != count for part in cut):
        yield score
        return
    end = bodies[-1].partition("</part>")[2]
    for movement in zip(*cut, strict=True):
        played = (f"{opening}{bars}</part>" for opening, bars in zip(openings, movement, strict=True))
        yield f"{head}{''.join(played)}{end}"


def _movements_of(part: str) -> list[str]:
    """A part's bars, movement by movement, each with what still holds from those before it."""
    movements, lasting = [], dict[str, str]()
    for start, stop in pairwise([*_starts(part), len(part)]):
        bars = part[start:stop]
        movements.append(_with_attributes(bars, lasting))
        lasting |= {element[1]: element[0] for element in LASTING.finditer(bars)}
    return movements


def _with_attributes(bars: str, lasting: Mapping[str, str]) -> str:
    """Bars that begin with these attributes, except those of which the first bar begins with its own.

    All are in one element: verovio counts the bars by the first time signature where two come together.
    """
    before, note, after = bars.partition("<note")
    own = {element[1] for element in LASTING.finditer(before)}
    told = "".join(element for name, element in lasting.items() if name not in own)
    place = before.find("<attributes>")
    if place < 0:
        place, told = before.find(">") + 1, f"<attributes>{told}</attributes>"
    else:
        place += len("<attributes>")
    return f"{before[:place]}{told}{before[place:]}{note}{after}" if lasting else bars


def _starts(part: str) -> list[int]:
    """Where in a part's text the first bar of each movement begins."""
    starts, before = [0], 0
    for bar in BAR.finditer(part):
        number = int(bar[1])
        if number in FIRST and number < before:
            starts.append(bar.start())
        before = number
    return starts


def one_after_another(midis: Sequence[bytes], lengths: Sequence[int]) -> bytes:
    """MIDI files of the same resolution as one; `lengths`: of each, in ticks."""
    sequences = [sequence_of(read_file(midi)) for midi in midis]
    tracks: list[list[Event]] = [[] for _ in range(max(len(sequence.tracks) for sequence in sequences))]
    for sequence, start in zip(sequences, accumulate(lengths[:-1], initial=0), strict=True):
        for track, (*events, _) in zip(tracks, sequence.tracks, strict=False):
            track.extend(event._replace(tick=event.tick + start) for event in events)
    for track in tracks:
        track.sort(key=lambda event: event.tick)  # a note may sound into the next movement
        track.append(end_of_track(max(sum(lengths), track[-1].tick if track else 0)))
    return replace(sequences[0], tracks=tracks).to_bytes()
