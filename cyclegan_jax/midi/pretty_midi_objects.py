"""PrettyMIDI objects: checked and copied where they come in, their text made readable where they go out.

pretty_midi keeps whatever it is given, and fails only when it writes, each time in another way. So every
value is checked before. A whole number in a float, as 64.0, is taken. A value that MIDI does not have is
refused. A note that begins and ends on one tick is left out, as it is from a file: pretty_midi writes its end
before its onset, so that it would sound to the end of its track.

MIDI does not say how text is encoded. pretty_midi writes Latin-1 and fails at any other character. So it is
given UTF-8 bytes, one character a byte. Going out, what is valid UTF-8 is read as such, the rest as Latin-1.
pretty_midi looks for tempos and signatures in the first track alone, so it is given them all there.
"""

import copy
import dataclasses
import io
import itertools
import math
import reprlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pretty_midi

from cyclegan_jax.midi.events import Event, end_of_track, sequence_of
from cyclegan_jax.midi.melody_track import melody_of, names_melody
from cyclegan_jax.midi.midi_file import read_file
from cyclegan_jax.midi.played_notes import MAX_NOTES
from cyclegan_jax.midi.reader import Score, Tempo
from cyclegan_jax.midi.refusals import Refusal, RefusedSongError
from cyclegan_jax.midi.track_events import KEY_SIGNATURE, META, SET_TEMPO, TIME_SIGNATURE, text_of

Check = Callable[[str, Any], Any]  # of a value's name and the value: gives what is written for it, or refuses
MAX_TICK = 2**28 - 1  # a distance of four bytes
MAX_INSTRUMENTS = 2**15 - 2  # with the track of tempos, what mido can count in a header
MAX_TEMPO = 2**24 - 1  # microseconds a quarter note, three bytes
MAX_DENOMINATOR = 2**16  # mido takes some powers above for none, by rounding
AGES = 1e12  # seconds; far beyond MAX_TICK in any tempo, and small enough to be counted in ticks


def score_of_object(song: pretty_midi.PrettyMIDI) -> Score:
    """The notes of a PrettyMIDI as they are in it, drums left out. Raises RefusedSongError."""
    song = checked(song)
    parts = [part for part in song.instruments if not part.is_drum]
    notes = [note for part in parts for note in part.notes]
    times, tempos = song.get_tempo_changes()
    named = {part.name: names_melody(readable(part.name)) for part in parts}
    return Score(
        ticks_per_quarter=song.resolution,
        onsets=np.array([song.time_to_tick(n.start) for n in notes], np.int64),
        ends=np.array([song.time_to_tick(n.end) for n in notes], np.int64),
        pitches=np.array([n.pitch for n in notes], np.int64),
        programs=np.array([p.program for p in parts for _ in p.notes], np.int64),
        time_signatures=tuple(
            (int(song.time_to_tick(s.time)), s.numerator, s.denominator) for s in song.time_signature_changes
        ),
        tempos=tuple(Tempo(int(song.time_to_tick(s)), float(q)) for s, q in zip(times, tempos, strict=True)),
        melody=melody_of(np.array([named[p.name] for p in parts for _ in p.notes], np.bool_)),
    )


def midi_of_object(song: pretty_midi.PrettyMIDI) -> bytes:
    """A PrettyMIDI as a Standard MIDI File, as pretty_midi writes it. Raises RefusedSongError."""
    written = io.BytesIO()
    checked(song).write(written)
    return written.getvalue()


def open_pretty_midi(midi: bytes) -> pretty_midi.PrettyMIDI:
    """The bytes of a MIDI file as a PrettyMIDI with readable text, which it writes as UTF-8.

    Raises RefusedSongError for what pretty_midi does not take, such as over ten million ticks.
    """
    midi = _of_one_conductor(midi)
    try:
        song = pretty_midi.PrettyMIDI(io.BytesIO(midi))
    except Exception as error:  # mido's own kinds among them, which have nothing else in common
        raise RefusedSongError(Refusal.READER_FAILED, f"pretty_midi: {error}") from error
    for part in song.instruments:
        part.name = readable(part.name)
    for event in itertools.chain(song.lyrics, song.text_events):
        event.text = readable(event.text)
    song._charset = "utf-8"
    return song


