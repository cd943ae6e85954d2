"""Pop: four-chord loops in block triads over a root bass, with a motif that a melody repeats."""

from random import Random

from cyclegan_jax.datasets.genre_rolls.composer.harmony import (
    BAR,
    BEAT,
    MAJOR,
    Bars,
    Composition,
    Part,
    above,
    chart,
    climb,
    ladder,
    nearest,
    touch,
    voice,
)
from cyclegan_jax.pianoroll.roll import BARS_PER_PHRASE

EIGHTH = BEAT // 2

# Four bars each, written in C.
LOOPS = (
    "C | G | Am | F",
    "Am | F | C | G",
    "C | Am | F | G",
    "F | G | Am | C",
    "C | F | Am | G",
    "Am | G | F | G",
    "C | Em | F | G",
    "F | C | G | Am",
    "C | G | F | C",
    "Dm | Am | C | G",
)

# Phrases of a song by section: introduction, verse, chorus, bridge; the form is cut to length.
FORMS = ("IVVCCVVCCBCCVVCCBCCC", "VVCCVVCCBBCCVVCCCCCC", "IVVVCCVVVCCBVVCCCCCC", "CCVVVVCCVVBBCCCCVVCC")

# Eighths of a bar.
HOOKS = ((0, 1, 2, 3, 5), (0, 2, 3, 4, 6), (1, 2, 3, 4, 5), (0, 1, 3, 4, 6, 7), (0, 3, 4, 5), (2, 3, 4, 5, 6))
TAILS = ((0, 2), (0, 1, 2), (0, 1, 4), (0,), (1, 2, 4))
BASS_RHYTHMS = ((0, 4), (0, 3, 4), (0, 6), (0, 4, 6, 7))

KEYBOARDS = (("piano", 0), ("electric piano", 4), ("acoustic guitar", 25), ("organ", 16))
BASSES = (("electric bass", 33), ("picked bass", 34), ("synth bass", 38))
LEADS = (("voice oohs", 53), ("choir aahs", 52), ("square lead", 80), ("saw lead", 81), ("flute", 73))

# Centre of the melody, a MIDI pitch.
REGISTERS = {"V": 69, "C": 76, "B": 73}

Hook = list[tuple[int, int]]


def song(rng: Random, tonic: int, length: int) -> Composition:
    """A song in the key of `tonic` (pitch class): verses and lifted choruses over `length` bars."""
    form = rng.choice(FORMS)[: length // BARS_PER_PHRASE - 1] + "C"
    verse, chorus = rng.choice(LOOPS), rng.choice(LOOPS)
    loops = {"I": chorus, "V": verse, "C": chorus, "B": verse}
    bars = [bar for section in form for bar in chart(loops[section], tonic)]
    bars[-1] = chart("C", tonic)[0]
    keyboard, bass, lead = Part(*rng.choice(KEYBOARDS)), Part(*rng.choice(BASSES)), Part(*rng.choice(LEADS))
    _chords(keyboard, rng, form, bars)
    _bass(bass, rng, form, bars)
    _melody(lead, rng, form, bars, tonic)
    return Composition(rng.randrange(80, 131), [lead, keyboard, bass])


def _chords(part: Part, rng: Random, form: str, bars: Bars) -> None:
    hits = {"I": 1, "V": rng.choice((1, 2, 4)), "C": rng.choice((2, 4, 4)), "B": rng.choice((1, 2))}
    triad = [55, 59, 62]
    for index, (chord,) in enumerate(bars):
        triad = voice(chord.tones, 50, 69, [*triad, 59])
        count = 1 if index == len(bars) - 1 else hits[form[index // BARS_PER_PHRASE]]
        for hit in range(count):
            tick = index * BAR + hit * BAR // count
            part.play(tick, BAR // count, triad, touch(rng, 66, tick))


def _bass(part: Part, rng: Random, form: str, bars: Bars) -> None:
    rhythms = {section: rng.choice(BASS_RHYTHMS) for section in "VB"}
    rhythms |= {"I": (0,), "C": rng.choice((range(0, 8, 2), range(8)))}
    for index, (chord,) in enumerate(bars):
        rhythm = (0,) if index == len(bars) - 1 else rhythms[form[index // BARS_PER_PHRASE]]
        root = above(chord.root, 31)
        for eighth, following in zip(rhythm, [*rhythm[1:], 8], strict=True):
            tick = index * BAR + eighth * EIGHTH
            part.play(tick, (following - eighth) * EIGHTH, [root], touch(rng, 80, tick))


def _melody(part: Part, rng: Random, form: str, bars: Bars, tonic: int) -> None:
    hooks = {section: _hook(rng, HOOKS) for section in "VCB"}
    answers = {section: _hook(rng, HOOKS) for section in "VCB"}
    for phrase, section in enumerate(form):
        if section == "I":
            continue
        tail = _hook(rng, TAILS)
        figures = (hooks[section], answers[section], hooks[section], tail)
        for place, figure in enumerate(figures):
            bar = phrase * BARS_PER_PHRASE + place
            if bar < len(bars) - 1:
                _sing(part, rng, figure, bar, bars, REGISTERS[section], tonic)
    part.play((len(bars) - 1) * BAR, BAR, [nearest([tonic], 74)], 92)


def _hook(rng: Random, rhythms: tuple[tuple[int, ...], ...]) -> Hook:
    """A figure of one bar: eighths of the bar with their distance in scale steps from its first note."""
    step, hook = 0, []
    for eighth in rng.choice(rhythms):
        hook.append((eighth, step))
        step = max(-4, min(4, step + rng.choice((-2, -1, -1, 0, 1, 1, 2))))
    return hook


def _sing(part: Part, rng: Random, figure: Hook, bar: int, bars: Bars, register: int, tonic: int) -> None:
    tones = bars[bar][0].tones
    scale = ladder([tonic + interval for interval in MAJOR], register - 9, register + 11)
    start = nearest(tones, register)
    ends = [eighth for eighth, _ in figure[1:]] + [8]
    for (eighth, step), end in zip(figure, ends, strict=True):
        varied = step + (rng.choice((-1, 1)) if rng.random() < 0.1 else 0)
        pitch = climb(scale, start, varied)
        if eighth % 4 == 0:
            pitch = nearest(tones, pitch)
        tick = bar * BAR + eighth * EIGHTH
        longest = 3 if len(figure) < 4 else 2
        part.play(tick, min(end - eighth, longest) * EIGHTH, [pitch], touch(rng, 86, tick))
