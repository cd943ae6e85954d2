"""The notes of a file as they were played: where they begin and end to the tick, how hard, in which track.

On each channel of a track a pitch sounds once at a time. A note-on where it sounds ends that note first, a
note-off ends what sounds, and one that finds nothing is ignored. So the cells of a roll are those that
pretty_midi finds, which ends all notes of a pitch by one note-off. A first-in, first-out rule would be wrong
here: one note struck again without a note-off would then shift all later ends of its pitch by a note.

A note-off in the tick in which its pitch was struck again belongs to the note before: some programs write
the two in this order. What nothing ends, ends with its track. A note that ends in the tick in which it
begins is no note for a roll, nor for pretty_midi; a transfer leaves it as it is.
"""

from dataclasses import dataclass

import numpy as np

from cyclegan_jax.midi.channel_sounds import DRUM_CHANNEL, sounds
from cyclegan_jax.midi.midi_file import MidiFile
from cyclegan_jax.midi.refusals import Refusal, RefusedSongError
from cyclegan_jax.midi.track_events import NOTE_OFF, NOTE_ON
from cyclegan_jax.pianoroll.roll import in_range, to_grid

MAX_TRACKS = 1024  # with notes
MAX_NOTES = 500_000
NO_OFF = -1  # the place of a note-off that is not there
NOTHING = -1  # the event by which a note ends that ends with its track


@dataclass(frozen=True)
class PlayedNotes:
    """[N] each, by track, in the order of their note-ons.

    `onsets`, `ends`: ticks; `pitches`, `velocities`: 0 to 127; `channels` from 0; `tracks`, and in them the
    places of note-on and note-off (-1: none, the note ends by the next one of its pitch or with its track);
    `programs`: General MIDI, 0 to 127; `drums`: bool, which are of a drum channel. `drum_channels`: from 0,
    all of the file, also those without a hit.
    """

    onsets: np.ndarray
    ends: np.ndarray
    pitches: np.ndarray
    velocities: np.ndarray
    channels: np.ndarray
    tracks: np.ndarray
    note_ons: np.ndarray
    note_offs: np.ndarray
    programs: np.ndarray
    drums: np.ndarray
    drum_channels: frozenset[int] = frozenset({DRUM_CHANNEL})

    def __len__(self) -> int:
        return len(self.onsets)

    @property
    def pitched_channels(self) -> list[int]:
        """Those that are never drums; where all 16 are at some time, those of pitched notes all the same."""
        return [channel for channel in range(16) if channel not in self.drum_channels] or sorted(
            {*self.channels[~self.drums].tolist()}
        )

    @property
    def sound(self) -> np.ndarray:
        """[N] bool: which are pitched notes of any length, and so in a `Score`."""
        return ~self.drums & (self.ends > self.onsets)

    @property
    def on_roll(self) -> np.ndarray:
        """[N] bool: which a roll shows: pitched ones of any length within MIDI 24 to 107."""
        return self.sound & in_range(self.pitches)

    def steps(self, ticks_per_quarter: int, late: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """[N] onsets and [N] ends in sixteenth-note steps, as `song.quantise_notes` rounds them.

        Of a grid that begins `late` ticks after the song.
        """
        return to_grid(np.maximum(self.onsets - late, 0), self.ends - late, ticks_per_quarter)


def pair_notes(file: MidiFile) -> PlayedNotes:
    """The notes of a file. Raises RefusedSongError where there are too many, or too many tracks of them."""
    events = file.events
    places = events.of_kind(NOTE_ON, NOTE_OFF)
    data = events.data[places].astype(np.int64)
    channels = events.statuses[places].astype(np.int64) & 0x0F
    begins = (events.statuses[places] >= NOTE_ON) & (data[:, 1] > 0)
    tracks = events.tracks[places]
    with_notes = len(np.unique(tracks[begins]))
    if with_notes > MAX_TRACKS:
        raise RefusedSongError(Refusal.TOO_MANY, f"{with_notes} tracks with notes")
    if begins.sum() > MAX_NOTES:
        raise RefusedSongError(Refusal.TOO_MANY, f"{begins.sum()} notes")
    ended_by, offs = _ended_by(tracks << 11 | channels << 7 | data[:, 0], events.ticks[places], begins)
    found = ended_by[begins]
    ends = np.where(found == NOTHING, events.ends[tracks[begins]], events.ticks[places[found]])
    note_offs = np.where(offs[begins], places[found] - events.starts[tracks[begins]], NO_OFF)
    programs, drums, drum_channels = sounds(events, places[begins])
    return PlayedNotes(
        onsets=events.ticks[places[begins]],
        ends=ends,
        pitches=data[begins, 0],
        velocities=data[begins, 1],
        channels=channels[begins],
        tracks=tracks[begins],
        note_ons=places[begins] - events.starts[tracks[begins]],
        note_offs=note_offs,
        programs=programs,
        drums=drums,
        drum_channels=drum_channels,
    )


def _ended_by(keys: np.ndarray, ticks: np.ndarray, begins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[E] for each event where a note begins the number of the one that ends it; [E] whether by a note-off.

    Of each event: the track, channel and pitch as one number, its tick, and whether a note begins there.
    """
    order = _in_order(keys, ticks, begins)
    following = np.append(order[1:], NOTHING)
    following[:-1][keys[order[1:]] != keys[order[:-1]]] = NOTHING
    ended_by = np.empty_like(order)
    ended_by[order] = following
    return ended_by, (ended_by != NOTHING) & ~begins[ended_by]


def _in_order(keys: np.ndarray, ticks: np.ndarray, begins: np.ndarray) -> np.ndarray:
    """[E] the events by key, each note-off that belongs to the note before moved before the note-on there.

    Such a note-off stands right behind a note-on of its tick, by which a note that sounded was struck again.
    """
    order = np.argsort(keys, kind="stable")
    if len(order) < 3:
        return order
    key, tick, on = keys[order], ticks[order], begins[order]
    late = np.zeros(len(order), np.bool_)
    late[2:] = ~on[2:] & on[1:-1] & (tick[2:] == tick[1:-1]) & (tick[:-2] < tick[2:]) & (key[:-2] == key[2:])
    places = np.flatnonzero(late)
    # What stands two before is a note-on, or such a note-off itself, which decides for all behind it.
    first = ~late[places - 2]
    sounds_before = on[places - 2][np.maximum.accumulate(np.where(first, np.arange(len(places)), 0))]
    moved = places[sounds_before]
    order[moved - 1], order[moved] = order[moved], order[moved - 1].copy()
    return order