def _of_one_conductor(midi: bytes) -> bytes:
    """A file with the tempos and signatures of its other tracks in the first one."""
    sequence = sequence_of(read_file(midi))
    moved = [event for track in sequence.tracks[1:] for event in track if _conducts(event)]
    if not moved:
        return midi
    (*first, end), *others = sequence.tracks
    first = sorted([*first, *moved], key=lambda event: event.tick)
    first.append(end_of_track(max(end.tick, first[-1].tick)))
    others = [[event for event in track if not _conducts(event)] for track in others]
    return dataclasses.replace(sequence, tracks=[first, *others]).to_bytes()


def _conducts(event: Event) -> bool:
    return event.kind == META and event.message[1] in (SET_TEMPO, TIME_SIGNATURE, KEY_SIGNATURE)


def readable(text: str) -> str:
    """Text that was read as Latin-1: as UTF-8 where its bytes are that, and else as it is."""
    try:
        return text_of(text.encode("latin-1"))
    except UnicodeError:
        return text


def checked(song: pretty_midi.PrettyMIDI) -> pretty_midi.PrettyMIDI:
    """A copy that pretty_midi can write: all values such as MIDI has, text as UTF-8 seen as Latin-1.

    Raises RefusedSongError with the value, and what is allowed.
    """
    try:
        return _checked(song)
    except (AttributeError, IndexError, TypeError, ValueError) as error:  # of private fields
        told = f"the PrettyMIDI is not as pretty_midi makes it ({error}); make it anew of its notes"
        raise RefusedSongError(Refusal.BAD_VALUE, told) from error


def _checked(song: pretty_midi.PrettyMIDI) -> pretty_midi.PrettyMIDI:
    _check_size(song)
    taken = copy.copy(song)
    taken._charset = "latin1"
    taken.resolution = _whole(1, 2**15 - 1)("resolution", song.resolution)
    taken._tick_scales = list(_tempos(song._tick_scales, taken.resolution))
    seconds = _seconds(taken)
    events = (
        ("time_signature_changes", pretty_midi.TimeSignature, "time signature", METRE),
        ("key_signature_changes", pretty_midi.KeySignature, "key signature", {"key_number": _whole(0, 23)}),
        ("lyrics", pretty_midi.Lyric, "lyric", {"text": _text}),
        ("text_events", pretty_midi.Text, "text event", {"text": _text}),
    )
    for attribute, kind, name, checks in events:
        setattr(taken, attribute, _events(getattr(song, attribute), kind, name, "", checks, seconds))
    parts = enumerate(song.instruments, 1)
    taken.instruments = [_instrument(part, f"instrument {n}", taken, seconds) for n, part in parts]
    return taken


def _check_size(song: pretty_midi.PrettyMIDI) -> None:
    parts = _own(song.instruments, pretty_midi.Instrument, "instrument", "")
    if len(parts) > MAX_INSTRUMENTS:
        raise RefusedSongError(Refusal.TOO_MANY, f"{len(parts)} instruments")
    named = ((part.notes, f" of instrument {number}") for number, part in enumerate(parts, 1))
    notes = sum(len(_own(notes, pretty_midi.Note, "note", of)) for notes, of in named)
    if notes > MAX_NOTES:
        raise RefusedSongError(Refusal.TOO_MANY, f"{notes} notes")


def _own(values: Any, kind: type, name: str, of: str) -> list[Any]:  # noqa: ANN401
    """A list of pretty_midi's own objects of a kind."""
    if not isinstance(values, list | tuple):
        raise _refusal(f"the list of {name}s{of}", values, "a list")
    for number, value in enumerate(values, 1):
        if not isinstance(value, kind):
            raise _refusal(f"{name} {number}{of}", value, f"a pretty_midi.{kind.__name__}")
    return list(values)


def _tempos(tick_scales: list[tuple[int, float]], resolution: int) -> Iterator[tuple[int, float]]:
    """pretty_midi's tempos, each a tick and the seconds that a tick lasts from there on."""
    for number, (tick, scale) in enumerate(tick_scales, 1):
        seconds = _number(scale) * resolution  # a quarter note
        if not 1 <= seconds * 1e6 < MAX_TEMPO + 1:
            value = 60 / seconds if seconds else math.inf
            raise _refusal(f"tempo {number}", value, f"from {60e6 / MAX_TEMPO:.2f} to 60e6 beats per minute")
        yield _whole(0, MAX_TICK)(f"tick of tempo {number}", tick), float(scale)


