"""ABC notation as MIDI, by symusic's reader (that of abcMIDI), with what it gets wrong set right.

- A fermata doubles the length of its note there, in one voice alone, so that the voices drift apart. So
  decorations (`!fermata!`, `+fermata+`, `H`) are left out.
- It plays chord symbols in a pattern of its own, which nobody wrote. So what stands in quotes is left out.
- Everything begins a tick late, and notes end a tick early where another follows.
- Grace notes take up to an eighth each off the note that they lead to, which then begins late. So they,
  which have no time in a bar, are left out.
- Each note of a chord begins ten ticks after the one before. `%%MIDI chordattack 0` has them begin together.
- Endings with words in quotes, `["1-2"`, are none to it, and they stand in one voice. All voices get them.
- It does not tell where bar lines are. So the tune is read once more, with a short marker note of the lowest
  pitch at each bar line of the first voice. Where the markers come to lie, less what they take themselves,
  are the bar lines, repeats and endings included.

A chord that begins with another note than one that is tied into it loses its first note and strikes the tied
one again: that stays as it is.

The notation is that of the ABC standard 2.1, https://abcnotation.com/wiki/abc:standard:v2.1.
"""

import re
from collections.abc import Iterator
from typing import Any

import symusic

from cyclegan_jax.midi.refusals import Refusal, RefusedSongError
from cyclegan_jax.midi.scores.bar_lines import with_bar_lines

MARKER = "=C,,,,/16"  # below all music, a sixteenth of the tune's unit length
CHORDS_AT_ONCE = "%%MIDI chordattack 0"
FIELD = re.compile(r"[A-Za-z+]:|%")  # a line of the header, of lyrics, or a comment
VOICE = re.compile(r"\[?V:\s*([^\s\]]+)")
INLINE_FIELD = r"\[[A-Za-z]:[^\[\]]*\]"
# What is left out of a line of music, beside an inline field, in which all stays.
LEFT_OUT = re.compile(
    rf"""(?P<field>{INLINE_FIELD})|"[^"]*"|![^!|]*!|\+[a-z]+\+|{{[^{{}}]*}}|H(?=[\^_=\[({{]*[A-Ga-gzx])|\.(?=-)|%.*"""
)
BARS_OF_REST = re.compile(rf"(?P<field>{INLINE_FIELD})|[ZX](?P<count>\d+)")
QUOTED_ENDING = re.compile(r'(?<=\|)\s*\["\d[^"]*"(?![^|\[\]]*\])')  # no chord with a text
LAST_BAR_REPEATED = re.compile(r"\|([^|]*?):\|")
TUPLET = r"\(\d:[\d:]*"  # whose "::" is no bar line
OVERLAY = r"&[^|:]*(?::+[^|:]+)*"  # a second voice in a bar, in which a marker would not move the first
BAR_LINE = re.compile(
    rf"(?P<field>{INLINE_FIELD}|{TUPLET})|(?P<overlay>{OVERLAY})|(?P<bar>:*\|[|\]:]*|::|\[\|)"
)


def abc_to_midi(data: bytes) -> bytes:
    """The first tune of an ABC file as a Standard MIDI File, its bars told by time signatures.

    Raises RefusedSongError where it has no note.
    """
    text = _first_tune(data.decode("utf-8-sig", "replace"))
    score = _read(text)
    if not any(len(track.notes) for track in score.tracks):
        raise RefusedSongError(Refusal.DAMAGED, "no note can be read of this ABC tune")
    try:
        marked = _read(_with_markers(text))
    except RefusedSongError:  # a marker is too low where the tune is transposed down
        return score.dumps_midi()
    return with_bar_lines(score.dumps_midi(), _bar_lines(score, marked))


def _first_tune(text: str) -> str:
    """The header of the file and its first tune, its music without what is left out."""
    lines, begun = [], False
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if line.startswith("X:") and begun:
            break
        begun |= line.startswith("X:")
        lines.append(line)
        if line.startswith("X:"):
            lines.append(CHORDS_AT_ONCE)
    music = _with_endings([line for line in lines if not FIELD.match(line)])
    return "\n".join(line if FIELD.match(line) else _plain(next(music)) for line in lines) + "\n"


def _with_endings(music: list[str]) -> Iterator[str]:
    """Lines of music with endings in quotes as plain ones of a bar in all voices."""
    if not any(QUOTED_ENDING.search(line) for line in music):
        return iter(music)
    return (LAST_BAR_REPEATED.sub(r"|[1\1:|[2", QUOTED_ENDING.sub("", line)) for line in music)


def _plain(line: str) -> str:
    """A line of music without decorations, chord symbols and comments, each bar of rest written by itself."""
    line = LEFT_OUT.sub(lambda found: found["field"] or "", line)
    return BARS_OF_REST.sub(lambda found: found["field"] or "|".join("Z" * int(found["count"])), line)


def _read(text: str) -> Any:  # noqa: ANN401  # symusic's classes are made at import
    """A tune as symusic has it, every event a tick earlier and every note a tick longer."""
    try:
        score: Any = symusic.Score.from_abc(text)
    except (RuntimeError, ValueError) as error:
        raise RefusedSongError(Refusal.DAMAGED, "this ABC tune cannot be read") from error
    for track in score.tracks:
        for note in track.notes:
            note.time, note.duration = max(note.time - 1, 0), note.duration + 1
    for events in (score.tempos, score.time_signatures, score.key_signatures):
        for event in events:
            event.time = max(event.time - 1, 0)
    return score


def _with_markers(text: str) -> str:
    """The tune with a marker before each bar line of the voice that has the first one."""
    first, current, in_header = None, "", True

    def marked(found: re.Match[str]) -> str:
        nonlocal first, current
        if found["field"]:
            current = _voice_in(found["field"], current)
            return found["field"]
        if found["overlay"]:
            return ""
        first = current if first is None else first
        return f" {MARKER} {found['bar']}" if current == first else found["bar"]

    lines = []
    for line in text.split("\n"):
        is_music = not in_header and not FIELD.match(line)
        current = current if in_header or is_music else _voice_in(line, current)
        in_header &= not line.startswith("K:")
        lines.append(BAR_LINE.sub(marked, line) if is_music else line)
    return "\n".join(lines)


def _voice_in(field: str, current: str) -> str:
    """The voice that a field, `V:1` or `[V:1]`, begins; the current one where it begins none."""
    named = VOICE.match(field)
    return named[1] if named else current


def _bar_lines(score: Any, marked: Any) -> list[int]:  # noqa: ANN401
    """Ticks of the bar lines, 0 and the end among them."""
    end = max(track.end() for track in score.tracks)
    notes = [(note.pitch, note.duration, note.time) for track in marked.tracks for note in track.notes]
    pitch, length, _ = min(notes)
    bars, taken = {0, end}, 0
    for tick in sorted(tick for *kind, tick in notes if kind == [pitch, length]):
        bars.add(min(max(tick - taken, 0), end))
        taken += length
    return sorted(bars)
