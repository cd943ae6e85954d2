"""The piano: silent without a chord, on the right chord, varied, and back when the solo rests."""

from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
import pytest
import symusic
from support.jazz_solos import Played, write_solo

from cyclegan_jax.datasets.genre_rolls.jazz_band import rhythms as rhythms_module
from cyclegan_jax.datasets.genre_rolls.jazz_band.annotations import read_solo
from cyclegan_jax.datasets.genre_rolls.jazz_band.band import band_midi
from cyclegan_jax.datasets.genre_rolls.jazz_band.chords import parse_chord
from cyclegan_jax.datasets.genre_rolls.jazz_band.comping import comping
from cyclegan_jax.datasets.genre_rolls.jazz_band.rhythms import bar_rhythms
from cyclegan_jax.datasets.genre_rolls.jazz_band.voicings import voicings

BEAT, EIGHTH, BAR = 480, 240, 1920
FORM = ["D-7"] * 4 + ["G7"] * 4 + ["Cj7"] * 4 + ["Em7b5"] * 2 + ["A79b"] * 2


def piano(tmp_path, chords, notes=None, seeds=range(1)):
    """The chords of several pianists one after the other: (tick, end, pitches)."""
    notes = notes or [
        Played(bar, beat, 62) for bar in range(1, len(chords) // 4 + 1) for beat in (1, 2, 3, 4)
    ]
    solo = read_solo(*write_solo(tmp_path, notes, chords))
    stabs = []
    for seed in seeds:
        chord = defaultdict(list)
        for note in comping(solo, [None] * len(solo.beats), np.random.default_rng(seed)):
            chord[note.onset, note.onset + note.length].append(note.pitch)
        stabs.append([(*times, tuple(pitches)) for times, pitches in chord.items()])
    return stabs


def places(stabs):
    return Counter(tick % BAR // EIGHTH for song in stabs for tick, _, _ in song)


def test_no_note_sounds_where_there_is_no_chord(tmp_path):
    chords = (["Cj7"] * 6 + ["NC"] * 5 + ["F7"] * 5) * 12
    stabs = piano(tmp_path, chords, seeds=range(10))
    silent = {
        tick
        for beat, chord in enumerate(chords)
        if chord == "NC"
        for tick in range(beat * 480, beat * 480 + 480)
    }
    assert sum(map(len, stabs)) > 100
    assert not any(silent.intersection(range(tick, end)) for song in stabs for tick, end, _ in song)


def test_every_chord_is_of_its_beat_or_off_the_beat_of_the_next(tmp_path):
    chords = FORM * 12
    early = 0
    for song in piano(tmp_path, chords, seeds=range(10)):
        for tick, end, pitches in song:
            meant = min((tick + EIGHTH) // BEAT if tick % BEAT else tick // BEAT, len(chords) - 1)
            assert pitches in {voicing for voicing, _ in voicings(parse_chord(chords[meant]))}
            assert set(chords[meant : -(-end // BEAT)]) <= {chords[meant]}  # and it stops when that does
            early += chords[meant] != chords[tick // BEAT]
    assert early > 100


def test_one_chord_sounds_at_a_time(tmp_path):
    for song in piano(tmp_path, FORM * 12, seeds=range(10)):
        assert all(end <= following for (_, end, _), (following, _, _) in pairwise(song))
        assert all(end > tick for tick, end, _ in song)


def test_an_anticipated_chord_is_not_struck_again_on_the_bar_line(tmp_path):
    anticipated = 0
    for song in piano(tmp_path, FORM * 16, seeds=range(10)):
        for (tick, _, _), (following, _, _) in pairwise(song):
            assert following % BAR or following - tick > EIGHTH
            anticipated += tick % BAR == BAR - EIGHTH
    assert anticipated > 100


def test_onsets_lie_on_beats_and_half_beats_all_over_the_bar(tmp_path):
    counts = places(piano(tmp_path, FORM * 24, seeds=range(20)))
    shares = {place: counts[place] / counts.total() for place in counts}
    assert set(shares) == set(range(8))
    assert 0.06 < shares[0] < 0.2  # of old it was 43 % on the first beat
    assert max(shares.values()) < 0.25
    assert min(shares.values()) > 0.04
    assert 0.5 < sum(shares[place] for place in (1, 3, 5, 7)) < 0.75


def rhythms(song):
    bars = defaultdict(list)
    for tick, _, _ in song:
        bars[tick // BAR].append(tick % BAR)
    return {bar: tuple(onsets) for bar, onsets in bars.items()}


def test_a_song_has_many_rhythms_and_seldom_one_twice_in_a_row(tmp_path):
    again = bars = 0
    for song in piano(tmp_path, FORM * 16, seeds=range(20)):
        by_bar = rhythms(song)
        assert len(set(by_bar.values())) >= 8
        bars += len(by_bar)
        again += sum(by_bar[bar] == by_bar.get(bar + 1) for bar in by_bar)
    assert again / bars < 0.1


def test_pianists_differ(tmp_path):
    songs = piano(tmp_path, FORM * 16, seeds=range(6))
    assert len({tuple(song) for song in songs}) == 6
    first_beats = [places([song])[0] / len(song) for song in songs]
    assert max(first_beats) > 1.5 * min(first_beats)


def test_lengths_differ(tmp_path):
    lengths = Counter(
        end - tick for song in piano(tmp_path, FORM * 16, seeds=range(10)) for tick, end, _ in song
    )
    assert lengths.most_common(1)[0][1] < 0.5 * lengths.total()
    assert min(lengths) <= EIGHTH
    assert max(lengths) >= 3 * BEAT


def test_the_piano_plays_less_where_the_solo_is_dense_and_more_where_it_rests(tmp_path):
    notes = [
        Played(bar, beat, 62, tatum, 4)
        for bar in range(1, 65)
        if bar % 2
        for beat in (1, 2, 3, 4)
        for tatum in (1, 3)
    ]
    songs = piano(tmp_path, FORM * 16, notes, range(20))
    counts = Counter(bool(tick // BAR % 2) for song in songs for tick, _, _ in song)
    under, between = counts[False], counts[True]  # bars from 0: the solo plays in the even ones
    assert between > 1.4 * under


def test_without_strolls_no_two_bars_in_a_row_are_silent(tmp_path, monkeypatch):
    dense = [Played(bar, beat, 62) for bar in range(1, 65) for beat in (1, 2, 3, 4) if bar % 3]
    solo = read_solo(*write_solo(tmp_path, dense, FORM * 16))

    def gaps():
        for seed in range(10):
            played = [rhythm.bar.number for rhythm in bar_rhythms(solo, np.random.default_rng(seed))]
            yield from (b - a for a, b in pairwise(played))

    assert max(gaps()) > rhythms_module.STROLL_BARS
    monkeypatch.setattr(rhythms_module, "STROLL", 0)
    assert set(gaps()) == {1, 2}


def test_the_chance_of_a_song_is_its_own_on_every_machine(tmp_path):
    score = symusic.Score.from_midi(band_midi(*write_solo(tmp_path, [Played(1, 1, 60)], FORM, name="pinned")))
    notes = next(part.notes for part in score.tracks if part.name == "Piano")
    assert sorted((note.time, note.pitch) for note in notes)[:6] == [
        (960, 53),
        (960, 60),
        (960, 64),
        (1680, 53),
        (1680, 59),
        (1680, 64),
    ]


@pytest.mark.parametrize("metre", [1, 3, 5])
def test_other_metres_have_their_own_last_eighth(tmp_path, metre):
    notes = [Played(bar, 1, 62) for bar in range(1, 61)]
    solo = read_solo(*write_solo(tmp_path, notes, ["F7"] * 60 * metre, metre=metre))
    onsets = {
        note.onset
        for seed in range(5)
        for note in comping(solo, [None] * 60 * metre, np.random.default_rng(seed))
    }
    assert {onset % (metre * BEAT) // EIGHTH for onset in onsets} == set(range(min(2 * metre, 8))) | {
        2 * metre - 1
    }
