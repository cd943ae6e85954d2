"""The notes of a song that a musician keeps: they come through to the tick (`Controls.keep`).

Only `Controls.split_hands` changes them: of notes of one pitch at once it leaves the longest.

They are those of whole tracks, or the melody. The melody is the track named so (`midi/melody_track.py`), and
in a song without one the top voice: notes that are the highest in the step in which they begin.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cyclegan_jax.midi.melody_track import melody_of, melody_tracks
from cyclegan_jax.midi.midi_file import MidiFile
from cyclegan_jax.midi.played_notes import PlayedNotes
from cyclegan_jax.midi.refusals import Refusal, RefusedSongError
from cyclegan_jax.midi.track_events import META, TRACK_NAME, content_of, text_of
from cyclegan_jax.pianoroll.features import top_voice
from cyclegan_jax.pianoroll.roll import LOWEST_PITCH, PITCHES
from cyclegan_jax.transfer.arranging import Arrangement
from cyclegan_jax.transfer.timing import Timing

MELODY = "melody"
MOST_NAMED, LONGEST_NAME = 20, 60  # tracks in a refusal, and letters of a name


@dataclass(frozen=True)
class Locked:
    """What a musician keeps of a song.

    `chosen`: [N] bool, which of its notes. `cells`: [steps, 84, 2] bool, where these sound and begin.
    `disturbed`: [steps, 84] bool, where nothing new may sound: on one of them, a semitone beside it, or
    above the melody, where it would be heard as the tune.
    """

    chosen: np.ndarray
    cells: np.ndarray
    disturbed: np.ndarray

    def within(self, transfer: np.ndarray) -> np.ndarray:
        """A transfer in which the locked notes sound and begin as they do, both [steps, 84, 2] bool.

        What sounds right behind a locked note begins there, so that it does not hold it.
        """
        if not self.chosen.any():
            return transfer
        there, struck = np.moveaxis(self.cells, -1, 0)
        behind = np.zeros_like(there)
        behind[1:] = there[:-1] & ~there[1:]
        sounds = transfer[..., 0] | there
        begins = sounds & np.where(there, struck, transfer[..., 1] | behind)
        return np.stack([sounds, begins], axis=-1)

    def kept_by(self, arrangement: Arrangement, notes: PlayedNotes) -> Arrangement:
        """An arrangement in which every locked note is as it was played, to the tick."""
        ends = np.where(self.chosen, notes.ends, arrangement.ends)
        return replace(arrangement, kept=arrangement.kept | self.chosen, ends=ends)


def lock(
    file: MidiFile, notes: PlayedNotes, timing: Timing, cells: np.ndarray, keep: Sequence[str]
) -> Locked:
    """The notes that `keep` names: `melody`, or tracks by their names or their numbers in the file, from 1.

    `cells`: [steps, 84, 2] bool, the song. Case does not count in names. Raises RefusedSongError where the
    song has no such track with notes, naming those that it has.
    """
    chosen = np.zeros(len(notes), np.bool_)
    melody = chosen.copy()
    for wanted in keep:
        if wanted.strip().lower() == MELODY:
            melody = _melody(file, notes, timing, cells)
        else:
            chosen |= np.isin(notes.tracks, _named(file, notes, wanted))
    chosen |= melody
    locked, disturbed = np.zeros_like(cells), np.zeros_like(cells[..., 0])
    for note in np.flatnonzero(chosen & notes.on_roll):
        row, first, end = (
            int(notes.pitches[note]) - LOWEST_PITCH,
            timing.first_steps[note],
            timing.end_steps[note],
        )
        locked[first:end, row, 0] = locked[first, row, 1] = True
        disturbed[first:end, max(row - 1, 0) : PITCHES if melody[note] else row + 2] = True
    return Locked(chosen, locked, disturbed)


def _melody(file: MidiFile, notes: PlayedNotes, timing: Timing, cells: np.ndarray) -> np.ndarray:
    named = np.isin(notes.tracks, melody_tracks(file)) & ~notes.drums
    if melody_of(named[notes.sound]) is not None:
        return named
    there = np.flatnonzero(notes.on_roll)
    top = top_voice(cells[None])[0, :, :, 0]
    chosen = np.zeros(len(notes), np.bool_)
    chosen[there] = top[timing.first_steps[there], notes.pitches[there] - LOWEST_PITCH]
    return chosen


def _named(file: MidiFile, notes: PlayedNotes, wanted: str) -> list[int]:
    """The tracks with notes of this name, or else of this number."""
    names = track_names(file)
    with_notes = sorted({*notes.tracks.tolist()})
    found = [track for track in with_notes if names.get(track, "").strip().lower() == wanted.strip().lower()]
    found = found or [track for track in with_notes if str(track + 1) == wanted.strip()]
    if not found:
        told = [f"{track + 1} {names.get(track, '')[:LONGEST_NAME]!r}" for track in with_notes[:MOST_NAMED]]
        more = len(with_notes) - len(told)
        there = ", ".join(told) + (f" and {more} more" if more > 0 else "")
        raise RefusedSongError(Refusal.NO_TRACK, f"keep is {wanted!r}, but the tracks with notes are {there}")
    return found


def track_names(file: MidiFile) -> dict[int, str]:
    """The names of the tracks that have one, by their places in the file from 0; the first counts."""
    names: dict[int, str] = {}
    for place, message in file.events.others.items():
        if message[0] == META and message[1] == TRACK_NAME:
            names.setdefault(int(file.events.tracks[place]), text_of(content_of(message)))
    return names
