"""The evaluation of a finished run on the test split, printed and written to the run folder or elsewhere."""

import dataclasses
import errno
import json
from pathlib import Path
from typing import Any

from cyclegan_jax.atomic_files import check_disk_space, write_whole
from cyclegan_jax.datasets.genre_rolls.install import has_fingerprint
from cyclegan_jax.datasets.pipeline.phrases import Phrases, columns, load_phrases
from cyclegan_jax.errors import NotWrittenError, UserError
from cyclegan_jax.evaluation.evaluate import Classifiers, Side, evaluate
from cyclegan_jax.evaluation.feature_names import in_words
from cyclegan_jax.evaluation.subsample import PhraseRows
from cyclegan_jax.models.phrase_transfer import Transfer
from cyclegan_jax.pianoroll.features import sounding
from cyclegan_jax.training.checkpoint import Checkpoints
from cyclegan_jax.transfer.cleaning import bounds_of
from cyclegan_jax.transfer.strength import strength_curve
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
    "melody_onsets_kept": "1: each note of its melody begins where it did",
    "cycle_f1": "1: all is reconstructed",
    "cycle_f1_binary": "1: all is reconstructed from binary notes",
    "diversity": "1: as varied as the originals",
    "distinct": "as many as phrases",
    "nearest_train": "not near 0: no copies of training phrases",
    "blank_share": "0",
    "notes_ratio": "1: as many notes as the target genre's",
    "polyphony": "1: as many at once",
    "note_lengths": "0: lengths spread alike",
    "share_of_the_way": "1: as near the target genre as its own songs",
}
REALISM = {  # whose realism it is -> what is best
    "transfer": "1: cannot be told from real music of the target genre",
    "origin": "for comparison: of the originals",
    "target": "for comparison: of real music of the target genre",
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


def side_of(held_out: Phrases, train: PhraseRows) -> Side:
    """A genre's phrases as `evaluate` takes them."""
    return Side(held_out.rolls, train, held_out.song_numbers, held_out.melody)


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
    test = load_phrases(dataset_folder, "test", pair, 2)
    sides = [side_of(test[genre], columns(dataset_folder, "train", genre)[0]) for genre in pair]
    evaluation = {
        "pair": list(pair),
        "split": "test",
        "step": step,
        "trained_steps": trained_steps,
        **evaluate(transfer, classifiers, *sides, baselines=True),
        **calibration(transfer, dataset_folder),
    }
    write_samples(transfer_samples(transfer, test), place.evaluation_folder)
    table = to_markdown(evaluation)
    write_whole(place.workdir / "evaluation.md", table + "\n")
    write_whole(place.evaluation, json.dumps(evaluation, indent=2) + "\n")
    return table


def calibration(transfer: Transfer, dataset_folder: Path) -> dict[str, dict[str, Any]]:
    """By genre, of transfers into it, from `validation`: what the controls `strength` and `clean` go by."""
    a, b = transfer.config.pair
    held_out = load_phrases(dataset_folder, "validation", (a, b), 2)
    origins = {b: held_out[a].rolls, a: held_out[b].rolls}
    return {
        "strength_curves": {
            to: strength_curve(sounding(origin), sounding(transfer.generate(origin, to=to)))
            for to, origin in origins.items()
        },
        "note_bounds": {genre: dataclasses.asdict(bounds_of(held_out[genre].rolls)) for genre in (a, b)},
    }


def to_markdown(evaluation: dict[str, Any]) -> str:
    """The paper's table, a row for each direction and way of counting, and tables of the other figures."""
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
            "",
            *_fault_table(evaluation),
            *_giveaway_tables(evaluation),
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
        values = [evaluation[key].get(name) for key, _, _ in directions]
        lines.append(f"| {_title(name)} | {' | '.join(map(_shown, values))} | {best} |")
    for version, best in REALISM.items():
        values = [evaluation[key]["realism"].get(version) for key, _, _ in directions]
        lines.append(f"| realism, {version} | {' | '.join(map(_shown, values))} | {best} |")
    return lines


def _title(name: str) -> str:
    return name.replace("_", " ")


def _shown(value: float | None) -> str:
    if value is None:
        return "too few phrases"
    return str(value) if isinstance(value, int) else f"{value:.3f}"


def _fault_table(evaluation: dict[str, Any]) -> list[str]:
    """A row for each fault, with its rate in transfers beside those of both genres' real phrases."""
    directions = _directions(evaluation)
    titles = [f"{source} → {target} | {source} | {target}" for _, source, target in directions]
    lines = [f"| faults | {' | '.join(titles)} |", f"| --- |{' ---: |' * 3 * len(directions)}"]
    for name in evaluation["a_to_b"]["faults"]:
        rates = [evaluation[key]["faults"][name] for key, _, _ in directions]
        cells = [f"{rate[version]:.3f}" for rate in rates for version in ("transfer", "origin", "target")]
        lines.append(f"| {_title(name)} | {' | '.join(cells)} |")
    return lines


def _giveaway_tables(evaluation: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    for key, source, target in _directions(evaluation):
        rows = evaluation[key]["giveaways"]
        if rows:
            lines += ["", f"| what gives {source} → {target} away | transfer | {source} | {target} |"]
            lines.append("| --- | ---: | ---: | ---: |")
        for row in rows:
            cells = [in_words(row["feature"], row[version]) for version in ("transfer", "origin", "target")]
            lines.append(f"| {row['feature']} | {' | '.join(cells)} |")
    return lines


def most_telling(evaluation: dict[str, Any]) -> list[str]:
    """A sentence a direction: what gives its transfers away most."""
    sentences = []
    for key, source, target in _directions(evaluation):
        for row in evaluation[key]["giveaways"][:1]:
            made, real = (in_words(row["feature"], row[version]) for version in ("transfer", "target"))
            sentences.append(
                f"What gives {source} → {target} away most: {row['feature']}, {made}; in {target} {real}."
            )
    return sentences


def _directions(evaluation: dict[str, Any]) -> list[tuple[str, str, str]]:
    a, b = evaluation["pair"]
    return [("a_to_b", a, b), ("b_to_a", b, a)]
