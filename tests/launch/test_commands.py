"""The commands as people call them: what they print and leave, their exit codes, their one-line errors."""

import json
import resource
import subprocess
import sys
from collections.abc import Iterator

import pytest
from support.forked_commands import Call, forked
from support.refusals import refused, snapshot
from support.running import RUN_FLAGS, run_command, several_devices

from cyclegan_jax.datasets.pipeline.phrases import load_phrases

MOST_SECONDS_OF_HELP = 2.0  # of a processor that imports jax in half a second; slower ones: four such imports
# What --help must speak of, beside the flags that all commands on data share.
DATA_FLAGS = ("dataset", "midi_dir", "manual_dir", "data_dir", "max_bars", "transpose")
DATA_FLAGS += ("metres", "require_signature", "partial_songs", "require_beat")
DATA_FLAGS += ("beam_runner", "beam_options")
TRAIN_FLAGS = (
    *(
        "pair",
        "discriminators",
        "model",
        "preset",
        "width",
        "blocks",
        "batch_size",
        "epochs",
        "steps",
        "constant_epochs",
    ),
    *("recipe", "lambda_cycle", "lambda_chroma", "weight_growth", "lambda_density", "gamma", "sigma_d"),
    *("identity_logits", "positions", "skips", "onsets", "fakes", "adversarial", "cycle", "ema_decay"),
    *("noise",),
    *("pool_size", "learning_rate", "beta1", "beta2", "dtype", "seed", "log_every", "eval_every"),
    *("save_every", "workdir"),
)
CONTROL_FLAGS = (
    *("model", "workdir", "strength", "threshold", "overlap", "keep_whole", "polyphony", "program"),
    *("split_hands", "keep", "clean", "keep_drums", "any_metre"),
)
FLAGS = {
    "prepare": DATA_FLAGS,
    "train": (
        *(*DATA_FLAGS, *TRAIN_FLAGS, "extend", "dry_run", "stop_on_collapse", "steps_per_dispatch"),
        *("coordinator", "num_processes", "process_id", "accumulate", "remat"),
    ),
    "sweep": (*DATA_FLAGS, *TRAIN_FLAGS, "together"),
    "classify": (*DATA_FLAGS, "pair", "epochs", "retrain"),
    "evaluate": ("workdir", "data_dir", "out_dir"),
    "export": ("workdir", "out", "overwrite"),
    "transfer": (*CONTROL_FLAGS, "to", "out_dir", "overwrite"),
    "listen": (*CONTROL_FLAGS, "to", "out", "overwrite"),
    "serve": ("model", "workdir", "port"),
    "benchmark": (
        *("preset", "recipe", "dtype", "measure", "rounds", "peer", "peak_tflops", "json"),
        *("accumulate", "remat"),
    ),
}


@pytest.fixture(scope="module")
def train_flags(demo_dir) -> list[str]:
    """The flags of `run_dir`, all but the workdir."""
    return [*[flag for flag in RUN_FLAGS if not flag.startswith("--workdir=")], f"--data_dir={demo_dir}"]


def processor_seconds_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.fixture(scope="module")
def seconds_of_an_import() -> float:
    """Processor seconds that an import of jax takes; the least of some, for the machine may be busy."""
    seconds = []
    for _ in range(3):
        start = processor_seconds_of_children()
        subprocess.run([sys.executable, "-c", "import jax"], check=True)
        seconds.append(processor_seconds_of_children() - start)
    return min(seconds)


@pytest.mark.parametrize("command", FLAGS)
def test_help_names_every_flag_at_once_and_ends_with_0(command, seconds_of_an_import, tmp_path):
    seconds, most = [], max(MOST_SECONDS_OF_HELP, 4 * seconds_of_an_import)
    while len(seconds) < 3 and not any(taken < most for taken in seconds):  # again on a busy machine
        start = processor_seconds_of_children()
        done = run_command(command, "--help", cwd=tmp_path)
        seconds.append(processor_seconds_of_children() - start)
    assert min(seconds) < most
    assert done.returncode == 0 and done.stderr == ""
    assert "Exit codes: 0 done; 1 some inputs failed" in done.stdout
    for flag in FLAGS[command]:
        assert f"--{flag}:" in done.stdout or f"--[no]{flag}:" in done.stdout, flag
    assert list(tmp_path.iterdir()) == []


