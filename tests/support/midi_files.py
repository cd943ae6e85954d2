"""Real MIDI files for the tests, written message by message."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import mido

Note = tuple[int, int, int]  # onset and end in ticks, MIDI pitch


def write_midi_file(
    path: Path,
    notes: list[Note],
    *,
    ticks_per_quarter: int = 480,
    signatures: tuple[tuple[int, int, int], ...] = ((0, 4, 4),),
    tempos: tuple[tuple[int, float], ...] = ((0, 120.0),),
    drums: list[Note] = (),
    parts: Mapping[int, list[Note]] = MappingProxyType({}),
) -> Path:
    """A file of format 1: signatures (tick, numerator, denominator), tempos (tick, beats per minute).

    `notes` are of program 0 on channel 0; `parts`: other programs' notes, on the channels from 1 on.
    """
    file = mido.MidiFile(ticks_per_beat=ticks_per_quarter)
    meta = [
        (tick, mido.MetaMessage("time_signature", numerator=above, denominator=below))
        for tick, above, below in signatures
    ]
    meta += [(tick, mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(bpm))) for tick, bpm in tempos]
    file.tracks = [_track(meta), _track(_note_messages(notes, 0)), _track(_note_messages(drums, 9))]
    for channel, (program, played) in enumerate(parts.items(), 1):
        change = mido.Message("program_change", channel=channel, program=program)
        file.tracks.append(_track([(0, change), *_note_messages(played, channel)]))
    path.parent.mkdir(parents=True, exist_ok=True)
    file.save(path)
    return path


def _note_messages(notes: list[Note], channel: int) -> list[tuple[int, mido.Message]]:
    messages = []
    for onset, end, pitch in notes:
        messages.append((onset, mido.Message("note_on", channel=channel, note=pitch, velocity=80)))
        messages.append((end, mido.Message("note_off", channel=channel, note=pitch)))
    return sorted(messages, key=lambda timed: (timed[0], timed[1].type == "note_on"))


def _track(timed: list[tuple[int, mido.Message]]) -> mido.MidiTrack:
    track, now = mido.MidiTrack(), 0
    for tick, message in sorted(timed, key=lambda pair: pair[0]):
        track.append(message.copy(time=tick - now))
        now = tick
    return track
