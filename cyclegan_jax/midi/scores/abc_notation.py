"""ABC notation as MIDI, by symusic's reader (that of abcMIDI), with what it gets wrong set right.

- A fermata doubles the length of its note there, in one voice alone, so that the voices drift apart.
  Decorations (`!fermata!`, `H`) are left out.
- Everything begins a tick late, and notes end a tick early where another follows.
- It does not tell where bar lines are. So the tune is read once more, with a short marker note of the lowest
  pitch at each bar line of the first voice. Where the markers come to lie, less what they take themselves,
  are the bar lines, repeats and endings included.

The notation is that of the ABC standard 2.1, https://abcnotation.com/wiki/abc:standard:v2.1.
"""

import re
from collections.abc import Iterator
from typing import Any

import symusic

from cyclegan_jax.midi.refusals import Refusal, RefusedSongError
from cyclegan_jax.midi.scores.bar_lines import with_bar_lines

MARKER = "=C,,,,/16"  # below all music, a sixteenth of the tune's unit length
FIELD = re.compile(r"[A-Za-z+]:|%")  # a line of the header, of lyrics, or a comment
VOICE = re.compile(r"(?:^|\[)V:\s*(\S+?)(?=[\s\]]|$)")
DECORATION = re.compile(r"![^!|\n]*!")
DOTTED_TIE = re.compile(r"\.-")  # the reader takes it for a note
# What may hold the sign of a bar line without being one, or a bar line.
TOKEN = re.compile(r'"[^"]*"|\[[A-Za-z]:[^\]]*\]|%.*|(?P<bar>:*\|[|\]:]*|::|\[\|)')


def abc_to_midi(data: bytes) -> bytes:
    """The first tune of an ABC file as a Standard MIDI File, its bars told by time signatures.

    Raises RefusedSongError where it has no note.
    """
    text = _first_tune(data.decode("utf-8", "replace"))
    score, marked = _read(text), _read(_with_markers(text))
    if not any(len(track.notes) for track in score.tracks):
        raise RefusedSongError(Refusal.DAMAGED, "no note can be read of this ABC tune")
    return with_bar_lines(score.dumps_midi(), _bar_lines(score, marked))


def _first_tune(text: str) -> str:
    """The header of the file and its first tune, without decorations; blank lines end a tune."""
    lines, begun = [], False
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if line.startswith("X:") and begun:
            break
        begun |= line.startswith("X:")
        lines.append(line if FIELD.match(line) else DOTTED_TIE.sub("-", DECORATION.sub("", line)))
    return "\n".join(lines) + "\n"


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
    """The tune with a marker before each bar line of its first voice."""
    return "\n".join(
        TOKEN.sub(_marked, line) if inside else line for line, inside in _lines_of_first_voice(text)
    )


def _marked(found: re.Match[str]) -> str:
    bar = found["bar"]
    return f" {MARKER} {bar}" if bar else found[0]


def _lines_of_first_voice(text: str) -> Iterator[tuple[str, bool]]:
    """Each line, and whether it is music of the first voice that has any."""
    first = current = None
    in_header = True
    for line in text.split("\n"):
        if named := VOICE.search(line):
            current = named[1]
        music = not in_header and bool(line.strip()) and not FIELD.match(line)
        in_header &= not line.startswith("K:")
        if music and first is None:
            first = current or ""
        yield line, music and (current or "") == first


def _bar_lines(score: Any, marked: Any) -> list[int]:  # noqa: ANN401
    """Ticks of the bar lines, 0 and the end among them."""
    end = max(track.end() for track in score.tracks)
    lowest = min(note.pitch for track in marked.tracks for note in track.notes)
    markers = [
        (note.time, note.duration) for track in marked.tracks for note in track.notes if note.pitch == lowest
    ]
    bars, taken = {0, end}, 0
    for tick, length in sorted(markers):
        bars.add(min(max(tick - taken, 0), end))
        taken += length
    return sorted(bars)
