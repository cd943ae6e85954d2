"""A solo of the Weimar Jazz Database as its two CSV files annotate it, in ticks of score time.

The melody file has one row a note, the beat track one row a beat. Both name bars and beats; bars before the
first chorus are 0, -1 and so on. A note begins at a tatum, one of `division` equal parts of its beat, so the
swing of the recording is kept as coarsely as it was annotated: two notes in a beat are most often at its two
halves. Seconds serve for lengths alone, as parts of the beat that a note begins in.

Some beat tracks begin or end in the middle of a bar. A solo that begins there gets an upbeat: a shorter bar
with its own time signature, as notation programs write it. Without solo notes the broken first bar is left
out, so that the file begins with a whole one. Long stretches around the solo, which other instruments play in
the recording, are cut: a lead-in by phrases of four bars, so that the phrases of the form stay in step.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from pathlib import Path
from statistics import median
from typing import NamedTuple

from cyclegan_jax.midi.io import WRITTEN_TICKS_PER_QUARTER as TICKS_PER_QUARTER
from cyclegan_jax.midi.refusals import Refusal, RefusedSongError
from cyclegan_jax.pianoroll.roll import BARS_PER_PHRASE

NOTE_COLUMNS = ("bar", "beat", "division", "tatum", "pitch", "duration", "beat_duration")
BEAT_COLUMNS = ("bar", "beat", "signature", "chord", "form", "chorus_id", "duration")
OPTIONAL = {"bass"}
QUOTES = "'\""
SHORTEST = TICKS_PER_QUARTER // 16
LOUDNESS = 96
HIGHEST_PITCH = 127  # of MIDI

Row = dict[str, str]


class Note(NamedTuple):
    """One note: onset and length in ticks, MIDI pitch, velocity 1 to 127."""

    onset: int
    length: int
    pitch: int
    velocity: int


class Beat(NamedTuple):
    """`tick`: where it begins. `number`: its place in the bar, from 1. `chord`: its symbol, `NC` for none.

    `bass`: the MIDI pitch that the bass plays, None where the beat track has no such column.
    """

    tick: int
    number: int
    chord: str
    bass: int | None


@dataclass(frozen=True)
class Bar:
    """`number`: as annotated. `metre`: its time signature. `section`: chorus and part of the form.

    `beats`: those that the beat track has, fewer than the metre's only in the last bar.
    """

    number: int
    metre: tuple[int, int]
    section: str
    beats: tuple[Beat, ...]

    @property
    def tick(self) -> int:
        """Where it begins."""
        return self.beats[0].tick

    @property
    def beat_ticks(self) -> int:
        """The length of a beat."""
        return _beat_ticks(self.metre)


@dataclass(frozen=True)
class Solo:
    """`bars`: adjoining, from tick 0. `notes`: in order. `end`: the tick after the last beat.

    `tempo`: quarter notes a minute.
    """

    bars: tuple[Bar, ...]
    notes: tuple[Note, ...]
    end: int
    tempo: float

    @property
    def beats(self) -> list[Beat]:
        """All beats in order."""
        return [beat for bar in self.bars for beat in bar.beats]


def read_solo(melody_csv: Path, beat_csv: Path) -> Solo:
    """Read both files of a solo.

    Raises RefusedSongError for a file that cannot be read, lacks a column or a beat, or has no note.
    """
    note_rows, beat_rows = _rows(melody_csv, NOTE_COLUMNS), _rows(beat_csv, BEAT_COLUMNS)
    if not note_rows:
        raise RefusedSongError(Refusal.NO_NOTES, f"no row in {melody_csv.name}")
    if not beat_rows:
        raise RefusedSongError(Refusal.DAMAGED, f"no row in {beat_csv.name}")
    try:
        _check_places(note_rows, beat_rows)
        bars = _bars(beat_rows, [int(row["bar"]) for row in note_rows])
        notes = _notes(note_rows, bars)
        ticks_per_second = [_beat_ticks(_metre(row)) / float(row["duration"]) for row in beat_rows]
    except (ValueError, ZeroDivisionError) as error:
        raise RefusedSongError(Refusal.DAMAGED, f"{melody_csv.name} or its beat track: {error}") from error
    end = bars[-1].beats[-1].tick + bars[-1].beat_ticks
    return Solo(bars, notes, end, 60 * median(ticks_per_second) / TICKS_PER_QUARTER)


def _rows(path: Path, columns: Sequence[str]) -> list[Row]:
    """The rows of a file without the quotes that some fields have: `'4/4'`, or `4/4` in three pairs."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RefusedSongError(Refusal.UNREADABLE, f"{path.name}: {error}") from error
    table = list(csv.reader(text.splitlines()))
    names = table[0] if table else []
    if missing := sorted(set(columns) - set(names)):
        raise RefusedSongError(Refusal.DAMAGED, f"{path.name} lacks {', '.join(missing)}")
    if short := [row for row in table if len(row) < len(names)]:
        raise RefusedSongError(Refusal.DAMAGED, f"{path.name} has a row of {len(short[0])} fields")
    places = [(name, names.index(name)) for name in (*columns, *(OPTIONAL & set(names)))]
    return [{name: row[place].strip(QUOTES) for name, place in places} for row in table[1:]]


