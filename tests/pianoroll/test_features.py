"""What is read off phrases, with and without a channel of onsets, by notes written by hand."""

import numpy as np
from support.rolls_by_hand import rolls, struck

from cyclegan_jax.pianoroll.features import begun, chroma, notes_by_phrase, onsets, spans, top_voice

# A note of four steps, at once again for two, and one that is held from the phrase before.
TWICE = struck(rolls((0, 4, 10, 60), (0, 0, 3, 40), (1, 0, 64, 5)), (0, 4, 60), (0, 8, 60))


def notes_of(phrases: np.ndarray) -> set[tuple[int, ...]]:
    return {tuple(note) for note in np.stack(notes_by_phrase(phrases), axis=1).tolist()}


def test_a_note_struck_again_is_two_with_a_channel_of_onsets_and_one_without():
    others = {(0, 0, 40, 3), (1, 0, 5, 64)}
    assert notes_of(TWICE) == {(0, 4, 60, 4), (0, 8, 60, 2), *others}
    assert notes_of(TWICE[..., :1]) == {(0, 4, 60, 6), *others}
    assert onsets(TWICE).sum() == 4 and onsets(TWICE[..., :1]).sum() == 3


def test_onsets_lie_on_cells_that_sound_and_behind_every_silence():
    cells = np.concatenate([TWICE[..., :1], np.zeros_like(TWICE[..., :1])], axis=-1)
    cells[0, 30, 30, 1] = True  # of no note
    assert begun(cells)[..., 1].sum() == 1, "what sounds in the first step may be held from before"
    assert begun(cells)[0, 4, 60, 1] and not begun(cells)[0, 30, 30, 1]
    np.testing.assert_array_equal(begun(TWICE), TWICE)
    np.testing.assert_array_equal(begun(TWICE[..., :1]), TWICE[..., :1])


def test_spans_end_where_the_next_begins():
    cells, struck_again = np.zeros((8, 2), bool), np.zeros((8, 2), bool)
    cells[1:6, 0] = cells[7, 0] = cells[6:8, 1] = True
    struck_again[[3, 6], 0] = True  # the second on a cell that is off
    found = [tuple(span) for span in np.stack(spans(cells, struck_again), axis=1).tolist()]
    assert found == [(1, 3, 0), (3, 6, 0), (7, 8, 0), (6, 8, 1)]
    assert [tuple(span) for span in np.stack(spans(cells), axis=1).tolist()] == [
        (1, 6, 0),
        (7, 8, 0),
        (6, 8, 1),
    ]


def test_chroma_and_the_top_voice_are_of_what_sounds():
    np.testing.assert_array_equal(chroma(TWICE), chroma(TWICE[..., :1]))
    np.testing.assert_array_equal(top_voice(TWICE), top_voice(TWICE[..., :1]))
