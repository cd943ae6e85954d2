"""Composes the demo songs of the three genres, always the same ones."""

from pathlib import Path
from random import Random

import pretty_midi

from cyclegan_jax.datasets.genre_rolls.composer import classic, jazz, pop
from cyclegan_jax.datasets.genre_rolls.composer.harmony import BEAT, Composition
from cyclegan_jax.pianoroll.roll import BARS_PER_PHRASE

SONGS = 60  # of each genre
_COMPOSERS = {"jazz": jazz.song, "classic": classic.song, "pop": pop.song}
GENRES = tuple(_COMPOSERS)


def compose(genre: str, number: int) -> pretty_midi.PrettyMIDI:
    """Compose song `number` of one of `GENRES`, always the same for the same number.

    It is in 4/4 at one tempo, 48..80 bars long and a multiple of four, and ends on the bar line.
    """
    if genre not in _COMPOSERS:
        raise ValueError(f"unknown genre {genre!r}; allowed: {', '.join(GENRES)}")
    rng = Random(f"{genre} {number}")
    # By fifths, so that every twelve songs in a row visit all keys.
    tonic = number * 7 % 12
    phrases = 12 + min(rng.randrange(9), rng.randrange(9))
    return _score(_COMPOSERS[genre](rng, tonic, phrases * BARS_PER_PHRASE))


def write_songs(folder: Path) -> None:
    """Write every song as `folder/<genre>/demo_<number>.mid`, the number with three digits."""
    for genre in GENRES:
        (folder / genre).mkdir(parents=True, exist_ok=True)
        for number in range(SONGS):
            compose(genre, number).write(str(folder / genre / f"demo_{number:03d}.mid"))


def _score(song: Composition) -> pretty_midi.PrettyMIDI:
    midi = pretty_midi.PrettyMIDI(resolution=BEAT, initial_tempo=song.tempo)
    midi.time_signature_changes.append(pretty_midi.TimeSignature(4, 4, 0))
    # Asked for the last tick first, pretty_midi fills its table of times once; it also writes faster with it.
    midi.tick_to_time(max(onset + length for part in song.parts for onset, length, _, _ in part.notes))
    for part in song.parts:
        instrument = pretty_midi.Instrument(part.program, part.is_drum, part.name)
        instrument.notes = [
            pretty_midi.Note(
                velocity, pitch, float(midi.tick_to_time(onset)), float(midi.tick_to_time(onset + length))
            )
            for onset, length, pitch, velocity in part.notes
        ]
        midi.instruments.append(instrument)
    return midi
