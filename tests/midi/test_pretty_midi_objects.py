"""PrettyMIDI objects: what is taken, what is refused with which words, and text there and back."""

import copy
import io
import itertools
import math
from collections.abc import Callable
from pathlib import Path

import mido
import numpy as np
import pretty_midi
import pytest
from support.midi_bytes import SIGNATURE, meta, midi, off, on, track

from cyclegan_jax.midi.io import midi_of, read_score
from cyclegan_jax.midi.pretty_midi_objects import checked, open_pretty_midi
from cyclegan_jax.midi.reader import parse_midi
from cyclegan_jax.midi.refusals import Refusal, RefusedSongError
from cyclegan_jax.midi.song import read_song

JAPANESE = "さくら 桜"
NOTES = [(0, 100, 60), (100, 200, 61), (200, 300, 62)]
NOT_FINITE = (math.nan, math.inf, -math.inf)


def a_song() -> pretty_midi.PrettyMIDI:
    """A flute that plays three notes and bends, and a drum, at 120 beats a minute and 100 ticks a beat."""
    song = pretty_midi.PrettyMIDI(resolution=100, initial_tempo=120.0)
    flute, drum = pretty_midi.Instrument(73, name="flute"), pretty_midi.Instrument(0, is_drum=True)
    flute.notes = [pretty_midi.Note(64, 60 + n, n / 2, n / 2 + 0.5) for n in range(3)]
    flute.control_changes = [pretty_midi.ControlChange(7, 100, 0.0)]
    flute.pitch_bends = [pretty_midi.PitchBend(-8192, 0.25)]
    drum.notes = [pretty_midi.Note(127, 36, 0.0, 0.25)]
    song.instruments = [flute, drum]
    song.time_signature_changes = [pretty_midi.TimeSignature(4, 4, 0.0)]
    song.key_signature_changes = [pretty_midi.KeySignature(5, 0.0)]
    song.lyrics, song.text_events = [pretty_midi.Lyric("la", 0.5)], [pretty_midi.Text("verse", 0.0)]
    return song


def both_ways(song: pretty_midi.PrettyMIDI) -> list[list[tuple[int, int, int]]]:
    """Its pitched notes as they are read from it, and from the bytes that it gives."""
    scores = (read_score(song), parse_midi(midi_of(song)))
    return [sorted(zip(s.onsets.tolist(), s.ends.tolist(), s.pitches.tolist(), strict=True)) for s in scores]


def setting(path: str, value: object) -> Callable[[pretty_midi.PrettyMIDI], None]:
    """Put a value where a path of attributes and places leads, as instruments.0.notes.1.pitch."""

    def put(song: pretty_midi.PrettyMIDI) -> None:
        *way, last = path.split(".")
        target = song
        for word in way:
            target = target[int(word)] if word.isdigit() else getattr(target, word)
        setattr(target, last, value)

    return put


def test_it_is_read_and_written_with_all_that_it_has():
    assert both_ways(a_song()) == [NOTES, NOTES]
    assert read_score(a_song()).programs.tolist() == [73] * 3
    written = mido.MidiFile(file=io.BytesIO(midi_of(a_song())))
    messages = {message.type: message for message in itertools.chain(*written.tracks)}
    assert written.ticks_per_beat == 100 and messages["key_signature"].key == "F"
    assert messages["pitchwheel"].pitch == -8192 and messages["control_change"].value == 100
    assert (messages["lyrics"].text, messages["text"].text) == ("la", "verse")


@pytest.mark.parametrize(
    "path, value",
    [
        ("instruments.0.program", 73.0),
        ("instruments.0.program", np.int64(73)),
        ("instruments.0.notes.0.velocity", 64.0),
        ("instruments.0.notes.0.velocity", np.float32(64)),
        ("instruments.0.notes.0.pitch", 60.0),
        ("instruments.0.notes.0.pitch", np.array(60)),
        ("instruments.0.notes.0.start", np.float32(0.0)),
        ("instruments.0.notes.0.end", np.float64(0.5)),
        ("instruments.0.notes.1.start", 0.5000001),
        ("instruments.0.name", JAPANESE),
        ("instruments.0.name", "\ud800"),
        ("instruments.0.name", None),
        ("instruments.0.control_changes.0.value", 100.0),
        ("instruments.0.pitch_bends.0.pitch", -8192.0),
        ("lyrics.0.text", JAPANESE),
        ("text_events.0.text", JAPANESE),
        ("time_signature_changes.0.denominator", 4.0),
        ("time_signature_changes.0.denominator", 2**16),
        ("key_signature_changes.0.key_number", np.int32(5)),
        ("resolution", 100.0),
        ("_charset", "utf-8"),
    ],
)
def test_what_is_whole_and_harmless_is_taken(path, value):
    song = a_song()
    setting(path, value)(song)
    assert both_ways(song) == [NOTES, NOTES]


WHOLE = "a whole number from"


