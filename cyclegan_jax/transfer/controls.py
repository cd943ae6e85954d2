"""How a song is transferred: what a musician may adjust."""

import dataclasses
from numbers import Integral, Real

from cyclegan_jax.config import Described, check_range, described
from cyclegan_jax.errors import UserError
from cyclegan_jax.pianoroll.roll import BARS_PER_PHRASE, THRESHOLD

# Cells of the source count as logits of ±SOURCE_LOGIT. A threshold between these probabilities keeps them.
SOURCE_LOGIT = 4.0
LOWEST_THRESHOLD, HIGHEST_THRESHOLD = 0.02, 0.98


@dataclasses.dataclass(frozen=True)
class Controls(Described):
    """Raises UserError, naming the field, its value and what is allowed."""

    strength: float = described(
        1.0, "How far to go, from 0, the song as it is, to 1, the whole transfer.", between=(0.0, 1.0)
    )
    threshold: float = described(
        THRESHOLD,
        "A note sounds where its probability is greater: fewer notes above 0.5.",
        between=(LOWEST_THRESHOLD, HIGHEST_THRESHOLD),
    )
    overlap: int = described(
        2,
        "Bars, 0 to 3, that neighbouring phrases share and are cross-faded over.",
        between=(0, BARS_PER_PHRASE - 1),
    )
    keep_whole: float = described(
        0.5,
        "A note keeps its whole length if this share of it, 0 to 1, is kept: at 1 the model may break up "
        "held notes freely.",
        between=(0.0, 1.0),
    )
    polyphony: int = described(0, "Most notes at once; 0: any number.", between=(0, 128))
    program: int | None = described(
        None, "General MIDI program, 0 to 127, of all pitched notes; else as they were."
    )
    split_hands: bool = described(
        False, "Bass, chords and melody on tracks of their own, piano unless --program."
    )
    keep_drums: bool = described(True, "Copy the drums; else leave them out.")
    any_metre: bool = described(
        False,
        "Transfer songs in other metres too: of a song that changes metre the parts in 4/4, of any other its "
        "own bars, laid on the model's bars of 4/4.",
    )

    def __post_init__(self) -> None:
        for name in ("strength", "threshold", "keep_whole"):
            self._check_kind(name, Real, "a number")
        for name in ("overlap", "polyphony") + ("program",) * (self.program is not None):
            self._check_kind(name, Integral, "a whole number")
        super().__post_init__()
        if self.program is not None:
            check_range("program", self.program, 0, 127)

    def _check_kind(self, name: str, kind: type, told: str) -> None:
        value = getattr(self, name)
        if not isinstance(value, kind):
            raise UserError(f"{name} is {value!r}, but must be {told}.")
