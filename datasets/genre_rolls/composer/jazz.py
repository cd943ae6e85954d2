"""Swing: ii-V-I choruses with a walking bass, syncopated rootless comping and a solo line."""

from random import Random

from cyclegan_jax.datasets.genre_rolls.composer.harmony import (
    BAR,
    BEAT,
    Bars,
    Chord,
    Composition,
    Part,
    above,
    chart,
    chord_at,
    climb,
    ladder,
    nearest,
    touch,
    voice,
    within,
)
from cyclegan_jax.pianoroll.roll import BARS_PER_PHRASE

SWING = BEAT * 2 // 3

# Four bars each, written in C.
MAJOR_CHARTS = (
    "Dm7 | G7 | Cmaj7 | Cmaj7",
    "Dm7 G7 | Cmaj7 A7 | Dm7 G7 | Cmaj7",
    "Cmaj7 Am7 | Dm7 G7 | Em7 A7 | Dm7 G7",
    "Dm7 | Db7 | Cmaj7 | A7",
    "Gm7 C7 | Fmaj7 | Fm7 Bb7 | Cmaj7",
    "Em7b5 A7b9 | Dm7 | Dm7 Db7 | Cmaj7",
    "Bm7b5 E7b9 | Am7 | D7 | Dm7 G7",
)
MINOR_CHARTS = (
    "Dm7b5 | G7b9 | Cm7 | Cm7",
    "Cm7 Am7b5 | Dm7b5 G7b9 | Cm7 | Dm7b5 G7b9",
    "Fm7 Bb7 | Ebmaj7 | Dm7b5 G7b9 | Cm7",
    "Cm7 | Ab7 | G7b9 | Cm7",
    "Dm7b5 | Db7 | Cm7 | G7b9",
)
BRIDGE_CHARTS = (
    "E7 | A7 | D7 | G7",
    "Gm7 C7 | Fmaj7 | Am7 D7 | Dm7 G7",
    "Fm7 Bb7 | Ebmaj7 | Ebm7 Ab7 | Dbmaj7",
    "Bbm7 Eb7 | Abmaj7 | Dm7b5 | G7b9",
)

# Third, fifth or thirteenth, seventh and ninth, in any order, above a root that the bass plays.
ROOTLESS = {
    "maj7": (4, 7, 11, 14),
    "m7": (3, 7, 10, 14),
    "7": (4, 9, 10, 14),
    "7b9": (4, 7, 10, 13),
    "m7b5": (3, 6, 10, 12),
}
SHELL = {"maj7": (4, 11), "m7": (3, 10), "7": (4, 10), "7b9": (4, 10, 13), "m7b5": (3, 6, 10)}
CHORD_SCALES = {
    "maj7": (0, 2, 4, 5, 7, 9, 11),
    "m7": (0, 2, 3, 5, 7, 9, 10),
    "7": (0, 2, 4, 5, 7, 9, 10),
    "7b9": (0, 1, 4, 5, 7, 8, 10),
    "m7b5": (0, 1, 3, 5, 6, 8, 10),
}

# Swung eighths of a bar: even numbers lie on the beat, odd ones late after it.
COMPING = ((0, 3), (1, 4), (3, 7), (0, 3, 6), (1, 3), (3, 6), (2, 5), (1, 5, 7), (0, 5), (7,))
# Second and third beat of a walking bass, in scale steps from the root on the first.
WALKS = ((1, 2), (2, 4), (4, 2), (-1, -2), (4, 7), (2, 3), (-3, -1), (-3, -2), (2, 1))
SOLO_BUSY = ((0, 1, 2, 3, 4, 5, 6, 7), (1, 2, 3, 4, 5, 6), (2, 3, 4, 5, 6, 7), (0, 1, 2, 3, 5, 6, 7))
SOLO_CALM = ((0, 3, 4, 5), (0, 1, 2, 3), (1, 3, 4, 7), (0, 2, 3, 5), (3, 5, 6, 7), (1, 2, 3))
SOLO_REST = ((0,), (0, 1), (), (7,), (1,))

SOLO_RANGE = (61, 87)
SOLOISTS = (("tenor sax", 66), ("alto sax", 65), ("trumpet", 56), ("vibraphone", 11), ("jazz guitar", 26))


def song(rng: Random, tonic: int, length: int) -> Composition:
    """A tune in the key of `tonic` (pitch class), AABA choruses over `length` bars."""
    bars = _form(rng, tonic, length)
    bass = Part("double bass", 32)
    piano = Part("piano", 0)
    solo = Part(*rng.choice(SOLOISTS))
    ride = Part("ride", 0, is_drum=True)
    _walk(bass, rng, bars)
    _comp(piano, rng, bars)
    _solo(solo, rng, bars)
    _ride(ride, rng, length)
    return Composition(rng.randrange(110, 201), [solo, piano, bass, ride])


def _form(rng: Random, tonic: int, length: int) -> Bars:
    charts = MINOR_CHARTS if rng.random() < 0.3 else MAJOR_CHARTS
    a = [rng.choice(charts), rng.choice(charts)]
    bridge = [rng.choice(BRIDGE_CHARTS), rng.choice(charts)]
    chorus = a + a + bridge + a
    phrases = length // BARS_PER_PHRASE
    texts = [chorus[i % len(chorus)] for i in range(phrases - 1)] + [charts[0]]
    return [bar for text in texts for bar in chart(text, tonic)]


