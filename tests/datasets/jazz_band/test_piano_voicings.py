"""Voicings: in the hand's range, with the tones that tell the chord, near one another, out of the way."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from cyclegan_jax.datasets.genre_rolls.jazz_band.chords import parse_chord
from cyclegan_jax.datasets.genre_rolls.jazz_band.voicings import TEXTURES, Manner, next_voicing, voicings

ROOTS = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
KINDS = (
    "",
    "-",
    "+",
    "o",
    "o7",
    "m7b5",
    "6",
    "69",
    "-6",
    "7",
    "79",
    "79b",
    "79#",
    "79b13",
    "79b13b",
    "79#11#",
)
KINDS += ("7911", "7911#", "7913", "7913b", "7alt", "+7", "+79#", "+j7", "-7", "-7911", "-j7", "j7", "j7911#")
KINDS += ("sus", "sus7", "sus7913", "-7913", "-79b", "6911#")
START = (52, 57, 60, 64)


def following(symbols, texture="mixed", top=65, solo=(), bass=None, seed=0):
    rng = np.random.default_rng(seed)
    before, line = START, []
    for symbol in symbols:
        before = next_voicing(parse_chord(symbol), before, Manner(texture, top), solo, bass, rng)
        line.append(before)
    return line


@pytest.mark.parametrize("kind", KINDS)
def test_a_voicing_lies_in_range_and_has_third_and_seventh(kind):
    for root in ROOTS:
        chord = parse_chord(root + kind)
        assert len(voicings(chord)) >= 3
        for pitches, _ in voicings(chord):
            classes = {(pitch - chord.root) % 12 for pitch in pitches}
            assert chord.third in classes
            assert classes & ({chord.fifth, 9} if chord.seventh is None else {chord.seventh})
            assert 48 <= pitches[0] < pitches[-1] <= 72
            assert list(pitches) == sorted(set(pitches))
            assert 2 <= len(pitches) <= 5


@pytest.mark.parametrize("kind", KINDS)
def test_a_voicing_has_no_tone_that_the_symbol_denies(kind):
    for root in ROOTS:
        chord = parse_chord(root + kind)
        tensions = set(chord.tensions)
        allowed = {0, chord.third, chord.fifth, chord.seventh or 9} | {tension % 12 for tension in tensions}
        if not tensions & {13, 15}:
            allowed |= {2}
        if chord.dominant and chord.fifth == 7 and not tensions & {15, 17, 20}:
            allowed |= {9}
        if chord.third == 3 and chord.seventh == 10:
            allowed |= {5}  # in fourths
        if chord.third == 5 or (chord.seventh == 11 and chord.fifth == 7):
            allowed |= {9}
        for pitches, _ in voicings(chord):
            assert {(pitch - chord.root) % 12 for pitch in pitches} <= allowed, pitches


def test_both_rootless_forms_are_there():
    shapes = {pitches for pitches, _ in voicings(parse_chord("D-7"))}
    assert (53, 57, 60, 64) in shapes  # F A C E
    assert (60, 64, 65, 69) in shapes  # C E F A
    assert (53, 60) in shapes  # a shell


def test_an_altered_dominant_has_the_triad_on_its_flat_sixth():
    assert (52, 58, 63, 68, 72) in {pitches for pitches, _ in voicings(parse_chord("C7alt"))}  # E Bb, Eb Ab C


def test_a_foreign_bass_leaves_the_triad_alone():
    for pitches, _ in voicings(parse_chord("D/Eb")):
        assert {pitch % 12 for pitch in pitches} == {2, 6, 9}
    for pitches, _ in voicings(parse_chord("D/F#")):
        assert {pitch % 12 for pitch in pitches} - {2, 6, 9}, "a sixth or a ninth"


def test_the_top_note_moves_little_and_so_does_the_hand():
    line = following(["D-7", "G7", "Cj7", "A79b"] * 40)
    moves = [abs(a[-1] - b[-1]) for a, b in pairwise(line)]
    assert max(moves) <= 7
    assert np.mean(moves) < 2.5


def test_the_same_chords_do_not_always_get_the_same_voicings():
    sections = [(texture, top) for texture in TEXTURES for top in (62, 66, 70)]
    parts = [following(["D-7", "G7"] * 4, *section, seed=seed) for seed, section in enumerate(sections)]
    line = [pitches for part in parts for pitches in part]
    for of_one_chord in (line[::2], line[1::2]):
        assert len(set(of_one_chord)) >= 6
        assert Counter(of_one_chord).most_common(1)[0][1] < 0.4 * len(of_one_chord)


def test_a_chord_that_stays_is_voiced_anew():
    assert np.mean([a == b for a, b in pairwise(following(["F7"] * 60))]) < 0.2


def test_top_notes_lie_where_the_section_has_them():
    symbols = ["D-7", "G7", "Cj7", "A79b"] * 20
    low, high = (np.mean([pitches[-1] for pitches in following(symbols, top=top)]) for top in (61, 70))
    assert low < 64
    assert high > 66


@pytest.mark.parametrize(
    ("texture", "low", "high"), [("shells", 2, 2.9), ("rootless", 3.5, 4.2), ("full", 3.7, 5)]
)
def test_a_texture_tells_how_many_notes(texture, low, high):
    line = following(["D-7", "G7alt", "Cj7", "A79b"] * 20, texture)
    assert low <= np.mean([len(pitches) for pitches in line]) <= high


def test_the_solo_is_given_room():
    symbols = ["D-7", "G7", "Cj7", "A79b"] * 20

    def clashes(line):
        return sum(abs(pitch - 65) <= 1 for pitches in line for pitch in pitches)

    assert clashes(following(symbols, solo=[65])) < 0.7 * clashes(following(symbols))


def test_a_high_bass_is_given_room():
    line = following(["D-7", "G7", "Cj7"] * 20, bass=50)
    assert np.mean([pitches[0] >= 54 for pitches in line]) > 0.95
    assert np.mean([pitches[0] >= 54 for pitches in following(["D-7", "G7", "Cj7"] * 20)]) < 0.9
