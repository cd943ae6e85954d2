"""The dataset's filter: which songs it takes by each rule, and where their phrases begin."""

import mido
import numpy as np
import pytest
from support.midi_files import write_midi_file

from cyclegan_jax.midi.dataset_song import DEFAULT_RULES, SongRules, read_dataset_song
from cyclegan_jax.midi.refusals import Refusal, RefusedSongError

BEAT = 480
BAR = 4 * BEAT
PHRASE = [(0, 4 * BAR, 60)]
PAPER = SongRules(metres=((4, 4),), require_signature=True, partial_songs=False, require_beat=False)
WHOLE = SongRules(partial_songs=False)


def every(ticks: int, count: int, start: int = 0, length: int = BEAT) -> list[tuple[int, int, int]]:
    """So many notes of all pitches in turn, from `start`, so many ticks apart."""
    onsets = [start + ticks * number for number in range(count)]
    return [(onset, onset + length, 48 + number % 24) for number, onset in enumerate(onsets)]


def waltz(bars: int) -> list[tuple[int, int, int]]:
    """Bars of three quarter notes: a deep one on the first, two chords after it."""
    notes = []
    for start in range(0, bars * 3 * BEAT, 3 * BEAT):
        notes += [(start, start + 3 * BEAT, 36)]
        notes += [(start + beat * BEAT, start + beat * BEAT + BEAT, 60 + beat) for beat in (1, 2)]
    return notes


def outcome(path, rules: SongRules = DEFAULT_RULES) -> Refusal | list[int]:
    """The first steps of the phrases taken, or the reason why none is."""
    try:
        return read_dataset_song(path, rules).starts.tolist()
    except RefusedSongError as refusal:
        return refusal.reason


@pytest.mark.parametrize(
    "signatures, by_default, by_the_paper",
    [
        (((0, 4, 4),), [0], [0]),
        (((0, 4, 4), (0, 4, 4), (BAR, 4, 4)), [0], [0]),
        ((), [0], Refusal.NO_TIME_SIGNATURE),
        (((0, 2, 2),), [0], Refusal.OTHER_METRE),
        (((0, 2, 2), (0, 4, 4)), [0], [0]),
        (((10, 4, 4),), [0], Refusal.LATE_TIME_SIGNATURE),
        (((1, 4, 4), (BAR, 4, 4)), [0], Refusal.LATE_TIME_SIGNATURE),
        (((0, 3, 4),), Refusal.OTHER_METRE, Refusal.OTHER_METRE),
        (((0, 4, 2),), Refusal.OTHER_METRE, Refusal.OTHER_METRE),
        (((0, 4, 4), (BAR, 3, 4)), Refusal.OTHER_METRE, Refusal.OTHER_METRE),
        (((BEAT, 3, 4),), Refusal.OTHER_METRE, Refusal.LATE_TIME_SIGNATURE),
        (((BEAT, 4, 4),), Refusal.TOO_SHORT, Refusal.LATE_TIME_SIGNATURE),
    ],
)
def test_four_bars_of_4_4_or_2_2_are_taken_however_the_file_says_so(
    tmp_path, signatures, by_default, by_the_paper
):
    path = write_midi_file(tmp_path / "a.mid", PHRASE, signatures=signatures)
    assert outcome(path) == by_default
    assert outcome(path, PAPER) == by_the_paper


@pytest.mark.parametrize(
    "signatures, starts, bars",
    [
        (((0, 4, 4),), [0, 64, 128], [0, 4, 8]),
        (((0, 1, 4), (BEAT, 4, 4)), [4, 68, 132], [1, 5, 9]),
        (((0, 2, 4), (2 * BEAT, 4, 4)), [8, 72, 136], [1, 5, 9]),
        (((0, 3, 4), (3 * BEAT, 2, 2)), [12, 76, 140], [1, 5, 9]),
        (((0, 4, 4), (5 * BAR, 2, 4), (5 * BAR + 2 * BEAT, 4, 4)), [0, 88], [0, 6]),
        (((0, 3, 4), (6 * BEAT, 4, 4)), [24, 88], [2, 6]),
        (((0, 4, 4), (5 * BAR, 3, 4)), [0], [0]),
        (((0, 4, 4), (5 * BAR + BEAT, 4, 4)), [0, 84], [0, 6]),
        (((0, 4, 4), (2 * BAR, 2, 2), (6 * BAR, 4, 4)), [0, 64, 128], [0, 4, 8]),
        (((10, 4, 4),), [0, 64, 128], [0, 4, 8]),
    ],
)
def test_phrases_begin_with_the_bars_after_upbeats_and_other_metres(tmp_path, signatures, starts, bars):
    """Twelve bars and three quarters of 4/4, by ticks."""
    path = write_midi_file(tmp_path / "a.mid", every(BEAT, 51), signatures=signatures)
    song = read_dataset_song(path)
    assert song.starts.tolist() == starts and song.bars.tolist() == bars
    assert song.indices.tolist() == list(range(len(starts)))
    for phrase, start in zip(song.phrases, starts, strict=True):
        np.testing.assert_array_equal(phrase[:, :, 0], song.song.roll[start : start + 64])


