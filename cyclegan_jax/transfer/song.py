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
from cyclegan_jax.pianoroll.roll import in_range, rasterise
from cyclegan_jax.transfer.arranging import arrange
from cyclegan_jax.transfer.controls import SOURCE_LOGIT, Controls
from cyclegan_jax.transfer.crossfade import Network, transfer_bars
from cyclegan_jax.transfer.rewriting import rewrite
from cyclegan_jax.transfer.timing import Timing

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


def transfer_song(midi: bytes, network: Network, genre: str, controls: Controls) -> TransferredSong:
    """A song, bytes of a MIDI file, by a network into `genre`.

    `network`: phrases [N, 64, 84, 1] bool -> probabilities of that shape. Raises RefusedSongError for a file
    that can't be read, has no pitched note or over 4,096 bars, and for another metre than 4/4 or 2/2 unless
    `controls.any_metre`.
    """
    file = read_file(midi)
    sequence, notes = sequence_of(file), pair_notes(file)
    score = score_of(file, notes)
    check_notes(score)
    timing = Timing(notes, file.ticks_per_quarter, score.tempos)
    there = notes.sound
    roll, _ = rasterise(timing.first_steps[there], timing.end_steps[there], notes.pitches[there])
    bars = lay_bars(score, len(roll), any_metre=controls.any_metre)
    probabilities = roll.astype(np.float32)
    cells = roll.copy()
    for run in bars.runs:
        before = lay(roll, run)
        generated = transfer_bars(before, network, controls.overlap)
        put_back(generated, run, probabilities)
        put_back(mix(before, generated, controls), run, cells)
    settings = ChannelSettings(sequence.tracks)
    arrangement = arrange(notes, timing, probabilities, cells, controls, settings)
    pitched = ~notes.drums
    return TransferredSong(
        source=quantise(score),
        midi=rewrite(sequence, notes, arrangement, controls, genre).to_bytes(),
        kept=int((arrangement.kept & pitched).sum()),
        gone=int((~arrangement.kept & pitched).sum()),
        new=len(arrangement.new.onsets),
        cells_changed=float((roll ^ cells).sum() / max((roll | cells).sum(), 1)),
        remarks=(*file.remarks, *_left_out(sequence), *bars.remarks, *_beatless(timing), *_beyond(notes)),
    )


def mix(source: np.ndarray, probabilities: np.ndarray, controls: Controls) -> np.ndarray:
    """Which cells sound, bool: those whose logit is above the threshold's.

    (1 - strength) · ±4 + strength · logit(probability), + where `source` is on: 0 gives the source,
    1 the transfer, and a cell that changes at one strength has changed at all greater ones.
    """
    source_logits = np.where(source, SOURCE_LOGIT, -SOURCE_LOGIT)
    logits = _logit(np.clip(probabilities.astype(np.float64), 1e-12, 1 - 1e-12))
    mixed = (1 - controls.strength) * source_logits + controls.strength * logits
    return mixed > _logit(controls.threshold)


def _logit(probability: np.ndarray | float) -> np.ndarray:
    return np.log(probability) - np.log1p(-np.asarray(probability))


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
