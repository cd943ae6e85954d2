"""What a MIDI file sounds like, as MP3: by FluidSynth where it is installed, else by plain sine waves.

Without FluidSynth drums are silent, as pretty_midi has it. Sound has 22,050 samples a second, at which LAME,
the MP3 encoder, offers 32 kbit/s. soundfile takes a number from 0 to 1 for a bit rate: 0.85 gives that one.
"""

import dataclasses
import importlib
import io
import subprocess
import sys

import numpy as np
import pretty_midi
import soundfile

from cyclegan_jax.errors import NoSoundError
from cyclegan_jax.midi.channel_sounds import DRUM_CHANNEL
from cyclegan_jax.midi.events import Event, sequence_of
from cyclegan_jax.midi.midi_file import read_file
from cyclegan_jax.midi.played_notes import NO_OFF, pair_notes
from cyclegan_jax.midi.pretty_midi_objects import open_pretty_midi
from cyclegan_jax.midi.track_events import END_OF_TRACK, META, SET_TEMPO

RATE = 22_050  # samples a second
COMPRESSION = 0.85  # soundfile's number for 32 kbit/s at that rate
BYTES_PER_SECOND = 4_100  # of MP3, frames' headers among them
FADE = 0.5  # seconds, at the end of what was cut off
SYSTEM = 0xF0  # the first status that is no channel's
HEARD = (bytes([META, SET_TEMPO]), bytes([META, END_OF_TRACK]))
MOST_MEMORY = 4 << 30  # bytes, for a process of its own


def has_fluidsynth() -> bool:
    """Whether FluidSynth and its Python binding (extra `sound`) are there."""
    try:
        importlib.import_module("fluidsynth")
    except ImportError:
        return False
    return True


def render(midi: bytes, seconds: float) -> np.ndarray:
    """The first `seconds` of a song as samples in [-1, 1], [N] float32 at RATE.

    FluidSynth plays it with pretty_midi's own General MIDI soundfont; without it each note is a sine wave,
    and drums are silent. Raises RefusedSongError for what pretty_midi does not take.
    """
    music = open_pretty_midi(_playable(midi))
    end = max((note.end for part in music.instruments for note in part.notes), default=1.0)
    total = np.zeros(int(min(seconds, end) * RATE))
    for part in music.instruments:
        _cut(part, min(seconds, end))
        if not part.notes or (part.is_drum and not has_fluidsynth()):
            continue
        # each by itself: one synthesizer for all would hand a part's last controllers to the next
        samples = part.fluidsynth(fs=RATE) if has_fluidsynth() else part.synthesize(fs=RATE)
        longest = int(min(seconds * RATE, max(len(total), len(samples))))
        total = np.pad(total, (0, max(longest - len(total), 0)))
        total[: len(samples)] += samples[: len(total)]
    loudest = np.abs(total).max(initial=0)
    samples = (total / loudest if loudest else total).astype(np.float32)
    if end > seconds:
        fading = min(int(FADE * RATE), len(samples))
        samples[len(samples) - fading :] *= np.linspace(1, 0, fading, dtype=np.float32)
    return samples


def _playable(midi: bytes) -> bytes:
    """What sounds of a file, for a reader that stumbles over more: no text, no keys, no RIFF around it.

    Drums of other channels are on channel 10, the only one that pretty_midi takes for drums.
    """
    file = read_file(midi)
    sequence, notes = sequence_of(file), pair_notes(file)
    for note in np.flatnonzero(notes.drums & (notes.channels != DRUM_CHANNEL)):
        track = sequence.tracks[notes.tracks[note]]
        for place in {int(notes.note_ons[note]), int(notes.note_offs[note])} - {NO_OFF}:
            tick, message = track[place]
            track[place] = Event(tick, bytes([message[0] & 0xF0 | DRUM_CHANNEL]) + message[1:])
    kept = [
        [event for event in track if event.kind < SYSTEM or event.message[:2] in HEARD]
        for track in sequence.tracks
    ]
    return dataclasses.replace(sequence, tracks=kept).to_bytes()


def _cut(part: pretty_midi.Instrument, seconds: float) -> None:
    """Leave nothing of a part that comes after `seconds`."""
    part.notes = [note for note in part.notes if note.start < seconds]
    part.control_changes = [change for change in part.control_changes if change.time < seconds]
    part.pitch_bends = [bend for bend in part.pitch_bends if bend.time < seconds]
    for note in part.notes:
        note.end = min(note.end, seconds)


def to_mp3(samples: np.ndarray) -> bytes:
    """Samples as mono MP3 of 32 kbit/s."""
    buffer = io.BytesIO()
    with soundfile.SoundFile(
        buffer,
        "w",
        samplerate=RATE,
        channels=1,
        format="MP3",
        subtype="MPEG_LAYER_III",
        bitrate_mode="CONSTANT",
        compression_level=COMPRESSION,
    ) as file:
        file.write(samples)
    return buffer.getvalue()


def mp3_of(midi: bytes, seconds: float) -> bytes:
    """The first `seconds` of a song as MP3."""
    return to_mp3(render(midi, seconds))


def mp3_apart(midi: bytes, seconds: float, timeout: float) -> bytes:
    """As `mp3_of`, in a process of its own that ends after `timeout` seconds and has no endless memory.

    Raises NoSoundError where that fails.
    """
    words = [sys.executable, "-m", "cyclegan_jax.rendering.audio", str(seconds)]
    try:
        done = subprocess.run(words, input=midi, capture_output=True, timeout=timeout, check=True)
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
        raise NoSoundError(
            "no sound could be made of this song within the time and memory allowed; try a shorter one"
        ) from error
    return done.stdout


if __name__ == "__main__":
    import resource  # not on Windows, where nothing else here needs it

    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    sys.stdout.buffer.write(mp3_of(sys.stdin.buffer.read(), float(sys.argv[1])))
