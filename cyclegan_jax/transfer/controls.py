"""How a song is transferred: what a musician may adjust."""

import dataclasses
from numbers import Integral, Real

from cyclegan_jax.config import check_range
from cyclegan_jax.errors import UserError
from cyclegan_jax.pianoroll.roll import BARS_PER_PHRASE

# Cells of the source count as logits of ±SOURCE_LOGIT. A threshold between these probabilities keeps them.
SOURCE_LOGIT = 4.0
LOWEST_THRESHOLD, HIGHEST_THRESHOLD = 0.02, 0.98


@dataclasses.dataclass(frozen=True)
class Controls:
    """Raises UserError, naming the field, its value and what is allowed."""

    strength: float = 1.0  # share of the transferred logits in the mix with the source's, 0 to 1
    threshold: float = 0.5  # a note sounds where its probability is greater
    overlap: int = 2  # bars that neighbouring phrases share, 0 to 3
    keep_whole: float = 0.5  # share of its cells that must stay on for a note to stay as long as it was
    polyphony: int = 0  # most notes of the roll at once, 0 for any number
    program: int | None = None  # General MIDI program, 0 to 127, of all pitched notes; None: as they are
    split_hands: bool = False  # whether bass, chords and melody go to tracks of their own
    keep_drums: bool = True  # whether drums are copied, or left out
    any_metre: bool = False  # whether songs other than in 4/4 are transferred, see metre.lay_bars

    def __post_init__(self) -> None:
        for name in ("strength", "threshold", "keep_whole"):
            self._check_kind(name, Real, "a number")
        for name in ("overlap", "polyphony") + ("program",) * (self.program is not None):
            self._check_kind(name, Integral, "a whole number")
        check_range("strength", self.strength, 0.0, 1.0)
        check_range("threshold", self.threshold, LOWEST_THRESHOLD, HIGHEST_THRESHOLD)
        check_range("overlap", self.overlap, 0, BARS_PER_PHRASE - 1)
        check_range("keep_whole", self.keep_whole, 0.0, 1.0)
        check_range("polyphony", self.polyphony, 0, 128)
        if self.program is not None:
            check_range("program", self.program, 0, 127)

    def _check_kind(self, name: str, kind: type, told: str) -> None:
        value = getattr(self, name)
        if not isinstance(value, kind):
            raise UserError(f"{name} is {value!r}, but must be {told}.")