@pytest.mark.parametrize("beats, phrases", [(31, 1), (32, 2), (33, 2), (30, 1), (17, 1), (16, 1)])
def test_after_an_upbeat_a_last_bar_that_lacks_just_as_much_is_whole(tmp_path, beats, phrases):
    """An upbeat of one beat: of 32 beats the last three are a bar, of 31 the last two are none."""
    path = write_midi_file(tmp_path / "a.mid", every(BEAT, beats), signatures=((0, 1, 4), (BEAT, 4, 4)))
    song = read_dataset_song(path)
    assert song.starts.tolist() == [4, 68][:phrases]
    if beats == 32:
        assert song.phrases[1, :60].any(axis=1).all() and not song.phrases[1, 60:].any()
        assert song.onsets[1].sum() == song.melody[1].sum() / 4 == 15


def test_whole_songs_alone_are_taken_on_request_an_upbeat_counts_as_none(tmp_path):
    upbeat = write_midi_file(tmp_path / "a.mid", every(BEAT, 51), signatures=((0, 1, 4), (BEAT, 4, 4)))
    assert outcome(upbeat, WHOLE) == [4, 68, 132]
    changed = write_midi_file(tmp_path / "b.mid", every(BEAT, 51), signatures=((0, 4, 4), (10 * BAR, 3, 4)))
    assert outcome(changed) == [0, 64]
    assert outcome(changed, WHOLE) is Refusal.OTHER_METRE


@pytest.mark.parametrize(
    "signatures, metres, expected",
    [
        (((0, 2, 4),), ((4, 4),), Refusal.OTHER_METRE),
        (((0, 2, 4),), ((4, 4), (2, 4)), [0, 64]),
        (((0, 4, 4), (4 * BAR, 2, 4)), ((4, 4),), [0]),
        (((0, 4, 4), (4 * BAR, 2, 4)), ((4, 4), (2, 4)), [0, 64]),
        (((0, 1, 4), (BEAT, 2, 4)), ((2, 4),), [4, 68]),
        (((0, 8, 4),), ((8, 4),), [0, 64]),
    ],
)
def test_other_metres_count_where_their_bars_make_sixteen_steps(tmp_path, signatures, metres, expected):
    path = write_midi_file(tmp_path / "a.mid", every(BEAT, 32), signatures=signatures)
    assert outcome(path, SongRules(metres=metres)) == expected


def test_blank_phrases_are_left_out_and_the_others_keep_their_places(tmp_path):
    notes = [(0, BAR, 60), (8 * BAR, 9 * BAR, 60), (12 * BAR, 16 * BAR, 108)]
    song = read_dataset_song(write_midi_file(tmp_path / "a.mid", notes))
    assert song.starts.tolist() == [0, 128] and song.bars.tolist() == [0, 8]
    assert song.indices.tolist() == [0, 2]


def test_a_song_that_says_no_metre_is_refused_if_it_sounds_in_three(tmp_path):
    path = write_midi_file(tmp_path / "a.mid", waltz(32), signatures=())
    assert outcome(path) is Refusal.THREE_BEATS
    told = write_midi_file(tmp_path / "b.mid", waltz(32), signatures=((0, 4, 4),))
    assert outcome(told) == [0, 64, 128, 192, 256, 320]


