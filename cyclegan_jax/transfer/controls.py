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
        1.0, "How far to go: 0 is the song as it is, 1 the whole transfer.", between=(0.0, 1.0)
    )
    threshold: float = described(
        THRESHOLD,
        "A note sounds where the model finds it more probable than this; above 0.5 there are fewer notes.",
        between=(LOWEST_THRESHOLD, HIGHEST_THRESHOLD),
    )
    overlap: int = described(
        2,
        "How many bars, 0 to 3, neighbouring phrases of four bars share; they are cross-faded there.",
        between=(0, BARS_PER_PHRASE - 1),
    )
    keep_whole: float = described(
        0.5,
        "A note keeps its whole length if at least this share of it, 0 to 1, stays; at 1 the model may break "
        "up held notes freely.",
        between=(0.0, 1.0),
    )
    polyphony: int = described(0, "Most notes at once; 0: any number.", between=(0, 128))
    program: int | None = described(
        None,
        "General MIDI program (instrument), 0 to 127, of all notes but drums. Default: each keeps its own.",
    )
    split_hands: bool = described(
        False, "Put bass, chords and melody on three tracks, with a piano unless --program is given."
    )
    keep: tuple[str, ...] = described(
        (),
        "What comes through as it is played: melody, the track named so or the top voice, or tracks by their "
        "names or numbers, as in melody,Bass. New notes that clash with it, lie on it or above the melody "
        "are left out.",
    )
    clean: bool = described(
        True,
        "Leave out new notes that the genre hardly has: shorter than nine of ten of its notes, in a clash of "
        "a semitone for longer than its notes are, or outside its register. --noclean keeps them.",
    )
    keep_drums: bool = described(True, "Copy the drums; --nokeep_drums leaves them out.")
    any_metre: bool = described(
        False,
        "Take songs in other metres than 4/4 and 2/2, too. If a song has parts in 4/4 or 2/2, only these are "
        "changed. Otherwise the metre that lasts longest is, its bars fitted into the model's bars of 4/4.",
    )

    def __post_init__(self) -> None:
        named = self.keep if isinstance(self.keep, list | tuple) else (self.keep,)
        if not all(type(name) is int or (isinstance(name, str) and name.strip()) for name in named):
            raise UserError(f"keep is {self.keep!r}, but must be melody or names or numbers of tracks.")
        object.__setattr__(self, "keep", tuple(map(str, named)))
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
