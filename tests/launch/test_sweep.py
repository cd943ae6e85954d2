"""The sweep: runs side by side, taken up where they were stopped, and the paper's tables."""

import json
from pathlib import Path

import pytest
from support.forked_commands import forked
from support.running import SMALLEST, run_command

from cyclegan_jax.config import Config
from launch.run.folder import RunFolder
from launch.sweeps.runs import SweptRun
from launch.sweeps.tables import PAPERS_ACCURACY, PAPERS_BASE, PAPERS_BEST, to_markdown

FLAGS = ("--pair=jazz_pop", "--steps=4", "--log_every=1", "--eval_every=4", *SMALLEST)
# The first test here waits for the dataset, a run and the sweep.
pytestmark = pytest.mark.timeout(900)
ACCURACY = {0.0: 0.9, 0.01: 0.8, 0.5: 0.7}


@pytest.fixture(scope="module")
def swept(demo_dir, run_dir, tmp_path_factory) -> tuple[Path, str]:
    """A sweep of two runs in one program and one alone, and what was printed."""
    place = tmp_path_factory.mktemp("sweep")
    flags = (*FLAGS, f"--data_dir={demo_dir}", "--workdir=sweep", "--sigma_d=0,1", "--together=2")
    done = run_command("sweep", *flags, "--model=base", cwd=place, timeout=600)
    assert done.returncode == 0, done.stderr
    return place / "sweep", done.stdout


@pytest.mark.slow
def test_every_run_is_a_run_like_any_other(swept):
    folder, printed = swept
    assert {path.name for path in folder.iterdir()} == {".lock", "base_sigma_0", "base_sigma_1", "sweep.md"}
    for sigma in (0, 1):
        run = RunFolder(folder / f"base_sigma_{sigma}")
        config = run.config()
        assert (config.model, config.sigma_d, config.adversarial) == ("base", sigma, "least_squares")
        assert run.is_finished(config)
        rows = [json.loads(line) for line in (run.workdir / "metrics.jsonl").read_text().splitlines()]
        assert [row["step"] for row in rows if "epoch" in row] == [1, 2, 3, 4]
        assert (run.workdir / "evaluation" / "phrases.png").stat().st_size > 0
    text = (folder / "sweep.md").read_text()
    assert text.strip() in printed
    for heading in ("classifier's accuracy", "Losses after training", "Total strength", "best of each set"):
        assert heading in text


@pytest.mark.slow
def test_a_sweep_that_was_stopped_trains_what_is_missing_and_no_more(swept, demo_dir):
    folder, _ = swept
    untouched = (folder / "base_sigma_1" / "metrics.jsonl").stat().st_mtime_ns
    (folder / "base_sigma_0" / "evaluation.json").unlink()
    table = (folder / "sweep.md").read_text()
    flags = (*FLAGS, f"--data_dir={demo_dir}", "--workdir=sweep", "--sigma_d=0,1", "--model=base")
    done = run_command("sweep", *flags, cwd=folder.parent)
    assert done.returncode == 0, done.stderr
    assert (folder / "base_sigma_1" / "metrics.jsonl").stat().st_mtime_ns == untouched
    assert "8/8" in done.stderr
    assert (folder / "sweep.md").read_text() == table


@pytest.mark.slow
def test_a_run_that_diverged_is_told_at_the_end_with_exit_code_3(swept, demo_dir):
    folder, _ = swept
    planted = folder / "base_sigma_0" / "diverged.json"
    planted.write_text(json.dumps({"error": "loss/disc_a is nan at step 2"}))
    flags = (*FLAGS, f"--data_dir={demo_dir}", "--workdir=sweep", "--sigma_d=0,1", "--model=base")
    done = run_command("sweep", *flags, cwd=folder.parent)
    planted.unlink()
    assert done.returncode == 3 and "| diverged |" in done.stdout
    last = done.stderr.strip().splitlines()[-1]
    for words in ("1 of 2 runs", "sweep/base_sigma_0: loss/disc_a is nan at step 2", "delete the folder"):
        assert words in last


@pytest.mark.slow
def test_a_longer_sweep_is_not_offered_a_flag_that_there_is_not(swept, demo_dir):
    flags = (*FLAGS, f"--data_dir={demo_dir}", "--workdir=sweep", "--sigma_d=0,1", "--model=base")
    done = run_command("sweep", *flags, "--steps=8", cwd=swept[0].parent)
    assert done.returncode == 2 and "--extend" not in done.stderr
    assert "steps is 8" in done.stderr and "another --workdir" in done.stderr


def test_flags_that_name_no_run_are_refused(demo_dir, tmp_path):
    with forked("sweep") as call:
        for flag, words in (("--sigma_d=0,much", "'0,much'"), ("--model=base,huge", "'huge'")):
            done = call(*FLAGS, f"--data_dir={demo_dir}", flag, cwd=tmp_path)
            assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


SANITY = ("chroma_cosine", "cell_f1", "cycle_f1_binary", "diversity", "blank_share", "notes_ratio")
SANITY += ("polyphony",)


