"""A full or read-only disk: one sentence with the path and the need, and what was there is still there."""

import errno
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest
from support.checkpoints import CONFIG, random_state
from support.running import ONE_DEVICE, last_line, run_command, train_flags
from support.training_loop import METRICS

from cyclegan_jax.atomic_files import write_whole
from cyclegan_jax.errors import NotWrittenError
from cyclegan_jax.rendering.png import draw_phrases, save_png
from cyclegan_jax.training.checkpoint import Checkpoints
from cyclegan_jax.transfer import model_file
from launch.run.event_file import EventFile
from launch.run.folder import RunFolder
from launch.run.jsonl import JsonLines
from launch.run.log import RunLog


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """Files of this process may grow to so many bytes only."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def listing(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def write_text(folder: Path) -> None:
    write_whole(folder / "song_pop.mid", b"x" * 100_000)


def write_model(folder: Path, model_path: Path) -> None:
    model_file.save(model_file.load(model_path), folder / "a.model")


def write_picture(folder: Path) -> None:
    rolls = np.random.default_rng(0).random((3, 64, 84, 1)) < 0.1
    save_png(draw_phrases({"origin": rolls}, ["a", "b", "c"]), folder / "phrases.png")


def write_checkpoint(folder: Path) -> None:
    with Checkpoints(folder / "checkpoints") as checkpoints:
        checkpoints.save(int(CONFIG.steps), random_state(2), CONFIG)


@pytest.mark.parametrize("write, name", [(write_text, "song_pop.mid"), (write_picture, "phrases.png")])
def test_a_file_that_finds_no_room_leaves_the_one_before(tmp_path, write, name):
    (tmp_path / name).write_bytes(b"before")
    with room_for(5000), pytest.raises(NotWrittenError) as error:
        write(tmp_path)
    assert listing(tmp_path) == {name: b"before"}
    assert error.value.errno == errno.EFBIG and error.value.need > 5000
    assert str(error.value).startswith(
        f"{tmp_path / name} could not be written: File too large; {error.value.need:,} bytes are needed in "
        f"{tmp_path}; make room"
    )


def test_a_model_that_finds_no_room_leaves_the_one_before(tmp_path, model_path):
    write_model(tmp_path, model_path)
    before = listing(tmp_path)
    with (
        room_for(5000),
        pytest.raises(NotWrittenError, match=r"a\.model could not be written: File too large"),
    ):
        write_model(tmp_path, model_path)
    assert listing(tmp_path) == before


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # orbax's, amid its writes
@pytest.mark.parametrize("amid", [False, True], ids=["before it is begun", "amid its arrays"])
def test_a_checkpoint_that_finds_no_room_leaves_those_before(tmp_path, amid, monkeypatch):
    folder, size = tmp_path / "checkpoints", 60_000
    if amid:
        monkeypatch.setattr("cyclegan_jax.training.checkpoint.check_disk_space", lambda folder, need: None)
    with Checkpoints(folder) as checkpoints:
        checkpoints.save(1, random_state(1), CONFIG)
        before = listing(folder)
        with (
            room_for(size),
            pytest.raises(NotWrittenError, match="could not be written: File too large") as error,
        ):
            checkpoints.save(2, random_state(2), CONFIG)
        assert error.value.filename == str(folder / "2") and error.value.need > 200_000
        assert listing(folder) == before and checkpoints.steps() == [1]
        checkpoints.save(2, random_state(2), CONFIG)
    with Checkpoints(folder, read_only=True) as checkpoints:
        assert checkpoints.steps() == [1, 2]


def test_lines_that_find_no_room_are_not_there_in_part(tmp_path):
    path = tmp_path / "metrics.jsonl"
    lines = JsonLines(path, lambda row: True)
    lines.write({"step": 1})
    with (
        room_for(20),
        pytest.raises(NotWrittenError, match=r"metrics\.jsonl could not be written: File too l"),
    ):
        lines.write({"step": 2, "loss": 0.123456})
    assert path.read_text() == '{"step": 1}\n'
    lines.write({"step": 3})
    lines.close()
    assert path.read_text() == '{"step": 1}\n{"step": 3}\n'


def test_a_device_that_is_always_full_is_told(tmp_path):
    lines = JsonLines(tmp_path / "metrics.jsonl", lambda row: True)
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, lines._file.fileno())
    os.close(full)
    with pytest.raises(NotWrittenError, match="No space left on device"):
        lines.write({"step": 1})
    lines.close()


def test_a_log_that_finds_no_room_closes_without_another_error(tmp_path):
    log = RunLog(RunFolder(tmp_path), 0, 10, name="without a bar")  # which pytest would capture in a file
    with ExitStack() as full, pytest.raises(NotWrittenError, match=r"metrics\.jsonl"), log:
        full.enter_context(room_for(0))
        log.log_metrics(1, 1, METRICS, batch_size=4)


@pytest.mark.parametrize("size", range(9_000, 18_000, 1_000))
def test_curves_that_find_no_room_are_told_at_once(tmp_path, size):
    events = EventFile(tmp_path, 0)
    with room_for(size), pytest.raises(NotWrittenError, match=r"tfevents.* could not be written: File too"):
        for step in range(1000):
            events.scalars(step, METRICS)
    events.close()


# Everything imported first, for `nobody` may not read the checkout; then each writer in turn.
AS_NOBODY = """
import json, os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from system import test_disk_full as writers
folder, model = Path(sys.argv[2]), writers.model_file.load(sys.argv[3])
writers.model_file.load = lambda path: model
state = writers.random_state(2)
writers.random_state = lambda seed: state
writers.write_picture(Path(sys.argv[4]))
os.setgroups([]); os.setgid(65534); os.setuid(65534)
said = {}
for name, write in {
    "song_pop.mid": writers.write_text,
    "a.model": lambda folder: writers.write_model(folder, None),
    "phrases.png": writers.write_picture,
    "checkpoints": writers.write_checkpoint,
}.items():
    try:
        write(folder)
    except writers.NotWrittenError as error:
        said[name] = str(error)
