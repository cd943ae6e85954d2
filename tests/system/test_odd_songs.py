"""Songs as people have them, transferred: what is theirs stays, and every output opens anywhere."""

import io
from collections import Counter
from pathlib import Path

import mido
import numpy as np
import pretty_midi
import pytest
import symusic
from support.odd_songs import ODDITIES, OddSong, odd_song
from support.running import run_command
from support.sizes import slow_or_nightly
from support.transferred_midi import others_of

from cyclegan_jax.midi.channel_sounds import DRUM_CHANNEL
from cyclegan_jax.midi.midi_file import read_file
from cyclegan_jax.midi.played_notes import PlayedNotes, pair_notes
from cyclegan_jax.transfer.controls import Controls
from cyclegan_jax.transfer.song import transfer_song

QUICK, LONGER = 40, slow_or_nightly(120, 300)


def thinned(phrases: np.ndarray) -> np.ndarray:
    """A network that only takes away: half of the cells of every phrase."""
    rolls = phrases[..., :1]
    stays = np.random.default_rng(0).random(rolls.shape[1:]) < 0.5
    return np.where(rolls & stays, 0.95, 0.05).astype(np.float32)


def sounding(notes: PlayedNotes, pitch: int, gap: int) -> tuple[np.ndarray, np.ndarray]:
    """Onsets and ends in ticks of the stretches in which a pitch sounds, but for gaps."""
    of_pitch = np.flatnonzero(notes.sound & (notes.pitches == pitch))
    of_pitch = of_pitch[np.argsort(notes.onsets[of_pitch], kind="stable")]
    onsets, until = notes.onsets[of_pitch], np.maximum.accumulate(notes.ends[of_pitch])
    first = np.append(True, onsets[1:] > until[:-1] + gap)
    return onsets[first], until[np.append(first[1:], True)]


def rows_of(notes: PlayedNotes) -> list[tuple[int, int, int, int, int]]:
    columns = (notes.tracks, notes.channels, notes.pitches, notes.onsets, notes.ends)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def assert_theirs_stays(song: OddSong, out: bytes) -> None:
    """All that is no note, and all drums, are where they were; notes of the song's tracks began there."""
    assert others_of(out)[: len(song.others)] == song.others
    found = rows_of(pair_notes(read_file(out)))
    begun = {note[:4] for note in song.notes}
    assert {note[:4] for note in found if note[0] < len(song.others)} <= begun
    drums = Counter(note for note in song.notes if note[1] == DRUM_CHANNEL)
    assert Counter(note for note in found if note[1] == DRUM_CHANNEL) == drums


def test_they_have_every_oddity_and_are_read_to_the_note():
    seen = Counter()
    for seed in range(QUICK):
        song = odd_song(seed)
        seen.update(song.oddities)
        assert sorted(rows_of(pair_notes(read_file(song.data)))) == sorted(song.notes), seed
    assert set(seen) == set(ODDITIES)


@pytest.mark.parametrize("songs", [QUICK, *LONGER])
def test_nothing_sounds_longer_where_the_network_only_takes_away(songs):
    for seed in range(songs):
        song = odd_song(seed)
        out = transfer_song(song.data, thinned, "pop", Controls(any_metre=True)).midi
        assert_theirs_stays(song, out)
        file = read_file(out)
        before, after = pair_notes(read_file(song.data)), pair_notes(file)
        step = file.ticks_per_quarter // 4  # by so much notes that adjoin on the grid may be apart
        theirs = after.tracks < len(song.others)
        for onset, end, pitch in zip(
            *(column[theirs & after.sound].tolist() for column in (after.onsets, after.ends, after.pitches)),
            strict=True,
        ):
            onsets, ends = sounding(before, pitch, step)
            assert end <= ends[np.searchsorted(onsets, onset, side="right") - 1] + step, (seed, pitch, onset)


@pytest.mark.parametrize("count", LONGER)
def test_by_the_command_all_open_in_three_readers(model_path, tmp_path, count):
    songs = {f"{seed:03d}": odd_song(seed) for seed in range(count)}
    for name, song in songs.items():
        path: Path = tmp_path / "songs" / f"{name}.mid"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(song.data)
    words = (f"--model={model_path}", "--to=pop", "--any_metre", "--out_dir=out", "songs")
    done = run_command("transfer", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for name, song in songs.items():
        path = tmp_path / "out" / f"{name}_pop.mid"
        data = path.read_bytes()
        assert_theirs_stays(song, data)
        by_pretty_midi = sum(len(part.notes) for part in pretty_midi.PrettyMIDI(str(path)).instruments)
        by_mido = sum(m.type == "note_on" and m.velocity > 0 for m in mido.MidiFile(file=io.BytesIO(data)))
        assert by_pretty_midi == by_mido == len(pair_notes(read_file(data))), name
        # Of two note-ons and one note-off symusic makes one note.
        assert 0.8 * by_mido < sum(len(part.notes) for part in symusic.Score(path).tracks) <= by_mido, name
