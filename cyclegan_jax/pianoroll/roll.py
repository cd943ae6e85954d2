"""Piano rolls: their shape, the quantiser, and the cut into phrases."""

import numpy as np

STEPS_PER_BEAT = 4  # a step is a sixteenth note
BEATS_PER_BAR = 4
STEPS_PER_BAR = STEPS_PER_BEAT * BEATS_PER_BAR
BARS_PER_PHRASE = 4
PHRASE_STEPS = STEPS_PER_BAR * BARS_PER_PHRASE
LOWEST_PITCH = 24  # MIDI pitch of the roll's first row, C1
PITCHES = 84  # seven octaves, up to MIDI pitch 107, B7
PITCH_CLASSES = 12
PHRASE_SHAPE = (PHRASE_STEPS, PITCHES, 1)
CELLS = PHRASE_STEPS * PITCHES  # of a phrase, in each of its channels
THRESHOLD = 0.5  # a note sounds where its probability is greater (original code)


def phrase_shape(channels: int) -> tuple[int, int, int]:
    """The shape of a phrase: of one channel where notes sound, of two also where they begin."""
    return PHRASE_STEPS, PITCHES, channels


def octave_name(pitch: int) -> str:
    """The name of a C by its MIDI pitch; middle C, 60, is C4."""
    return f"C{pitch // PITCH_CLASSES - 1}"


def to_steps(ticks: np.ndarray, ticks_per_quarter: int) -> np.ndarray:
    """The nearest sixteenth-note step of each tick, halves up: (8·tick + tpq) // (2·tpq)."""
    return (8 * ticks.astype(np.int64) + ticks_per_quarter) // (2 * ticks_per_quarter)


def to_grid(onsets: np.ndarray, ends: np.ndarray, ticks_per_quarter: int) -> tuple[np.ndarray, np.ndarray]:
    """Onsets and ends in steps, [N] each, from ticks, rounded alike; a note lasts at least one step."""
    first = to_steps(onsets, ticks_per_quarter)
    return first, np.maximum(to_steps(ends, ticks_per_quarter), first + 1)


def in_range(pitches: np.ndarray) -> np.ndarray:
    """[N] bool: which MIDI pitches the roll has, 24 to 107."""
    return (pitches >= LOWEST_PITCH) & (pitches < LOWEST_PITCH + PITCHES)


def rasterise(onsets: np.ndarray, ends: np.ndarray, pitches: np.ndarray) -> tuple[np.ndarray, int]:
    """Lay notes on a roll, merged by OR, as long as the last end of any of them.

    `onsets`, `ends`: [N] steps, each end after its onset; `pitches`: [N] MIDI pitches. Returns
    [steps, 84] bool and the number of notes left out for lying outside MIDI pitches 24 to 107.
    """
    rows = pitches - LOWEST_PITCH
    inside = (rows >= 0) & (rows < PITCHES)
    steps = int(ends.max(initial=0))
    roll = np.zeros(PITCHES * steps, np.bool_)
    first_cells = rows[inside] * steps
    roll[_union(first_cells + onsets[inside], first_cells + ends[inside])] = True
    return np.ascontiguousarray(roll.reshape(PITCHES, steps).T), int((~inside).sum())


def _union(starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """All whole numbers in any of the spans [start, end), each once, so that overlaps cost no memory."""
    order = np.argsort(starts)
    starts, ends = starts[order], ends[order]
    starts[1:] = np.maximum(starts[1:], np.maximum.accumulate(ends)[:-1])
    lengths = np.maximum(ends - starts, 0)
    return np.arange(lengths.sum()) + np.repeat(starts - np.cumsum(lengths) + lengths, lengths)


def cut_padded(roll: np.ndarray) -> np.ndarray:
    """Cut a whole song into phrases, silence filling up the last one.

    [steps, 84] bool -> [ceil(steps / 64), 64, 84, 1] bool.
    """
    missing = -len(roll) % PHRASE_STEPS
    return np.pad(roll, ((0, missing), (0, 0))).reshape(-1, *PHRASE_SHAPE)


def transpose(phrases: np.ndarray, semitones: int) -> np.ndarray:
    """Phrases moved up by `semitones` (down where negative); what leaves the range is lost.

    [N, 64, 84, 1] -> [N, 64, 84, 1], the same type.
    """
    moved = np.zeros_like(phrases)
    source, target = max(0, -semitones), max(0, semitones)
    rows = max(0, PITCHES - abs(semitones))
    moved[:, :, target : target + rows] = phrases[:, :, source : source + rows]
    return moved
