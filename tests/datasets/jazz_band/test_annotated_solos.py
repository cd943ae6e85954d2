"""Five solos against their annotations, read by eye in the CSV files, and all solos through the filter."""

from fractions import Fraction
from typing import NamedTuple

import pytest

from cyclegan_jax.datasets.genre_rolls.jazz_band.band import BASS, SOLO, band_midi
from cyclegan_jax.midi.dataset_song import filter_song
from cyclegan_jax.midi.reader import Score, parse_midi
from cyclegan_jax.midi.refusals import Refusal, RefusedSongError
from cyclegan_jax.midi.song import quantise
from cyclegan_jax.pianoroll.roll import LOWEST_PITCH

BEAT = 480


class Annotated(NamedTuple):
    """What is annotated: (bar, beat, part of the beat, pitch) of the first notes and of a later bar.

    `signatures`: as the file must have them. `bar_1`: the tick at which bar 1 must begin. `bass`: the pitches
    of whole bars, by their numbers. `lengths`: of the first notes in ticks, as duration by beat duration.
    """

    name: str
    signatures: tuple[tuple[int, int, int], ...]
    bar_1: int
    first: list[tuple[int, int, str | int, int]]
    later: list[tuple[int, int, str | int, int]]
    bass: dict[int, list[int]]
    lengths: list[int]

    def tick(self, bar, beat, part) -> int:
        beats = self.signatures[-1][1]
        return self.bar_1 + round((((bar - 1) * beats) + beat - 1 + Fraction(part)) * BEAT)


