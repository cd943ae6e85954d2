"""New notes keep to what the genre has; the song's own notes come through whatever they are."""

from dataclasses import replace

import numpy as np
import pytest
from support.midi_files import write_midi_file
from support.model_files import with_evaluation
from support.train_steps import CONFIG

from cyclegan_jax.errors import UserError
from cyclegan_jax.midi.reader import parse_midi
from cyclegan_jax.midi.song import quantise
from cyclegan_jax.pianoroll.features import Spans, notes_by_phrase
from cyclegan_jax.pianoroll.roll import LOWEST_PITCH
from cyclegan_jax.transfer.cleaning import Bounds, beside, bounds_of, fitting
from cyclegan_jax.transfer.controls import Controls
from cyclegan_jax.transfer.model import Model
from cyclegan_jax.transfer.model_file import load
from cyclegan_jax.transfer.song import transfer_song

C4 = 60 - LOWEST_PITCH
BOUNDS = Bounds(shortest=2, longest_clash=2, lowest=40, highest=80)


def phrases_of(*notes: tuple[int, int, int]) -> np.ndarray:
    """Phrases [200, 64, 84, 2] that all have these notes: onset and end in steps, pitch."""
    phrases = np.zeros((200, 64, 84, 2), bool)
    for onset, end, pitch in notes:
        add(phrases, onset, end, pitch)
    return phrases


def add(phrases: np.ndarray, onset: int, end: int, pitch: int) -> None:
    phrases[:, onset:end, pitch - LOWEST_PITCH, 0] = phrases[:, onset, pitch - LOWEST_PITCH, 1] = True


def test_bounds_are_what_all_but_a_few_notes_keep_to():
    music = phrases_of((0, 8, 60), (5, 12, 61), *((step, step + 4, 48) for step in range(0, 64, 4)))
    usual = Bounds(shortest=4, longest_clash=3, lowest=48, highest=61)
    assert bounds_of(music) == usual
    for pitch in (40, 90):  # 8 of 3,616 notes are rare
        add(music[:8], 30, 40, pitch)
    assert bounds_of(music) == usual
    add(music, 40, 42, 90)  # 200 more are not, nor short: one of 19
    assert bounds_of(music) == replace(usual, highest=90)
    for onset in (50, 54):  # three of 21
        add(music, onset, onset + 2, 90)
    assert bounds_of(music) == replace(usual, highest=90, shortest=2)


def test_a_genre_without_clashes_allows_an_eighth_and_notes_struck_again_are_short_ones():
    again = phrases_of(*((step, step + 1, 60) for step in range(8)))
    assert bounds_of(again) == Bounds(shortest=1, longest_clash=2, lowest=60, highest=60)


def test_beside_is_a_semitone_off_within_the_roll():
    cells = np.zeros((1, 84), bool)
    cells[0, [0, 40, 83]] = True
    assert np.flatnonzero(beside(cells)[0]).tolist() == [1, 39, 41, 82]


def fits(new: list[tuple[int, int, int]], certainties: list[float], others: np.ndarray) -> list[bool]:
    onsets, ends, pitches = np.array(new).T
    spans = Spans(onsets, ends, pitches - LOWEST_PITCH)
    return fitting(spans, np.array(certainties), others, BOUNDS).tolist()


def test_short_notes_those_out_of_register_and_long_clashes_are_left_out():
    others = np.zeros((64, 84), bool)
    others[8:12, C4] = True
    new = [(0, 1, 50), (0, 2, 50), (0, 4, 39), (0, 4, 40), (0, 4, 80), (0, 4, 81)]
    assert fits(new, [0.9] * 6, others) == [False, True, False, True, True, False]
    new = [(6, 10, 61), (8, 11, 59), (10, 16, 61), (8, 12, 64)]  # clash for 2, 3, 2 and no steps
    assert fits(new, [0.9] * 4, others) == [True, False, True, True]


def test_of_two_new_notes_that_clash_the_more_certain_one_stays():
    silent = np.zeros((64, 84), bool)
    pair = [(0, 8, 60), (0, 8, 61)]
    assert fits(pair, [0.6, 0.9], silent) == [False, True]
    assert fits(pair, [0.9, 0.6], silent) == [True, False]


def adding(phrases: np.ndarray) -> np.ndarray:
    """All that is there; new notes of one step, low ones, and one that keeps to the bounds."""
    sounds = phrases[..., :1].astype(np.float32)
    sounds[:, 3::8, 30] = sounds[:, 4:8, 5] = 0.9
    sounds[:, 8:12, 50] = 0.7
    return sounds


@pytest.fixture
def song(tmp_path):
    notes = [(480 * beat, 480 * beat + (60 if beat % 2 else 400), 86 - 25 * (beat % 3)) for beat in range(64)]
    return write_midi_file(tmp_path / "a.mid", notes).read_bytes()


def test_of_a_song_only_new_notes_are_cleaned(song):
    everything = transfer_song(song, adding, "pop", Controls(clean=False), BOUNDS)
    cleaned = transfer_song(song, adding, "pop", Controls(), BOUNDS)
    assert transfer_song(song, adding, "pop", Controls()).midi == everything.midi, "no bounds are known"
    assert cleaned.kept == everything.kept == 64 and 0 < cleaned.new < everything.new
    before, after = (quantise(parse_midi(data)).roll[None, ..., None] for data in (song, cleaned.midi))
    assert not (before & ~after).any()
    notes = notes_by_phrase(after & ~before)
    assert set(notes.rows + LOWEST_PITCH) == {50 + LOWEST_PITCH} and set(notes.lengths) == {4}


class Adding(Model):
    """A model that adds notes."""

    def network(self, to: str):
        return adding


def test_a_model_takes_the_bounds_of_the_genre_from_its_evaluation(song):
    model = Adding(CONFIG, {}, None, {}, {})
    assert model.bounds("pop") is None
    known = replace(model, evaluation={"note_bounds": {"pop": vars(BOUNDS)}})
    assert known.bounds("pop") == BOUNDS and known.bounds("jazz") is None
    counts = [
        one.transfer_midi(song, "pop", Controls(clean=clean)).new
        for one, clean in ((model, True), (known, True), (known, False))
    ]
    assert counts[0] == counts[2] > counts[1] > 0


@pytest.mark.parametrize(
    "bounds",
    [
        {"polka": vars(BOUNDS)},
        {"pop": vars(BOUNDS) | {"lowest": -1}},
        {"pop": vars(BOUNDS) | {"highest": 80.5}},
        {"pop": {"shortest": 2}},
        {"pop": [2, 2, 40, 80]},
        3,
    ],
)
def test_a_model_file_with_wrong_bounds_is_refused(bounds, model_path, tmp_path):
    with pytest.raises(UserError, match="wrong entry"):
        load(with_evaluation(model_path, tmp_path / "a.model", note_bounds=bounds))