@pytest.mark.parametrize(
    "spacing, beat", [(BEAT // 3, True), (2 * BEAT // 3, True), (BEAT // 2, True), (131, False)]
)
def test_songs_without_the_beat_of_their_file_are_refused_triplets_are_one(tmp_path, spacing, beat):
    """Notes 131 ticks apart drift over the grid; those a third of a beat apart are on the triplets."""
    count = 4 * BAR // spacing + 1
    path = write_midi_file(tmp_path / "a.mid", every(spacing, count))
    assert outcome(path) == ([0] if beat else Refusal.NO_BEAT)
    assert outcome(path, SongRules(require_beat=False)) == [0]


def test_a_note_begins_where_it_is_struck_also_where_it_repeats_or_was_held_before(tmp_path):
    notes = [(0, BEAT, 60), (BEAT, 2 * BEAT, 60), (3 * BAR, 5 * BAR, 64), (4 * BAR, 8 * BAR, 67)]
    song = read_dataset_song(write_midi_file(tmp_path / "a.mid", notes))
    first, second = (np.argwhere(phrase[:, :, 0]).tolist() for phrase in song.onsets)
    assert first == [[0, 36], [4, 36], [48, 40]] and second == [[0, 43]]
    assert not (song.onsets & ~song.phrases).any()


def test_the_melody_is_the_track_named_so_and_else_the_top_voice(tmp_path):
    tune, above = [(0, 2 * BAR, 60), (4 * BAR, 5 * BAR, 61)], [(BAR, 7 * BAR, 72), (7 * BAR, 8 * BAR, 109)]
    path = write_midi_file(tmp_path / "a.mid", tune, parts={0: above})
    plain = read_dataset_song(path)
    assert not plain.melody_track
    assert (
        plain.melody[0, :16, 36, 0].all()
        and plain.melody[0, 16:, 48, 0].all()
        and plain.melody[0].sum() == 64
    )
    named = mido.MidiFile(path)
    named.tracks[1].insert(0, mido.MetaMessage("track_name", name="Melody"))
    named.save(path)
    song = read_dataset_song(path)
    assert song.melody_track
    np.testing.assert_array_equal(song.phrases, plain.phrases)
    assert np.argwhere(song.melody)[:, :3].tolist() == [[0, s, 36] for s in range(32)] + [
        [1, s, 37] for s in range(16)
    ]


def test_a_song_may_begin_with_a_rest(tmp_path):
    song = read_dataset_song(write_midi_file(tmp_path / "a.mid", [(BAR, 5 * BAR, 60)]))
    assert np.flatnonzero(song.phrases[0][:, 60 - 24, 0]).tolist() == list(range(16, 64))


@pytest.mark.parametrize(
    "notes, reason",
    [
        ([], Refusal.NO_NOTES),
        ([(0, 7619, 60)], Refusal.TOO_SHORT),
        ([(0, 7680, 108), (0, 480, 23)], Refusal.BLANK),
        ([(0, 7680, 108), (7680, 9600, 60)], Refusal.BLANK),
        ([(0, 4096 * BAR + 1, 60)], Refusal.TOO_LONG),
        ([(0, 7620, 60)], [0]),
        ([(0, 120, 60), (0, 7680, 108)], [0]),
    ],
)
def test_a_song_needs_a_whole_phrase_with_a_note_in_range(tmp_path, notes, reason):
    assert outcome(write_midi_file(tmp_path / "a.mid", notes, drums=[(0, 20_000, 36)])) == reason


@pytest.mark.parametrize(
    "signatures, told",
    [
        (((0, 6, 8),), "6/8 throughout"),
        (((0, 4, 4), (BEAT, 6, 8)), "6/8 for 94 %, 4/4 for 6 %, no four bars of 4/4 in a row"),
        (
            ((0, 3, 4), (BAR, 5, 4), (2 * BAR, 7, 8), (3 * BAR, 4, 4), (4 * BAR, 6, 8)),
            "3/4 for 25 %, 5/4 for 25 %, 7/8 for 25 %, 1 more, no four bars of 4/4 in a row",
        ),
    ],
)
def test_a_refusal_tells_the_metres_and_their_shares(tmp_path, signatures, told):
    path = write_midi_file(tmp_path / "a.mid", PHRASE, signatures=signatures)
    with pytest.raises(RefusedSongError) as refusal:
        read_dataset_song(path)
    assert str(refusal.value).startswith(f"metre other than 4/4: {told}")