def planted(
    folder: Path, model: str, sigma: float, strength: float | None, validation: float = 0.5
) -> SweptRun:
    """A finished run of made-up figures, strength on `test`; one that diverged where there is none."""
    config = Config(
        pair=("classic", "jazz"),
        genres=(),
        fingerprint="",
        steps=20,
        constant_steps=10,
        model=model,
        sigma_d=sigma,
    )
    run = SweptRun(f"{model}_{sigma}", config, RunFolder(folder / f"{model}_{sigma}"))
    run.folder.workdir.mkdir()
    losses = ("generators", "discriminators", "adv_ab", "adv_ba", "cycle_a", "cycle_b")
    logged = [
        {"step": step, "epoch": 1} | {f"loss/{name}": step + place for place, name in enumerate(losses)}
        for step in range(1, 21)
    ]
    judged = [{"step": at, "validation/total_strength/share": s} for at, s in ((10, 0.9), (20, validation))]
    text = "".join(json.dumps(row) + "\n" for row in [*logged, *judged])
    (run.folder.workdir / "metrics.jsonl").write_text(text)
    if strength is None:
        error = {"error": "loss/cycle_a is nan at step 3"}
        (run.folder.workdir / "diverged.json").write_text(json.dumps(error))
        return run
    evaluation = {
        "step": 20,
        "trained_steps": 20,
        "total_strength": {"share": strength},
        "total_judge_strength": {"share": strength / 2},
        "a_to_b": {name: number / 10 for number, name in enumerate(SANITY)},
        "b_to_a": {name: 1 + number / 10 for number, name in enumerate(SANITY)},
    }
    (run.folder.workdir / "evaluation.json").write_text(json.dumps(evaluation))
    return run


def test_the_tables_have_our_figures_beside_the_papers(tmp_path):
    runs = [
        planted(tmp_path, "base", 0.0, 0.7, validation=0.2),
        planted(tmp_path, "base", 1.0, 0.6, validation=0.3),
        planted(tmp_path, "full", 0.0, 0.5),
        planted(tmp_path, "full", 1.0, None),
    ]
    text = to_markdown(runs, ACCURACY)
    for row in (
        "| 0 | 90.00 | 88.89 |",
        "| 0.01 | 80.00 | 88.53 |",
        "| base | 0 | 19.5000 | 20.5000 | 21.5000 | 22.5000 | 23.5000 | 24.5000 |",
        "| full | 1 | diverged |  |  |  |  |  |",
        "| 0 | 70.0 (35.0) | 50.0 (25.0) | 48.5 |",
        "| 1 | 60.0 (30.0) | diverged | 69.7 |",
        "| base | 1 | 60.0 (30.0) | 69.7 (σ_D 1) |",
        "| full | 0 | 50.0 (25.0) | 69.0 (σ_D 0.01) |",
        "| discriminators | σ_D | chroma | cell F1 | binary cycle F1 | diversity | blank | notes |"
        " polyphony |",
        "| base | 1 | 0.000 / 1.000 | 0.100 / 1.100 | 0.200 / 1.200 | 0.300 / 1.300 | 0.400 / 1.400 |"
        " 0.500 / 1.500 | 0.600 / 1.600 |",
    ):
        assert row in text, row
    sanity = text[text.index("## What is left of the song") :]
    assert "| full | 1 | diverged |  |  |  |  |  |  |" in sanity
    assert "share the generators' gradient" in text


def test_another_pair_has_no_figures_of_the_papers_and_one_set_of_discriminators_no_note(tmp_path):
    run = planted(tmp_path, "full", 0.0, 0.5)
    other = SweptRun(
        run.name, run.config.__class__(**{**vars(run.config), "pair": ("rock", "jazz")}), run.folder
    )
    text = to_markdown([other], ACCURACY)
    assert "48.5" not in text and "88.89" not in text
    assert "share the generators' gradient" not in text


@pytest.mark.parametrize(
    "pair, printed",
    [
        (("jazz", "classic"), "88.89 88.53 87.87 84.71 83.07 74.93"),
        (("classic", "pop"), "84.66 83.42 81.97 81.12 78.14 70.28"),
        (("jazz", "pop"), "67.07 66.18 63.78 62.40 61.72 59.96"),
    ],
)
def test_the_papers_accuracies_are_those_of_its_table(pair, printed):
    sigmas = (0, 0.01, 0.1, 0.2, 0.3, 0.5)
    assert PAPERS_ACCURACY[frozenset(pair)] == dict(zip(sigmas, map(float, printed.split()), strict=True))


def test_the_papers_strengths_are_those_of_its_tables():
    assert [*PAPERS_BASE.items()] == [(0, 48.5), (0.01, 61.5), (0.1, 58.4), (1, 69.7), (3, 52.8), (5, 20.5)]
    assert PAPERS_BEST == {"base": (69.7, 1), "partial": (71.6, 0), "full": (69.0, 0.01)}
