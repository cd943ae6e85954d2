"""Commands on terminals that lack some characters, and on machines that lack the device asked for."""

import io
import sys

import pytest
from support.midi_files import write_midi_file
from support.refusals import refused
from support.running import run_command

from launch.process import runner

LATIN_1, ASCII = {"PYTHONIOENCODING": "latin-1"}, {"PYTHONIOENCODING": "ascii"}
C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
TERMINALS = pytest.mark.parametrize("terminal", [LATIN_1, ASCII, C_LOCALE], ids=["latin-1", "ascii", "C"])
NAME, ESCAPED = "桜→夏", r"\u685c\u2192\u590f"


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_what_the_encoding_lacks_is_printed_as_a_backslash_escape(name, monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, name, io.TextIOWrapper(written, encoding="latin-1"))
    runner._print_in_any_encoding()
    print("é", NAME, "\udcff", file=getattr(sys, name), flush=True)
    assert written.getvalue() == b"\xe9 " + ESCAPED.encode() + rb" \udcff" + b"\n"


def test_a_stream_that_has_no_encoding_is_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setattr(sys, "stderr", None)
    runner._print_in_any_encoding()
    print(NAME)
    assert sys.stdout.getvalue() == f"{NAME}\n"


@TERMINALS
def test_a_dataset_of_japanese_names_is_prepared(terminal, tmp_path):
    for number in range(4):
        signature = (0, 4 - (number == 3), 4)
        notes = [(0, 7680, 60 + number)]
        write_midi_file(tmp_path / "midi" / NAME / f"{NAME}{number}.mid", notes, signatures=(signature,))
    done = run_command("prepare", "--midi_dir=midi", cwd=tmp_path, **terminal)
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    assert f"refused  {ESCAPED}/{ESCAPED}3.mid: metre other" in done.stdout
    assert done.stdout.splitlines()[1].split() == ["genre", ESCAPED, "all"]


@pytest.mark.slow
@TERMINALS
def test_songs_are_transferred_and_shown(terminal, model_path, tmp_path):
    for number in (1, 2):
        write_midi_file(tmp_path / f"{NAME}{number}.mid", [(0, 7680, 60)])
    for command, told in (("transfer", f"{ESCAPED}1_pop.mid"), ("listen", f"Wrote {ESCAPED}.html")):
        flags = [f"--out={NAME}.html"] if command == "listen" else []
        words = (f"--model={model_path}", "--to=pop", *flags, f"{NAME}1.mid", f"{NAME}2.mid")
        done = run_command(command, *words, cwd=tmp_path, **terminal)
        assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
        assert told in done.stdout and "100%" in done.stderr
    assert (tmp_path / f"{NAME}2_pop.mid").exists() and (tmp_path / f"{NAME}.html").exists()


@pytest.mark.slow
def test_the_table_of_an_evaluation_is_printed(run_dir, tmp_path):
    done = run_command("evaluate", f"--workdir={run_dir}", "--out_dir=out", cwd=tmp_path, **ASCII)
    assert done.returncode == 0, done.stderr
    assert r"| jazz \u2192 pop, as jazz | share |" in done.stdout
    assert "| jazz → pop, as jazz | share |" in (tmp_path / "out/evaluation.md").read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    "command", ["train", "sweep", "evaluate", "classify", "transfer", "serve", "benchmark"]
)
def test_a_device_that_is_not_there_is_one_line(command, run_dir, demo_dir, model_path, tmp_path):
    data, run, model = f"--data_dir={demo_dir}", f"--workdir={run_dir}", f"--model={model_path}"
    song = write_midi_file(tmp_path / "a.mid", [(0, 7680, 60)])
    flags = {
        "train": ("--pair=jazz_pop", data, "--preset=tiny"),
        "sweep": ("--pair=jazz_pop", data, "--preset=tiny"),
        "evaluate": (run, "--out_dir=out"),
        "classify": ("--pair=jazz_pop", data),
        "transfer": (model, "--to=pop", song),
        "serve": (model, "--port=0"),
        "benchmark": (),
    }
    done = run_command(command, *flags[command], cwd=tmp_path, JAX_PLATFORMS="cuda")
    refused(
        done, "JAX_PLATFORMS is 'cuda', but JAX finds no such device", "set it to cpu", "cyclegan_jax[cuda13]"
    )


def test_what_is_no_device_at_all_is_told_with_jaxs_reason(tmp_path):
    done = run_command("benchmark", cwd=tmp_path, JAX_PLATFORMS="gramophone")
    refused(done, "JAX_PLATFORMS is 'gramophone'", "Unable to initialize backend 'gramophone'")


@pytest.mark.parametrize("error", [AssertionError("ours"), RuntimeError("ours")])
def test_where_the_device_is_there_an_error_keeps_its_traceback(error):
    def main(arguments: list[str]) -> None:
        raise error

    with pytest.raises(type(error), match="ours"):
        runner._call(main, [])
