"""The paper's tables from the runs of a sweep, with the paper's own figures beside them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from launch.sweeps.runs import SweptRun

# Brunner et al. 2018, accuracies and strengths in percent, by pair.
PAPERS_ACCURACY: Mapping[frozenset[str], Mapping[float, float]] = {
    frozenset({"jazz", "classic"}): {0: 88.89, 0.01: 88.53, 0.1: 87.87, 0.2: 84.71, 0.3: 83.07, 0.5: 74.93},
    frozenset({"classic", "pop"}): {0: 84.66, 0.01: 83.42, 0.1: 81.97, 0.2: 81.12, 0.3: 78.14, 0.5: 70.28},
    frozenset({"jazz", "pop"}): {0: 67.07, 0.01: 66.18, 0.1: 63.78, 0.2: 62.40, 0.3: 61.72, 0.5: 59.96},
}
PAPERS_BASE: Mapping[float, float] = {0: 48.5, 0.01: 61.5, 0.1: 58.4, 1: 69.7, 3: 52.8, 5: 20.5}
PAPERS_BEST: Mapping[str, tuple[float, float]] = {  # strength, at which σ_D
    "base": (69.7, 1),
    "partial": (71.6, 0),
    "full": (69.0, 0.01),
}
JAZZ_CLASSIC = frozenset({"jazz", "classic"})
LOSSES = ("generators", "discriminators", "adv_ab", "adv_ba", "cycle_a", "cycle_b")
SANITY = {
    "chroma": "chroma_cosine",
    "cell F1": "cell_f1",
    "binary cycle F1": "cycle_f1_binary",
    "diversity": "diversity",
    "blank": "blank_share",
    "notes": "notes_ratio",
    "polyphony": "polyphony",
}
SHARED_GRADIENT = """\
The mixed discriminators have no weight for the generators here, so all sets of discriminators
share the generators' gradient. Partial and full, with equal σ_D, seed and batches, have equal generators to
the bit where they are trained alone; base differs from them by its lack of a pool of past fakes. What else
differs is rounding. How much the seed alone does is seen by another sweep with another --seed."""
LAST_SHARE = 0.1  # of a run's lines of metrics, that "after training" is the mean of


def to_markdown(runs: Sequence[SweptRun], accuracy: Mapping[float, float]) -> str:
    """All tables; `accuracy`: our classifier's on `test` by σ_C, 0 to 1."""
    pair = runs[0].config.pair
    parts = [
        f"# {pair[0]} and {pair[1]}: the paper's tables",
        _classifier_table(frozenset(pair), accuracy),
        _loss_table(runs),
        _strength_table(runs),
        _best_table(runs),
        _sanity_table(runs),
    ]
    return "\n\n".join(part for part in parts if part)


def _classifier_table(pair: frozenset[str], accuracy: Mapping[float, float]) -> str:
    papers = PAPERS_ACCURACY.get(pair, {})
    rows = [
        [f"{sigma:g}", f"{100 * ours:.2f}", _number(papers.get(sigma))] for sigma, ours in accuracy.items()
    ]
    return _table("## The classifier's accuracy on `test`, percent", ["σ_C", "ours", "paper"], rows)


def _loss_table(runs: Sequence[SweptRun]) -> str:
    rows = [[run.config.model, f"{run.config.sigma_d:g}", *_last_losses(run)] for run in runs]
    title = "## Losses after training: means of the last tenth of the logged lines"
    return _table(title, ["discriminators", "σ_D", *(name.replace("_", " ") for name in LOSSES)], rows)


def _last_losses(run: SweptRun) -> list[str]:
    if run.error:
        return ["diverged"] + [""] * (len(LOSSES) - 1)
    lines = run.folder.metrics.read_text().splitlines()
    rows = [row for row in map(json.loads, lines) if "epoch" in row]
    last = rows[-max(int(len(rows) * LAST_SHARE), 1) :]
    return [f"{sum(row[f'loss/{name}'] for row in last) / len(last):.4f}" for name in LOSSES]


def _strength_table(runs: Sequence[SweptRun]) -> str:
    """By σ_D, a column a set of discriminators; the paper has this for `base` on jazz and classic."""
    sets = list(dict.fromkeys(run.config.model for run in runs))
    by_cell = {(run.config.model, run.config.sigma_d): run for run in runs}
    sigmas = sorted({run.config.sigma_d for run in runs})
    papers = PAPERS_BASE if frozenset(runs[0].config.pair) == JAZZ_CLASSIC else {}
    rows = [
        [f"{sigma:g}", *(_strength(by_cell[name, sigma]) for name in sets), _number(papers.get(sigma))]
        for sigma in sigmas
    ]
    title = "## Total strength on `test` by share, percent (by the feature classifier)"
    head = ["σ_D", *sets, "paper, base"]
    if not papers:
        head, rows = head[:-1], [row[:-1] for row in rows]
    return _table(title, head, rows)


def _best_table(runs: Sequence[SweptRun]) -> str:
    rows = []
    jazz_classic = frozenset(runs[0].config.pair) == JAZZ_CLASSIC
    for discriminators in dict.fromkeys(run.config.model for run in runs):
        done = [run for run in runs if run.config.model == discriminators and not run.error]
        if not done:
            rows.append([discriminators, "", "diverged", ""])
            continue
        best = max(done, key=_strength_on_validation)
        papers = "{} (σ_D {:g})".format(*PAPERS_BEST[discriminators]) if jazz_classic else ""
        rows.append([discriminators, f"{best.config.sigma_d:g}", _strength(best), papers])
    head = ["discriminators", "σ_D", "ours", "paper"]
    title = "## The best of each set of discriminators by `validation`, total strength on `test` in percent"
    table = _table(title, head, rows)
    return f"{table}\n\n{SHARED_GRADIENT}" if len(rows) > 1 else table


def _sanity_table(runs: Sequence[SweptRun]) -> str:
    """What the paper does not report, without which strength says little."""
    rows = [[run.config.model, f"{run.config.sigma_d:g}", *_sanity(run)] for run in runs]
    title = "## What is left of the song on `test`, and signs of collapse: A to B / B to A"
    return _table(title, ["discriminators", "σ_D", *SANITY], rows)


def _sanity(run: SweptRun) -> list[str]:
    if run.error:
        return ["diverged"] + [""] * (len(SANITY) - 1)
    evaluation = _evaluation(run)
    ways = (evaluation["a_to_b"], evaluation["b_to_a"])
    return [" / ".join(f"{way[name]:.3f}" for way in ways) for name in SANITY.values()]


def _strength_on_validation(run: SweptRun) -> float:
    """By the classifier, of the checkpoint that the evaluation on `test` is of."""
    step = _evaluation(run)["step"]
    lines = run.folder.metrics.read_text().splitlines()
    name = "validation/total_strength/share"
    return next(row[name] for row in map(json.loads, lines) if row["step"] == step and name in row)


def _strength(run: SweptRun) -> str:
    if run.error:
        return "diverged"
    network, features = _total(run)
    return f"{100 * network:.1f} ({100 * features:.1f})"


def _total(run: SweptRun) -> tuple[float, float]:
    """By the genre classifier and by the feature classifier."""
    evaluation = _evaluation(run)
    return evaluation["total_strength"]["share"], evaluation["total_judge_strength"]["share"]


def _evaluation(run: SweptRun) -> dict[str, Any]:
    return json.loads(run.folder.evaluation.read_text())


def _number(value: float | None) -> str:
    return "" if value is None else f"{value}"


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(cells)} |" for cells in (head, ["---:"] * len(head), *rows)]
    return "\n".join([title, "", *lines])
