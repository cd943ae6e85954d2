"""Classical keyboard style: two voices, Alberti bass, runs and trills, to the dominant and back."""

from random import Random

from cyclegan_jax.datasets.genre_rolls.composer.harmony import (
    BAR,
    BEAT,
    MAJOR,
    MINOR,
    Bars,
    Composition,
    Part,
    above,
    chart,
    chord_at,
    climb,
    ladder,
    nearest,
    scale_over,
    stack,
    touch,
    voice,
)
from cyclegan_jax.pianoroll.roll import BARS_PER_PHRASE

SIXTEENTH = BEAT // 4

# Four bars each, written in C: ending on the dominant, ending on the tonic, leaving for the
# key of the dominant, and waiting on the dominant for the return.
MAJOR_CHARTS = {
    "half": ("C | F C | D7 | G", "C | Am F | Dm D7 | G", "C G7 | C | F D7 | G", "C A7 | Dm | D7 | G"),
    "full": ("C | F | G7 | C", "C C7 | F Dm | C G7 | C", "C | A7 Dm | G7 | C", "C E7 | Am F | G7 | C"),
    "away": ("C | Am | D7 | G", "C | Em A7 | D7 | G", "C G | Am | A7 D7 | G"),
    "back": ("G | G7 C | Dm | G7", "G | C G | D7 | G7", "E7 | A7 | D7 | G7"),
}
MINOR_CHARTS = {
    "half": ("Cm | Fm Cm | Fm | G", "Cm | Ab Fm | D7 | G", "Cm G7 | Cm C7 | Fm | G"),
    "full": ("Cm | Fm | G7 | Cm", "Cm C7 | Fm | Cm G7 | Cm", "Cm | Ab Fm | Ddim G7 | Cm"),
    "away": ("Cm | Cm | D7 | Gm", "Cm | Eb Cm | A7 D7 | Gm"),
    "back": ("G | G7 Cm | Fm | G7", "Cm | Ab | D7 | G7"),
}

# Lengths in sixteenths, a bar each.
RHYTHMS = (
    *((4, 4, 4, 4), (6, 2, 4, 4), (8, 2, 2, 2, 2), (4, 2, 2, 4, 4)),
    *((2, 2, 2, 2, 4, 4), (4, 4, 2, 2, 2, 2), (6, 1, 1, 4, 4), (4, 1, 1, 1, 1, 4, 4)),
)
CADENCES = ((8,), (4, 4), (12,), (6, 2, 4))

# Order of the tones of a broken chord, from the lowest 0.
ALBERTI = ((0, 2, 1, 2), (0, 2, 1, 2), (0, 1, 2, 1))
ARPEGGIOS = ((0, 1, 2, 3), (3, 2, 1, 0), (0, 2, 1, 3), (2, 1, 0, 1))

RIGHT_HAND = (64, 88)
LEFT_HAND = (41, 60)

HANDS = (
    (("right hand", 0), ("left hand", 0)),
    (("upper manual", 6), ("lower manual", 6)),
    (("violin", 40), ("cello", 42)),
    (("flute", 73), ("harpsichord", 6)),
)