def _metre(row: Row) -> tuple[int, int]:
    above, below = row["signature"].split("/")
    return int(above), int(below)


def _beat_ticks(metre: tuple[int, int]) -> int:
    return TICKS_PER_QUARTER * 4 // metre[1]


def _place(row: Row) -> tuple[int, int]:
    """Bar and beat."""
    return int(row["bar"]), int(row["beat"])


def _check_places(note_rows: list[Row], beat_rows: list[Row]) -> None:
    """Raise ValueError for a note on a beat that is missing, and for a beat that does not follow the last."""
    places = [_place(row) for row in beat_rows]
    for (bar, beat), row, following in zip(places, beat_rows, places[1:], strict=False):
        due = (bar, beat + 1) if beat < _metre(row)[0] else (bar + 1, 1)
        if following != due:
            raise ValueError(f"bar {due[0]}, beat {due[1]} does not follow the beat before it")
    if lost := {_place(row) for row in note_rows} - set(places):
        raise ValueError("no beat for the note in bar {}, beat {}".format(*min(lost)))


def _pitch(text: str) -> int:
    if not 0 <= int(text) <= HIGHEST_PITCH:
        raise ValueError(f"pitch {text} is not 0 to {HIGHEST_PITCH}")
    return int(text)


def _bars(rows: list[Row], solo_bars: list[int]) -> tuple[Bar, ...]:
    """The bars that the file has, of the beat track's rows and of the bars that solo notes begin in."""
    parts = [(number, list(part)) for number, part in groupby(_filled(rows), lambda row: int(row["bar"]))]
    upbeat = len(parts[0][1]) < _metre(parts[0][1][0])[0]
    if upbeat and parts[0][0] < min(solo_bars):
        parts, upbeat = parts[1:], False
    lead = min(solo_bars) - parts[0][0]
    cut = max(lead - 1, 0) // BARS_PER_PHRASE * BARS_PER_PHRASE
    parts = [part for part in parts[cut:] if part[0] <= max(solo_bars) + BARS_PER_PHRASE]
    lengths = [_beat_ticks(_metre(row)) for _, part in parts for row in part]
    ticks = accumulate(lengths, initial=0)
    bars = [_bar(number, part, ticks) for number, part in parts]
    if upbeat:
        first = bars[0]
        bars[0] = Bar(first.number, (len(first.beats), first.metre[1]), first.section, first.beats)
    return tuple(bars)


def _filled(rows: list[Row]) -> Iterator[Row]:
    """The rows with what an empty chord or part of the form means: as before."""
    chord, form = "NC", ""
    for row in rows:
        chord, form = row["chord"] or chord, row["form"] or form
        yield row | {"chord": chord, "form": form}


def _bar(number: int, rows: list[Row], ticks: Iterator[int]) -> Bar:
    beats = tuple(
        Beat(next(ticks), int(row["beat"]), row["chord"], _pitch(row["bass"]) if row.get("bass") else None)
        for row in rows
    )
    return Bar(number, _metre(rows[0]), f"{rows[0]['chorus_id']} {rows[0]['form']}", beats)


def _notes(rows: list[Row], bars: tuple[Bar, ...]) -> tuple[Note, ...]:
    """The solo. A note ends where the next one begins, if not before: it is one voice in the recording."""
    places = {(bar.number, beat.number): (beat.tick, bar.beat_ticks) for bar in bars for beat in bar.beats}
    notes = []
    for row in rows:
        tick, beat = places[_place(row)]
        onset = tick + round((int(row["tatum"]) - 1) * beat / int(row["division"]))
        length = round(float(row["duration"]) / float(row["beat_duration"]) * beat)
        notes.append(Note(onset, max(length, SHORTEST), _pitch(row["pitch"]), LOUDNESS))
    notes.sort()
    nexts = [note.onset for note in notes[1:]] + [notes[-1].onset + notes[-1].length]
    return tuple(
        note._replace(
            length=min(note.length, following - note.onset) if following > note.onset else note.length
        )
        for note, following in zip(notes, nexts, strict=True)
    )