def test_a_run_leaves_its_evaluation_its_samples_and_its_metrics(run_dir, demo_folder):
    evaluation = json.loads((run_dir / "evaluation.json").read_text())
    assert set(evaluation) == {
        *("pair", "split", "step", "trained_steps", "judge_accuracy", "a_to_b", "b_to_a", "score"),
        *("total_strength", "total_judge_strength", "cycle_f1", "cycle_f1_binary", "chroma_cosine"),
        *("melody_onsets_kept", "share_of_the_way", "diversity", "blank_share", "strength_curves"),
        "note_bounds",
    }
    assert set(evaluation["strength_curves"]) == set(evaluation["note_bounds"]) == {"jazz", "pop"}
    assert evaluation["pair"] == ["jazz", "pop"] and evaluation["split"] == "test"
    for direction in ("a_to_b", "b_to_a"):
        assert set(evaluation[direction]) == {
            *("phrases", "origin_genre", "strength", "judged_origin_genre", "judge_strength"),
            *("cell_f1", "onset_f1", "melody_onsets_kept", "realism", "share_of_the_way"),
            *("faults", "giveaways"),
            *("chroma_cosine", "melody_kept", "cycle", "cycle_f1", "cycle_f1_binary", "diversity"),
            *("distinct", "nearest_train", "blank_share", "notes_ratio", "polyphony", "note_lengths"),
        }
        for counted in ("share", "probability"):
            row = evaluation[direction]["origin_genre"][counted]
            assert set(row) == {"origin", "transfer", "cycle"}
            strength = (row["origin"] + row["cycle"]) / 2 - row["transfer"]
            assert evaluation[direction]["strength"][counted] == pytest.approx(strength)
        assert evaluation[direction]["judged_origin_genre"]["share"]["origin"] > 0.8
    assert evaluation["judge_accuracy"]["features"] > 0.8
    table = (run_dir / "evaluation.md").read_text()
    assert table.count("| jazz → pop, as jazz |") == table.count("| pop → jazz, as pop |") == 2
    assert f"Total strength: {evaluation['total_strength']['share']:.3f} by share" in table

    rows = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows if "loss/generators" in row] == [2, 4, 6]
    assert [row["step"] for row in rows if "validation/score" in row] == [3, 6]
    for folder in (run_dir / "evaluation", *(run_dir / "samples" / f"step_{n:06d}" for n in (3, 6))):
        assert (folder / "phrases.png").stat().st_size > 0
        assert len(list(folder.glob("*.mid"))) == 2 * 3 * 3
    held_out = {split: load_phrases(demo_folder, split, ("jazz", "pop")) for split in ("validation", "test")}
    for direction, genre in (("a_to_b", "jazz"), ("b_to_a", "pop")):
        assert evaluation[direction]["phrases"] == len(held_out["test"][genre])
        assert rows[-1][f"validation/{direction}/phrases"] == len(held_out["validation"][genre])
    saved = {int(path.name) for path in (run_dir / "checkpoints").iterdir()}
    assert saved == {3, 6}


def test_the_finished_run_is_left_as_it_is_and_another_config_is_refused(run_dir, train_flags):
    before = snapshot(run_dir)
    done = run_command("train", *train_flags, "--workdir=run", cwd=run_dir.parent)
    assert done.returncode == 0, done.stderr
    assert "is finished at step 6" in done.stdout
    assert done.stderr == ""
    other = run_command("train", *train_flags, "--workdir=run", "--gamma=0.5", cwd=run_dir.parent)
    refused(other, "gamma is 0.5", "has 1.0")
    longer = run_command("train", *train_flags, "--workdir=run", "--steps=8", cwd=run_dir.parent)
    refused(longer, "steps is 8", "has 6", "--extend")
    assert snapshot(run_dir) == before