def _swung(eighth: int) -> int:
    return eighth // 2 * BEAT + eighth % 2 * SWING


def _walk(part: Part, rng: Random, bars: Bars) -> None:
    spans = [(chord, 4 // len(bar)) for bar in bars[:-1] for chord in bar]
    roots = [chord.root for chord, _ in spans] + [bars[-1][0].root]
    pitch = above(roots[0], 33)
    tick = 0
    for (chord, beats), next_root in zip(spans, roots[1:], strict=True):
        target = within(nearest([next_root], pitch + rng.choice((-4, 4))), 31, 48)
        approach = target + rng.choice([step for step in (-1, 1, -1, -5) if target + step != pitch])
        line = [pitch, *(_middle(rng, chord, pitch, approach) if beats == 4 else ()), approach]
        for note in line:
            part.play(tick, BEAT - 24, [note], touch(rng, 78, tick))
            tick += BEAT
        pitch = target
    part.play(tick, BAR, [pitch], 84)


def _middle(rng: Random, chord: Chord, root: int, approach: int) -> tuple[int, int]:
    """The second and third beat: steps or leaps of the chord scale that arrive near the fourth."""
    scale = [chord.root + interval for interval in CHORD_SCALES[chord.quality]]
    rungs = ladder(scale, root - 7, root + 12)
    pairs = [(climb(rungs, root, first), climb(rungs, root, second)) for first, second in WALKS]
    near = [pair for pair in pairs if 0 < abs(pair[1] - approach) < 6]
    return rng.choice(near or pairs)


def _comp(part: Part, rng: Random, bars: Bars) -> None:
    patterns = [rng.choice(COMPING) for _ in range(4)]
    stabs = [
        bar * BAR + _swung(eighth)
        for bar in range(len(bars) - 1)
        for eighth in (rng.choice(patterns) if rng.random() < 0.8 else rng.choice(COMPING))
    ]
    end = (len(bars) - 1) * BAR
    voicing = [55, 64]
    for tick, following in zip(stabs, [*stabs[1:], end], strict=True):
        chord = chord_at(bars, tick + BEAT - SWING)
        voicing = _voicing(chord, rng.choice((ROOTLESS, SHELL)), voicing)
        length = min(following - tick, rng.choice((SWING // 2, SWING, 2 * BEAT)))
        part.play(tick, length, voicing, touch(rng, 62, tick))
    part.play(end, BAR, _voicing(bars[-1][0], ROOTLESS, voicing), 66)


def _voicing(chord: Chord, shapes: dict[str, tuple[int, ...]], previous: list[int]) -> list[int]:
    return voice([(chord.root + interval) % 12 for interval in shapes[chord.quality]], 50, 69, previous)


def _solo(part: Part, rng: Random, bars: Bars) -> None:
    end = (len(bars) - 1) * BAR
    onsets = [bar * BAR + _swung(eighth) for bar, eighth in _solo_rhythm(rng, len(bars) - 1)]
    pitch, direction = 66 + rng.randrange(12), 1
    for tick, following in zip(onsets, [*onsets[1:], end], strict=True):
        if rng.random() < 0.22 or not 66 <= pitch <= 82:
            direction = -1 if pitch > 74 else 1
        pitch = _solo_pitch(rng, chord_at(bars, tick + BEAT - SWING), tick, pitch, direction)
        length = min(following - tick, BEAT)
        accent = 12 if tick % BEAT and length == BEAT else 0
        part.play(tick, length, [pitch], touch(rng, 84, tick) + accent)
    part.play(end, BAR, [nearest(bars[-1][0].tones, pitch)], 86)


def _solo_rhythm(rng: Random, length: int) -> list[tuple[int, int]]:
    motif = rng.choice(SOLO_CALM)
    onsets = []
    for bar in range(length):
        place = bar % BARS_PER_PHRASE
        pools = ((motif,), SOLO_BUSY, (motif, *SOLO_BUSY, *SOLO_CALM), SOLO_REST)
        onsets += [(bar, eighth) for eighth in rng.choice(pools[place])]
    return onsets


def _solo_pitch(rng: Random, chord: Chord, tick: int, pitch: int, direction: int) -> int:
    if tick % BEAT:
        if rng.random() < 0.15:
            return pitch + direction
        scale = [chord.root + interval for interval in CHORD_SCALES[chord.quality]]
        return climb(ladder(scale, *SOLO_RANGE), pitch, direction * rng.choice((1, 1, 1, 2)))
    return climb(ladder(chord.tones, *SOLO_RANGE), pitch + direction, rng.choice((0, 0, direction)))


def _ride(part: Part, rng: Random, length: int) -> None:
    for bar in range(length):
        for eighth in (0, 2, 3, 4, 6, 7):
            tick = bar * BAR + _swung(eighth)
            part.play(tick, BEAT // 4, [51], 60 + 12 * (eighth in (2, 6)) + rng.randrange(-4, 5))
