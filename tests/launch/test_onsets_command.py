"""A run with a channel of onsets, from the command that trains it to a song by its model file."""

import json

import pytest
from support.midi_files import write_midi_file
from support.running import SMALLEST, run_command

from cyclegan_jax.midi.midi_file import read_file
from cyclegan_jax.midi.played_notes import pair_notes
from cyclegan_jax.transfer.model_file import load

BEAT = 480


@pytest.mark.slow
def test_it_is_trained_evaluated_exported_and_keeps_notes_that_are_struck_again(demo_dir, tmp_path):
    flags = ["--pair=jazz_pop", f"--data_dir={demo_dir}", "--steps=2", "--log_every=2", *SMALLEST, "--onsets"]
    trained = run_command("train", *flags, "--workdir=run", cwd=tmp_path)
    assert trained.returncode == 0, trained.stderr
    assert json.loads((tmp_path / "run" / "config.json").read_text())["onsets"] is True
    evaluation = json.loads((tmp_path / "run" / "evaluation.json").read_text())
    assert 0 < evaluation["a_to_b"]["cycle_f1_binary"] <= 1 and evaluation["a_to_b"]["notes_ratio"] > 0
    done = run_command("export", "--workdir=run", "--out=a.model", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    model = load(tmp_path / "a.model")
    assert model.config.channels == 2 and model.generators["gen_ab"]["Conv_0"]["kernel"].shape[2] == 2
    notes = [(beat * BEAT, beat * BEAT + BEAT, 60) for beat in range(32)]
    write_midi_file(tmp_path / "song.mid", notes)
    done = run_command("transfer", "--model=a.model", "--to=pop", "--strength=0", "song.mid", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    played = pair_notes(read_file((tmp_path / "song_pop.mid").read_bytes()))
    assert sorted(zip(played.onsets, played.ends, played.pitches, strict=True)) == notes
