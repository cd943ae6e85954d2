"""Songs in files as people have reported them: with a common fault, or legal but often read wrong.

Each is one tune in a key of its own, so that no two have the same notes. What a file holds is known because
it is made, not because it is read.
"""

import dataclasses
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random

from cyclegan_jax.midi.refusals import Refusal
from support.midi_bytes import SIGNATURE, TEMPO, chunk, meta, midi, on, track, varlen
from support.tunes import BAR, BEAT, STEP, Event, Played, control, of_tracks, played, program, timed, tune

PEDAL_UP = 750  # ticks from the start of a bar
HEAD: list[Event] = [(0, SIGNATURE), (0, TEMPO)]
GM_RESET = b"\0\xf0\x05\x7e\x7f\x09\x01\xf7"
GS_RESET = b"\0\xf0\x0a" + bytes.fromhex("41104212 40007f0041 f7")
GS_DRUMS_12 = b"\0\xf0\x0a" + bytes.fromhex("41104212 401b1501 0ff7")
XG_RESET = b"\0\xf0\x08" + bytes.fromhex("43104c00007e00 f7")
DRUMS = [(BEAT // 2 * number, BEAT // 2 * number + 20, (36, 42, 38, 42)[number % 4]) for number in range(64)]


@dataclass(frozen=True)
class Reported:
    """A file, its pitched notes, and what must come of it.

    `starts`: the first steps of the dataset's phrases. `drums`: hits that all must be kept. `remarks`: of a
    transfer, those of the file's mending first. `refused`: by all. `refused_by_dataset`: by that alone.
    `for_pretty_midi`: whether pretty_midi opens the file, and takes it for the same song.
    """

    data: bytes
    notes: tuple[Played, ...]
    drums: tuple[Played, ...] = ()
    starts: tuple[int, ...] = (0, 64)
    remarks: tuple[str, ...] = ()
    refused: Refusal | None = None
    refused_by_dataset: Refusal | None = None
    for_pretty_midi: bool = True


def as_it_is(key: int, *, head: list[Event] = HEAD, more: Iterable[Event] = (), **outcome) -> Reported:
    """The tune in a track of its own behind one with `head`; `more` stands before its notes."""
    notes = tune(key)
    return Reported(of_tracks(head, [*more, *played(notes)]), tuple(notes), **outcome)


def rewritten(change: Callable[[bytes], bytes], **outcome) -> Callable[[int], Reported]:
    """The plain file with its bytes changed."""

    def make(key: int) -> Reported:
        plain = as_it_is(key, **outcome)
        return dataclasses.replace(plain, data=change(plain.data))

    return make


def longer_last_track(data: bytes) -> bytes:
    place = data.rindex(b"MTrk") + 4
    return data[:place] + (len(data) - place - 4 + 4).to_bytes(4, "big") + data[place + 4 :]


def longer_delta(data: bytes) -> bytes:
    """With the delta time of five bytes that a program wrote for a negative one."""
    name = data.index(b"\0\xff\3\4tune")
    longer = data[:name] + b"\xff\xff\xff\xff\x7f" + data[name + 1 :]
    place = data.rindex(b"MTrk") + 4
    length = int.from_bytes(data[place : place + 4], "big") + 4
    return longer[:place] + length.to_bytes(4, "big") + longer[place + 4 :]


def running_after_lyrics(key: int) -> Reported:
    """One status byte for all notes, which end by velocity 0, and a lyric in each bar."""
    notes = [(end, on(pitch, velocity=0)) for _, end, pitch in tune(key)]
    notes += [(onset, on(pitch)) for onset, _, pitch in tune(key)]
    lyrics = [(bar * BAR + BEAT, meta(5, b"la")) for bar in range(8)]
    statuses = itertools.chain([b"\x90"], itertools.repeat(b""))
    body, now = b"", 0
    for tick, event in sorted([*notes, *lyrics], key=lambda timed: timed[0]):
        body += varlen(tick - now) + (event[1:] if event[1] == 0xFF else next(statuses) + event[2:])
        now = tick
    remark = "running status goes on after a meta or system-exclusive event"
    data = midi(track(timed(HEAD)), track(body), division=BEAT)
    return Reported(data, tuple(tune(key)), remarks=(remark,))


def no_end_of_track(key: int) -> Reported:
    body = timed([*HEAD, *played(tune(key))])
    data = midi(chunk(b"MTrk", body), file_type=0, division=BEAT)
    return Reported(data, tuple(tune(key)), remarks=("a track without End of Track",))


def end_of_track_far(key: int) -> Reported:
    body = timed([*played(tune(key)), (2000 * BAR, b"\0\xff\x2f\0")])
    return Reported(midi(track(timed(HEAD)), chunk(b"MTrk", body), division=BAR // 4), tuple(tune(key)))


def bar_of_2_4(key: int) -> Reported:
    notes = [n for n in tune(key) if n[0] < 4 * BAR] + [
        n for n in tune(key, late=8) if n[0] >= 4 * BAR + BAR // 2
    ]
    metres = [(4 * BAR, meta(0x58, bytes([2, 2, 24, 8]))), (4 * BAR + BAR // 2, SIGNATURE)]
    notes.append((4 * BAR, 4 * BAR + BAR // 2, 60 + key))
    return Reported(
        of_tracks([*HEAD, *metres], played(notes)),
        tuple(notes),
        starts=(0, 72),
        remarks=("only what is in 4/4 transferred, the rest copied",),
    )


def upbeat(*metres: Event, **outcome) -> Callable[[int], Reported]:
    """A quarter note before the first of the bars."""

    def make(key: int) -> Reported:
        notes = [(0, BEAT, 67 + key), *tune(key, late=4)]
        return Reported(of_tracks([*metres, (0, TEMPO)], played(notes)), tuple(notes), **outcome)

    return make


def all_16_channels(key: int) -> Reported:
    """The tune in turn on the 15 channels that are not drums', each of a program of its own."""
    notes, pitched = tune(key), [channel for channel in range(16) if channel != 9]
    events = [*HEAD, *((0, program(5 * channel, channel)) for channel in pitched), *played(DRUMS, 9)]
    for place, channel in enumerate(pitched):
        events += played(notes[place::15], channel)
    return Reported(of_tracks(events), tuple(notes), tuple(DRUMS))


def volume_everywhere(key: int) -> Reported:
    """Volume is sent to all channels, notes to two of them."""
    notes = tune(key)
    head = [*HEAD, *((0, control(7, 100, channel)) for channel in range(16))]
    parts = played(notes[::2]), [(0, program(30, 8)), *played(notes[1::2], 8)]
    return Reported(of_tracks(head, *parts), tuple(notes))


def behind_a_reset(*, tracks: int) -> Callable[[int], Reported]:
    """A bar of reset and settings, then the tune."""

    def make(key: int) -> Reported:
        notes = tune(key, late=16)
        head, part = [(0, GM_RESET), *HEAD], [(24, program(25)), (24, control(7, 100)), *played(notes)]
        return Reported(of_tracks(head, part) if tracks == 2 else of_tracks([*head, *part]), tuple(notes))

    return make


def gs_drums(key: int) -> Reported:
    """Channel 12 is made drums by a message that pretty_midi does not read."""
    head = [(0, GS_RESET), *HEAD, (24, GS_DRUMS_12)]
    notes, drums = tune(key, late=16), [(onset + BAR, end + BAR, pitch) for onset, end, pitch in DRUMS]
    parts = [(48, program(0)), *played(notes)], [(48, program(0, 11)), *played(drums, 11)]
    return Reported(of_tracks(head, *parts), tuple(notes), tuple(drums), for_pretty_midi=False)


def xg_drums_alone(_: int) -> Reported:
    part = [(0, control(0, 127, 10)), (0, program(0, 10)), *played(DRUMS, 10)]
    return Reported(of_tracks([(0, XG_RESET), *HEAD], part), (), tuple(DRUMS), refused=Refusal.NO_NOTES)


def swung(key: int) -> Reported:
    """Off-beats on the last third of the beat."""

    def moved(tick: int) -> int:
        return tick + BEAT // 6 if tick % BEAT == BEAT // 2 else tick

    notes = [(moved(onset), moved(end), pitch) for onset, end, pitch in tune(key)]
    return Reported(of_tracks(HEAD, played(notes)), tuple(notes))


def played_freely(key: int) -> Reported:
    rng = Random(key)
    ticks = sorted({tick for onset, end, _ in tune(key) for tick in (onset, end)})
    free = dict(zip(ticks, itertools.accumulate(rng.randint(60, 120) for _ in ticks), strict=True))
    notes = [(free[onset], free[end], pitch) for onset, end, pitch in tune(key)]
    return Reported(
        of_tracks(HEAD, played(notes)),
        tuple(notes),
        remarks=(
            "no beat found: for a better transfer fit the file's tempo to the playing in a music program",
        ),
        refused_by_dataset=Refusal.NO_BEAT,
    )


def under_the_pedal(key: int) -> Reported:
    """Short notes that the pedal holds for nearly a bar each time; the last one lasts."""
    *first, last = tune(key)
    notes = [*((onset, onset + 40, pitch) for onset, _, pitch in first), last]
    pedal = [
        (bar * BAR + tick, control(64, value)) for bar in range(8) for tick, value in ((10, 127), (750, 0))
    ]
    return Reported(of_tracks(HEAD, [*pedal, *played(notes)]), tuple(notes))


FADE = [(4 * BAR + STEP * step, control(11, 127 - 2 * step)) for step in range(60)]
UNTOLD = ("no time signature, taken as 4/4 as MIDI says",)
MAKERS: dict[str, Callable[[int], Reported]] = {
    "nothing odd": as_it_is,
    "a time signature of two bytes": lambda key: as_it_is(
        key,
        head=[(0, meta(0x58, b"\4\2")), (0, TEMPO)],
        remarks=("a time signature of two bytes",),
        for_pretty_midi=False,
    ),
    "running status after lyrics": running_after_lyrics,
    "a last track that tells four bytes too many": rewritten(
        longer_last_track, remarks=("a track of another length than it states",), for_pretty_midi=False
    ),
    "no End of Track": no_end_of_track,
    "End of Track 2,000 bars on": end_of_track_far,
    "a controller of value 255": lambda key: as_it_is(
        key, more=[(0, control(7, 255))], remarks=("data bytes over 127 taken as 127",), for_pretty_midi=False
    ),
    "a delta of five bytes before a name": rewritten(
        longer_delta,
        more=[(0, meta(3, b"tune"))],
        remarks=("a delta time of five bytes taken as 0",),
        for_pretty_midi=False,
    ),
    "a track more declared": rewritten(
        lambda data: data[:10] + b"\0\3" + data[12:],
        remarks=("3 tracks declared, 2 found",),
        for_pretty_midi=False,
    ),
    "a tag behind the last chunk": rewritten(
        lambda data: data + b"TAG" + b"tune".ljust(125), remarks=("128 bytes behind the last chunk left out",)
    ),
    "a web page": lambda _: Reported(
        b"<!DOCTYPE html><html><body>Not found</body></html>",
        (),
        refused=Refusal.NOT_MIDI,
        for_pretty_midi=False,
    ),
    "2/2": lambda key: as_it_is(key, head=[(0, meta(0x58, bytes([2, 1, 24, 8]))), (0, TEMPO)]),
    "no time signature": lambda key: as_it_is(key, head=[(0, TEMPO)], remarks=UNTOLD),
    "a time signature after the first note": lambda key: as_it_is(key, head=[(4, SIGNATURE), (0, TEMPO)]),
    "a time signature twice": lambda key: as_it_is(key, head=[(0, SIGNATURE), *HEAD]),
    "a time signature in the second track": lambda key: as_it_is(
        key, head=[(0, TEMPO)], more=[(0, SIGNATURE)], for_pretty_midi=False
    ),
    "tempos in the second track": lambda key: as_it_is(
        key,
        head=[(0, SIGNATURE)],
        more=[(0, meta(0x51, b"\x0c\x35\0")), (4 * BAR, meta(0x51, b"\6\x1a\x80"))],
        for_pretty_midi=False,
    ),
    "a bar of 2/4 amid 4/4": bar_of_2_4,
    "an upbeat told by 1/4": upbeat(
        (0, meta(0x58, bytes([1, 2, 24, 8]))),
        (BEAT, SIGNATURE),
        starts=(4, 68),
        remarks=("the upbeat before the first bar copied",),
    ),
    "an upbeat that nothing tells": upbeat(
        (0, SIGNATURE), remarks=("its bars seem to begin 1 beat later than counted from its start",)
    ),
    "all 16 channels in one track": all_16_channels,
    "volume on all channels": volume_everywhere,
    "programs behind a GM reset": behind_a_reset(tracks=2),
    "programs behind a GM reset in one track": behind_a_reset(tracks=1),
    "drums on channel 12 by GS": gs_drums,
    "drums alone, on channel 11 by XG": xg_drums_alone,
    "a fade by expression": lambda key: as_it_is(key, more=FADE),
    "a low channel volume": lambda key: as_it_is(key, more=[(0, control(7, 40))]),
    "a key signature of no key": lambda key: as_it_is(
        key,
        head=[*HEAD, (0, meta(0x59, b"\xfd\xff"))],
        remarks=("1 impossible key signature left out",),
        for_pretty_midi=False,
    ),
    "swung eighths": swung,
    "played freely": played_freely,
    "short notes under the pedal": under_the_pedal,
}


REPORTED = {kind: make(key) for key, (kind, make) in enumerate(MAKERS.items(), start=-12)}