@pytest.mark.parametrize(
    "path, value, detail",
    [
        ("resolution", 40_000, f"resolution is 40000, but must be {WHOLE} 1 to 32767"),
        ("resolution", 0, f"resolution is 0, but must be {WHOLE} 1 to 32767"),
        ("resolution", 96.5, f"resolution is 96.5, but must be {WHOLE} 1 to 32767"),
        ("instruments.0.program", 200, f"program of instrument 1 is 200, but must be {WHOLE} 0 to 127"),
        ("instruments.1.program", -1, f"program of instrument 2 is -1, but must be {WHOLE} 0 to 127"),
        (
            "instruments.0.notes.1.pitch",
            130,
            f"pitch of note 2 of instrument 1 is 130, but must be {WHOLE} 0 to 127",
        ),
        ("instruments.0.notes.1.pitch", 60.5, "note 2 of instrument 1 is 60.5, but"),
        ("instruments.0.notes.1.pitch", "60", "note 2 of instrument 1 is '60', but"),
        ("instruments.0.notes.1.pitch", None, "note 2 of instrument 1 is None, but"),
        ("instruments.0.notes.1.velocity", 0, f"is 0, but must be {WHOLE} 1 to 127"),
        ("instruments.0.notes.1.velocity", np.float64(0.8), f"is 0.8, but must be {WHOLE} 1 to 127"),
        ("instruments.0.notes.1.velocity", np.int64(128), f"is 128, but must be {WHOLE} 1 to 127"),
        ("instruments.0.notes.0.start", -0.5, "start of note 1 of instrument 1 is -0.5, but must be seconds"),
        (
            "instruments.0.notes.0.end",
            1e7,
            "is 10000000.0, but must be seconds from 0 on, at most 268,435,455",
        ),
        ("instruments.0.notes.0.end", 1e300, "is 1e+300, but must be seconds from 0 on, at most 268,435,455"),
        (
            "instruments.0.notes.1.end",
            0.25,
            "end of note 2 of instrument 1 is 0.25, but must be its start, 0.5, or later",
        ),
        ("instruments.0.control_changes.0.number", 128, "number of control change 1 of instrument 1 is 128"),
        ("instruments.0.control_changes.0.value", -1, "value of control change 1 of instrument 1 is -1"),
        ("instruments.0.pitch_bends.0.pitch", 8192, f"is 8192, but must be {WHOLE} -8192 to 8191"),
        ("instruments.0.name", b"flute", "name of instrument 1 is b'flute', but must be text"),
        ("lyrics.0.text", 5, "text of lyric 1 is 5, but must be text"),
        ("time_signature_changes.0.numerator", 256, f"time signature 1 is 256, but must be {WHOLE} 1 to 255"),
        ("time_signature_changes.0.denominator", 3, "time signature 1 is 3, but must be a power of two"),
        ("time_signature_changes.0.denominator", 2**31, "must be a power of two from 1 to 65536"),
        ("_tick_scales", [], "the PrettyMIDI is not as pretty_midi makes it (list index out of range); make"),
        ("instruments.0.name", np.array([1, 2]), "name of instrument 1 is array([1, 2]), but must be text"),
        ("key_signature_changes.0.key_number", 24, f"key signature 1 is 24, but must be {WHOLE} 0 to 23"),
        ("_tick_scales", [(0, 0.0)], "tempo 1 is inf, but must be from 3.58 to 60e6 beats per minute"),
        ("_tick_scales", [(0, 0.2)], "tempo 1 is 3.0, but must be from 3.58 to 60e6 beats per minute"),
        ("_tick_scales", [(0, 0.01), (5, -0.5)], "tempo 2 is -1.2, but must be from 3.58"),
        ("_tick_scales", [(0, math.nan)], "tempo 1 is nan, but must be from 3.58"),
        ("instruments", [None], "instrument 1 is None, but must be a pretty_midi.Instrument"),
        (
            "instruments.0.notes",
            [(60, 0)],
            "note 1 of instrument 1 is (60, 0), but must be a pretty_midi.Note",
        ),
        ("lyrics", None, "the list of lyrics is None, but must be a list"),
        *(
            (f"{of}.{name}", value, f"{value}, but must be seconds from 0 on")
            for value in NOT_FINITE
            for of, name in (
                ("instruments.0.notes.0", "start"),
                ("instruments.1.notes.0", "end"),
                ("instruments.0.pitch_bends.0", "time"),
                ("instruments.0.control_changes.0", "time"),
                ("time_signature_changes.0", "time"),
                ("key_signature_changes.0", "time"),
                ("lyrics.0", "time"),
                ("text_events.0", "time"),
            )
        ),
    ],
)
def test_a_value_that_midi_does_not_have_is_refused_with_the_value(path, value, detail):
    song = a_song()
    setting(path, value)(song)
    for read in (read_score, midi_of):
        with pytest.raises(RefusedSongError) as refused:
            read(song)
        assert refused.value.reason is Refusal.BAD_VALUE
        assert detail in str(refused.value) and "\n" not in str(refused.value)


