"""Chord symbols as roots, tones and tensions, in all kinds that the database has."""

import csv

import pytest

from cyclegan_jax.datasets.genre_rolls.jazz_band.chords import parse_chord
from cyclegan_jax.midi.refusals import Refusal, RefusedSongError

# Each kind of the database on C: third, fifth, seventh and tensions above the root.
KINDS = {
    "C": (4, 7, None, ()),
    "C-": (3, 7, None, ()),
    "C+": (4, 8, None, ()),
    "Co": (3, 6, 9, ()),
    "Co7": (3, 6, 9, ()),
    "Cm7b5": (3, 6, 10, ()),
    "C6": (4, 7, 9, ()),
    "C69": (4, 7, 9, (14,)),
    "C6911#": (4, 7, 9, (14, 18)),
    "C-6": (3, 7, 9, ()),
    "C-69": (3, 7, 9, (14,)),
    "C7": (4, 7, 10, ()),
    "C79": (4, 7, 10, (14,)),
    "C79b": (4, 7, 10, (13,)),
    "C79#": (4, 7, 10, (15,)),
    "C79b13": (4, 7, 10, (13, 21)),
    "C79b13b": (4, 7, 10, (13, 20)),
    "C79#13": (4, 7, 10, (15, 21)),
    "C79#11#": (4, 7, 10, (15, 18)),
    "C7911": (4, 7, 10, (14, 17)),
    "C7911#": (4, 7, 10, (14, 18)),
    "C7913": (4, 7, 10, (14, 21)),
    "C7913b": (4, 7, 10, (14, 20)),
    "C7alt": (4, 7, 10, (13, 15, 18, 20)),
    "C+7": (4, 8, 10, ()),
    "C+79": (4, 8, 10, (14,)),
    "C+79b": (4, 8, 10, (13,)),
    "C+79#": (4, 8, 10, (15,)),
    "C+7911#": (4, 8, 10, (14, 18)),
    "C+j7": (4, 8, 11, ()),
    "C-7": (3, 7, 10, ()),
    "C-79": (3, 7, 10, (14,)),
    "C-79b": (3, 7, 10, (13,)),
    "C-7911": (3, 7, 10, (14, 17)),
    "C-7913": (3, 7, 10, (14, 21)),
    "C-j7": (3, 7, 11, ()),
    "C-j7911#": (3, 7, 11, (14, 18)),
    "C-j7913": (3, 7, 11, (14, 21)),
    "Cj7": (4, 7, 11, ()),
    "Cj79": (4, 7, 11, (14,)),
    "Cj79#": (4, 7, 11, (15,)),
    "Cj7911#": (4, 7, 11, (14, 18)),
    "Cj79#11#": (4, 7, 11, (15, 18)),
    "Csus": (5, 7, 10, ()),
    "Csus7": (5, 7, 10, ()),
    "Csus79": (5, 7, 10, (14,)),
    "Csus7913": (5, 7, 10, (14, 21)),
}


@pytest.mark.parametrize("symbol", KINDS)
def test_a_kind_has_its_tones(symbol):
    chord = parse_chord(symbol)
    assert (chord.third, chord.fifth, chord.seventh, chord.tensions) == KINDS[symbol]
    assert (chord.root, chord.bass) == (0, None)


@pytest.mark.parametrize(
    ("symbol", "root", "bass"),
    [
        ("Bb79b", 10, None),
        ("B79b", 11, None),
        ("F#m7b5", 6, None),
        ("Cb7", 11, None),
        ("Fb-7", 4, None),
        ("G79b/B", 7, 11),
        ("Bj7/A#", 11, 10),
        ("D/Eb", 2, 3),
    ],
)
def test_root_and_bass_are_told_from_what_follows(symbol, root, bass):
    chord = parse_chord(symbol)
    assert (chord.root, chord.bass) == (root, bass)


def test_nc_is_no_chord():
    assert parse_chord("NC") is None


@pytest.mark.parametrize("symbol", ["H7", "C7b", "Cmaj7", "C/", "c7", "", "N.C."])
def test_another_symbol_is_refused_by_name(symbol):
    with pytest.raises(RefusedSongError, match="chord symbol") as refused:
        parse_chord(symbol)
    assert refused.value.reason == Refusal.DAMAGED
    assert repr(symbol) in refused.value.detail


def test_every_symbol_of_the_database_is_of_a_kind_above(open_sources):
    symbols = set()
    for path in (open_sources / "weimar_jazz" / "mcsv_beat").glob("*.csv"):
        with path.open(newline="") as file:
            symbols |= {row["chord"] for row in csv.DictReader(file, quotechar="'")}
    assert len(symbols) > 400
    kinds = {"C" + symbol.split("/")[0][1:].lstrip("b#") for symbol in symbols - {"NC"}}
    assert kinds == set(KINDS)
