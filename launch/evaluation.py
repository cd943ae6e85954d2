"""The paper's table of a finished run, on the test split: on screen and in the run folder."""

import json
from pathlib import Path
from typing import Any

from cyclegan_jax import metrics
from cyclegan_jax.checkpoint import Checkpoints
from cyclegan_jax.datasets.genre_rolls.building import is_finished
from cyclegan_jax.datasets.genre_rolls.report import read_metadata
from cyclegan_jax.datasets.pipeline.phrases import load_phrases
from cyclegan_jax.errors import UserError
from cyclegan_jax.files import write_whole
from cyclegan_jax.transfer import Transfer
from launch.judging import get_judge
from launch.run_folder import RunFolder
from launch.samples import transfer_samples, write_samples


def load_transfer(folder: RunFolder) -> tuple[Transfer, int, int]:
    """The generators of the run's best checkpoint, its step, and the newest checkpoint's step.

    Raises UserError where there is none.
    """
    folder.config()
    with Checkpoints(folder.checkpoints, read_only=True) as checkpoints:
        step = checkpoints.best()
        if step is None:
            raise UserError(
                f"{str(folder.workdir)!r} has no checkpoint yet; run launch.train with this --workdir."
            )
        transfer = Transfer(checkpoints.config(step), checkpoints.generators(step))
        return transfer, step, checkpoints.latest()


def evaluate_run(folder: RunFolder, dataset_folder: Path) -> str:
    """Judge the best checkpoint on `test`; write evaluation.json, evaluation.md and evaluation/.

    Returns the table as Markdown. Raises UserError where the dataset is not the one of the run.
    """
    transfer, step, trained_steps = load_transfer(folder)
    pair, fingerprint = transfer.config.pair, transfer.config.fingerprint
    if not is_finished(dataset_folder) or read_metadata(dataset_folder)["fingerprint"] != fingerprint:
        raise UserError(
            f"the dataset in {str(dataset_folder)!r} is not the one of the run in {str(folder.workdir)!r}, "
            f"fingerprint {fingerprint}; make that again with launch.prepare."
        )
    judge = get_judge(dataset_folder, fingerprint, pair)
    test = load_phrases(dataset_folder, "test", pair)
    evaluation = {
        "pair": list(pair),
        "split": "test",
        "step": step,
        "trained_steps": trained_steps,
        "classifier_accuracy": judge.accuracy,
        **metrics.evaluate(transfer, judge, test[pair[0]].rolls, test[pair[1]].rolls),
    }
    write_samples(transfer_samples(transfer, test), folder.workdir / "evaluation")
    table = to_markdown(evaluation)
    write_whole(folder.workdir / "evaluation.json", json.dumps(evaluation, indent=2) + "\n")
    write_whole(folder.workdir / "evaluation.md", table + "\n")
    return table


def to_markdown(evaluation: dict[str, Any]) -> str:
    """The table: a row a direction and way of counting."""
    a, b = evaluation["pair"]
    lines = [
        f"Split {evaluation['split']}, checkpoint of step {evaluation['step']}, classifier accuracy on "
        f"validation {evaluation['classifier_accuracy']:.3f}.",
        "",
        "| direction | counted by | origin | transfer | cycle | strength |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for key, source, target in (("a_to_b", a, b), ("b_to_a", b, a)):
        direction = evaluation[key]
        for kind, row in direction["origin_genre"].items():
            cells = [*(f"{row[name]:.3f}" for name in ("origin", "transfer", "cycle"))]
            strength = f"{direction['strength'][kind]:.3f}"
            lines.append(f"| {source} → {target}, as {source} | {kind} | {' | '.join(cells)} | {strength} |")
    total = evaluation["total_strength"]
    lines += [
        "",
        f"Total strength: {total['share']:.3f} by share, {total['probability']:.3f} by probability. "
        f"Cycle F1: {evaluation['cycle_f1']:.3f}.",
        "",
        f"| | {a} → {b} | {b} → {a} |",
        "| --- | ---: | ---: |",
    ]
    for name in ("phrases", "cell_f1", "cycle_f1", "blank_share"):
        values = [evaluation[key][name] for key in ("a_to_b", "b_to_a")]
        shown = [str(v) if isinstance(v, int) else f"{v:.3f}" for v in values]
        lines.append(f"| {name.replace('_', ' ')} | {' | '.join(shown)} |")
    return "\n".join(lines)
