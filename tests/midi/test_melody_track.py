"""Which track is the melody, by its name."""

import unicodedata

import pretty_midi
import pytest
from support.midi_bytes import meta, midi, off, on, track

from cyclegan_jax.midi.io import read_score
from cyclegan_jax.midi.reader import parse_midi

NAME = 0x03


def named(name: bytes, pitch: int, channel: int = 0) -> bytes:
    return track(meta(NAME, name), on(pitch, 0, channel), off(pitch, 4, channel))


def melody_of(*tracks: bytes) -> list[bool] | None:
    found = parse_midi(midi(*tracks)).melody
    return None if found is None else found.tolist()


@pytest.mark.parametrize(
    "name",
    [
        *(b"Melody", b"MELODY", b"lead vocals", b"Vox 1", b"solo", b"the melodie", b"Lead (synth)"),
        *(b"Melody1", b"MELODY_1", b"1.melody", b"melody guitar", "Melody – Tenor".encode()),
        *(title.encode(code) for title in ("Mélodie", "MÉLODIE 2") for code in ("utf-8", "latin-1")),
        *("Melodía".encode(), unicodedata.normalize("NFD", "Mélodie").encode()),
    ],
)
def test_the_track_named_so_is_the_melody(name):
    assert melody_of(named(b"Piano", 50), named(name, 60), named(b"Bass", 40)) == [False, True, False]


@pytest.mark.parametrize(
    "name",
    [
        *(
            b"Melodica",
            b"Leader",
            b"Soloist",
            b"Voice",
            b"",
            b"Piano",
            "Mélodiesäule".encode(),
            b"M\xe9lodieux",
        ),
        *(
            b"Backing Vocals",
            b"back vox",
            b"BGV vocals",
            b"Vocal harmony",
            b"Choir (solo)",
            b"Vocal_harmonies 2",
        ),
        *(b"Lead Guitar", b"Solo Gtr 1", b"guitar solo"),
    ],
)
def test_other_names_are_not(name):
    assert melody_of(named(b"Piano", 50), named(name, 60)) is None


def test_a_name_says_nothing_where_all_the_notes_are_of_such_tracks_or_none_is():
    assert melody_of(named(b"Unchained Melody", 60)) is None
    assert melody_of(track(meta(NAME, b"Unchained Melody")), named(b"Piano", 60)) is None
    assert melody_of(named(b"Solo", 60, 9), named(b"Piano", 60)) is None, "drums"
    assert melody_of(named(b"Melody", 60), named(b"Drums", 40, 9)) is None, "drums are no other voice"


def test_several_tracks_may_sing():
    assert melody_of(named(b"Vocal 1", 60), named(b"Vocal 2", 64), named(b"Piano", 40)) == [True, True, False]


def test_of_a_pretty_midi_the_names_of_instruments_tell():
    song = pretty_midi.PrettyMIDI()
    for name, pitch in (("Mélodie", 60), ("Backing Vocals", 50), ("Melody", 36)):
        part = pretty_midi.Instrument(0, is_drum=pitch == 36, name=name)
        part.notes = [pretty_midi.Note(80, pitch, 0.0, 1.0)]
        song.instruments.append(part)
    melody = read_score(song).melody
    assert melody is not None and melody.tolist() == [True, False]
    song.instruments[1].name = "Vox"
    assert read_score(song).melody is None
