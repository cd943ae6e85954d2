"""What phrases are like, counted: how many notes sound at once, which pitches, and where notes begin."""

from dataclasses import dataclass, fields

import numpy as np

from cyclegan_jax.pianoroll.features import onsets
from cyclegan_jax.pianoroll.roll import PHRASE_SHAPE, PHRASE_STEPS, PITCH_CLASSES, PITCHES, STEPS_PER_BAR

MOST_NOTES = 12  # so many notes in a step, and more, are counted together


@dataclass(frozen=True, eq=False)
class Statistics:
    """Counts over phrases [N, 64, 84, 1] bool, that add up; the arrays are int64.

    `phrases`: N. `polyphony`: [13] steps by the number of notes sounding, the last for 12 and more.
    `pitch_classes`: [12] on-cells by pitch class, C first. `register`: [84] on-cells by pitch, row 0 =
    MIDI pitch 24. `onsets`: [16] onsets by position in the bar, in sixteenth-note steps.
    """

    phrases: int
    polyphony: np.ndarray
    pitch_classes: np.ndarray
    register: np.ndarray
    onsets: np.ndarray

    @classmethod
    def of(cls, phrases: np.ndarray) -> "Statistics":
        """Count over [N, 64, 84, 1] bool; a note that sounds as a phrase begins has its onset there."""
        on = np.flatnonzero(phrases)  # far fewer than the cells
        steps, rows = np.divmod(on, PITCHES)
        begins = onsets(phrases).ravel()[on]
        notes = np.bincount(steps, minlength=len(phrases) * PHRASE_STEPS)
        register = np.bincount(rows, minlength=PITCHES)
        return cls(
            phrases=len(phrases),
            polyphony=np.bincount(notes.clip(max=MOST_NOTES), minlength=MOST_NOTES + 1),
            pitch_classes=register.reshape(-1, PITCH_CLASSES).sum(axis=0),
            register=register,
            onsets=np.bincount(steps[begins] % STEPS_PER_BAR, minlength=STEPS_PER_BAR),
        )

    @classmethod
    def none(cls) -> "Statistics":
        """The counts over no phrase, where a sum starts."""
        return cls.of(np.zeros((0, *PHRASE_SHAPE), bool))

    def __add__(self, other: "Statistics") -> "Statistics":
        return Statistics(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))
