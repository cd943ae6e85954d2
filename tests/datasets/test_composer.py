"""The demo composer: deterministic songs that keep their promises of form, and of style."""

import hashlib
from bisect import bisect_right
from itertools import pairwise

import pretty_midi
import pytest

from cyclegan_jax.datasets.genre_rolls import composer

BEAT = 480
BAR = 4 * BEAT
PHRASE = 4 * BAR

# SHA-256 of the notes of song 7; they change only with the music itself.
PINNED = {
    "jazz": "e7a30423fdfc68acd1a8f69b170c3650a67b82b64b4c8e9c0516421c42f9a7b7",
    "classic": "0e7182ce3da40dc94247a5132a2fd1308719a20b8ce0f2df7be8d85882c91d24",
    "pop": "0f2d2a90df348a4044f13b984385d79fc38c211c635e5d3195fd2ca2ea611991",
}

Ticks = tuple[int, int, int]


def ticks(midi: pretty_midi.PrettyMIDI, *names: str) -> list[Ticks]:
    """Start tick, end tick and pitch of the notes, drums left out, in time order."""
    per_second = midi.get_tempo_changes()[1][0] * BEAT / 60
    return sorted(
        (round(note.start * per_second), round(note.end * per_second), note.pitch)
        for instrument in midi.instruments
        if not instrument.is_drum and (not names or instrument.name in names)
        for note in instrument.notes
    )


def last_bass(notes: list[Ticks]) -> int:
    """The lowest pitch that sounds at the end: the tonic."""
    end = max(note[1] for note in notes)
    return min(pitch for _, stop, pitch in notes if stop == end)


def bass_line(midi: pretty_midi.PrettyMIDI) -> list[Ticks]:
    bass = next(instrument for instrument in midi.instruments if "bass" in instrument.name)
    return ticks(midi, bass.name)


@pytest.fixture(scope="module")
def songs() -> dict[str, list[pretty_midi.PrettyMIDI]]:
    return {genre: [composer.compose(genre, n) for n in range(composer.SONGS)] for genre in composer.GENRES}


@pytest.fixture(scope="module")
def every(songs) -> list[pretty_midi.PrettyMIDI]:
    return [midi for genre in composer.GENRES for midi in songs[genre]]


def test_unknown_genre_is_named_with_the_allowed():
    with pytest.raises(ValueError, match=r"'polka'.*jazz, classic, pop"):
        composer.compose("polka", 0)


@pytest.mark.parametrize("genre", composer.GENRES)
def test_same_song_twice_gives_the_same_bytes(genre, tmp_path):
    for name in ("first.mid", "second.mid"):
        composer.compose(genre, 3).write(str(tmp_path / name))
    assert (tmp_path / "first.mid").read_bytes() == (tmp_path / "second.mid").read_bytes()


@pytest.mark.parametrize("genre", composer.GENRES)
def test_music_is_pinned(genre):
    midi = composer.compose(genre, 7)
    notes = [
        (*note, instrument.program)
        for instrument in midi.instruments
        for note in ticks(midi, instrument.name)
    ]
    assert hashlib.sha256(repr(notes).encode()).hexdigest() == PINNED[genre]


@pytest.mark.slow
def test_all_songs_are_written_and_read_back(songs, tmp_path):
    composer.write_songs(tmp_path / "new")
    names = sorted(str(path.relative_to(tmp_path / "new")) for path in tmp_path.rglob("*.*"))
    assert names == sorted(f"{g}/demo_{n:03d}.mid" for g in composer.GENRES for n in range(60))
    for genre in composer.GENRES:
        for number in range(60):
            midi = pretty_midi.PrettyMIDI(str(tmp_path / "new" / genre / f"demo_{number:03d}.mid"))
            assert midi.resolution == BEAT
            assert [(s.numerator, s.denominator, s.time) for s in midi.time_signature_changes] == [(4, 4, 0)]
            assert ticks(midi) == ticks(songs[genre][number])


