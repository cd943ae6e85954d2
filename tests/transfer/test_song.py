"""Whole songs: what comes through untouched, how far a transfer goes, and that no seam is heard."""

import io
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import mido
import numpy as np
import pretty_midi
import pytest
import symusic
from support.midi_bytes import SIGNATURE, meta, midi, off, on, track
from support.midi_files import write_midi_file
from support.odd_midi import ODD
from support.seams import SONGS, seam_of
from support.sizes import slow_or_nightly

from cyclegan_jax.config import Config
from cyclegan_jax.datasets.genre_rolls.composer import compose
from cyclegan_jax.errors import UserError
from cyclegan_jax.midi.io import midi_of
from cyclegan_jax.midi.reader import parse_midi, read_midi_bytes
from cyclegan_jax.midi.refusals import Refusal, RefusedSongError
from cyclegan_jax.midi.song import quantise
from cyclegan_jax.training.state import build_optimiser, create_state
from cyclegan_jax.transfer.controls import Controls
from cyclegan_jax.transfer.model import Model
from cyclegan_jax.transfer.song import transfer_song
from cyclegan_jax.transfer.strength import mix

Network = Callable[[np.ndarray], np.ndarray]
EVERY = Controls(any_metre=True)
HEAVY = ("500,000 notes", "100,000 tempo changes", "16,000 parts")


@pytest.fixture(scope="module")
def untrained() -> Model:
    """A model fresh from its seed that leans on its input so far that it changes nothing."""
    config = Config(("jazz", "pop"), (), "", steps=1, constant_steps=0, model="base", width=4, blocks=1,
                    batch_size=1, pool_size=0, identity_logits=50.0)  # fmt: skip
    state = create_state(config, build_optimiser(config))
    return Model(config, state.generators, None, {}, {})


def identity(phrases: np.ndarray) -> np.ndarray:
    return np.where(phrases[..., :1], 0.9, 0.1).astype(np.float32)


def inventive(phrases: np.ndarray) -> np.ndarray:
    """Probabilities that depend on a phrase's number of notes alone, a fifth of them above one half."""
    rolls = phrases[..., :1]
    return np.stack([np.random.default_rng(x.sum()).random(x.shape, np.float32) ** 3 for x in rolls])


def seamed(phrases: np.ndarray) -> np.ndarray:
    """The identity with two more notes on the first beat of each phrase."""
    said = identity(phrases)
    said[:, :4, [0, 12]] = 0.9
    return said


def notes_in(data: bytes) -> list[tuple]:
    """All notes by symusic: onset, end, pitch, velocity, program, whether a drum's."""
    parts = symusic.Score.from_midi(data).tracks
    return sorted((n.time, n.end, n.pitch, n.velocity, t.program, t.is_drum) for t in parts for n in t.notes)


@pytest.fixture(scope="module")
def demo_songs() -> list[bytes]:
    genres = ("jazz", "classic", "pop")
    return [midi_of(compose(genre, number)) for number in range(17) for genre in genres][:SONGS]


def test_by_an_untrained_identity_the_output_has_the_inputs_notes(untrained, demo_songs):
    for song in demo_songs[:12]:
        found = untrained.transfer_midi(song, "pop", Controls())
        assert notes_in(found.midi) == notes_in(song)
        assert (found.gone, found.new, found.cells_changed) == (0, 0, 0.0)


@pytest.mark.parametrize("kind", [kind for kind in ODD if kind not in HEAVY])
def test_an_identity_keeps_the_notes_of_every_odd_file(tmp_path, kind):
    write, _ = ODD[kind]
    write(tmp_path / "a.mid")
    data = read_midi_bytes(tmp_path / "a.mid")
    found = transfer_song(data, identity, "pop", EVERY)
    before, after = parse_midi(data), parse_midi(found.midi)
    assert sorted(zip(before.onsets, before.ends, before.pitches, strict=True)) == sorted(
        zip(after.onsets, after.ends, after.pitches, strict=True)
    )


