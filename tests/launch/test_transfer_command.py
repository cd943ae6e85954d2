"""launch.transfer and launch.export as people call them: files, folders, tables, refusals."""

import re
from collections.abc import Iterator
from pathlib import Path

import mido
import pretty_midi
import pytest
import symusic
from support.forked_commands import Call, forked
from support.midi_files import write_midi_file
from support.refusals import refused, snapshot
from support.running import run_command
from support.scores import compressed, music_xml
from support.sizes import slow_or_nightly

from cyclegan_jax.transfer.model_file import load

BEAT = 480


@pytest.fixture
def songs(tmp_path) -> dict[str, Path]:
    """Songs of 5 and of 2½ bars, at tempos of their own, the second with a change of tempo and no metre."""
    slow = [(beat * BEAT, (beat + 1) * BEAT, 60 + beat % 12) for beat in range(20)]
    fast = [(beat * BEAT, beat * BEAT + BEAT // 2, 70 - beat) for beat in range(10)]
    tempos = ((0, 150.0), (4 * BEAT, 75.0))
    return {
        "slow": write_midi_file(tmp_path / "songs/slow.mid", slow, tempos=((0, 72.0),)),
        "fast": write_midi_file(tmp_path / "songs/more/fast.MID", fast, tempos=tempos, signatures=()),
    }


def transfer(model: Path, cwd: Path, *words: object):
    return run_command("transfer", f"--model={model}", *words, cwd=cwd)


@pytest.mark.slow
def test_a_folder_becomes_a_folder_and_a_table_and_overwrites_only_if_told(model_path, songs, tmp_path):
    (tmp_path / "songs/score.mxl").write_bytes(compressed({"score.xml": music_xml([4] * 8)}))
    words = ("--to=pop", "songs", "--out_dir=new/out")
    done = transfer(model_path, tmp_path, *words)
    assert done.returncode == 0, done.stderr
    out = tmp_path / "new" / "out"
    written = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert written == {"slow_pop.mid", "score_pop.mid", "more/fast_pop.mid"}
    header, *rows = done.stdout.splitlines()
    assert re.split("  +", header) == [
        *("song", "kept", "gone", "new", "changed", "pop before", "after", "written to"),
    ]
    assert [row.split()[0] for row in rows] == ["songs/more/fast.MID", "songs/score.mxl", "songs/slow.mid"]
    assert all(re.search(r" \d+ +\d+ +\d+ +\d+ % +\d+ % +\d+ %  new/out/", row) for row in rows)
    assert "taken as 4/4 as MIDI says" in rows[0] and "4/4" not in rows[2]
    for name, tempos in (("slow", [72.0]), ("more/fast", [150.0, 75.0])):
        music = pretty_midi.PrettyMIDI(str(out / f"{name}_pop.mid"))
        assert music.get_tempo_changes()[1] == pytest.approx(tempos, rel=1e-4)

    (out / "slow_pop.mid").write_bytes(b"mine")
    before = snapshot(out)
    refused(transfer(model_path, tmp_path, *words), "fast_pop.mid", "exists", "--overwrite")
    assert snapshot(out) == before
    done = transfer(model_path, tmp_path, "--overwrite", *words)
    assert done.returncode == 0, done.stderr
    assert (out / "slow_pop.mid").read_bytes() != b"mine"


@pytest.mark.slow
def test_a_run_does_in_place_of_a_model_file(run_dir, model_path, songs, tmp_path):
    words = ("--to=jazz", songs["slow"])
    assert transfer(model_path, tmp_path, *words, "--out_dir=a").returncode == 0
    done = run_command("transfer", f"--workdir={run_dir}", *words, "--out_dir=b", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a/slow_jazz.mid").stat().st_size > 50
    assert (tmp_path / "b/slow_jazz.mid").read_bytes()[:4] == b"MThd"
    for flags in ((), (f"--model={model_path}", f"--workdir={run_dir}")):
        refused(run_command("transfer", *flags, *words, cwd=tmp_path), "--model", "--workdir")


def test_every_control_reaches_the_song(model_path, tmp_path):
    notes = [(beat * BEAT, beat * BEAT + BEAT, pitch) for beat in range(32) for pitch in (40, 52, 55, 59, 72)]
    path = write_midi_file(tmp_path / "a.mid", notes, drums=[(0, 9, 36)], signatures=((0, 3, 4),))
    controls = {
        "strength": 0.8,
        "threshold": 0.45,
        "overlap": 1,
        "keep_whole": 0.9,
        "polyphony": 3,
        "program": 4,
        "split_hands": True,
        "keep": "melody",
        "clean": False,
        "keep_drums": False,
        "any_metre": True,
    }
    flags = [f"--{name}={str(value).lower()}" for name, value in controls.items()]
    done = transfer(model_path, tmp_path, "--to=pop", "a.mid", *flags)
    assert done.returncode == 0, done.stderr
    music = load(model_path).transfer(path, to="pop", **controls)
    written = pretty_midi.PrettyMIDI(str(tmp_path / "a_pop.mid"))
    assert [part.name for part in written.instruments] == ["bass", "chords", "melody"]
    for found, wanted in zip(written.instruments, music.instruments, strict=True):
        assert found.program == 4 and str(found.notes) == str(wanted.notes)


def test_a_bad_file_among_good_ones_does_not_stop_them(model_path, songs, tmp_path):
    bad = tmp_path / "songs/bad.mid"
    bad.write_text("no music")
    (tmp_path / "songs/more/list.txt").touch()
    write_midi_file(tmp_path / "songs/waltz.mid", [(0, 9999, 60)], signatures=((0, 3, 4),))
    done = transfer(model_path, tmp_path, "--to=jazz", "--out_dir=out", "songs")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    told = [line for line in done.stderr.splitlines() if "was not transferred" in line]
    assert len(told) == 2
    assert "songs/bad.mid" in told[0] and "not a MIDI file" in told[0]
    assert "songs/waltz.mid" in told[1] and "3/4 throughout; --any_metre" in told[1]
    written = {path.name for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert written == {"slow_jazz.mid", "fast_jazz.mid"} and len(done.stdout.splitlines()) == 4
    counts = "not a MIDI file 1, metre other than 4/4 1"
    assert done.stderr.splitlines()[-1] == f"2 of 4 songs were not transferred: {counts}."
    assert done.stdout.splitlines()[-1].endswith("scores: 1 (.txt 1).")


@pytest.fixture(scope="module")
def refusing() -> Iterator[Call]:
    with forked("transfer") as call:
        yield call


def test_what_cannot_be_done_is_refused_before_anything_is_written(refusing, model_path, songs, tmp_path):
    def transfer(model: Path, cwd: Path, *words: object):
        return refusing(f"--model={model}", *words, cwd=cwd)

    slow = songs["slow"]
    refused(transfer(model_path, tmp_path, "--to=classic", "--out_dir=out", slow), "'classic'", "jazz, pop")
    refused(transfer(model_path, tmp_path, "--to=pop", "--out_dir=out"), "no MIDI file")
    missing = transfer(model_path, tmp_path, "--to=pop", "--out_dir=out", slow, "nowhere.mid")
    refused(missing, "'nowhere.mid' is not a file")
    refused(transfer(model_path, tmp_path, "--to=pop", "--out_dir=out", slow, "--overlap=4"), "overlap is 4")
    refused(transfer(slow, tmp_path, "--to=pop", "--out_dir=out", slow), "slow.mid", "no model file")
    assert not (tmp_path / "out").exists()
    (tmp_path / "file").write_text("mine")
    refused(transfer(model_path, tmp_path, "--to=pop", "--out_dir=file", slow), "file")


@pytest.mark.slow
def test_export_replaces_nothing_and_names_the_file_by_the_genres(run_dir, tmp_path):
    words = ("export", f"--workdir={run_dir}")
    done = run_command(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    before = snapshot(tmp_path)
    assert set(before) == {"jazz_pop.model"}
    refused(run_command(*words, cwd=tmp_path), "'jazz_pop.model' exists", "--overwrite")
    refused(run_command("export", "--workdir=none", cwd=tmp_path), "'none' holds no run")
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("songs", slow_or_nightly(50, 200))
def test_songs_of_the_corpus_open_everywhere(model_path, corpus, tmp_path, songs):
    paths = sorted(corpus.rglob("*.mid"))
    paths = paths[:: len(paths) // songs]
    assert len(paths) >= songs
    done = run_command(
        "transfer", f"--model={model_path}", "--to=pop", "--any_metre", "--out_dir=out", *paths, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    written = sorted((tmp_path / "out").iterdir())
    assert len(written) == len(paths)
    for path in written:
        counts = {
            len(symusic.Score(str(path)).tracks) > 0,
            len(pretty_midi.PrettyMIDI(str(path)).instruments) > 0,
            any(message.type == "note_on" for track in mido.MidiFile(path).tracks for message in track),
        }
        assert counts == {True}, path