print(json.dumps(said))
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root may become nobody")
def test_a_read_only_folder_is_told_and_nothing_in_it_changes(tmp_path, model_path):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        for file in ("song_pop.mid", "a.model", "phrases.png"):
            (folder / file).write_bytes(b"before")
        before = listing(folder)
        words = [sys.executable, "-c", AS_NOBODY, Path(__file__).parents[1], folder, model_path, tmp_path]
        done = subprocess.run(list(map(str, words)), capture_output=True, text=True, timeout=500, cwd="/")
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout.splitlines()[-1])
        assert set(said) == {"song_pop.mid", "a.model", "phrases.png", "checkpoints"}
        for file, sentence in said.items():
            assert sentence.startswith(f"{folder / file}") and "Permission denied" in sentence
        assert listing(folder) == before


FULL_FROM = """
import resource, runpy, sys
from cyclegan_jax.training.checkpoint import Checkpoints
save, steps = Checkpoints.save, []
def until(checkpoints, step, state, config):
    steps.append(step)
    if len(steps) > 1:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
    save(checkpoints, step, state, config)
Checkpoints.save = until
runpy.run_module("launch.train", run_name="__main__", alter_sys=True)
"""


@pytest.mark.slow
def test_training_on_a_disk_that_fills_up_is_one_line_and_goes_on_when_there_is_room(
    run_dir, demo_dir, tmp_path
):
    flags = train_flags(demo_dir, 6, "--log_every=2", "--save_every=2", "--eval_every=6")
    words = [sys.executable, "-c", FULL_FROM, *flags]
    environment = {**os.environ, "XLA_FLAGS": ONE_DEVICE}
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=500)
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    place = (tmp_path / "run" / "checkpoints").resolve()
    assert last_line(done.stderr).startswith(f"{place / '4'} could not be written: File too large;")
    with Checkpoints(place, read_only=True) as checkpoints:
        assert checkpoints.steps() == [2]
    done = run_command("train", *flags, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    ours, theirs = ((w / "metrics.jsonl").read_text().splitlines() for w in (tmp_path / "run", run_dir))
    assert [line for line in ours if "epoch" in line] == [line for line in theirs if "epoch" in line]


@pytest.mark.slow
def test_a_song_that_finds_no_room_is_told_in_the_table_and_the_old_file_stays(
    model_path, demo_dir, tmp_path
):
    song = next(run_songs(model_path))
    (tmp_path / "out").mkdir()
    old = tmp_path / "out" / f"{song.stem}_pop.mid"
    old.write_bytes(b"before")
    code = (
        "import resource, runpy, sys\n"
        "from launch import transfer\n"
        "write = transfer.write_whole\n"
        "def full(*what):\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
        "    write(*what)\n"
        "transfer.write_whole = full\n"
        "transfer.run(transfer.main)\n"
    )
    flags = [f"--model={model_path}", "--to=pop", "--out_dir=out", "--overwrite", str(song)]
    done = subprocess.run(
        [sys.executable, "-c", code, *flags], cwd=tmp_path, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert "could not be written: File too large" in last_line(done.stderr)
    assert listing(tmp_path / "out") == {old.name: b"before"}


def run_songs(model_path: Path) -> Iterator[Path]:
    """MIDI files that the run of the model has left."""
    return model_path.parent.glob("run/evaluation/*_origin.mid")
