"""What a musician calls the features of the feature classifier."""

import itertools

from cyclegan_jax.evaluation.feature_classifier import LARGEST_INTERVAL, LENGTH_EDGES, MOST_NOTES
from cyclegan_jax.pianoroll.roll import (
    BEATS_PER_BAR,
    LOWEST_PITCH,
    PITCH_CLASSES,
    PITCHES,
    octave_name,
)

# The four steps of a beat.
WHEN = (
    "on beat {beat}",
    "a sixteenth after beat {beat}",
    "half a beat after beat {beat}",
    "a sixteenth before beat {next}",
)


NOTES = "notes a phrase"  # the one feature that is no share


def feature_names() -> list[str]:
    """A name for each column of `features`: what it is the share of, but for the last one, `NOTES`."""
    return [
        *(f"cells {_semitones(n)} above the bass, octaves aside" for n in range(PITCH_CLASSES)),
        *(f"neighbouring notes of a chord {_interval(n)} apart" for n in range(LARGEST_INTERVAL + 1)),
        *map(_melodic, range(-LARGEST_INTERVAL, LARGEST_INTERVAL + 1)),
        *(f"steps with {n} notes at once" for n in range(MOST_NOTES)),
        f"steps with {MOST_NOTES} notes at once or more",
        *(
            f"onsets {when.format(beat=beat + 1, next=(beat + 1) % BEATS_PER_BAR + 1)}"
            for beat in range(BEATS_PER_BAR)
            for when in WHEN
        ),
        *(f"notes of {_sixteenths(*edges)}" for edges in itertools.pairwise(LENGTH_EDGES)),
        *(
            f"cells in the octave from {octave_name(pitch)}"
            for pitch in range(LOWEST_PITCH, LOWEST_PITCH + PITCHES, PITCH_CLASSES)
        ),
        NOTES,
    ]


def in_words(feature: str, value: float) -> str:
    """A value of the feature of this name: `18.2 %`, or `41` notes."""
    return f"{value:.0f}" if feature == NOTES else f"{100 * value:.1f} %"


def _semitones(count: int) -> str:
    return f"{count} semitone{'' if count == 1 else 's'}"


def _interval(count: int) -> str:
    return _semitones(count) + (" or more" if count == LARGEST_INTERVAL else "")


def _melodic(interval: int) -> str:
    if not interval:
        return "top voice repeats its note"
    return f"top voice {'up' if interval > 0 else 'down'} by {_interval(abs(interval))}"


def _sixteenths(low: int, after: int) -> str:
    if low == 1:
        return "a sixteenth"
    return f"{low} sixteenths" if after == low + 1 else f"{low} to {after - 1} sixteenths"
