"""Files as people have reported them, each by four ways: the dataset, the command, the page and Python."""

import base64
import contextlib
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pretty_midi
import pytest
import symusic
import tensorflow_datasets as tfds
from absl import flags
from absl.testing import flagsaver
from support.base_generators import CONFIG
from support.reported_midi import REPORTED
from support.serving import serving
from support.transferred_midi import rearranged
from support.tunes import STEP, Played

import launch.transfer
from cyclegan_jax.datasets.genre_rolls.prepare import prepare
from cyclegan_jax.datasets.genre_rolls.records.build_report import read_refused
from cyclegan_jax.midi.dataset_song import SongRules, read_dataset_song
from cyclegan_jax.midi.refusals import Refusal, RefusedSongError
from cyclegan_jax.transfer.controls import Controls
from cyclegan_jax.transfer.crossfade import Network
from cyclegan_jax.transfer.model import Model
from cyclegan_jax.transfer.song import transfer_song
from launch.songs.web_app import Limits

OF_PRETTY_MIDI = [kind for kind, case in REPORTED.items() if case.for_pretty_midi]
CONTROLS = Controls(any_metre=True)


class Rearranging(Model):
    """A model without networks."""

    def network(self, to: str) -> Network:
        return rearranged


@pytest.fixture(scope="module")
def rearranging() -> Model:
    return Rearranging(CONFIG, {}, None, {}, {})


@pytest.fixture(scope="module")
def paths(tmp_path_factory) -> dict[str, Path]:
    """The files, in a genre's folder."""
    folder = tmp_path_factory.mktemp("place") / "midi" / "reported"
    folder.mkdir(parents=True)
    paths = {kind: folder / f"{number:02d}.mid" for number, kind in enumerate(REPORTED)}
    for kind, path in paths.items():
        path.write_bytes(REPORTED[kind].data)
    return paths


@pytest.fixture(scope="module")
def midis() -> dict[str, bytes]:
    """Their transfers."""
    taken = {kind: case.data for kind, case in REPORTED.items() if not case.refused}
    return {kind: transfer_song(data, rearranged, "pop", CONTROLS).midi for kind, data in taken.items()}