def test_form(every):
    for midi in every:
        assert [(s.numerator, s.denominator, s.time) for s in midi.time_signature_changes] == [(4, 4, 0)]
        notes = ticks(midi)
        end = max(note[1] for note in notes)
        assert notes[0][0] < BAR
        assert end % PHRASE == 0 and 12 <= end // PHRASE <= 20
        assert all(24 <= pitch <= 107 for _, _, pitch in notes)
        # Every phrase has music.
        assert {start // PHRASE for start, _, _ in notes} == set(range(end // PHRASE))


@pytest.mark.parametrize("genre, low, high", [("jazz", 110, 200), ("classic", 70, 140), ("pop", 80, 130)])
def test_one_tempo_in_the_range_of_the_genre(songs, genre, low, high):
    tempos = [midi.get_tempo_changes()[1].tolist() for midi in songs[genre]]
    assert all(len(tempo) == 1 and low <= round(tempo[0], 6) <= high for tempo in tempos)
    assert len({tempo[0] for tempo in tempos}) > 20


def test_notes_of_one_pitch_never_overlap(every):
    for midi in every:
        for instrument in midi.instruments:
            notes = sorted((note.pitch, note.start, note.end) for note in instrument.notes)
            for (pitch, _, end), (next_pitch, start, _) in pairwise(notes):
                assert pitch != next_pitch or end <= start + 1e-9


@pytest.mark.parametrize("genre", composer.GENRES)
def test_songs_differ_and_are_accented(songs, genre):
    assert len({tuple(ticks(midi)) for midi in songs[genre]}) == composer.SONGS
    for midi in songs[genre]:
        velocities = {note.velocity for instrument in midi.instruments for note in instrument.notes}
        assert len(velocities) > 10 and min(velocities) >= 1 and max(velocities) <= 127


@pytest.mark.parametrize("genre", composer.GENRES)
def test_all_twelve_keys_appear(songs, genre):
    """The last bass note is the tonic, and every key has as many songs."""
    assert sorted(last_bass(ticks(midi)) % 12 for midi in songs[genre]) == sorted(list(range(12)) * 5)


def test_only_jazz_swings(songs):
    for midi in songs["jazz"]:
        offbeats = [start % BEAT for start, _, _ in ticks(midi) if start % BEAT]
        assert len(offbeats) > 100 and set(offbeats) == {320}
        assert any(instrument.is_drum for instrument in midi.instruments)
    for midi in songs["pop"]:
        assert {start % BEAT for start, _, _ in ticks(midi)} == {0, 240}
    for midi in songs["classic"]:
        assert {start % BEAT for start, _, _ in ticks(midi)} == {0, 120, 240, 360}


def test_jazz_bass_walks_on_every_beat_and_approaches_by_semitone(songs):
    for midi in songs["jazz"]:
        walk = bass_line(midi)
        assert [start for start, _, _ in walk] == list(range(0, walk[-1][0] + BEAT, BEAT))
        assert walk[-1][1] - walk[-1][0] == BAR
        approaches = [abs(a[2] - b[2]) for a, b in pairwise(walk) if b[0] % BAR == 0]
        assert approaches.count(1) > len(approaches) / 2


def test_pop_bass_repeats_its_loop_every_four_bars(songs):
    for midi in songs["pop"]:
        roots = {start // BAR: pitch % 12 for start, _, pitch in bass_line(midi) if start % BAR == 0}
        loops = [tuple(roots[bar] for bar in range(at, at + 4)) for at in range(0, len(roots), 4)]
        # Verse, chorus, and the last loop, which ends on the tonic.
        assert len(set(loops)) <= 3


def test_pop_chords_are_triads_on_the_beat(songs):
    for midi in songs["pop"]:
        onsets: dict[int, set[int]] = {}
        for start, _, pitch in ticks(midi, midi.instruments[1].name):
            onsets.setdefault(start, set()).add(pitch % 12)
        assert all(start % BEAT == 0 and len(triad) == 3 for start, triad in onsets.items())


def test_classic_is_thin_and_runs(songs):
    running = 0
    for midi in songs["classic"]:
        notes = ticks(midi)
        starts, ends = [note[0] for note in notes], sorted(note[1] for note in notes)
        assert all(bisect_right(starts, start) - bisect_right(ends, start) <= 4 for start in starts)
        right = [(start, pitch) for start, _, pitch in ticks(midi, midi.instruments[0].name)]
        sixteenths = [b[0] - a[0] == 120 and 0 < abs(b[1] - a[1]) <= 3 for a, b in pairwise(right)]
        running += "1" * 8 in "".join("01"[step] for step in sixteenths)
    assert running > composer.SONGS * 0.9


def test_classic_goes_to_the_dominant_and_back(songs):
    """The raised fourth, which is the dominant's leading tone, is at home in the middle of most songs."""
    more = 0
    for midi in songs["classic"]:
        notes = ticks(midi)
        end = max(note[1] for note in notes)
        raised = (last_bass(notes) + 6) % 12
        middle = [pitch % 12 == raised for start, _, pitch in notes if 0.44 < start / end < 0.56]
        outer = [pitch % 12 == raised for start, _, pitch in notes if not 0.3 < start / end < 0.7]
        more += sum(middle) / len(middle) > sum(outer) / len(outer)
    assert more > composer.SONGS * 0.8