def test_dry_run_prints_config_and_counts_and_makes_no_workdir(train_flags, tmp_path):
    done = run_command(
        "train", *train_flags, "--dry_run", "--workdir=run", "--discriminators=partial", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    text = done.stdout
    config = json.loads(text[text.index("{") : text.index("}") + 1])
    assert config["pair"] == config["genres"] == ["jazz", "pop"] and config["dtype"] == "float32"
    assert (config["width"], config["steps"], config["constant_steps"]) == (4, 6, 3)
    assert "jazz " in text[text.index("}") :] and "phrases of" in text and "steps an epoch" in text
    assert list(tmp_path.iterdir()) == []


TRAIN_ERRORS = {
    "unknown pair": (["--pair=jazz_polka"], ["'jazz_polka'", "classic, jazz, pop"]),
    "one genre twice": (["--pair=pop_pop"], ["'pop_pop'", "classic, jazz, pop"]),
    "missing folder": (["--dataset=midi", "--midi_dir=nowhere"], ["nowhere"]),
    "batch larger than the data": (["--batch_size=5000"], ["batch_size is 5000", "phrases"]),
    "not a number": (["--sigma_d=nan"], ["sigma_d is nan"]),
    "steps and epochs": (["--epochs=2"], ["steps is 6", "epochs is 2"]),
    "unknown flag": (["--colour=red"], ["colour"]),
    "not a choice": (["--discriminators=half"], ["discriminators", "base", "partial", "full"]),
    "not a choice by the older name": (["--model=half"], ["model", "base", "partial", "full"]),
    "both names": (["--discriminators=base", "--model=full"], ["'base'", "'full'", "leave --model out"]),
    "two sets": (["--discriminators=base,full"], ["discriminators is 'base,full'", "launch.sweep"]),
    "two values": (["--sigma_d=0,1"], ["sigma_d is '0.0,1.0'", "launch.sweep"]),
    "no number": (["--sigma_d=much"], ["sigma_d is 'much'"]),
    "parts": (["--accumulate=3", "--batch_size=4"], ["batch_size is 4", "1 × 3"]),
    "not a flag": (["jazz_pop"], ["'jazz_pop'", "--help"]),
    "no cadence": (["--log_every=0"], ["log_every is 0"]),
    "workdir below a file": (["--workdir=file/run"], ["file"]),
    "data_dir is a file": (["--data_dir=file"], ["file"]),
    "half a cluster": (["--num_processes=2"], ["--coordinator", "--process_id"]),
}


@pytest.fixture(scope="module")
def train() -> Iterator[Call]:
    with forked("train") as call:
        yield call


@pytest.mark.parametrize(("flags", "words"), TRAIN_ERRORS.values(), ids=TRAIN_ERRORS.keys())
def test_a_mistake_is_one_line_with_exit_code_2_and_no_run_folder(train, train_flags, tmp_path, flags, words):
    (tmp_path / "file").write_text("mine")
    done = train(*train_flags, "--workdir=run", *flags, cwd=tmp_path)
    refused(done, *words)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.slow
def test_a_run_that_collapses_under_stop_on_collapse_ends_with_exit_code_3(train_flags, tmp_path):
    """The paper's nets begin with probabilities of about one half: rolls full of noise."""
    flags = (*train_flags, "--recipe=paper", "--model=base", "--eval_every=2", "--workdir=run")
    done = run_command("train", *flags, "--stop_on_collapse", cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    assert "training has collapsed by step 2" in done.stderr.strip().splitlines()[-1]
    assert "Traceback" not in done.stderr and not (tmp_path / "run" / "evaluation.json").exists()


def test_a_batch_that_does_not_divide_names_both_numbers(train_flags, tmp_path):
    flags = (*train_flags, "--workdir=run", "--batch_size=6")
    done = run_command("train", *flags, cwd=tmp_path, XLA_FLAGS=several_devices(4))
    refused(done, "batch_size is 6", "devices, 4")
    assert list(tmp_path.iterdir()) == []


def test_a_pair_must_be_given(tmp_path):
    refused(run_command("train", cwd=tmp_path), "--pair")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_evaluate_repeats_the_evaluation_of_train_to_the_bit(run_dir):
    written = {name: (run_dir / name).read_bytes() for name in ("evaluation.json", "evaluation.md")}
    midi = {path.name: path.read_bytes() for path in (run_dir / "evaluation").glob("*.mid")}
    for name in written:
        (run_dir / name).unlink()
    done = run_command("evaluate", "--workdir=run", cwd=run_dir.parent)
    assert done.returncode == 0, done.stderr
    assert {name: (run_dir / name).read_bytes() for name in written} == written
    assert {path.name: path.read_bytes() for path in (run_dir / "evaluation").glob("*.mid")} == midi
    assert written["evaluation.md"].decode() in done.stdout


def test_evaluate_of_no_run_is_refused(tmp_path):
    refused(run_command("evaluate", "--workdir=run", cwd=tmp_path), "'run' holds no run", "--workdir")
    assert list(tmp_path.iterdir()) == []


def test_classify_prints_the_robustness_row_of_the_classifier_that_is_kept(run_dir, demo_dir):
    kept = snapshot(demo_dir / "classifiers")
    assert len(kept) == 1
    done = run_command("classify", "--pair=jazz_pop", f"--data_dir={demo_dir}", cwd=run_dir.parent)
    assert done.returncode == 0, done.stderr
    rows = {line.split("  ")[0]: line.split()[-6:] for line in done.stdout.splitlines()}
    assert rows["sigma_c"] == ["0.0", "0.01", "0.1", "0.2", "0.3", "0.5"]
    accuracies = [float(word) for word in rows["test accuracy"]]
    assert len(accuracies) == 6 and all(0 <= accuracy <= 1 for accuracy in accuracies)
    assert accuracies[0] > 0.8
    evaluation = json.loads((run_dir / "evaluation.json").read_text())
    assert f"accuracy on validation {evaluation['judge_accuracy']['network']:.4f}" in done.stdout
    assert snapshot(demo_dir / "classifiers") == kept


def test_what_is_chosen_for_the_machine_is_printed(demo_dir, train, tmp_path):
    done = train("--pair=jazz_pop", f"--data_dir={demo_dir}", "--steps=6", "--dry_run", cwd=tmp_path)
    assert "Preset 'tiny', for this machine computes on a CPU.\n" in done.stdout, done.stderr
