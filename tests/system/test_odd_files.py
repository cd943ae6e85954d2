"""Every bad, odd and heavy file through Python, the page and one command: told or transferred."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.bad_midi import BAD
from support.heavy_midi import HEAVY
from support.mended_midi import MENDED
from support.midi_bytes import CAP, GOOD, holding
from support.odd_midi import ODD
from support.running import ONE_DEVICE
from support.serving import serving

from cyclegan_jax.midi.refusals import Refusal, RefusedSongError
from launch.songs.web_app import Limits

MENDED_FILES = {kind: holding(data) for kind, (data, _, _) in MENDED.items()}
WRITERS = {**{kind: write for zoo in (BAD, ODD) for kind, (write, _) in zoo.items()}, **MENDED_FILES, **HEAVY}
OF_ANY_READER = {  # the other reasons are the dataset's own
    *(Refusal.UNREADABLE, Refusal.TOO_LARGE, Refusal.NOT_MIDI, Refusal.DAMAGED),
    *(Refusal.UNSUPPORTED, Refusal.TOO_MANY),
}
SECONDS = 2  # of the processor, that a file may take on average
MIB = 1500  # that the command may take, jax and networks included
# Runs a command and prints its processor seconds and peak KiB. It is a process of its own, for a child's peak
# begins at that of the process which starts it, and a worker of the tests may hold gigabytes.
WATCH = """
import json, resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss]))
sys.exit(code)
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def zoo(tmp_path_factory) -> dict[str, Path]:
    """Where each kind lies, alone in a folder."""
    folder, paths = tmp_path_factory.mktemp("zoo"), {}
    for number, (kind, write) in enumerate(WRITERS.items()):
        paths[kind] = folder / f"{number:03d}" / f"{number:03d}.mid"
        paths[kind].parent.mkdir()
        write(paths[kind])
    return paths


def refusal(kind: str) -> str | None:
    """What a kind must be refused with, if it must be."""
    reason = BAD[kind][1] if kind in BAD else None
    return str(reason) if reason in OF_ANY_READER else None


@pytest.mark.parametrize("kind", WRITERS)
def test_in_python_a_file_is_a_song_or_a_refusal(kind, zoo, model):
    try:
        model.transfer(zoo[kind], to="pop", any_metre=True)
    except RefusedSongError as refused:
        assert refusal(kind) in (None, str(refused.reason)) and "\n" not in str(refused)
    else:
        assert refusal(kind) is None


def test_none_of_them_harms_the_local_page(zoo, model):
    small = {k: path for k, path in zoo.items() if path.is_file() and path.stat().st_size <= CAP}
    with serving(model, Limits()) as request:
        for kind, path in small.items():
            found = request("POST", "/transfer?to=pop&any_metre=1", path.read_bytes())
            expected = (422,) if refusal(kind) else (200, 400, 422)
            assert found.status in expected and (refusal(kind) or "") in found.text, (kind, found.text)
            assert "Traceback" not in found.text
        assert request("POST", "/transfer?to=pop", GOOD).status == 200


def test_one_command_goes_through_them_all_in_bounded_memory(zoo, model_path, tmp_path):
    named = {kind: path for kind, path in zoo.items() if path.is_file()}
    words = ["--any_metre", "--to=pop", "--out_dir=out", *map(str, named.values())]
    command = [sys.executable, "-m", "launch.transfer", f"--model={model_path}", *words]
    alone = {**os.environ, "XLA_FLAGS": ONE_DEVICE}
    done = subprocess.run(
        [sys.executable, "-c", WATCH, *command], cwd=tmp_path, env=alone, capture_output=True, text=True
    )
    table, cost = done.stdout.removesuffix("\n").rsplit("\n", 1)
    (seconds, kib), said = json.loads(cost), done.stderr
    assert done.returncode == 1 and "Traceback" not in said
    assert kib / 1024 < MIB
    assert seconds / len(named) < SECONDS
    transferred = {path.name for path in (tmp_path / "out").rglob("*.mid")}
    told = {line.partition(" was not transferred: ")[0]: line for line in said.splitlines()}
    for kind, path in named.items():
        if f"{path.stem}_pop.mid" in transferred:
            assert refusal(kind) is None and str(path) in table, kind
        else:
            assert (refusal(kind) or "") in told[str(path)], kind
    assert len(transferred) > 20 and len(named) - len(transferred) > 40
