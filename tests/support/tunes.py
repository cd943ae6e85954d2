"""A tune of eight bars as a MIDI file: 192 ticks a quarter note, so 48 a sixteenth-note step."""

from collections.abc import Iterable

from support.midi_bytes import midi, off, on, track, varlen

Played = tuple[int, int, int]  # onset and end in ticks, MIDI pitch
Event = tuple[int, bytes]  # tick, and an event with a delta of 0
STEP, BEAT, BAR = 48, 192, 768
ROOTS = (48, 45, 50, 43)
SCALE = (0, 2, 4, 5, 7, 9, 11)


def tune(key: int, late: int = 0) -> list[Played]:
    """Eight bars of bass, held chords and a melody in eighths, so many steps late."""
    notes = []
    for bar in range(8):
        root, start = ROOTS[bar % 4] + key, 16 * bar + late
        notes += [(start, start + 8, root), (start + 8, start + 16, root)]
        notes += [(start, start + 16, root + above) for above in (12, 16, 19)]
        notes += [(start + 2 * n, start + 2 * n + 2, 72 + key + SCALE[(3 * n + bar) % 7]) for n in range(8)]
    return [(onset * STEP, end * STEP, pitch) for onset, end, pitch in notes]


def timed(events: Iterable[Event]) -> bytes:
    """Events in the order of their ticks, each with its delta time."""
    body, now = b"", 0
    for tick, event in sorted(events, key=lambda timed: timed[0]):
        body += varlen(tick - now) + event[1:]
        now = tick
    return body


def played(notes: Iterable[Played], channel: int = 0) -> list[Event]:
    """Notes of a channel; at one tick notes end before others begin."""
    both = [(onset, 1, pitch) for onset, _, pitch in notes] + [(end, 0, pitch) for _, end, pitch in notes]
    return [(tick, (on if begins else off)(pitch, 0, channel)) for tick, begins, pitch in sorted(both)]


def control(number: int, value: int, channel: int = 0) -> bytes:
    return bytes([0, 0xB0 | channel, number, value])


def program(number: int, channel: int = 0) -> bytes:
    return bytes([0, 0xC0 | channel, number])


def of_tracks(*tracks: list[Event], **header: int) -> bytes:
    """A file of type 1, or of 0 for one track; how a header may differ: `midi`."""
    header = {"file_type": int(len(tracks) > 1), "division": BEAT, **header}
    return midi(*(track(timed(events)) for events in tracks), **header)
