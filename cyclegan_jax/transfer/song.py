"""A whole song in another genre: from the bytes of a MIDI file to those of another."""

from dataclasses import dataclass

import numpy as np

from cyclegan_jax.midi.channel_settings import ChannelSettings
from cyclegan_jax.midi.events import Sequence, is_refused_elsewhere, sequence_of
from cyclegan_jax.midi.metre import lay, lay_bars, put_back
from cyclegan_jax.midi.midi_file import read_file
from cyclegan_jax.midi.played_notes import PlayedNotes, pair_notes
from cyclegan_jax.midi.reader import score_of
from cyclegan_jax.midi.song import Song, check_notes, quantise
from cyclegan_jax.midi.track_events import KEY_SIGNATURE, META
from cyclegan_jax.pianoroll.features import begun
from cyclegan_jax.pianoroll.roll import LOWEST_PITCH, in_range, rasterise
from cyclegan_jax.transfer.arranging import arrange
from cyclegan_jax.transfer.cleaning import Bounds
from cyclegan_jax.transfer.controls import Controls
from cyclegan_jax.transfer.crossfade import Network, transfer_bars
from cyclegan_jax.transfer.locking import lock
from cyclegan_jax.transfer.rewriting import rewrite
from cyclegan_jax.transfer.strength import mix
from cyclegan_jax.transfer.timing import Timing

CERTAIN = 2.0  # above any probability: what is kept comes first where only so many notes may sound at once
NO_BEAT = "no beat found: for a better transfer fit the file's tempo to the playing in a music program"


@dataclass(frozen=True)
class TransferredSong:
    """A song's transfer.

    `source`: the song that was transferred. `midi`: the result, a Standard MIDI File. `kept`, `gone`, `new`:
    how many pitched notes. `cells_changed`: of all cells that are on before, after or both, the share that
    is on in only one of them, 0 to 1. `remarks`: what a listener should know.
    """

    source: Song
    midi: bytes
    kept: int
    gone: int
    new: int
    cells_changed: float
    remarks: tuple[str, ...]


def transfer_song(
    midi: bytes, network: Network, genre: str, controls: Controls, bounds: Bounds | None = None
) -> TransferredSong:
    """A song, bytes of a MIDI file, by a network into `genre`.

    `network`: phrases [N, 64, 84, 2] bool -> probabilities [N, 64, 84, C], of onsets too if C is 2. `bounds`:
    what new notes keep to unless `controls.clean` is off. Raises RefusedSongError for a file that can't be
    read, has no pitched note or over 4,096 bars, and for another metre than 4/4 or 2/2 unless
    `controls.any_metre`, or without a track that `controls.keep` names.
    """
    file = read_file(midi)
    sequence, notes = sequence_of(file), pair_notes(file)
    score = score_of(file, notes)
    check_notes(score)
    timing = Timing(notes, file.ticks_per_quarter, score.tempos)
    original = cells_of(notes, timing)
    bars = lay_bars(score, len(original), any_metre=controls.any_metre)
    probabilities = original.astype(np.float32)
    cells = original.copy()
    for run in bars.runs:
        before = lay(original, run)
        generated = _with_onsets(transfer_bars(before, network, controls.overlap), before)
        put_back(generated, run, probabilities)
        put_back(mix(before, generated, controls), run, cells)
    locked = lock(file, notes, timing, original, controls.keep)
    cells = locked.within(begun(np.pad(cells, ((1, 0), (0, 0), (0, 0)))[None])[0, 1:])
    settings = ChannelSettings(sequence.tracks)
    surest = np.where(locked.cells[..., 0], CERTAIN, probabilities[..., 0])
    disturbed = locked.disturbed if controls.keep else None
    arranged = arrange(notes, timing, surest, cells, controls, settings, disturbed, bounds)
    arrangement = locked.kept_by(arranged, notes)
    before, after = original[..., 0], cells[..., 0]
    pitched = ~notes.drums
    return TransferredSong(
        source=quantise(score),
        midi=rewrite(sequence, notes, arrangement, controls, genre).to_bytes(),
        kept=int((arrangement.kept & pitched).sum()),
        gone=int((~arrangement.kept & pitched).sum()),
        new=len(arrangement.new.onsets),
        cells_changed=float((before ^ after).sum() / max((before | after).sum(), 1)),
        remarks=(*file.remarks, *_left_out(sequence), *bars.remarks, *_beatless(timing), *_beyond(notes)),
    )


def cells_of(notes: PlayedNotes, timing: Timing) -> np.ndarray:
    """[steps, 84, 2] bool: where the song's notes sound, and where those on the roll begin."""
    there, on_roll = notes.sound, notes.on_roll
    roll, _ = rasterise(timing.first_steps[there], timing.end_steps[there], notes.pitches[there])
    struck = np.zeros_like(roll)
    struck[timing.first_steps[on_roll], notes.pitches[on_roll] - LOWEST_PITCH] = True
    return np.stack([roll, struck], axis=-1)


def _with_onsets(generated: np.ndarray, bars: np.ndarray) -> np.ndarray:
    """Probabilities of two channels, [B, 16, 84, 2]: a model of one leaves a song's onsets where they are."""
    return np.concatenate([generated, bars[..., 1:]], axis=-1) if generated.shape[-1] == 1 else generated


def _left_out(sequence: Sequence) -> tuple[str, ...]:
    refused = [event for track in sequence.tracks for event in track if is_refused_elsewhere(event)]
    keys = sum(event.message[:2] == bytes([META, KEY_SIGNATURE]) for event in refused)
    others = len(refused) - keys
    counts = {f"impossible key signature{'s' * (keys > 1)}": keys}
    counts[f"event{'s' * (others > 1)} that other programs can't read"] = others
    return tuple(f"{count} {what} left out" for what, count in counts.items() if count)


def _beatless(timing: Timing) -> tuple[str, ...]:
    return () if timing.has_beat else (NO_BEAT,)


def _beyond(notes: PlayedNotes) -> tuple[str, ...]:
    count = int((~notes.drums & ~in_range(notes.pitches)).sum())
    return (f"{count} note{'s' * (count > 1)} outside C1 to B7 kept",) if count else ()
