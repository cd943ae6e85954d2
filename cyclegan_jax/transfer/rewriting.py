"""A song written with the notes of an arrangement; everything that is not a note stays as it was.

But events are left out for which pretty_midi and mido would refuse the file, such as a key signature of no
key.

New notes get a track of their own, a piano's, on channels that are free while they sound (`new_track.py`).
They begin when the source's notes do at their step (`timing.py`), and are as loud as those within two beats
(`arranging.py`).
"""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from cyclegan_jax.midi.channel_settings import INSTRUMENT, ChannelSettings
from cyclegan_jax.midi.channel_sounds import is_reset
from cyclegan_jax.midi.events import Event, Sequence, end_of_track, is_refused_elsewhere
from cyclegan_jax.midi.played_notes import NO_OFF, PlayedNotes
from cyclegan_jax.midi.track_events import CONTROL, NOTE_OFF, NOTE_ON, PROGRAM, SYSTEM_EXCLUSIVE
from cyclegan_jax.transfer.arranging import Arrangement, NewNotes, next_onsets
from cyclegan_jax.transfer.controls import Controls
from cyclegan_jax.transfer.new_track import Stretches, new_track, note_off, set_for, track_of

BANK_SELECT = (0, 32)  # controllers, most and least significant
HANDS = ("bass", "chords", "melody")
HIGHEST_BASS = 54  # MIDI pitch, F sharp 3: higher notes are never bass, this one and lower ones never melody
PIANO = 0


def rewrite(
    sequence: Sequence, notes: PlayedNotes, arrangement: Arrangement, controls: Controls, genre: str
) -> Sequence:
    """The song: notes that stay are where they were, new notes are in a track of their own.

    With `controls.split_hands` all pitched notes go to three tracks, named after HANDS, and everything else
    on their channels is left out, but that velocities make up for their volume. `genre` names the track of
    new notes.
    """
    kept = arrangement.kept & (controls.keep_drums | ~notes.drums)
    drums = notes.drum_channels
    if controls.split_hands:
        tracks = _edited(sequence, notes, kept & notes.drums, arrangement.ends)
        others = {None, *drums}
        tracks = [[event for event in track if event.channel in others] for track in tracks]
        pitched = _all_pitched(notes, arrangement, ChannelSettings(sequence.tracks))
        settings, program = ChannelSettings(tracks), controls.program or PIANO
        tracks += _hands(pitched, settings, program, notes.pitched_channels)
    else:
        tracks = _edited(sequence, notes, kept, arrangement.ends)
        if controls.program is not None:
            tracks = _of_program(tracks, controls.program, drums)
        if len(arrangement.new.onsets):
            name, settings = f"new notes ({genre})", ChannelSettings(tracks)
            program = controls.program or PIANO
            tracks.append(new_track(name, arrangement.new, notes, kept, arrangement.ends, settings, program))
    readable = [[event for event in track if not is_refused_elsewhere(event)] for track in tracks]
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
            offs[track].append(note_off(ends[note], notes.channels[note], notes.pitches[note]))
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


def _of_program(tracks: list[list[Event]], program: int, drums: frozenset[int]) -> list[list[Event]]:
    """Tracks whose pitched channels have one program from the start and from each reset, not their own."""
    channels = [
        {event.message[0] & 0x0F for event in track if event.kind == NOTE_ON} - drums for track in tracks
    ]
    everywhere = set().union(*channels)
    return [
        [*_program_changes(0, own, program), *_with_program(track, everywhere, program, drums)]
        for track, own in zip(tracks, channels, strict=True)
    ]


def _with_program(
    track: list[Event], channels: set[int], program: int, drums: frozenset[int]
) -> Iterator[Event]:
    """A track's events without those that choose a sound, and behind each reset the program."""
    for event in track:
        if not _chooses_sound(event, drums):
            yield event
        if event.kind == SYSTEM_EXCLUSIVE and is_reset(event.message):
            yield from _program_changes(event.tick, channels, program)


def _program_changes(tick: int, channels: set[int], program: int) -> list[Event]:
    return [Event(tick, INSTRUMENT.message(channel, program)) for channel in sorted(channels)]


def _chooses_sound(event: Event, drums: frozenset[int]) -> bool:
    if event.channel in {None, *drums}:
        return False
    return event.kind == PROGRAM or (event.kind == CONTROL and event.message[1] in BANK_SELECT)


def _all_pitched(notes: PlayedNotes, arrangement: Arrangement, settings: ChannelSettings) -> NewNotes:
    """New notes and those that stay, these as loud as the channels that they leave make them."""
    stays = arrangement.kept & ~notes.drums
    onsets = notes.onsets[stays]
    ends = np.maximum(arrangement.ends[stays], onsets + 1)
    velocities = settings.heard(notes.channels[stays], onsets, notes.velocities[stays])
    source = onsets, ends, notes.pitches[stays], velocities
    return NewNotes(*map(np.concatenate, zip(source, arrangement.new, strict=True)))


def _hands(
    notes: NewNotes, settings: ChannelSettings, program: int, channels: list[int]
) -> Iterator[list[Event]]:
    """A track each, on a channel each as long as there are enough; a pitch sounds once at a time on each."""
    notes = _longest_of_each(notes)
    hands = _hand_of_each(notes)
    of_hands = np.resize(channels, len(HANDS))
    rows = of_hands[hands] << 7 | notes.pitches
    notes = notes._replace(ends=np.minimum(notes.ends, next_onsets(notes.onsets, rows)))
    whole = Stretches(np.array([0]), notes.ends.max(initial=0, keepdims=True), np.array([False]))
    for number, (hand, channel) in enumerate(zip(HANDS, of_hands.tolist(), strict=True)):
        own = notes.only(hands == number)
        messages = set_for(channel, whole, settings, program)
        yield track_of(hand, own, np.full(len(own.onsets), channel), messages)


def _longest_of_each(notes: NewNotes) -> NewNotes:
    """Of notes with one pitch and onset the longest."""
    longest_first = notes.only(np.lexsort((-notes.ends, notes.onsets, notes.pitches)))
    _, first = np.unique(np.stack([longest_first.pitches, longest_first.onsets]), axis=1, return_index=True)
    return longest_first.only(first)


def _hand_of_each(notes: NewNotes) -> np.ndarray:
    """[M] places in HANDS: bass is a deep note that is the lowest at its onset, melody a high one on top.

    At each onset every pitch begins but once.
    """
    hands = np.full(len(notes.onsets), HANDS.index("chords"))
    by_onset = np.argsort(notes.onsets, kind="stable")
    until = np.zeros(128, np.int64)  # when the last note of each pitch ends
    onsets, first = np.unique(notes.onsets[by_onset], return_index=True)
    for onset, begun in zip(onsets, np.split(by_onset, first)[1:], strict=True):
        begun_pitches = notes.pitches[begun]
        until[begun_pitches] = np.maximum(until[begun_pitches], notes.ends[begun])
        sounding = np.flatnonzero(until > onset)
        deep = begun_pitches <= HIGHEST_BASS
        hands[begun[deep & (begun_pitches == sounding[0])]] = HANDS.index("bass")
        hands[begun[~deep & (begun_pitches == sounding[-1])]] = HANDS.index("melody")
    return hands
