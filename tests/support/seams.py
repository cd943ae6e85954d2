"""Songs with sustained notes, and how a transfer sounds where phrases meet."""

import numpy as np

from cyclegan_jax.midi.reader import parse_midi
from cyclegan_jax.midi.song import quantise_notes

SONGS = 50


def seam_of(songs: list[bytes]) -> float:
    """Onsets at the starts of phrases over those at the starts of other bars."""
    onsets = np.concatenate([quantise_notes(parse_midi(song)).onsets for song in songs])
    return (onsets % 64 == 0).sum() / ((onsets % 16 == 0) & (onsets % 64 != 0)).sum()
