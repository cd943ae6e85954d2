"""Statistics of phrases: what is counted, that counts add up, and that they are small and quick to have."""

import pickle
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from cyclegan_jax.datasets.genre_rolls.reading.statistics import Statistics

ARRAYS = ("polyphony", "pitch_classes", "register", "onsets")


def phrases_of(*notes: dict[int, list[int]]) -> np.ndarray:
    """[N, 64, 84, 1] bool from, a phrase each, MIDI pitch -> steps that sound."""
    phrases = np.zeros((len(notes), 64, 84, 1), bool)
    for phrase, steps_of in zip(phrases, notes, strict=True):
        for pitch, steps in steps_of.items():
            phrase[steps, pitch - 24] = True
    return phrases


def counts(array: np.ndarray) -> dict[int, int]:
    """Index -> count, without the zeros."""
    return {int(index): int(array[index]) for index in np.flatnonzero(array)}


def as_lists(statistics: Statistics) -> list:
    return [statistics.phrases, *(getattr(statistics, name).tolist() for name in ARRAYS)]


@pytest.fixture
def statistics():
    return Statistics.of(
        phrases_of(
            {24: [0, 1, 2], 25: [1, 21], 60: [1, 2, 5], 107: [17, 18, 20]},
            {},
            {62: [63], 72: [33, 34, 49], 107: [50]},
        )
    )


def test_phrases_are_counted_and_steps_by_the_notes_sounding(statistics):
    assert statistics.phrases == 3
    assert counts(statistics.polyphony) == {0: 192 - 13, 1: 11, 2: 1, 3: 1}


def test_twelve_notes_and_more_are_counted_together():
    chords = {11: 0, 12: 1, 13: 2, 84: 3}
    phrases = np.zeros((2, 64, 84, 1), bool)
    for notes, step in chords.items():
        phrases[1, step, :notes] = True
    assert counts(Statistics.of(phrases).polyphony) == {0: 124, 11: 1, 12: 3}


def test_cells_are_counted_by_pitch_from_24_on(statistics):
    assert counts(statistics.register) == {0: 3, 1: 2, 36: 3, 38: 1, 48: 3, 83: 4}


def test_cells_are_counted_by_pitch_class_from_c_on(statistics):
    assert counts(statistics.pitch_classes) == {0: 9, 1: 2, 2: 1, 11: 4}


def test_onsets_are_counted_by_their_step_in_the_bar(statistics):
    # First phrase: 0, 1, 21, 1, 5, 17, 20; third: 63, 33, 49, 50.
    assert counts(statistics.onsets) == {0: 1, 1: 5, 2: 1, 4: 1, 5: 2, 15: 1}


def test_a_held_note_begins_anew_in_the_next_phrase_and_nowhere_else():
    held = list(range(64))
    assert counts(Statistics.of(phrases_of({24: held}, {24: held}, {24: held})).onsets) == {0: 3}
    ends_where_another_begins = phrases_of({24: [63]}, {25: [0]}, {25: [63], 107: [63]})
    assert counts(Statistics.of(ends_where_another_begins).onsets) == {0: 1, 15: 3}


def test_neighbouring_pitches_do_not_hide_an_onset():
    assert counts(Statistics.of(phrases_of({60: [6], 61: [7], 59: [8, 9]})).onsets) == {6: 1, 7: 1, 8: 1}


def test_a_plain_count_cell_by_cell_gives_the_same():
    phrases = np.random.default_rng(5).random((6, 64, 84, 1))[::2] < np.linspace(0, 0.3, 84)[:, None]
    polyphony, pitch_classes, register, onsets = (Counter() for _ in range(4))
    for phrase in phrases[..., 0]:
        for step in range(64):
            polyphony[min(12, int(phrase[step].sum()))] += 1
            for row in range(84):
                if phrase[step, row]:
                    pitch_classes[row % 12] += 1
                    register[row] += 1
                    onsets[step % 16] += step == 0 or not phrase[step - 1, row]
    got = Statistics.of(phrases)
    assert [counts(getattr(got, name)) for name in ARRAYS] == [polyphony, pitch_classes, register, onsets]


def test_statistics_add_up_to_those_of_all_phrases(statistics):
    more = phrases_of({80: [0, 1]}, {24: [7], 26: [8, 9]})
    total = sum([statistics, Statistics.of(more)], Statistics.none())
    assert total.phrases == 5
    assert counts(total.register) == {0: 4, 1: 2, 2: 2, 36: 3, 38: 1, 48: 3, 56: 2, 83: 4}
    assert counts(total.pitch_classes) == {0: 10, 1: 2, 2: 3, 8: 2, 11: 4}
    assert counts(total.onsets) == {0: 2, 1: 5, 2: 1, 4: 1, 5: 2, 7: 1, 8: 1, 15: 1}
    assert counts(total.polyphony) == {0: 320 - 18, 1: 16, 2: 1, 3: 1}


def test_adding_leaves_the_summands_as_they_are(statistics):
    before = as_lists(statistics)
    statistics + statistics
    assert as_lists(statistics) == before


def test_none_counts_nothing(statistics):
    none = Statistics.none()
    assert as_lists(none) == [0, [0] * 13, [0] * 12, [0] * 84, [0] * 16]
    assert as_lists(none + statistics) == as_lists(statistics)


def test_counts_are_64_bit_integers(statistics):
    for some in (statistics, Statistics.none(), statistics + Statistics.none()):
        assert {getattr(some, name).dtype for name in ARRAYS} == {np.dtype(np.int64)}
        assert type(some.phrases) is int


def test_statistics_travel_between_processes_and_are_small(statistics):
    sent = pickle.dumps(statistics)
    assert len(sent) < 2000
    assert as_lists(pickle.loads(sent)) == as_lists(statistics)


def test_a_worker_that_imports_the_module_does_not_import_the_heavy_ones():
    code = (
        "import sys, cyclegan_jax.datasets.genre_rolls.reading.statistics\n"
        "print(sorted({'jax', 'matplotlib', 'tensorflow', 'tensorflow_datasets'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
