"""One number to choose a checkpoint by: how near its figures are to what is asked of them."""

from collections.abc import Mapping

# More than this of one figure does not make up for less of another: strength far above its goal is bought
# with the song. The figures are those of `metrics.evaluate`, strengths by share.
GOALS: Mapping[str, float] = {
    "total_strength": 0.80,
    "total_judge_strength": 0.60,
    "chroma_cosine": 0.70,
    "cycle_f1_binary": 0.95,
    "diversity": 0.90,
}
COLLAPSE = 3.0  # more than lies between the best score and the worst, so that no collapse is preferred


def score(figures: Mapping[str, float], collapsed: bool) -> float:
    """Strength × content × diversity of the shares min(figure / goal, 1) over `GOALS`; 1 where all are met.

    Strength: the lesser of the two judges'. Content: the mean of harmony and cycle, for a product would say
    nothing of transfers that bring nothing back. Strength alone where it is not above 0. From -1 / 0.6 to 1,
    `COLLAPSE` less where there is a sign of it.
    """
    share = {name: min(figures[name] / goal, 1.0) for name, goal in GOALS.items()}
    strength = min(share["total_strength"], share["total_judge_strength"])
    content = (share["chroma_cosine"] + share["cycle_f1_binary"]) / 2
    reached = strength * content * share["diversity"] if strength > 0 else strength
    return reached - COLLAPSE * collapsed
