"""How often a run logs, evaluates and saves, and how its steps are grouped."""

import dataclasses
import math
from collections.abc import Iterator
from typing import NamedTuple

from cyclegan_jax.config import check_range


@dataclasses.dataclass(frozen=True)
class Cadence:
    """How often a run speaks; none of it changes what is learned, though a loop of steps rounds otherwise."""

    log_every: int = 10  # steps between two lines of metrics
    eval_every: int = 0  # steps between evaluations on `validation`, each with a checkpoint; 0: five a run
    save_every: int = 0  # steps between two further checkpoints; 0: none
    steps_per_dispatch: int = 1  # steps that a device goes through before it asks for more

    def __post_init__(self) -> None:
        check_range("log_every", self.log_every, 1, math.inf)
        check_range("steps_per_dispatch", self.steps_per_dispatch, 1, self.log_every)
        check_range("eval_every", self.eval_every, 0, math.inf)
        check_range("save_every", self.save_every, 0, math.inf)

    def due(self, step: int, steps: int) -> "Due":
        """What is due after step `step` of `steps`; after the last, all of it."""
        last = step == steps
        evaluates = last or step % (self.eval_every or math.ceil(steps / 5)) == 0
        saves = evaluates or (self.save_every > 0 and step % self.save_every == 0)
        return Due(log=last or step % self.log_every == 0, evaluate=evaluates, save=saves)

    def dispatches(self, start: int, steps: int) -> Iterator[range]:
        """The steps from `start` to before `steps`, in groups that a device goes through in one go.

        A group has `steps_per_dispatch` steps or, lest a further program be compiled, one: where something
        is due amid them, or the end is nearer.
        """
        first = start
        while first < steps:
            group = range(first, first + self.steps_per_dispatch)
            whole = group.stop <= steps and not any(any(self.due(step, steps)) for step in group[1:])
            yield group if whole else group[:1]
            first += self.steps_per_dispatch if whole else 1


class Due(NamedTuple):
    """What there is to do after a step; what is evaluated is saved too."""

    log: bool
    evaluate: bool
    save: bool