def _instrument(
    part: pretty_midi.Instrument, what: str, song: pretty_midi.PrettyMIDI, seconds: Check
) -> pretty_midi.Instrument:
    taken = pretty_midi.Instrument(
        program=MIDI_BYTE(f"program of {what}", part.program),
        is_drum=bool(part.is_drum),
        name=_text(f"name of {what}", "" if part.name is None else part.name),
    )
    notes = (_note(note, f"note {n} of {what}", seconds) for n, note in enumerate(part.notes, 1))
    taken.notes = [n for n in notes if song.time_to_tick(n.start) < song.time_to_tick(n.end)]
    of, bend = f" of {what}", {"pitch": _whole(-8192, 8191)}
    taken.pitch_bends = _events(part.pitch_bends, pretty_midi.PitchBend, "pitch bend", of, bend, seconds)
    taken.control_changes = _events(
        part.control_changes, pretty_midi.ControlChange, "control change", of, CONTROL, seconds
    )
    return taken


def _note(note: pretty_midi.Note, what: str, seconds: Check) -> pretty_midi.Note:
    start, end = seconds(f"start of {what}", note.start), seconds(f"end of {what}", note.end)
    if end < start:
        raise _refusal(f"end of {what}", note.end, f"its start, {note.start}, or later")
    velocity = _whole(1, 127)(f"velocity of {what}", note.velocity)
    return pretty_midi.Note(velocity, MIDI_BYTE(f"pitch of {what}", note.pitch), start, end)


def _events(
    events: Iterable[Any], kind: type, name: str, of: str, checks: dict[str, Check], seconds: Check
) -> list[Any]:
    """Copies of events that have a time, and other attributes with a check for each."""
    checks = {**checks, "time": seconds}
    return [
        kind(**{key: check(f"{key} of {name} {n}{of}", getattr(event, key)) for key, check in checks.items()})
        for n, event in enumerate(_own(events, kind, name, of), 1)
    ]


def _seconds(song: pretty_midi.PrettyMIDI) -> Check:
    def check(what: str, value: Any) -> float:  # noqa: ANN401
        number = _number(value)
        if not (0 <= number <= AGES and song.time_to_tick(number) <= MAX_TICK):
            raise _refusal(what, value, f"seconds from 0 on, at most {MAX_TICK:,} ticks")
        return number

    return check


def _whole(low: int, high: int) -> Check:
    def check(what: str, value: Any) -> int:  # noqa: ANN401
        number = _number(value)
        if not (low <= number <= high and number.is_integer()):
            raise _refusal(what, value, f"a whole number from {low} to {high}")
        return int(number)

    return check


def _power_of_two(what: str, value: Any) -> int:  # noqa: ANN401
    number = _number(value)
    if not (1 <= number <= MAX_DENOMINATOR and math.frexp(number)[0] == 0.5):
        raise _refusal(what, value, f"a power of two from 1 to {MAX_DENOMINATOR}")
    return int(number)


def _text(what: str, value: Any) -> str:  # noqa: ANN401
    """Text as UTF-8, seen as Latin-1; text that pretty_midi has already read so is not encoded twice."""
    if not isinstance(value, str):
        raise _refusal(what, value, "text")
    return readable(value).encode("utf-8", "replace").decode("latin-1")


MIDI_BYTE = _whole(0, 127)
METRE: dict[str, Check] = {"numerator": _whole(1, 255), "denominator": _power_of_two}
CONTROL = {"number": MIDI_BYTE, "value": MIDI_BYTE}


def _number(value: Any) -> float:  # noqa: ANN401
    """NaN for what is no number."""
    if isinstance(value, str | bytes):
        return math.nan
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _refusal(what: str, value: Any, allowed: str) -> RefusedSongError:  # noqa: ANN401
    shown = reprlib.repr(value.item() if isinstance(value, np.generic) else value)
    return RefusedSongError(Refusal.BAD_VALUE, f"{what} is {shown}, but must be {allowed}")