@pytest.mark.parametrize("content", [b"\x00\xff", b"\x63\x09", b"\x08\x00", b"\x00", b""])
def test_a_key_signature_of_no_key_is_left_out_for_other_readers(content):
    data = midi(track(SIGNATURE, on(50), meta(0x59, b"\xfd\x01", 1), meta(0x59, content, 2), off(50, 3)))
    found = transfer_song(data, identity, "pop", EVERY)
    keys = [m.key for m in mido.MidiFile(file=io.BytesIO(found.midi)).tracks[0] if m.type == "key_signature"]
    assert keys == ["Cm"] and found.remarks[0] == "1 impossible key signature left out"
    assert notes_in(found.midi) == notes_in(data)
    pretty_midi.PrettyMIDI(io.BytesIO(found.midi))


def differing(paths: list[Path], network: Network) -> list[str]:
    """The names of the files of which not all notes come through."""
    songs = {path.name: read_midi_bytes(path) for path in paths}
    return [
        name
        for name, song in songs.items()
        if notes_in(transfer_song(song, network, "pop", EVERY).midi) != notes_in(song)
    ]


@pytest.mark.parametrize("every", slow_or_nightly(4, 1))
def test_an_identity_keeps_every_note_of_the_corpus(corpus, every):
    paths = sorted(corpus.rglob("*.mid"))
    assert len(paths) > 1600 and differing(paths[::every], identity) == []


@pytest.mark.parametrize("every", slow_or_nightly(32, 8))
def test_an_untrained_identity_keeps_every_note_of_songs_of_the_corpus(corpus, untrained, every):
    assert differing(sorted(corpus.rglob("*.mid"))[::every], untrained.network("pop")) == []


def test_tempos_metre_key_words_drums_and_length_come_through_an_inventive_transfer(tmp_path):
    meta = [
        (0, mido.MetaMessage("time_signature", numerator=4, denominator=4)),
        (0, mido.MetaMessage("key_signature", key="Ebm")),
        *[(tick, mido.MetaMessage("set_tempo", tempo=400_000 + tick)) for tick in range(0, 9000, 701)],
        (1920, mido.MetaMessage("marker", text="chorus")),
        *[(tick, mido.MetaMessage("lyrics", text=f"la{tick}")) for tick in range(7, 7000, 500)],
    ]
    notes = [(tick, tick + 300, 48 + tick % 31) for tick in range(13, 9000, 97)]
    path = write_midi_file(tmp_path / "a.mid", notes, drums=[(t, t + 20, 38) for t in range(0, 9000, 240)])
    file = mido.MidiFile(path)
    file.tracks[0] = mido.MidiTrack()
    now = 0
    for tick, message in sorted(meta, key=lambda pair: pair[0]):
        file.tracks[0].append(message.copy(time=tick - now))
        now = tick
    file.save(path)

    found = transfer_song(path.read_bytes(), inventive, "pop", Controls())
    assert min(found.kept, found.gone, found.new) > 10 and found.cells_changed > 0.5
    before, after = file, mido.MidiFile(file=io.BytesIO(found.midi))
    assert after.tracks[0] == mido.MidiFile(path).tracks[0]
    assert after.tracks[2] == mido.MidiFile(path).tracks[2]  # drums
    assert abs(after.length - before.length) < 1e-9
    played = pretty_midi.PrettyMIDI(io.BytesIO(found.midi))
    assert [(s.numerator, s.denominator) for s in played.time_signature_changes] == [(4, 4)]
    assert len(played.lyrics) == 14 and len(played.get_tempo_changes()[0]) == 13
    onsets = {(n[0], *n[2:]) for n in notes_in(path.read_bytes()) if not n[5]}  # all but where they end
    assert sum((n[0], *n[2:]) in onsets for n in notes_in(found.midi) if not n[5]) == found.kept


def on_roll(data: bytes) -> np.ndarray:
    return quantise(parse_midi(data)).roll


