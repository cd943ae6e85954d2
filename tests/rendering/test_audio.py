"""What a song sounds like: its pitch, its length, its end; and MP3 as anybody can play it."""

import io

import numpy as np
import pytest
import soundfile
from support.midi_bytes import midi, off, on, track
from support.midi_files import write_midi_file

from cyclegan_jax.errors import NoSoundError
from cyclegan_jax.rendering import audio

BEAT = 480
WAYS = [
    False,
    pytest.param(True, marks=pytest.mark.skipif(not audio.has_fluidsynth(), reason="no FluidSynth")),
]


@pytest.fixture(params=WAYS, ids=["sine", "FluidSynth"])
def way(request, monkeypatch) -> bool:
    """Both ways to make sound, or the one there is."""
    monkeypatch.setattr(audio, "has_fluidsynth", lambda: request.param)
    return request.param


def song(tmp_path, notes, **more) -> bytes:
    return write_midi_file(tmp_path / "a.mid", notes, **more).read_bytes()


def loudest_frequency(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return np.fft.rfftfreq(len(samples), 1 / audio.RATE)[spectrum.argmax()]


def test_a_note_sounds_at_its_pitch_for_as_long_as_it_lasts(way, tmp_path):
    samples = audio.render(song(tmp_path, [(0, 4 * BEAT, 69)]), 60)
    assert samples.dtype == np.float32 and 0.5 < np.abs(samples).max() <= 1
    assert 2 <= len(samples) / audio.RATE < 4
    assert loudest_frequency(samples[: 2 * audio.RATE]) == pytest.approx(440, abs=2)


def test_a_longer_song_is_cut_and_faded_out(way, tmp_path):
    samples = audio.render(song(tmp_path, [(0, 40 * BEAT, 69), (30 * BEAT, 31 * BEAT, 40)]), 3.0)
    assert len(samples) == 3 * audio.RATE
    loud, end = (np.abs(samples[part]).max() for part in (slice(0, audio.RATE), slice(-200, None)))
    assert loud > 0.5 and end < 0.05 * loud


def test_drums_alone_are_silent_as_sine_waves_and_heard_by_fluidsynth(way, tmp_path):
    samples = audio.render(song(tmp_path, [], drums=[(0, BEAT, 38), (BEAT, 2 * BEAT, 36)]), 60)
    assert len(samples) >= 0.9 * audio.RATE
    assert (np.abs(samples).max() > 0.1) == way


def test_what_comes_after_the_cut_costs_nothing_and_no_part_sounds_by_anothers_controllers(way):
    faded = track(on(69), off(69, 8), b"\x00\xb0\x07\x00", b"\x83\xd0\x00\xb0\x40\x7f")
    other = track(b"\x00\xc1\x00", on(69, 8, 1), off(69, 8, 1))
    samples = audio.render(midi(faded, other), np.inf)
    assert len(samples) < 5 * audio.RATE
    first, second = (np.abs(samples[int(s * audio.RATE) :][: audio.RATE // 2]).max() for s in (0, 1))
    assert second > 0.5 * first > 0.1


def test_drums_after_the_last_pitched_note_are_heard(tmp_path):
    if not audio.has_fluidsynth():
        pytest.skip("no FluidSynth")
    samples = audio.render(song(tmp_path, [(0, BEAT, 69)], drums=[(8 * BEAT, 9 * BEAT, 38)]), np.inf)
    assert np.abs(samples[4 * audio.RATE :]).max() > 0.1


def test_drums_on_another_channel_sound_as_those_of_channel_10():
    if not audio.has_fluidsynth():
        pytest.skip("no FluidSynth")
    xg = b"\x00\xf0\x08\x43\x10\x4c\x00\x00\x7e\x00\xf7\x00\xb2\x00\x7f"
    there, here = (
        audio.render(midi(track(xg, on(38, 0, channel), off(38, 8, channel))), np.inf) for channel in (2, 9)
    )
    np.testing.assert_array_equal(there, here)
    assert np.abs(there).max() > 0.1


def test_mp3_is_mono_of_32_kbit_a_second_and_as_long_as_the_sound(tmp_path):
    samples = 0.5 * np.sin(np.arange(10 * audio.RATE) * 2 * np.pi * 440 / audio.RATE)
    mp3 = audio.to_mp3(samples)
    assert 8 * len(mp3) / 10 == pytest.approx(32_000, rel=0.02)
    back, rate = soundfile.read(io.BytesIO(mp3))
    assert rate == audio.RATE and back.ndim == 1
    assert len(back) / rate == pytest.approx(10, abs=0.1)
    assert loudest_frequency(back) == pytest.approx(440, abs=1)


def test_a_process_of_its_own_gives_the_same(tmp_path):
    midi = song(tmp_path, [(0, 4 * BEAT, 69)])
    assert audio.mp3_apart(midi, 1.5, timeout=60) == audio.mp3_of(midi, 1.5)


@pytest.mark.parametrize("midi, timeout", [(b"no music", 60), (None, 0.05)], ids=["no MIDI", "no time"])
def test_a_process_of_its_own_that_comes_to_nothing_is_told_in_a_sentence(tmp_path, midi, timeout):
    midi = midi or song(tmp_path, [(0, 4 * BEAT, 69)])
    with pytest.raises(
        NoSoundError, match=r"^no sound could be made of this song within .* allowed; try a shorter one$"
    ):
        audio.mp3_apart(midi, 60, timeout=timeout)
