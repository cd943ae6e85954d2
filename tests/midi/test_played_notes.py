"""Notes as they were played: the same as the dataset's reader finds, with all that it leaves out."""

import numpy as np
import pytest
from support.midi_bytes import END, LONG, SIGNATURE, midi, off, on, track, varlen
from support.odd_midi import ODD

from cyclegan_jax.midi.midi_file import read_file
from cyclegan_jax.midi.played_notes import NO_OFF, pair_notes
from cyclegan_jax.midi.reader import parse_midi, read_midi_bytes
from cyclegan_jax.midi.song import quantise
from cyclegan_jax.pianoroll.roll import rasterise

MIXED = midi(
    track(SIGNATURE, on(50, 1, velocity=10), on(50, 2, velocity=20), off(50, 3), off(50, 4), off(50, 5)),
    track(on(50, 0, 3, 30), on(36, 1, 9, 40), off(36, 6, 9), LONG, end=varlen(9) + END[1:]),
)


def by_hand() -> dict[str, list[int]]:
    return {
        "onsets": [1, 3, 0, 1, 10],
        "ends": [3, 6, 86, 7, 77],
        "pitches": [50, 50, 50, 36, 61],
        "velocities": [10, 20, 30, 40, 80],
        "channels": [0, 0, 3, 9, 0],
        "tracks": [0, 0, 1, 1, 1],
        "note_ons": [1, 2, 0, 1, 3],
        "note_offs": [NO_OFF, 3, NO_OFF, 2, 4],
        "programs": [0, 0, 0, 0, 0],
        "drums": [False, False, False, True, False],
    }


def test_a_note_ends_the_one_before_and_what_nothing_ends_ends_with_its_track():
    notes = pair_notes(read_file(MIXED))
    assert {name: getattr(notes, name).tolist() for name in by_hand()} == by_hand()


def test_what_a_roll_shows_are_pitched_notes_in_its_range():
    file = read_file(
        midi(
            track(
                SIGNATURE,
                *(on(p, 0, c) for p, c in ((23, 0), (24, 0), (107, 0), (108, 0), (50, 9))),
                end=varlen(9) + END[1:],
            )
        )
    )
    assert pair_notes(file).on_roll.tolist() == [False, True, True, False, False]


def test_a_grid_that_begins_later_has_no_step_before_its_first():
    notes = pair_notes(read_file(midi(track(SIGNATURE, on(50), off(50, 9), on(52), off(52, 2)))))
    assert [steps.tolist() for steps in notes.steps(4, late=3)] == [[0, 6], [6, 8]]


def test_no_note_at_all():
    notes = pair_notes(read_file(midi(track(SIGNATURE))))
    assert len(notes) == 0 and [len(column) for column in notes.steps(4)] == [0, 0]


@pytest.mark.parametrize("kind", ODD)
def test_notes_and_roll_are_those_of_the_datasets_reader(tmp_path, kind):
    write, _ = ODD[kind]
    write(tmp_path / "a.mid")
    data = read_midi_bytes(tmp_path / "a.mid")
    score, file = parse_midi(data), read_file(data)
    notes = pair_notes(file)
    columns = [column[notes.sound] for column in (notes.onsets, notes.ends, notes.pitches)]
    expected = (score.onsets, score.ends, score.pitches)
    for found, wanted in zip(_sorted(columns), _sorted(expected), strict=True):
        np.testing.assert_array_equal(found, wanted)
    onsets, ends = (steps[notes.sound] for steps in notes.steps(file.ticks_per_quarter))
    np.testing.assert_array_equal(rasterise(onsets, ends, columns[2])[0], quantise(score).roll)


def _sorted(columns: list[np.ndarray]) -> np.ndarray:
    table = np.stack(columns)
    return table[:, np.lexsort(table)]
