"""A score's bar lines as time signatures, so that a MIDI file says where each bar begins.

A MIDI file has no bar lines: readers count them from its time signatures. verovio and symusic write the
score's signature at the start, even where the first bar is an upbeat (anacrusis) or a bar is split by a
repeat. Every bar line after it would then be off by some beats. Here each bar gets the signature of its own
length.
"""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from cyclegan_jax.midi.events import Event, end_of_track, sequence_of
from cyclegan_jax.midi.midi_file import read_file
from cyclegan_jax.midi.track_events import META, TIME_SIGNATURE, content_of, meta

FINEST = 64  # the smallest note that a bar is counted in
CLOCKS, THIRTY_SECONDS = 24, 8  # of a time signature's other two bytes, as most files have them


def with_bar_lines(midi: bytes, bars: Sequence[int]) -> bytes:
    """A MIDI file with a time signature wherever the length of a bar, or what it is counted in, changes.

    `bars`: ticks of all bar lines, the first 0 and the last the end of the last bar, ascending. What a bar
    is counted in is that of the file's own signature, where its length allows. Two bars that make a whole
    one together are one that a repeat had split. A last bar that is short, as after an upbeat, passes for a
    whole one. So does one of a length that no metre has; the next bar line is told again.
    """
    sequence = sequence_of(read_file(midi))
    whole = 4 * sequence.ticks_per_quarter  # ticks of a whole note
    told = sorted(event for track in sequence.tracks for event in track if _is_signature(event))
    signatures, written, start = [], None, bars[0]
    for line, after in pairwise([*bars[1:], bars[-1]]):
        metre = _told_at(start, told)
        if start != bars[0] and Fraction(after - start, whole) == Fraction(*metre) and line != after:
            continue
        length = Fraction(line - start, whole)
        is_short_end = line == bars[-1] and length < Fraction(*metre)
        counted = metre if is_short_end else _metre_of(length, metre)
        if counted is None or counted != written:
            signatures.append(_signature(start, *(counted or metre)))
        written = counted
        start = line
    tracks = [[event for event in track if not _is_signature(event)] for track in sequence.tracks]
    *first, end = tracks[0]
    first = sorted([*signatures, *first], key=lambda event: event.tick)
    tracks[0] = [*first, end_of_track(max(end.tick, bars[-1]))]
    return replace(sequence, tracks=tracks).to_bytes()


def _told_at(tick: int, told: list[Event]) -> tuple[int, int]:
    """The metre of the last signature up to a tick; earlier ones are taken off the list. 4/4 before any."""
    while len(told) > 1 and told[1].tick <= tick:
        told.pop(0)
    if not told or told[0].tick > tick:
        return 4, 4
    numerator, power = content_of(told[0].message)[:2]
    return numerator, 2**power


def _is_signature(event: Event) -> bool:
    return event.message[:2] == bytes([META, TIME_SIGNATURE])


def _metre_of(length: Fraction, metre: tuple[int, int]) -> tuple[int, int] | None:
    """The metre of a bar of so many whole notes: counted as `metre` is where that goes, else more finely.

    None for a length that no metre has.
    """
    denominator = metre[1]
    if length == Fraction(*metre):
        return metre
    while denominator <= FINEST:
        if (length * denominator).denominator == 1 and length * denominator < 256:
            return int(length * denominator), denominator
        denominator *= 2
    return None


def _signature(tick: int, numerator: int, denominator: int) -> Event:
    power = denominator.bit_length() - 1
    return Event(tick, meta(TIME_SIGNATURE, bytes([numerator, power, CLOCKS, THIRTY_SECONDS])))
