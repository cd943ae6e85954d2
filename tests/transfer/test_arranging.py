"""From cells to notes, by cases written by hand: four ticks a quarter note, so that a tick is a step."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from cyclegan_jax.midi.channel_settings import ChannelSettings
from cyclegan_jax.midi.events import Event
from cyclegan_jax.midi.played_notes import PlayedNotes
from cyclegan_jax.pianoroll.features import begun
from cyclegan_jax.transfer.arranging import Arrangement, arrange
from cyclegan_jax.transfer.controls import Controls
from cyclegan_jax.transfer.song import cells_of as song_cells
from cyclegan_jax.transfer.timing import Timing

STEPS = 32
UNTOUCHED = ChannelSettings([])
Note = tuple[int, int, int, int]  # onset, end, MIDI pitch, velocity


def played(*notes: Note) -> PlayedNotes:
    onsets, ends, pitches, velocities = np.array(notes, np.int64).reshape(-1, 4).T
    zeros = np.zeros(len(onsets), np.int64)
    places = np.arange(len(onsets))
    drums = zeros > 0
    ons, offs = 2 * places, 2 * places + 1
    return PlayedNotes(onsets, ends, pitches, velocities, zeros, zeros, ons, offs, zeros, drums)


def arrange_at(
    notes: PlayedNotes,
    ticks_per_quarter: int,
    probabilities: np.ndarray,
    cells: np.ndarray,
    controls: Controls,
    settings: ChannelSettings = UNTOUCHED,
) -> Arrangement:
    timing = Timing(notes, ticks_per_quarter)
    return arrange(notes, timing, probabilities, with_onsets(cells, notes, timing), controls, settings)


def with_onsets(cells: np.ndarray, notes: PlayedNotes, timing: Timing) -> np.ndarray:
    """Cells as a model without onsets leaves them: notes begin where the source's do, and behind gaps."""
    struck, there = np.zeros_like(cells), notes.on_roll
    struck[timing.first_steps[there], notes.pitches[there] - 24] = struck[0] = True
    return begun(np.stack([cells, struck], axis=-1)[None])[0]


def cells_of(on: dict[int, Iterable[int]], steps: int = STEPS) -> np.ndarray:
    cells = np.zeros((steps, 84), bool)
    for pitch, there in on.items():
        cells[list(there), pitch - 24] = True
    return cells


def arranged(notes: PlayedNotes, on: dict[int, Iterable[int]], **controls) -> Arrangement:
    cells = cells_of(on)
    return arrange_at(notes, 4, cells.astype(np.float32), cells, Controls(**controls))


def new_notes(arrangement: Arrangement) -> list[Note]:
    return sorted(zip(*(column.tolist() for column in arrangement.new), strict=True))


@pytest.mark.parametrize(
    "on, kept, end",
    [
        (range(4, 12), True, 12),  # all of its cells
        (range(4, 8), True, 12),  # half of them
        ([4, 6, 8, 10], True, 12),  # half, not side by side
        (range(4, 7), True, 7),  # fewer: until the last without a gap
        ([4, 9, 10], True, 5),
        ([4], True, 5),
        (range(5, 12), False, 12),  # its first is off
        ([], False, 12),
    ],
)
def test_a_note_stays_whole_or_to_its_last_cell_or_goes(on, kept, end):
    found = arranged(played((4, 12, 60, 80), (31, 32, 40, 80)), {60: on, 40: [31]})
    assert found.kept.tolist() == [kept, True]
    assert found.ends.tolist() == [end, 32]


@pytest.mark.parametrize("share, end", [(0.0, 12), (0.75, 12), (0.76, 8), (1.0, 8)])
def test_how_much_of_a_note_must_stay_for_it_to_stay_whole_can_be_told(share, end):
    notes = played((4, 12, 60, 80), (0, 32, 40, 80))
    found = arranged(notes, {60: [4, 5, 6, 7, 10, 11], 40: range(32)}, keep_whole=share)
    assert found.ends[0] == end
    assert new_notes(found) == ([] if end == 12 else [(10, 12, 60, 80)])


