"""How often a run logs, evaluates and saves, and how its steps are grouped into dispatches.

A dispatch is one call that sends work to the device; several steps in it are one `lax.scan`. If something is
due before the end of a group, or the run ends in it, its steps go one by one. So there are only two compiled
programs. A scan rounds differently from single steps: by 1e-6 to 1e-2 of a weight after three steps of Adam
at widths 4 and 8. On a CPU the one-step program is called again and again, with equal results to the bit: a
loop is slow there, and a dispatch costs nothing compared with a step.
"""

import dataclasses
import math
from collections.abc import Iterator
from typing import NamedTuple

from cyclegan_jax.config import Described, check_range, described


@dataclasses.dataclass(frozen=True)
class Cadence(Described):
    """How often a run logs, evaluates and saves. Apart from rounding, none of it changes what is learned."""

    log_every: int = described(10, "Steps between two lines of metrics.", between=(1, math.inf))
    eval_every: int = described(
        0,
        "Steps between evaluations on the validation split, each with a checkpoint; 0: five in a run.",
        between=(0, math.inf),
    )
    save_every: int = described(
        0,
        "Steps between checkpoints, beside those of evaluations. 0 as a flag: one an epoch; as a field: no "
        "further ones.",
        between=(0, math.inf),
    )
    steps_per_dispatch: int = described(1, "Training steps that are sent to the device in one call.")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("steps_per_dispatch", self.steps_per_dispatch, 1, self.log_every)

    def due(self, step: int, steps: int) -> "Due":
        """What is due after step `step` of `steps`; after the last, all of it."""
        last = step == steps
        evaluates = last or step % (self.eval_every or math.ceil(steps / 5)) == 0
        saves = evaluates or (self.save_every > 0 and step % self.save_every == 0)
        return Due(log=last or step % self.log_every == 0, evaluate=evaluates, save=saves)

    def dispatches(self, start: int, steps: int) -> Iterator[range]:
        """The steps from `start` to before `steps`, in groups; each group is one dispatch.

        A group has `steps_per_dispatch` steps, or one where something is due before its last step or the end
        is nearer. Each other size would need one more compiled program.
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