def cells_of(notes: tuple[Played, ...], starts: tuple[int, ...]) -> np.ndarray:
    """The phrases of notes, by their ticks."""
    roll = np.zeros((4096, 84), bool)
    for onset, end, pitch in notes:
        roll[(onset + STEP // 2) // STEP : (end + STEP // 2) // STEP, pitch - 24] = True
    return np.stack([roll[start : start + 64, :, None] for start in starts])


# The dataset


@pytest.fixture(scope="module")
def dataset(paths) -> Path:
    """The folder of the dataset that is made of them all."""
    midi_dir = next(iter(paths.values())).parents[1]
    return prepare("midi", midi_dir.parent / "data", midi_dir).folder


@pytest.fixture(scope="module")
def records(dataset) -> dict[str, list[dict]]:
    """By file name the records of its phrases, in order."""
    builder = tfds.builder_from_directory(dataset)
    records: dict[str, list[dict]] = {}
    for split in builder.info.splits:
        for record in builder.as_data_source(split):
            records.setdefault(record["song"].decode(), []).append(record)
    return {song: sorted(found, key=lambda record: record["phrase"]) for song, found in records.items()}


@pytest.mark.parametrize("kind", REPORTED)
def test_the_dataset_has_its_phrases_or_says_why_not(dataset, records, paths, kind):
    case, name = REPORTED[kind], paths[kind].name
    reasons = {path: reason for path, reason, _ in read_refused(dataset)}
    refused = case.refused or case.refused_by_dataset
    assert reasons.get(f"reported/{name}") == (None if refused is None else str(refused))
    if refused is None:
        rolls = np.stack([record["roll"] for record in records[name]])
        np.testing.assert_array_equal(rolls, cells_of(case.notes, case.starts))
        upbeat = case.starts[0] > 0
        assert [record["bar"] for record in records[name]] == [upbeat, upbeat + 4 + (case.starts[1] == 72)]


def test_without_a_signature_it_is_refused_where_one_is_required(paths):
    rules = SongRules(require_signature=True)
    reasons = {
        "no time signature": Refusal.NO_TIME_SIGNATURE,
        "a time signature after the first note": Refusal.LATE_TIME_SIGNATURE,
    }
    for kind, reason in reasons.items():
        with pytest.raises(RefusedSongError) as refused:
            read_dataset_song(paths[kind], rules)
        assert refused.value.reason is reason
    assert len(read_dataset_song(paths["a time signature in the second track"], rules).phrases) == 2


# The command


@pytest.fixture(scope="module")
def command(paths, rearranging) -> tuple[Path, str]:
    """Where `launch.transfer` writes their transfers, and what it prints."""
    folder = next(iter(paths.values())).parents[1]
    if not flags.FLAGS.is_parsed():
        flags.FLAGS.mark_as_parsed()
    with contextlib.ExitStack() as stack:
        patched = stack.enter_context(pytest.MonkeyPatch.context())
        patched.setattr("launch.flags.transfer.load_model", lambda: rearranging)
        stack.enter_context(flagsaver.flagsaver(to="pop", any_metre=True, out_dir=str(folder / "out")))
        said = stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        stack.enter_context(contextlib.redirect_stderr(said))
        launch.transfer.main([str(folder)])
    return folder / "out" / "reported", said.getvalue()


@pytest.mark.parametrize("kind", REPORTED)
def test_the_command_transfers_it_or_says_why_not(command, midis, paths, kind):
    out, said = command
    case, written = REPORTED[kind], out / f"{paths[kind].stem}_pop.mid"
    (line,) = [line for line in said.splitlines() if line.startswith(str(paths[kind]))]
    if case.refused:
        assert f" was not transferred: {case.refused}: " in line and not written.exists()
    else:
        assert line.endswith("; ".join([str(written), *case.remarks]))
        assert written.read_bytes() == midis[kind]


# The page


@pytest.fixture(scope="module")
def ask(rearranging) -> Iterator[Callable]:
    with serving(rearranging, Limits()) as ask:
        yield ask


@pytest.mark.parametrize("kind", REPORTED)
def test_the_page_answers_with_the_same_or_says_why_not(ask, midis, kind):
    case = REPORTED[kind]
    found = ask("POST", "/transfer?to=pop&any_metre=1", case.data)
    if case.refused:
        assert found.status == 422 and str(case.refused) in found.text
    else:
        sent = [base64.b64decode(m) for m in re.findall(r"data:audio/midi;base64,([\w+/=]+)", found.text)]
        assert found.status == 200 and sent == [case.data, midis[kind]]
        assert all(remark.replace("'", "&#x27;") in found.text for remark in case.remarks)


# Python


def sounding(song: pretty_midi.PrettyMIDI) -> np.ndarray:
    """[N, 3] pitch, onset and end in seconds of all notes, drums too."""
    return np.array(sorted((n.pitch, n.start, n.end) for part in song.instruments for n in part.notes))


def sounding_in(midi: bytes) -> np.ndarray:
    """The same of a file, by symusic."""
    parts = symusic.Score.from_midi(midi).to("second").tracks
    return np.array(sorted((n.pitch, n.start, n.end) for part in parts for n in part.notes))


def assert_taken(kind: str, take: Callable[[], pretty_midi.PrettyMIDI], expected: bytes | None) -> None:
    """It is refused for its reason, or sounds as expected, to 2 ms."""
    if expected is None:
        with pytest.raises(RefusedSongError) as refused:
            take()
        assert refused.value.reason is REPORTED[kind].refused
    else:
        np.testing.assert_allclose(sounding(take()), sounding_in(expected), atol=2e-3)


@pytest.mark.parametrize("kind", REPORTED)
def test_python_takes_it_by_its_path_or_says_why_not(rearranging, midis, paths, kind):
    assert_taken(kind, lambda: rearranging.transfer(paths[kind], to="pop", any_metre=True), midis.get(kind))


@pytest.mark.parametrize("kind", OF_PRETTY_MIDI)
def test_python_takes_it_as_a_pretty_midi_too(rearranging, midis, kind):
    song, case = pretty_midi.PrettyMIDI(io.BytesIO(REPORTED[kind].data)), REPORTED[kind]
    assert_taken(kind, lambda: rearranging.transfer(song, to="pop", any_metre=True), midis.get(kind))
    if not (case.refused or case.refused_by_dataset):
        np.testing.assert_array_equal(read_dataset_song(song).phrases, cells_of(case.notes, case.starts))
