"""Bytes that nobody wrote in good faith: songs or refusals come of them, soon and in little memory."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.forked_readings import KEPT, MUTANTS, run_apart
from support.midi_bytes import SIGNATURE, TEMPO, meta, midi, off, on, track

from cyclegan_jax.midi.reader import parse_midi
from cyclegan_jax.midi.refusals import Refusal, RefusedSongError
from cyclegan_jax.transfer.controls import Controls
from cyclegan_jax.transfer.song import transfer_song

QUICK, NIGHTLY = range(100, 110), range(110, 140)  # seeds, of 250 mutants each
SECONDS, MIB = 5, 1024  # that a mutant, and all of a seed, may take
EXAMPLES = settings(
    max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)

pitches, channels, deltas = st.integers(0, 127), st.integers(0, 15), st.integers(0, 2**14)
good = (
    st.builds(lambda pitch, delta, channel: on(pitch, delta, channel), pitches, deltas, channels),
    st.builds(lambda pitch, delta, channel: off(pitch, delta, channel), pitches, deltas, channels),
    st.sampled_from([SIGNATURE, TEMPO]),
)
bad = (st.builds(meta, st.integers(0, 127), st.binary(max_size=8)), st.binary(max_size=6))
events = st.lists(st.one_of(*good), max_size=30) | st.lists(st.one_of(*good, *bad), max_size=30)
tracks = events.map(lambda parts: track(*parts))
files = st.one_of(
    st.binary(max_size=200),
    st.builds(
        lambda parts, division: midi(*parts, division=division),
        st.lists(tracks, max_size=5),
        st.integers(1, 960) | st.integers(0, 2**16 - 1),
    ),
)


@EXAMPLES
@given(files)
def test_any_bytes_are_a_song_or_a_refusal(data):
    try:
        score = parse_midi(data)
    except RefusedSongError as refusal:
        assert refusal.reason in Refusal and "\n" not in str(refusal)
        return
    assert len(score.onsets) == len(score.ends) == len(score.pitches)
    assert (score.onsets <= score.ends).all() and (score.onsets >= 0).all()


@EXAMPLES
@given(files)
def test_any_bytes_are_transferred_or_refused_and_what_comes_out_can_be_read(data):
    controls = Controls(any_metre=True)
    try:
        song = transfer_song(data, lambda phrases: phrases.astype(np.float32), "pop", controls)
    except RefusedSongError as refusal:
        assert refusal.reason in Refusal and "\n" not in str(refusal)
        return
    before, after = parse_midi(data), parse_midi(song.midi)
    assert sorted(zip(before.onsets, before.pitches, strict=True)) == sorted(
        zip(after.onsets, after.pitches, strict=True)
    )


@pytest.mark.parametrize("through", ["fuzz", "transferred"])
@pytest.mark.parametrize("seeds", [QUICK, pytest.param(NIGHTLY, marks=pytest.mark.nightly)])
def test_mutants_end_in_songs_and_refusals(through, seeds):
    readings = run_apart([(through, seed) for seed in seeds])
    for reading in readings:
        said = json.loads(reading.said)
        assert sum(said.values()) == MUTANTS and set(said) <= {KEPT, *Refusal.__members__}
        assert said[KEPT] > 10
        assert float(reading.detail) <= SECONDS and reading.mib <= MIB
    assert len(readings) == len(seeds)
