"""The evaluation of a finished run on the test split, printed and written to the run folder or elsewhere."""

import errno
import json
from pathlib import Path
from typing import Any

from cyclegan_jax.atomic_files import check_disk_space, write_whole
from cyclegan_jax.datasets.genre_rolls.install import has_fingerprint
from cyclegan_jax.datasets.pipeline.phrases import columns, load_phrases
from cyclegan_jax.errors import NotWrittenError, UserError
from cyclegan_jax.evaluation.evaluate import Classifiers, Side, evaluate
from cyclegan_jax.models.phrase_transfer import Transfer
from cyclegan_jax.training.checkpoint import Checkpoints
from launch.process.runner import warn
from launch.run.classifiers import get_classifiers
from launch.run.folder import RunFolder
from launch.run.samples import transfer_samples, write_samples

NOT_OURS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EEXIST, errno.ENOTDIR)
FIGURES = {  # by the keys of evaluation.json under a direction: their best values
    "phrases": "",
    "cell_f1": "",
    "onset_f1": "",
    "chroma_cosine": "1: the harmony of the origin",
    "melody_kept": "1: all of its top voice",
    "cycle_f1": "1: all is reconstructed",
    "cycle_f1_binary": "1: all is reconstructed from binary notes",
    "diversity": "1: as varied as the originals",
    "distinct": "as many as phrases",
    "nearest_train": "not near 0: no copies of training phrases",
    "blank_share": "0",
    "notes_ratio": "1: as many notes as the target genre's",
    "polyphony": "1: as many at once",
    "note_lengths": "0: lengths spread alike",
}


def load_transfer(folder: RunFolder) -> tuple[Transfer, int, int]:
    """The generators of the run's best checkpoint, its step, and the newest checkpoint's step.

    Raises UserError where there is none.
    """
    folder.config()
    with Checkpoints(folder.checkpoints, read_only=True, warn=warn) as checkpoints:
        step, latest = checkpoints.best(), checkpoints.latest()
        if step is None or latest is None:
            raise UserError(
                f"{str(folder.workdir)!r} has no checkpoint yet; run launch.train with this --workdir."
            )
        transfer = Transfer(checkpoints.config(step), checkpoints.generators(step))
        return transfer, step, latest


def place_of_evaluation(folder: RunFolder, out_dir: Path | None) -> RunFolder:
    """Where the evaluation of a run is written: `out_dir`, made if need be, or without one the run's folder.

    Raises UserError where nothing can be written there, or where `out_dir` is the folder of another run.
    """
    place = RunFolder(out_dir or folder.workdir)
    if out_dir and (out_dir / "config.json").exists() and not out_dir.samefile(folder.workdir):
        raise UserError(
            f"out_dir {str(out_dir)!r} is the folder of another run, whose evaluation would be replaced; "
            "name another one."
        )
    try:
        if out_dir:
            out_dir.mkdir(parents=True, exist_ok=True)
        for part in (place.workdir, place.evaluation_folder):
            if part.exists():
                check_disk_space(part, 0)
    except (NotWrittenError, PermissionError, FileExistsError, NotADirectoryError) as error:
        if error.errno not in NOT_OURS:
            raise
        raise UserError(
            f"out_dir {str(out_dir)!r} cannot be made or written ({error.strerror}); name another one."
            if out_dir
            else f"the run in {str(folder.workdir)!r} cannot be written to ({error.strerror}); name a folder "
            "for its evaluation with --out_dir."
        ) from error
    return place


def evaluate_run(
    folder: RunFolder,
    dataset_folder: Path,
    classifiers: Classifiers | None = None,
    place: RunFolder | None = None,
) -> str:
    """Evaluate the best checkpoint on `test`; write evaluation.json, evaluation.md and evaluation/.

    `classifiers`: those of the run's dataset and pair, if they are loaded already. `place`: the folder that
    is written to, the run's own without it. Returns the tables as Markdown. Raises UserError where the
    dataset is not the one of the run.
    """
    place = place or folder
    transfer, step, trained_steps = load_transfer(folder)
    pair, fingerprint = transfer.config.pair, transfer.config.fingerprint
    if not has_fingerprint(dataset_folder, fingerprint):
        raise UserError(
            f"the dataset in {str(dataset_folder)!r} does not have the fingerprint {fingerprint} of the run "
            f"in {str(folder.workdir)!r}; name the folder that has it with --data_dir, or make it again with "
            "launch.prepare."
        )
    classifiers = classifiers or get_classifiers(dataset_folder, fingerprint, pair)
    test = load_phrases(dataset_folder, "test", pair)
    sides = [Side(test[genre].rolls, columns(dataset_folder, "train", genre)[0]) for genre in pair]
    evaluation = {
        "pair": list(pair),
        "split": "test",
        "step": step,
        "trained_steps": trained_steps,
        **evaluate(transfer, classifiers, *sides),
    }
    write_samples(transfer_samples(transfer, test), place.evaluation_folder)
    table = to_markdown(evaluation)
    write_whole(place.workdir / "evaluation.md", table + "\n")
    write_whole(place.evaluation, json.dumps(evaluation, indent=2) + "\n")
    return table


def to_markdown(evaluation: dict[str, Any]) -> str:
    """The paper's table, a row for each direction and way of counting, and a table of the other figures."""
    accuracy = evaluation["judge_accuracy"]
    total, by_features = evaluation["total_strength"], evaluation["total_judge_strength"]
    return "\n".join(
        [
            f"Split {evaluation['split']}, checkpoint of step {evaluation['step']}. Accuracy on validation: "
            f"genre classifier {accuracy['network']:.3f}, feature classifier {accuracy['features']:.3f}.",
            "",
            *_strength_table(evaluation),
            "",
            f"Total strength: {total['share']:.3f} by share, {total['probability']:.3f} by probability. "
            f"By the feature classifier: {by_features['share']:.3f} and {by_features['probability']:.3f}.",
            "",
            *_figure_table(evaluation),
        ]
    )


def _strength_table(evaluation: dict[str, Any]) -> list[str]:
    lines = [
        "| direction | counted by | origin | transfer | cycle | strength | feature classifier |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for key, source, target in _directions(evaluation):
        direction = evaluation[key]
        for kind, row in direction["origin_genre"].items():
            cells = [f"{row[name]:.3f}" for name in ("origin", "transfer", "cycle")]
            cells += [f"{direction[name][kind]:.3f}" for name in ("strength", "judge_strength")]
            lines.append(f"| {source} → {target}, as {source} | {kind} | {' | '.join(cells)} |")
    return lines


def _figure_table(evaluation: dict[str, Any]) -> list[str]:
    directions = _directions(evaluation)
    titles = [f"{source} → {target}" for _, source, target in directions]
    lines = [f"| | {' | '.join(titles)} | what is best |", "| --- | ---: | ---: | --- |"]
    for name, best in FIGURES.items():
        values = [evaluation[key][name] for key, _, _ in directions]
        shown = [str(v) if isinstance(v, int) else f"{v:.3f}" for v in values]
        lines.append(f"| {name.replace('_', ' ')} | {' | '.join(shown)} | {best} |")
    return lines


def _directions(evaluation: dict[str, Any]) -> list[tuple[str, str, str]]:
    a, b = evaluation["pair"]
    return [("a_to_b", a, b), ("b_to_a", b, a)]
