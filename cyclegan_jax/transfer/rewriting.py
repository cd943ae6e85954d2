"""A song written with the notes of an arrangement; everything that is not a note stays as it was.

But a key signature of no key is left out, for which other programs would refuse the file.

New notes get a track and a free channel of their own, so that no controller or pitch bend of the source
changes them. Where no channel is free, they share the ninth, and its sound. They are a piano's, on the
grid, and as loud as the source's notes within two beats (`arranging.py`).
"""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from cyclegan_jax.midi.channel_sounds import DRUM_CHANNEL
from cyclegan_jax.midi.events import Event, Sequence, end_of_track, has_unknown_key
from cyclegan_jax.midi.played_notes import NO_OFF, PlayedNotes
from cyclegan_jax.midi.track_events import CONTROL, NOTE_OFF, NOTE_ON, PROGRAM, TRACK_NAME, meta
from cyclegan_jax.transfer.arranging import Arrangement, NewNotes, next_onsets
from cyclegan_jax.transfer.controls import Controls

BANK_SELECT = (0, 32)  # controllers, most and least significant
HANDS = ("bass", "chords", "melody")
HIGHEST_BASS = 54  # MIDI pitch, F sharp 3: higher notes are never bass, this one and lower ones never melody
PIANO = 0


def rewrite(
    sequence: Sequence, notes: PlayedNotes, arrangement: Arrangement, controls: Controls, genre: str
) -> Sequence:
    """The song: notes that stay are where they were, new notes are in a track of their own.

    With `controls.split_hands` all pitched notes go to three tracks, named after HANDS, and everything else
    on their channels is left out. `genre` names the track of new notes.
    """
    kept = arrangement.kept & (controls.keep_drums | ~notes.drums)
    drums = notes.drum_channels
    if controls.split_hands:
        tracks = _edited(sequence, notes, kept & notes.drums, arrangement.ends)
        others = {None, *drums}
        tracks = [[event for event in track if event.channel in others] for track in tracks]
        tracks += _hands(_all_pitched(notes, arrangement), controls.program or PIANO, drums)
    else:
        tracks = _edited(sequence, notes, kept, arrangement.ends)
        if controls.program is not None:
            tracks = [_of_program(track, controls.program, drums) for track in tracks]
        if len(arrangement.new.onsets):
            channel = _free_channel(tracks)
            program = None if channel is None else controls.program or PIANO
            place = DRUM_CHANNEL - 1 if channel is None else channel
            tracks.append(_track(f"new notes ({genre})", place, program, arrangement.new))
    readable = [[event for event in track if not has_unknown_key(event)] for track in tracks]
    return Sequence(sequence.ticks_per_quarter, readable)


def _edited(sequence: Sequence, notes: PlayedNotes, kept: np.ndarray, ends: np.ndarray) -> list[list[Event]]:
    """The tracks without the notes that are left out, and with new note-offs for notes whose end has moved.

    A note that the next one of its pitch ends gets a note-off as well where that one is left out. In a track
    with new note-offs those that ended no note are removed: they could end another one now.
    """
    gone: dict[int, set[int]] = defaultdict(set)
    offs: dict[int, list[Event]] = defaultdict(list)
    moved = kept & ((ends != notes.ends) | _loses_its_end(notes, kept))
    for note in np.flatnonzero(~kept | moved):
        track = int(notes.tracks[note])
        gone[track].add(int(notes.note_offs[note]))
        if moved[note]:
            offs[track].append(_note_off(ends[note], notes.channels[note], notes.pitches[note]))
        else:
            gone[track].add(int(notes.note_ons[note]))
    for track in offs:
        of_track = notes.tracks == track
        paired = {*notes.note_ons[of_track].tolist(), *notes.note_offs[of_track].tolist()}
        places = enumerate(sequence.tracks[track])
        gone[track] |= {p for p, event in places if event.kind in (NOTE_ON, NOTE_OFF) and p not in paired}
    return [
        _merged([event for place, event in enumerate(track) if place not in gone[number]], offs[number])
        for number, track in enumerate(sequence.tracks)
    ]


def _loses_its_end(notes: PlayedNotes, kept: np.ndarray) -> np.ndarray:
    """[N] bool: which notes the next one of their pitch, channel and track ends, and that is left out."""
    order = np.lexsort((notes.note_ons, notes.pitches, notes.channels, notes.tracks))
    keys = np.stack([notes.tracks, notes.channels, notes.pitches])[:, order]
    same = (keys[:, 1:] == keys[:, :-1]).all(axis=0)
    loses = np.zeros(len(notes), np.bool_)
    loses[order[:-1]] = same & ~kept[order[1:]]
    return loses & (notes.note_offs == NO_OFF)