def test_a_strength_of_0_is_the_source_and_of_1_the_transfer(demo_songs):
    song = demo_songs[1]  # not swung, so that new notes are where the network has them
    none = transfer_song(song, inventive, "pop", Controls(strength=0.0))
    assert notes_in(none.midi) == notes_in(song) and none.cells_changed == 0
    by_threshold = [
        transfer_song(song, inventive, "pop", Controls(strength=0.0, threshold=t)).cells_changed
        for t in (0.02, 0.98)
    ]
    assert by_threshold == [0, 0]
    full = transfer_song(song, inventive, "pop", Controls(overlap=0, keep_whole=1.0))
    padded = np.pad(on_roll(song), ((0, -len(on_roll(song)) % 64), (0, 0))).reshape(-1, 64, 84, 1)
    wanted = (inventive(padded) > 0.5).reshape(-1, 84)[: len(on_roll(song))]
    found = np.pad(on_roll(full.midi), ((0, len(wanted) - len(on_roll(full.midi))), (0, 0)))
    assert (found != wanted).sum() <= 0.02 * wanted.sum()  # a note that stays lasts as played, to a step


def test_more_strength_changes_more_and_changes_nothing_back(demo_songs):
    source = on_roll(demo_songs[0])
    laid = np.pad(source, ((0, -len(source) % 64), (0, 0))).reshape(-1, 64, 84, 1)
    said = inventive(laid)
    changed = [mix(laid, said, Controls(strength=s / 20)) ^ laid for s in range(21)]
    counts = [int(cells.sum()) for cells in changed]
    assert counts[0] == 0 and counts == sorted(counts) and len(set(counts)) > 10
    assert all((more | less == more).all() for less, more in pairwise(changed))
    np.testing.assert_array_equal(changed[-1] ^ laid, said > 0.5)
    shares = [
        transfer_song(demo_songs[0], inventive, "pop", Controls(strength=s)).cells_changed
        for s in (0.0, 0.5, 0.75, 1.0)
    ]
    assert shares == sorted(shares) and len(set(shares)) == 4


def test_the_mix_is_of_logits_with_source_cells_at_plus_and_minus_4():
    source = np.array([True, False])
    said = np.array([1 / (1 + np.exp(6)), 1 / (1 + np.exp(-6))], np.float32)  # logits -6 and 6
    assert mix(source, said, Controls(strength=0.399)).tolist() == [True, False]
    assert mix(source, said, Controls(strength=0.401)).tolist() == [False, True]
    assert mix(source, said, Controls(strength=0.401, threshold=0.6)).tolist() == [False, False]


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.8])
def test_fewer_notes_sound_above_a_higher_threshold(threshold):
    said = np.random.default_rng(0).random((1, 64, 84, 1)).astype(np.float32)
    np.testing.assert_array_equal(mix(said > 2, said, Controls(threshold=threshold)), said > threshold)


def test_at_most_so_many_notes_of_the_roll_sound_at_once(demo_songs):
    found = transfer_song(demo_songs[1], inventive, "pop", Controls(polyphony=3))
    assert on_roll(found.midi).sum(axis=1).max() == 3
    assert on_roll(transfer_song(demo_songs[1], inventive, "pop", Controls()).midi).sum(axis=1).max() > 3


def seam_added(songs: list[bytes], network: Network, controls: Controls) -> float:
    """By how much the transfers' ratio differs from the source's, as a share of it."""
    transferred = [transfer_song(song, network, "pop", controls).midi for song in songs]
    return abs(seam_of(transferred) / seam_of(songs) - 1)


def test_a_network_with_a_seam_is_heard_without_an_overlap_and_not_with_it(demo_songs):
    assert len(demo_songs) == SONGS
    assert seam_added(demo_songs, seamed, Controls(overlap=0)) > 0.2
    assert seam_added(demo_songs, seamed, Controls()) <= 0.1