def test_a_note_that_is_cut_has_some_length_however_coarse_the_ticks():
    cells = cells_of({60: [0], 40: [16]})
    found = arrange_at(
        played((0, 4, 60, 80), (4, 8, 40, 80)), 1, cells.astype(np.float32), cells, Controls(), UNTOUCHED
    )
    assert found.ends.tolist() == [1, 5]


def test_nothing_new_begins_after_the_song():
    notes = played((100, 105, 60, 80))
    cells = cells_of({60: [1], 70: [2]}, steps=3)
    assert new_notes(arrange_at(notes, 480, cells.astype(np.float32), cells, Controls())) == []


def with_struck(notes: PlayedNotes, *again: tuple[int, int], gone: tuple[tuple[int, int], ...] = ()):
    """All cells of the notes, notes beginning at more (pitch, step) and at some of their own no more."""
    timing = Timing(notes, 4)
    both = song_cells(notes, timing)
    for pitch, step in (*again, *gone):
        both[step, pitch - 24, 1] = (pitch, step) in again
    return arrange(notes, timing, both[..., 0].astype(np.float32), both, Controls(), UNTOUCHED)


@pytest.mark.parametrize(
    ("on", "struck", "disturbed", "end", "new"),
    [
        ({60: range(4, 16), 64: range(12), 67: range(8)}, [], {60: [10], 64: [11]}, 10, [(0, 8, 67, 80)]),
        ({60: range(4, 12)}, [8], {60: range(4, 8)}, 8, [(8, 12, 60, 80)]),  # right behind, as of a kept note
    ],
)
def test_on_disturbed_cells_nothing_is_new_or_held(on, struck, disturbed, end, new):
    notes = played((4, 8, 60, 80), (0, 32, 40, 80))
    timing, cells = Timing(notes, 4), cells_of(on | {40: range(32)})
    both = with_onsets(cells, notes, timing)
    both[struck, 60 - 24, 1] = True
    found = arrange(notes, timing, both[..., 0], both, Controls(), UNTOUCHED, cells_of(disturbed))
    assert found.ends[0] == end and new_notes(found) == new


def test_what_goes_on_behind_a_gap_at_the_end_of_a_whole_note_holds_it():
    found = arranged(played((0, 8, 60, 80), (0, 32, 40, 80)), {60: [*range(6), *range(8, 12)], 40: range(32)})
    assert found.kept.all() and found.ends[0] == 12 and new_notes(found) == []


def test_a_note_that_is_struck_again_ends_where_a_new_one_begins():
    found = with_struck(played((4, 12, 60, 80), (0, 32, 40, 80)), (60, 8), (40, 16))
    assert found.kept.all() and found.ends.tolist() == [8, 16]
    assert new_notes(found) == [(8, 12, 60, 80), (16, 32, 40, 80)]


def test_a_note_that_is_not_struck_any_more_is_held_by_the_one_before():
    notes = played((4, 8, 60, 80), (8, 12, 60, 80), (0, 32, 40, 80))
    found = with_struck(notes, gone=((60, 8),))
    assert found.kept.tolist() == [True, False, True] and found.ends[0] == 12
    assert new_notes(found) == []
    assert with_struck(notes).kept.all() and with_struck(notes).ends.tolist() == [8, 12, 32]


def test_what_is_left_on_of_a_note_that_goes_is_new():
    found = arranged(played((4, 12, 60, 80), (0, 32, 40, 80)), {60: [6, 7, 9], 40: range(32)})
    assert new_notes(found) == [(6, 8, 60, 80), (9, 10, 60, 80)]


def test_a_note_keeps_its_own_ticks_to_either_side_of_the_grid():
    notes = played((11, 47, 60, 80), (130, 300, 64, 70))  # 24 ticks a step
    cells = cells_of({60: [0, 1], 64: range(5, 12)})
    found = arrange_at(notes, 96, cells.astype(np.float32), cells, Controls())
    assert found.kept.all() and found.ends.tolist() == [47, 300] and not len(found.new.onsets)


def test_a_note_that_is_cut_ends_on_the_grid():
    notes = played((10, 250, 60, 80), (0, 700, 40, 80))
    cells = cells_of({60: [0, 1], 40: range(29)})
    assert arrange_at(notes, 96, cells.astype(np.float32), cells, Controls()).ends.tolist() == [
        48,
        700,
    ]