def _merged(events: list[Event], offs: list[Event]) -> list[Event]:
    """A track's events with note-offs added, each before the other events of its tick; End of Track last."""
    if not offs:
        return events
    *events, end = events
    merged = sorted([*offs, *events], key=lambda event: event.tick)
    return [*merged, end_of_track(max(end.tick, merged[-1].tick))]


def _of_program(track: list[Event], program: int, drums: frozenset[int]) -> list[Event]:
    """A track whose pitched channels have one program from the start, instead of their own."""
    channels = sorted({event.message[0] & 0x0F for event in track if event.kind == NOTE_ON} - drums)
    changes = [Event(0, bytes([PROGRAM | channel, program])) for channel in channels]
    return [*changes, *(event for event in track if not _chooses_sound(event, drums))]


def _chooses_sound(event: Event, drums: frozenset[int]) -> bool:
    if event.channel in {None, *drums}:
        return False
    return event.kind == PROGRAM or (event.kind == CONTROL and event.message[1] in BANK_SELECT)


def _free_channel(tracks: list[list[Event]]) -> int | None:
    """The first channel that nothing is sent to, or None."""
    taken = {event.channel for track in tracks for event in track} | {DRUM_CHANNEL}
    return next((channel for channel in range(16) if channel not in taken), None)


def _all_pitched(notes: PlayedNotes, arrangement: Arrangement) -> NewNotes:
    stays = arrangement.kept & ~notes.drums
    onsets = notes.onsets[stays]
    ends = np.maximum(arrangement.ends[stays], onsets + 1)
    source = onsets, ends, notes.pitches[stays], notes.velocities[stays]
    return NewNotes(*map(np.concatenate, zip(source, arrangement.new, strict=True)))


def _hands(notes: NewNotes, program: int, drums: frozenset[int]) -> Iterator[list[Event]]:
    hands = _hand_of_each(notes)
    channels = (channel for channel in range(16) if channel not in drums)
    for number, (hand, channel) in enumerate(zip(HANDS, channels, strict=False)):
        yield _track(hand, channel, program, _one_at_a_time(notes.only(hands == number)))


def _one_at_a_time(notes: NewNotes) -> NewNotes:
    """Of notes with one pitch and onset the longest, and that only up to the next note of its pitch."""
    longest_first = notes.only(np.lexsort((-notes.ends, notes.onsets, notes.pitches)))
    _, first = np.unique(np.stack([longest_first.pitches, longest_first.onsets]), axis=1, return_index=True)
    notes = longest_first.only(first)
    return notes._replace(ends=np.minimum(notes.ends, next_onsets(notes.onsets, notes.pitches)))


def _hand_of_each(notes: NewNotes) -> np.ndarray:
    """[M] places in HANDS: bass is a deep note that is the lowest at its onset, melody a high one on top."""
    hands = np.full(len(notes.onsets), HANDS.index("chords"))
    by_onset = np.argsort(notes.onsets, kind="stable")
    sounding: list[int] = []
    first = 0
    for onset in np.unique(notes.onsets):
        sounding = [note for note in sounding if notes.ends[note] > onset]
        past = int(np.searchsorted(notes.onsets[by_onset], onset, side="right"))
        begun, first = by_onset[first:past], past
        sounding += begun.tolist()
        pitches = notes.pitches[sounding]
        deep = notes.pitches[begun] <= HIGHEST_BASS
        hands[begun[deep & (notes.pitches[begun] == pitches.min())]] = HANDS.index("bass")
        hands[begun[~deep & (notes.pitches[begun] == pitches.max())]] = HANDS.index("melody")
    return hands


def _track(name: str, channel: int, program: int | None, notes: NewNotes) -> list[Event]:
    """A track of notes on one channel; `program` is None if other tracks use that channel too."""
    head = [Event(0, meta(TRACK_NAME, name.encode()))]
    if program is not None:
        head.append(Event(0, bytes([PROGRAM | channel, program])))
    played = []
    for onset, end, pitch, velocity in zip(*(column.tolist() for column in notes), strict=True):
        played.append(Event(onset, bytes([NOTE_ON | channel, pitch, velocity])))
        played.append(_note_off(end, channel, pitch))
    played.sort(key=lambda event: (event.tick, event.kind))
    return [*head, *played, end_of_track(played[-1].tick if played else 0)]


def _note_off(tick: int, channel: int, pitch: int) -> Event:
    return Event(int(tick), bytes([NOTE_OFF | int(channel), int(pitch), 64]))
