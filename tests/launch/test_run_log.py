"""The log of a run: lines of JSON, no clock among the metrics, and a clean cut where a run is taken up."""

import json
from pathlib import Path

import pytest
from support.training_loop import METRICS

from launch.run.folder import RunFolder
from launch.run.log import SHOWN, SUMMARY, RunLog

FIGURES = {f"validation/{key}": 0.25 + number for number, key in enumerate(SUMMARY.values())}
FILES = ("metrics.jsonl", "timing.jsonl")


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def write_log(workdir: Path, steps: range, start: int = 0) -> None:
    with RunLog(RunFolder(workdir), start, 10) as log:
        for step in steps:
            log.advance()
            log.log_metrics(step, 1, METRICS, batch_size=4)
        log.evaluation(steps[-1], FIGURES, [])


@pytest.fixture(autouse=True)
def no_tensorboard(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)


def test_metrics_are_a_line_with_no_clock_and_one_of_timing(tmp_path):
    write_log(tmp_path, range(2, 3))
    metrics, evaluation = lines(tmp_path / "metrics.jsonl")
    assert metrics == {"step": 2, "epoch": 1, **METRICS}
    assert evaluation == {"step": 2, **FIGURES}
    (timing,) = lines(tmp_path / "timing.jsonl")
    assert set(timing) == {"step", "phrases_per_second", "time"}
    assert timing["step"] == 2 and timing["phrases_per_second"] > 0


def test_phrases_a_second_count_from_the_line_before(tmp_path, monkeypatch):
    clock = iter([100.0, 102.0, 106.0])
    monkeypatch.setattr("launch.run.log.time.monotonic", lambda: next(clock))
    with RunLog(RunFolder(tmp_path), 0, 10) as log:
        log.log_metrics(5, 1, METRICS, batch_size=4)
        log.log_metrics(7, 1, METRICS, batch_size=4)
    assert [line["phrases_per_second"] for line in lines(tmp_path / "timing.jsonl")] == [10.0, 2.0]


def test_time_spent_on_other_things_is_left_out_of_the_speed(tmp_path, monkeypatch):
    clock = iter([100.0, 102.0, 150.0, 152.0])
    monkeypatch.setattr("launch.run.log.time.monotonic", lambda: next(clock))
    with RunLog(RunFolder(tmp_path), 0, 10) as log:
        log.log_metrics(5, 1, METRICS, batch_size=4)
        log.restart_clock(6)
        log.log_metrics(8, 1, METRICS, batch_size=4)
    assert [line["phrases_per_second"] for line in lines(tmp_path / "timing.jsonl")] == [10.0, 4.0]


def test_every_line_is_on_disk_at_once(tmp_path):
    with RunLog(RunFolder(tmp_path), 0, 10) as log:
        log.log_metrics(1, 1, METRICS, batch_size=4)
        assert [line["step"] for line in lines(tmp_path / "metrics.jsonl")] == [1]


@pytest.mark.parametrize("name", FILES)
def test_lines_past_the_start_are_cut_and_those_before_stay_to_the_byte(tmp_path, name):
    write_log(tmp_path, range(1, 8))
    before = (tmp_path / name).read_text().splitlines(keepends=True)
    with RunLog(RunFolder(tmp_path), 5, 10):
        pass
    assert (tmp_path / name).read_text() == "".join(before[:5])
    write_log(tmp_path, range(6, 8), start=5)
    assert [line["step"] for line in lines(tmp_path / name)][:7] == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("name", FILES)
def test_a_last_line_cut_short_by_a_crash_is_dropped(tmp_path, name):
    write_log(tmp_path, range(1, 4))
    whole = (tmp_path / name).read_text().splitlines(keepends=True)
    (tmp_path / name).write_text("".join(whole[:3]) + whole[0].rstrip("\n")[:-5])
    with RunLog(RunFolder(tmp_path), 3, 10):
        pass
    assert (tmp_path / name).read_text() == "".join(whole[:3])


def test_a_whole_line_without_its_end_is_dropped_too_lest_the_next_run_into_it(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\n{"step": 2}')
    with RunLog(RunFolder(tmp_path), 3, 10):
        pass
    assert (tmp_path / "metrics.jsonl").read_text() == '{"step": 1}\n'


def test_a_damaged_line_amid_the_others_is_left_out_and_told(tmp_path, capfd):
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"step": 1}\n{"st\xff\n\n[2]\n{"step": 3}\n{"epoch": 1}\n')
    with RunLog(RunFolder(tmp_path), 4, 10):
        pass
    assert path.read_text() == '{"step": 1}\n{"step": 3}\n'
    assert f"warning: {path} had damaged lines, which are left out: 3" in capfd.readouterr().err


def test_a_run_begun_anew_begins_its_log_anew(tmp_path):
    write_log(tmp_path, range(1, 4))
    with RunLog(RunFolder(tmp_path), 0, 10):
        pass
    assert [(tmp_path / name).read_text() for name in FILES] == ["", ""]


def test_a_silent_log_writes_and_says_nothing(tmp_path, capfd):
    with RunLog(RunFolder(tmp_path), 0, 10, silent=True) as log:
        log.advance()
        log.log_metrics(1, 1, METRICS, batch_size=4)
        log.evaluation(1, FIGURES, [])
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_one_of_several_runs_has_no_bar_and_begins_its_lines_with_its_name(tmp_path, capfd):
    with RunLog(RunFolder(tmp_path), 0, 10, name="full_sigma_1") as log:
        log.advance()
        log.log_metrics(3, 1, METRICS, batch_size=4)
        log.evaluation(3, FIGURES, [])
        log.warn(3, ["blank_share of b_to_a is 1.000"])
    said = "".join(capfd.readouterr()).splitlines()
    assert [line.split(":")[0] for line in said] == ["full_sigma_1, step 3", "warning"]
    assert said[1].startswith("warning: full_sigma_1, step 3: blank_share of b_to_a")
    assert [line["step"] for line in lines(tmp_path / "metrics.jsonl")] == [3, 3]


def test_the_bar_shows_epoch_step_speed_and_losses(tmp_path, capfd):
    write_log(tmp_path, range(1, 4))
    said = "".join(capfd.readouterr())
    for word in ("epoch 1", "3/10", "phrases/s", *(f"{name}=0.500" for name in SHOWN)):
        assert word in said
    assert (
        "step 3: strength 0.250, feature classifier 1.250, chroma 2.250, cycle F1 3.250, diversity 4.250"
        in said
    )


def test_signs_of_collapse_are_told_by_step_and_figure(tmp_path, capfd):
    with RunLog(RunFolder(tmp_path), 0, 10) as log:
        log.warn(
            4, ["diversity of a_to_b is 0.100, but should be at least 0.5", "blank_share of b_to_a is 1.000"]
        )
    said = "".join(capfd.readouterr())
    assert (
        "warning: step 4: diversity of a_to_b is 0.100, but should be at least 0.5; training may have" in said
    )
    assert "warning: step 4: blank_share of b_to_a is 1.000; training may have collapsed" in said