def test_cells_behind_a_note_that_stays_hold_it_and_those_apart_are_new():
    found = arranged(
        played((4, 8, 60, 90), (0, 32, 40, 90)), {60: [*range(4, 14), *range(20, 23)], 40: range(32)}
    )
    assert found.ends.tolist() == [14, 32]
    assert new_notes(found) == [(20, 23, 60, 90)]


def test_a_note_is_held_up_to_the_next_of_its_pitch_as_that_was_played():
    notes = played((0, 90, 60, 80), (188, 300, 60, 80), (0, 700, 40, 80))  # the second a little early
    cells = cells_of({60: range(13), 40: range(29)})
    found = arrange_at(notes, 96, cells.astype(np.float32), cells, Controls())
    assert found.ends.tolist() == [188, 300, 700]


def test_a_note_is_not_held_beyond_the_song():
    notes = played((0, 90, 60, 80), (0, 690, 40, 80))
    cells = cells_of({60: range(29), 40: range(29)}, steps=29)
    found = arrange_at(notes, 96, cells.astype(np.float32), cells, Controls())
    assert found.ends.tolist() == [690, 690]


def test_repeated_notes_stay_apart():
    notes = played((0, 4, 60, 80), (4, 8, 60, 81), (8, 12, 60, 82), (0, 32, 40, 80))
    found = arranged(notes, {60: range(12), 40: range(32)})
    assert found.kept.all() and found.ends.tolist() == [4, 8, 12, 32] and new_notes(found) == []


def test_a_new_note_ends_where_one_of_its_pitch_begins_that_stays():
    notes = played((94, 200, 60, 80), (0, 700, 40, 80))  # begins two ticks before its step
    cells = cells_of({60: range(9), 40: range(32)})
    found = arrange_at(notes, 96, cells.astype(np.float32), cells, Controls())
    assert new_notes(found) == [(0, 94, 60, 80)]


def test_new_notes_end_with_the_song():
    notes = played((0, 690, 40, 80))
    cells = cells_of({40: range(29), 70: range(20, 29)}, steps=29)
    found = arrange_at(notes, 96, cells.astype(np.float32), cells, Controls())
    assert new_notes(found) == [(480, 690, 70, 80)]


def test_new_notes_are_as_loud_as_what_is_around_them():
    notes = played((0, 1, 40, 20), (1, 2, 40, 40), (24, 32, 40, 100))
    on = {40: [0, 1, *range(24, 32)], 70: [2, 3], 72: [12, 13], 74: [28]}
    assert new_notes(arranged(notes, on)) == [(2, 4, 70, 30), (12, 14, 72, 69), (28, 29, 74, 100)]


def test_a_new_note_that_would_begin_with_another_of_its_pitch_is_left_out():
    beats = [(480 * beat, 480 * beat + 100, 40, 80) for beat in range(8)]
    notes = played(*((tick + 320, end + 370, 60, 80) for tick, end, *_ in beats), *beats)  # swung off-beats
    swung = {60: [step for beat in range(8) for step in (4 * beat + 2, 4 * beat + 3)]}
    cells = cells_of(swung | {40: range(0, 32, 4), 70: [2, 6, 7]})
    cells[3, 60 - 24] = False
    found = arrange_at(notes, 480, cells.astype(np.float32), cells, Controls())
    assert found.kept.tolist() == [False] + [True] * 15
    assert new_notes(found) == [(320, 440, 60, 80), (320, 440, 70, 80), (800, 960, 70, 80)]


@pytest.mark.parametrize("length, end", [(470, 800), (100, 800)])  # one that is cut, one that is held
def test_ends_swing_as_onsets_do(length, end):
    beats = [(480 * beat, 480 * beat + length, 40, 80) for beat in range(8)]
    notes = played(*beats, *((tick + 320, tick + 420, 64, 80) for tick, *_ in beats[2:]))
    cells = cells_of({40: [*range(4, 7), *range(8, 32)], 64: range(11, 32, 4), 70: [5, 6]})
    found = arrange_at(notes, 480, cells.astype(np.float32), cells, Controls(keep_whole=1.0))
    assert found.ends[1] == end and new_notes(found) == [(600, 800, 70, 80)]


