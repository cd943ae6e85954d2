"""Chord symbols of the Weimar Jazz Database, as its annotators write them: `C-7`, `Bbj7911#`, `F79b/A`.

A symbol is a root, a kind (`-` minor, `+` augmented, `o` diminished, `m7b5`, `sus`, none for major), a
seventh (`7`, `j7`) or sixth (`6`), tensions with their accidental behind (`9b`, `11#`), maybe `alt`, and
maybe a bass after a slash. `NC` is no chord.
"""

import re
from dataclasses import dataclass
from functools import cache

from cyclegan_jax.midi.refusals import Refusal, RefusedSongError

NO_CHORD = "NC"
LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
ACCIDENTALS = {"": 0, "b": -1, "#": 1}
SYMBOL = re.compile(
    r"(?P<root>[A-G][b#]?)(?P<kind>-|\+|o|m7b5|sus|)(?P<seventh>j7|7|6|)"
    r"(?P<tensions>(?:(?:9|11|13)[b#]?)*)(?P<altered>alt)?(?:/(?P<bass>[A-G][b#]?))?"
)
TENSION = re.compile(r"(9|11|13)([b#]?)")
DEGREES = {"9": 14, "11": 17, "13": 21}
# The third, or the fourth that stands for it, and the fifth, in semitones above the root.
TRIADS = {"": (4, 7), "-": (3, 7), "+": (4, 8), "o": (3, 6), "m7b5": (3, 6), "sus": (5, 7)}
SEVENTHS = {"j7": 11, "7": 10, "6": 9}
ALTERED = (13, 15, 18, 20)  # flat and sharp ninth, sharp eleventh, flat thirteenth


@dataclass(frozen=True)
class Chord:
    """A chord in semitones above `root`, a pitch class 0 to 11.

    `third`: 3 or 4, 5 where a fourth is suspended. `fifth`: 6 to 8. `seventh`: 9 (a sixth, or a diminished
    seventh), 10, 11, or None. `tensions`: those named, 13 to 21, sorted. `bass`: the pitch class after a
    slash, if any.
    """

    root: int
    third: int
    fifth: int
    seventh: int | None
    tensions: tuple[int, ...]
    bass: int | None

    @property
    def dominant(self) -> bool:
        """Whether it has a major third and a minor seventh."""
        return (self.third, self.seventh) == (4, 10)


@cache
def parse_chord(symbol: str) -> Chord | None:
    """A symbol as a chord, None for `NC`. Raises RefusedSongError for what is no symbol of the database.

    A diminished triad has its diminished seventh, and a suspended one its minor seventh, as they are played.
    """
    if symbol == NO_CHORD:
        return None
    match = SYMBOL.fullmatch(symbol)
    if not match:
        raise RefusedSongError(Refusal.DAMAGED, f"chord symbol {symbol!r} is unknown")
    kind = match["kind"]
    third, fifth = TRIADS[kind]
    implied = {"o": 9, "m7b5": 10, "sus": 10}.get(kind)
    seventh = implied or SEVENTHS.get(match["seventh"])
    named = {DEGREES[degree] + ACCIDENTALS[sign] for degree, sign in TENSION.findall(match["tensions"])}
    return Chord(
        root=_pitch_class(match["root"]),
        third=third,
        fifth=fifth,
        seventh=seventh,
        tensions=tuple(sorted(named | set(ALTERED if match["altered"] else ()))),
        bass=_pitch_class(match["bass"]) if match["bass"] else None,
    )


def _pitch_class(name: str) -> int:
    return (LETTERS[name[0]] + ACCIDENTALS[name[1:]]) % 12