SOLOS = [
    # The beat track begins on beat 2 of bar 0, the solo on beat 3: an upbeat of three beats. Tens, elevenths.
    Annotated(
        "CharlieParker_HowDeepIsTheOcean",
        ((0, 3, 4), (3 * BEAT, 4, 4)),
        3 * BEAT,
        [
            (0, 3, "2/10", 68),
            (0, 3, "4/10", 67),
            (0, 3, "5/10", 65),
            (0, 3, "6/10", 63),
            (0, 3, "7/10", 62),
            (0, 3, "8/10", 60),
            (0, 3, "9/10", 59),
            (0, 4, "4/6", 67),
            (0, 4, "5/6", 63),
            (1, 2, "1/4", 55),
        ],
        [
            (6, 1, 0, 71),
            (6, 1, "1/4", 72),
            (6, 1, "2/4", 72),
            (6, 3, "4/11", 63),
            (6, 3, "5/11", 64),
            (6, 3, "7/11", 67),
            (6, 3, "8/11", 69),
            (6, 3, "9/11", 67),
            (6, 3, "10/11", 66),
            (6, 4, "1/8", 64),
            (6, 4, "4/8", 57),
            (6, 4, "5/8", 60),
            (6, 4, "7/8", 63),
        ],
        {1: [47, 47, 47, 47], 6: [45, 32, 39, 38]},
        [
            52,
            39,
            38,
            48,
        ],  # 0.0898, 0.0673, 0.0653 of a beat of 0.8327 s; the fourth is cut from 51 by the fifth
    ),
    # A waltz. The broken bar -4 has no solo and is left out; pickup in bars -3 to 0.
    Annotated(
        "JohnColtrane_MyFavoriteThings-1",
        ((0, 3, 4),),
        4 * 3 * BEAT,
        [
            (-3, 1, "1/2", 59),
            (-3, 2, 0, 60),
            (-3, 3, 0, 62),
            (-2, 1, 0, 64),
            (-2, 2, 0, 66),
            (-2, 3, 0, 67),
            (-1, 1, "1/4", 69),
            (-1, 1, "3/4", 71),
            (-1, 3, "1/2", 69),
            (0, 1, 0, 71),
        ],
        [
            (20, 1, 0, 76),
            (20, 1, "1/2", 78),
            (20, 2, 0, 81),
            (20, 2, "1/6", 78),
            (20, 2, "2/6", 76),
            (20, 2, "3/6", 74),
            (20, 2, "4/6", 73),
            (20, 3, "2/6", 76),
            (20, 3, "3/6", 74),
            (20, 3, "4/6", 73),
            (20, 3, "5/6", 70),
        ],
        {3: [44, 28, 28], 20: [38, 40, 40]},
        [240, 365, 362],  # 0.2554 by 0.3426 cut to a half; 0.2496 by 0.3286; 0.2844 by 0.3767
    ),
    # Triplets, over two whole bars before the first chorus.
    Annotated(
        "CliffordBrown_Sandu",
        ((0, 4, 4),),
        2 * 4 * BEAT,
        [
            (-1, 2, 0, 58),
            (-1, 2, "1/3", 61),
            (-1, 2, "2/3", 63),
            (-1, 3, 0, 68),
            (-1, 3, "1/3", 69),
            (-1, 3, "2/3", 69),
            (-1, 4, 0, 68),
            (-1, 4, "1/3", 68),
            (-1, 4, "2/3", 68),
            (0, 1, 0, 66),
        ],
        [
            (10, 2, "1/4", 70),
            (10, 2, "2/4", 72),
            (10, 2, "3/4", 75),
            (10, 3, "1/5", 78),
            (10, 3, "4/5", 75),
            (10, 4, "1/3", 73),
            (10, 4, "2/3", 70),
        ],
        {2: [44, 43, 44, 45], 10: [53, 52, 53, 52]},
        [157, 157, 157, 148],  # 0.1407 by 0.4315, three times; 0.1379 by 0.4471
    ),
    # A whole bar without solo, then one with it, before the first chorus.
    Annotated(
        "ArtPepper_Anthropology",
        ((0, 4, 4),),
        2 * 4 * BEAT,
        [
            (0, 1, 0, 65),
            (0, 2, 0, 63),
            (0, 2, "3/4", 58),
            (0, 3, 0, 61),
            (0, 4, 0, 63),
            (1, 1, 0, 58),
            (1, 2, 0, 58),
            (3, 3, 0, 50),
            (3, 4, 0, 57),
            (3, 4, "1/2", 60),
        ],
        [
            (9, 1, "1/2", 65),
            (9, 2, 0, 62),
            (9, 2, "1/2", 60),
            (9, 3, 0, 59),
            (9, 3, "2/3", 55),
        ],
        {1: [42, 42, 43, 43], 9: [38, 36, 35, 39]},
        [228, 287, 120],  # 0.1388 by 0.2917; 0.1712 by 0.2866; 0.0813 by 0.2866, cut from 136
    ),
    # The beat track begins on beat 3 of bar -22; the solo three bars later, nineteen before bar 1.
    Annotated(
        "WayneShorter_Dolores",
        ((0, 4, 4),),
        22 * 4 * BEAT,
        [
            (-19, 1, "1/2", 65),
            (-19, 2, 0, 62),
            (-19, 2, "1/2", 65),
            (-19, 3, 0, 67),
            (-19, 4, "1/2", 65),
            (-18, 1, 0, 67),
            (-18, 1, "1/2", 65),
            (-18, 2, 0, 62),
            (-18, 2, "1/2", 58),
            (-18, 3, 0, 62),
        ],
        [(5, 1, "1/2", 59), (5, 3, 0, 55), (5, 3, "1/2", 62)],
        {-5: [43, 45, 42, 45], 5: [44, 45, 50, 45]},
        [240, 181, 225],  # 0.1103 by 0.2093, cut from 253; 0.0842 by 0.2229; 0.1045 by 0.2229
    ),
]


def midi(open_sources, name) -> bytes:
    folder = open_sources / "weimar_jazz"
    files = folder / "mcsv_melody" / f"{name}.csv", folder / "mcsv_beat" / f"{name}_beattrack.csv"
    return band_midi(*files)