def test_a_new_note_lasts_at_least_half_a_step_where_its_onset_has_moved():
    notes = played((50, 700, 40, 80), (480, 700, 60, 80), (960, 1400, 62, 80))
    cells = cells_of({40: range(6), 60: [4, 5], 62: range(8, 12), 70: [0]})
    assert new_notes(arrange_at(notes, 480, cells.astype(np.float32), cells, Controls())) == [
        (50, 120, 70, 80)
    ]
    late = played((59, 700, 40, 80), (480, 700, 60, 80), (960, 1400, 62, 80))
    assert new_notes(arrange_at(late, 480, cells.astype(np.float32), cells, Controls())) == [
        (59, 120, 70, 80)
    ]


def control(tick: int, number: int, value: int, channel: int = 0) -> Event:
    return Event(tick, bytes([0xB0 | channel, number, value]))


def test_new_notes_are_as_loud_as_controllers_make_what_is_around_them():
    fade = [control(0, 7, 50), control(10, 11, 127), control(12, 11, 64), control(28, 7, 127)]
    notes = played((0, 4, 60, 80), (9, 32, 60, 60))
    cells = cells_of({60: [0, 9], 70: [2], 71: [6], 72: [14], 73: [26], 74: [30]})
    found = arrange_at(notes, 4, cells.astype(np.float32), cells, Controls(), ChannelSettings([fade]))
    loud = [70 / 2, 70 / 2, 60 / 2 * 64 / 127, 60 / 2 * 64 / 127, 60 * 1.27 * 64 / 127]
    assert [note[3] for note in new_notes(found)] == [round(value) for value in loud]


def test_each_note_around_counts_by_its_own_channel():
    notes = replace(played((0, 32, 60, 80), (1, 32, 40, 40)), channels=np.array([0, 3]))
    quiet = ChannelSettings([[control(0, 7, 25, 3)]])
    cells = cells_of({60: range(32), 40: range(1, 32), 70: [4], 71: [20]})
    found = arrange_at(notes, 4, cells.astype(np.float32), cells, Controls(), quiet)
    assert [note[3] for note in new_notes(found)] == [(80 + 10) // 2, 10]


def test_velocities_of_new_notes_are_1_to_127():
    cells = cells_of({60: range(32), 70: [4], 71: [24]})
    told = ChannelSettings([[control(0, 7, 127), control(16, 7, 0)]])
    found = arrange_at(played((0, 32, 60, 120)), 4, cells.astype(np.float32), cells, Controls(), told)
    assert [note[3] for note in new_notes(found)] == [127, 1]


def test_notes_beyond_the_roll_and_drums_stay():
    notes = played((0, 4, 20, 80), (0, 4, 110, 80), (0, 32, 40, 80))
    assert arranged(notes, {}).kept.tolist() == [True, True, False]
    with_drums = replace(played((0, 32, 36, 80), (0, 32, 40, 80)), drums=np.array([True, False]))
    assert arranged(with_drums, {}).kept.tolist() == [True, False]


def test_polyphony_keeps_the_surest_notes_whole():
    notes = played((0, 8, 60, 80), (0, 8, 64, 80), (0, 32, 40, 80))
    cells = cells_of({60: range(8), 64: range(8), 40: range(32), 67: range(6, 10)})
    probabilities = np.where(cells, 0.6, 0.0).astype(np.float32)
    for pitch, share in ((64, 1.5), (67, 1.2), (40, 0.9)):
        probabilities[:, pitch - 24] *= share
    by_limit = {
        most: arrange_at(notes, 4, probabilities, cells, Controls(polyphony=most)) for most in range(5)
    }
    kept = {most: found.kept.tolist() for most, found in by_limit.items()}
    assert kept[0] == kept[4] == [True, True, True] and kept[3] == [True, True, False]
    assert kept[2] == kept[1] == [False, True, False]
    assert [len(found.new.onsets) for found in by_limit.values()] == [1, 0, 1, 1, 1]