def test_more_than_a_file_may_hold_is_refused_before_it_is_written():
    song = a_song()
    song.instruments[0].notes *= 200_000
    with pytest.raises(RefusedSongError, match="too many tracks or notes: 600001 notes"):
        midi_of(song)
    song.instruments = [pretty_midi.Instrument(0)] * 40_000
    with pytest.raises(RefusedSongError, match="too many tracks or notes: 40000 instruments"):
        midi_of(song)


def test_without_instruments_or_with_drums_alone_there_are_no_pitched_notes():
    drums = a_song()
    del drums.instruments[0]
    for song in (pretty_midi.PrettyMIDI(), drums):
        assert both_ways(song) == [[], []]
        with pytest.raises(RefusedSongError, match=r"^no pitched notes"):
            read_song(song)


@pytest.mark.parametrize("length", [0.0, 1e-4])
def test_a_note_within_one_tick_is_left_out_and_none_hangs(length):
    song = a_song()
    song.instruments[0].notes.append(pretty_midi.Note(64, 90, 0.5, 0.5 + length))
    assert both_ways(song) == [NOTES, NOTES]


def test_the_users_object_is_left_as_it_was():
    song = a_song()
    song.instruments[0].name = song.lyrics[0].text = JAPANESE
    song.instruments[0].notes[0].velocity = 64.0
    before = copy.deepcopy(song)
    read_score(song)
    midi_of(song)
    assert _everything(song) == _everything(before)
    song.instruments[0].notes[2].pitch = 130
    with pytest.raises(RefusedSongError):
        midi_of(song)
    assert song.instruments[0].notes[2].pitch == 130 and song.lyrics[0].text == JAPANESE


def _everything(thing: object) -> object:
    """An object and all below it as plain values that can be compared, with the types of numbers."""
    if isinstance(thing, list | tuple):
        return [_everything(part) for part in thing]
    if hasattr(thing, "__dict__"):
        return {name: _everything(part) for name, part in vars(thing).items()}
    return repr(thing)


def texts(song: pretty_midi.PrettyMIDI) -> list[str]:
    return [song.instruments[0].name, song.lyrics[0].text, song.text_events[0].text]


TITLES = (JAPANESE, "Frühling", "Весна", "♯♭ 🎹", "plain", "")


@pytest.mark.parametrize(
    "title, encoding",
    [*((title, "utf-8") for title in TITLES), ("Frühling", "latin-1"), ("plain", "latin-1")],
)
def test_text_is_read_as_utf_8_where_it_is_that_and_else_as_latin_1(title, encoding):
    words = title.encode(encoding)
    events = (SIGNATURE, meta(3, words), meta(5, words), meta(1, words), on(60), off(60, 80))
    song = open_pretty_midi(midi(track(*events)))
    assert texts(song) == [title] * 3
    assert texts(open_pretty_midi(midi_of(song))) == [title] * 3


@pytest.mark.parametrize("title", TITLES[:-1])
def test_what_is_handed_back_can_be_written_by_pretty_midi_itself(title, tmp_path):
    song = a_song()
    song.instruments[0].name = song.lyrics[0].text = song.text_events[0].text = title
    path = tmp_path / "a.mid"
    open_pretty_midi(midi_of(song)).write(str(path))
    assert texts(open_pretty_midi(path.read_bytes())) == [title] * 3
    assert title.encode() in path.read_bytes()


def test_text_that_pretty_midi_took_for_latin_1_is_not_encoded_twice():
    words = JAPANESE.encode()
    data = midi(track(SIGNATURE, meta(3, words), meta(5, words), meta(1, words), on(60), off(60, 80)))
    opened_by_the_user = pretty_midi.PrettyMIDI(io.BytesIO(data))
    assert opened_by_the_user.lyrics[0].text != JAPANESE
    assert texts(open_pretty_midi(midi_of(opened_by_the_user))) == [JAPANESE] * 3


@pytest.mark.parametrize(
    "source, kind",
    [
        (np.zeros((64, 84), bool), "numpy.ndarray"),
        (b"MThd", "builtins.bytes"),
        (None, "builtins.NoneType"),
        (3, "builtins.int"),
        (mido.MidiFile(), "mido.midifiles.midifiles.MidiFile"),
    ],
)
def test_another_kind_of_source_is_a_type_error_that_names_what_is_allowed(source, kind):
    for read in (read_score, midi_of, read_song):
        with pytest.raises(TypeError) as error:
            read(source)
        assert str(error.value) == (
            f"a song is a {kind}, but must be the path of a MIDI file (str or os.PathLike) or a "
            "pretty_midi.PrettyMIDI."
        )


@pytest.mark.parametrize("path", ["a\0b.mid", Path("a\0b.mid")])
def test_a_path_with_a_null_character_is_refused(path):
    for read in (read_score, midi_of, read_song):
        with pytest.raises(RefusedSongError, match=r"cannot be read: .*null"):
            read(path)


def test_a_checked_copy_is_checked_to_the_same():
    once = checked(a_song())
    assert _everything(checked(once)) == _everything(once)