def of(score: Score, program: int) -> list[tuple[int, int, int]]:
    """The onsets, pitches and lengths of one part, in order."""
    part = score.programs == program
    columns = score.onsets[part], score.pitches[part], (score.ends - score.onsets)[part]
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


def within(notes, start, end):
    return [note[:2] for note in notes if start <= note[0] < end]


@pytest.fixture(params=SOLOS, ids=lambda solo: solo.name)
def solo(request) -> Annotated:
    return request.param


@pytest.fixture
def score(solo, open_sources) -> Score:
    return parse_midi(midi(open_sources, f"{solo.name}_FINAL"))


def test_the_file_has_the_annotated_metre(solo, score):
    assert score.time_signatures == solo.signatures
    assert score.ticks_per_quarter == BEAT


def test_the_first_notes_are_as_annotated(solo, score):
    expected = [(solo.tick(bar, beat, part), pitch) for bar, beat, part, pitch in solo.first]
    notes = of(score, SOLO)[: len(expected)]
    assert [note[:2] for note in notes] == expected
    assert [length for _, _, length in notes][: len(solo.lengths)] == solo.lengths


def test_a_later_bar_is_as_annotated(solo, score):
    bar = solo.later[0][0]
    expected = [(solo.tick(*place), pitch) for *place, pitch in solo.later]
    assert within(of(score, SOLO), solo.tick(bar, 1, 0), solo.tick(bar + 1, 1, 0)) == expected


def test_the_bass_of_two_bars_is_as_annotated(solo, score):
    for bar, pitches in solo.bass.items():
        expected = [(solo.tick(bar, beat, 0), pitch) for beat, pitch in enumerate(pitches, 1)]
        assert within(of(score, BASS), solo.tick(bar, 1, 0), solo.tick(bar + 1, 1, 0)) == expected


def test_the_roll_has_these_notes_at_the_nearest_steps(solo, score):
    roll = quantise(score).roll
    for bar, beat, part, pitch in solo.first + solo.later:
        step = int(solo.tick(bar, beat, part) / (BEAT // 4) + 0.5)
        assert roll[step, pitch - LOWEST_PITCH]


# In other metres throughout; none of 4/4 is refused.
OTHER_METRES = {
    "CannonballAdderley_ThisHere": "3/4",
    "ChrisPotter_Togo": "3/4",
    "JohnAbercrombie_Ralph'sPianoWaltz": "3/4",
    "JohnColtrane_MyFavoriteThings-1": "3/4",
    "JohnColtrane_MyFavoriteThings-2": "3/4",
    "JohnColtrane_NatureBoy": "1/4",
    "OrnetteColeman_BirdFood": "1/4",
    "OrnetteColeman_Chronology": "1/4",
    "OrnetteColeman_Congeniality": "1/4",
    "OrnetteColeman_Peace": "1/4",
    "OrnetteColeman_Ramblin'": "1/4",
    "SteveColeman_Cross=Fade-1": "9/4",
    "SteveColeman_Cross=Fade-2": "9/4",
    "SteveColeman_Processional": "5/4",
    "SteveColeman_TheOracle-1": "3/4",
    "SteveColeman_TheOracle-2": "3/4",
    "WayneShorter_Footprints": "6/4",
    "WayneShorter_Juju": "3/4",
    "WoodyShaw_InACapricornianWay": "3/4",
}


@pytest.mark.slow
def test_all_solos_of_four_beats_pass_the_filter_and_no_others(open_sources):
    names = sorted(path.stem for path in (open_sources / "weimar_jazz" / "mcsv_melody").glob("*.csv"))
    passed, refused = 0, {}
    for name in names:
        try:
            song = filter_song(parse_midi(midi(open_sources, name)))
        except RefusedSongError as error:
            assert error.reason == Refusal.OTHER_METRE
            refused[name.removesuffix("_FINAL")] = error.detail.split()[0]
        else:
            assert song.melody_track
            passed += 1
    assert (passed, len(names)) == (437, 456)
    assert refused == OTHER_METRES