def test_what_cannot_be_transferred_is_refused_with_the_reason(tmp_path):
    drums = write_midi_file(tmp_path / "a.mid", [], drums=[(0, 9, 36)])
    waltz = write_midi_file(tmp_path / "b.mid", [(0, 9999, 60)], signatures=((0, 3, 4),))
    for path, reason in ((drums, Refusal.NO_NOTES), (waltz, Refusal.OTHER_METRE)):
        with pytest.raises(RefusedSongError) as refused:
            transfer_song(path.read_bytes(), identity, "pop", Controls())
        assert refused.value.reason is reason
    assert "3/4 bars" in transfer_song(waltz.read_bytes(), identity, "pop", EVERY).remarks[0]


def test_where_the_metre_comes_and_goes_the_rest_is_copied(tmp_path):
    notes = [(bar * 480, bar * 480 + 480, 60 + bar % 12) for bar in range(40)]
    signatures = ((0, 4, 4), (8 * 480, 3, 4), (20 * 480, 4, 4))
    path = write_midi_file(tmp_path / "a.mid", notes, signatures=signatures)
    found = transfer_song(path.read_bytes(), inventive, "pop", EVERY)
    before, after = on_roll(path.read_bytes()), on_roll(found.midi)
    np.testing.assert_array_equal(before[33:79], after[33:79])  # but for notes held over a bar line
    assert (before[:32] != after[:32]).any() and (before[80:160] != after[80:160]).any()


def test_remarks_say_what_a_listener_should_know():
    odd = midi(track(on(20), off(20, 9), on(60, 1), off(60, 80)))
    assert transfer_song(odd, identity, "pop", Controls()).remarks == (
        "no time signature, taken as 4/4 as MIDI says",
        "1 note outside C1 to B7 kept",
    )
    assert (
        transfer_song(midi(track(SIGNATURE, on(60), off(60, 80))), identity, "pop", Controls()).remarks == ()
    )


def test_a_path_and_a_pretty_midi_give_a_pretty_midi(untrained, tmp_path):
    path = write_midi_file(tmp_path / "a.mid", [(0, 961, 60), (480, 7777, 64)])
    for source in (path, str(path), pretty_midi.PrettyMIDI(str(path))):
        found = untrained.transfer(source, to="pop", program=5)
        assert isinstance(found, pretty_midi.PrettyMIDI)
        (part,) = found.instruments
        assert part.program == 5 and [(n.pitch, n.velocity) for n in part.notes] == [(60, 80), (64, 80)]
    with pytest.raises(UserError, match=r"'classic'.*jazz, pop"):
        untrained.transfer(path, to="classic")
    with pytest.raises(UserError, match=r"strength is 2"):
        untrained.transfer(path, to="pop", strength=2)
    with pytest.raises(RefusedSongError, match="cannot be read"):
        untrained.transfer(tmp_path / "none.mid", to="pop")


def test_a_song_too_long_for_pretty_midi_is_refused_by_transfer(untrained, tmp_path):
    path = write_midi_file(
        tmp_path / "a.mid", [(0, 9, 60), (32_000_000, 32_000_960, 60)], ticks_per_quarter=9600
    )
    with pytest.raises(RefusedSongError, match=r"pretty_midi: .*tick"):
        untrained.transfer(path, to="pop")


CONTROLS = {
    "strength": (-0.1, 1.1, float("nan")),
    "threshold": (0.0, 1.0, float("nan")),
    "overlap": (-1, 4),
    "keep_whole": (-0.1, 1.1),
    "polyphony": (-1,),
    "program": (-1, 128),
}


@pytest.mark.parametrize(
    "name, value",
    [("overlap", 2.0), ("program", 3.5), ("polyphony", 2.5), ("strength", "0.5"), ("threshold", None)],
)
def test_a_control_of_another_kind_is_named_with_its_value(name, value):
    with pytest.raises(UserError, match=rf"{name} is {value!r}, but must be a"):
        Controls(**{name: value})


@pytest.mark.parametrize("name, value", [(name, v) for name, values in CONTROLS.items() for v in values])
def test_a_control_out_of_its_range_is_named_with_its_value(name, value):
    with pytest.raises(UserError, match=rf"{name} is {value}, but must be"):
        Controls(**{name: value})