def song(rng: Random, tonic: int, length: int) -> Composition:
    """A movement in the key of `tonic` (pitch class), major or minor, over `length` bars."""
    mode, charts = (MINOR, MINOR_CHARTS) if rng.random() < 0.35 else (MAJOR, MAJOR_CHARTS)
    right, left = rng.choice(HANDS)
    bars, scales = [], []
    for text, key in _plan(rng, charts, length // BARS_PER_PHRASE, tonic):
        bars += chart(text, key)
        scales.append({(key + interval) % 12 for interval in mode})
    movement = _Movement(rng, bars, scales, Part(*right), Part(*left))
    movement.compose()
    return Composition(rng.randrange(70, 141), [movement.right, movement.left])


def _plan(rng: Random, charts: dict[str, tuple[str, ...]], phrases: int, tonic: int) -> list[tuple[str, int]]:
    """The chart and the key (pitch class) of each phrase: tonic, dominant, and the tonic's theme again."""
    pairs = 2 if phrases < 16 else 3
    home = [(rng.choice(charts[section]), tonic) for section in ("half", "full") * pairs]
    middle = [
        (rng.choice(charts["full" if i % 2 else "half"]), (tonic + 7) % 12)
        for i in range(phrases - 2 * len(home) - 2)
    ]
    return [*home, (rng.choice(charts["away"]), tonic), *middle, (rng.choice(charts["back"]), tonic), *home]


class _Movement:
    """Two hands that play through the chart, `scales` holding the pitch classes of each phrase's key."""

    def __init__(self, rng: Random, bars: Bars, scales: list[set[int]], right: Part, left: Part) -> None:
        self.rng, self.bars, self.scales, self.right, self.left = rng, bars, scales, right, left
        self.motif, self.broken = rng.choice(RHYTHMS), rng.choice(ALBERTI)
        self.pitch, self.direction = 72, 1
        self.hand = [48, 52, 55]

    def compose(self) -> None:
        """Fill both parts, up to the last bar line."""
        for phrase in range(len(self.scales)):
            self._phrase(phrase * BARS_PER_PHRASE * BAR)
        last = (len(self.bars) - 1) * BAR
        tones = self.bars[-1][-1].tones
        root, third, fifth = tones
        self.left.play(last, BAR, stack((root, fifth, third), above(root, 36)), 70)
        self.right.play(last, BAR, [nearest([root], self.pitch)], 80)

    def _phrase(self, start: int) -> None:
        texture = self.rng.choice(("song", "song", "song", "run", "run", "arpeggio", "duet"))
        velocity = self.rng.choice((64, 74, 84))
        answer = self.rng.choice(RHYTHMS)
        trill = self.rng.random() < 0.4
        for index, rhythm in enumerate((self.motif, self.motif, answer, self.rng.choice(CADENCES))):
            tick = start + index * BAR
            if tick == (len(self.bars) - 1) * BAR:
                break
            cadence = index == BARS_PER_PHRASE - 1
            if texture == "run" and not cadence:
                self._run(tick, BAR, velocity)
            elif texture == "arpeggio" and not cadence:
                self._arpeggio(tick, velocity)
            elif trill and index == BARS_PER_PHRASE - 2:
                self._melody(tick, (4, 4), velocity)
                self._trill(tick + BAR // 2, velocity)
            else:
                self._melody(tick, rhythm, velocity)
                if cadence and sum(rhythm) == 8 and self.rng.random() < 0.4:
                    self._run(tick + BAR // 2, BAR // 2, velocity - 8)
            self._accompany(tick, texture, velocity - 14)
            velocity += 4

    def _rungs(self, tick: int) -> list[int]:
        scale = self.scales[tick // (BARS_PER_PHRASE * BAR)]
        return ladder(scale_over(chord_at(self.bars, tick), scale), *RIGHT_HAND)

    def _turn(self, chance: float) -> int:
        """The direction of the right hand, turned by chance and towards the middle of its range."""
        low, high = RIGHT_HAND
        if self.rng.random() < chance:
            self.direction = -self.direction
        if not low + 4 <= self.pitch <= high - 7:
            self.direction = 1 if self.pitch < low + 4 else -1
        return self.direction

    def _sound(self, tick: int, length: int, pitch: int, velocity: int) -> None:
        self.pitch = pitch
        self.right.play(tick, length, [pitch], touch(self.rng, velocity, tick))

    def _melody(self, tick: int, rhythm: tuple[int, ...], velocity: int) -> None:
        for sixteenths in rhythm:
            tones = chord_at(self.bars, tick).tones
            if tick % (BARS_PER_PHRASE * BAR) == (BARS_PER_PHRASE - 1) * BAR:
                pitch = climb(ladder(tones[:1], *RIGHT_HAND), self.pitch, 0)
            elif tick % BEAT == 0:
                direction = self._turn(0.5)
                steps = self.rng.choice((0, direction, direction))
                pitch = climb(ladder(tones, *RIGHT_HAND), self.pitch + direction, steps)
            else:
                pitch = climb(self._rungs(tick), self.pitch, self.direction)
            self._sound(tick, sixteenths * SIXTEENTH, pitch, velocity)
            tick += sixteenths * SIXTEENTH

    def _run(self, start: int, length: int, velocity: int) -> None:
        for tick in range(start, start + length, SIXTEENTH):
            direction = self._turn(0 if tick % BEAT else 0.25)
            self._sound(tick, SIXTEENTH, climb(self._rungs(tick), self.pitch, direction), velocity)

    def _arpeggio(self, start: int, velocity: int) -> None:
        order = self.rng.choice(ARPEGGIOS)
        for tick in range(start, start + BAR, SIXTEENTH):
            tones = ladder(chord_at(self.bars, tick).tones, *RIGHT_HAND)
            self._sound(tick, SIXTEENTH, tones[order[tick // SIXTEENTH % 4]], velocity)

    def _trill(self, start: int, velocity: int) -> None:
        rungs = self._rungs(start)
        low = climb(rungs, self.pitch, -1)
        pair = (low, climb(rungs, low, 1))
        for tick in range(start, start + BAR // 2, SIXTEENTH):
            self._sound(tick, SIXTEENTH, pair[tick // SIXTEENTH % 2], velocity)

    def _accompany(self, start: int, texture: str, velocity: int) -> None:
        for tick in range(start, start + BAR, BAR // 2):
            tones = chord_at(self.bars, tick).tones
            # Of four tones the fifth is left out.
            shape = (*tones[:2], tones[-1])
            bass = above(tones[0], 41)
            if start // BAR % BARS_PER_PHRASE in (0, BARS_PER_PHRASE - 1):
                self.hand = stack(shape, bass)
            else:
                self.hand = voice(shape, *LEFT_HAND, [*self.hand, 48])
            if texture in ("run", "arpeggio"):
                held = self.hand if texture == "run" else [bass, bass + 12]
                self.left.play(tick, BAR // 2, held, touch(self.rng, velocity, tick))
                continue
            duet = [self.hand[0], self.rng.choice(self.hand[1:])]
            line = duet if texture == "duet" else [self.hand[tone] for tone in self.broken]
            length = BAR // 2 // len(line)
            for at, pitch in zip(range(tick, tick + BAR // 2, length), line, strict=True):
                self.left.play(at, length, [pitch], touch(self.rng, velocity, at))
