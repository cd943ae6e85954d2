"""Scores of several movements: each played by its own repeats, and all that was said before still held."""

import pytest
from support.scores import DA_CAPO, FINE, PITCHES, REPEAT, in_one_file, marked, music_xml

from cyclegan_jax.midi.reader import Score, parse_midi
from cyclegan_jax.midi.scores.movements import movements, one_after_another
from cyclegan_jax.midi.scores.music_xml import music_xml_to_midi

KEYS = dict(zip((60, 62, 64, 65, 67, 69, 71), PITCHES, strict=True))
FIRST = music_xml([1] * 6, (1, 4))  # its bars are C D E F G A


def read(xml: str) -> Score:
    return parse_midi(music_xml_to_midi(xml.encode()))


def played(xml: str) -> str:
    score = read(xml)
    assert (score.onsets / score.ticks_per_quarter).tolist() == list(range(len(score.onsets)))
    return "".join(KEYS[pitch] for pitch in score.pitches.tolist())


@pytest.mark.parametrize(
    "second, order",
    [
        (marked(music_xml([1] * 3, (1, 4)), bar_1=REPEAT), "CDCDE"),
        (marked(music_xml([1] * 3, (1, 4)), bar_0=FINE, bar_2=DA_CAPO), "CDEC"),
        (marked(music_xml([1] * 4, (1, 4)), bar_1=FINE + REPEAT, bar_3=DA_CAPO), "CDCDEFCD"),
    ],
)
def test_a_movement_is_repeated_from_its_own_start_and_the_next_one_follows(second, order):
    assert played(in_one_file(FIRST, second, FIRST)) == f"CDEFGA{order}CDEFGA"


def test_what_a_part_says_once_holds_in_every_movement():
    once = "<transpose><chromatic>-2</chromatic></transpose></attributes>"
    movement = music_xml([3, 3], (3, 4)).replace("<duration>1<", "<duration>2<")
    first = movement.replace("<divisions>1<", "<divisions>2<").replace("</attributes>", once)
    start = movement.index("<attributes>")
    second = movement[:start] + movement[movement.index("</attributes>") + len("</attributes>") :]
    score = read(in_one_file(first, second))
    assert (score.onsets / score.ticks_per_quarter).tolist() == list(range(12))
    assert score.pitches.tolist() == [58, 58, 58, 60, 60, 60] * 2
    assert list(score.time_signatures) == [(0, 3, 4)]


def test_bars_of_rests_are_as_long_as_their_own_movement_says():
    rests = '<note><rest measure="yes"/><duration>3</duration></note>'
    second = music_xml([3, 3, 3], (3, 4))
    start = second.index("<note>", second.index('number="1"'))
    second = second[:start] + rests + second[second.index("</measure>", start) :]
    score = read(in_one_file(music_xml([4, 4]), second))
    assert (score.onsets / score.ticks_per_quarter).tolist() == [*range(11), 14, 15, 16]
    assert [(tick / score.ticks_per_quarter, *metre) for tick, *metre in score.time_signatures] == [
        (0, 4, 4),
        (8, 3, 4),
    ]


@pytest.mark.parametrize(
    "numbers, count",
    [
        ("0 1 2 3", 1),
        ("1 2 3 1 2", 2),
        ("0 1 2 0 1 1 2", 2),
        ("1 1 X1 2 3", 1),  # a bar that a repeat splits
        ("1 2 X1 1 2 X2 0 1", 3),
        ("4 5 6 4 5 6", 1),  # strophes, or a second ending
    ],
)
def test_a_movement_begins_where_bars_are_numbered_from_0_or_1_again(numbers, count):
    bars = "".join(f'<measure number="{number}"></measure>' for number in numbers.split())
    score = f"<score-partwise>{{}}<part id='P2'>{bars}</part></score-partwise>"
    parts = list(movements(score.format(f"<part id='P1'>{bars}</part>")))
    assert len(parts) == count
    assert "".join(parts).count("<measure ") == 2 * len(numbers.split())


def test_a_score_whose_parts_disagree_is_one_movement():
    part = "<part id='P1'><measure number='1'/><measure number='2'/><measure number='{}'/></part>"
    score = f"<score-partwise>{part.format(1)}{part.format(3)}</score-partwise>"
    assert list(movements(score)) == [score]


def test_a_note_that_sounds_into_the_next_movement_ends_where_it_did():
    xml = music_xml([4])
    first, second = (music_xml_to_midi(xml.replace("<step>C", f"<step>{step}").encode()) for step in "CE")
    ticks = parse_midi(first).ticks_per_quarter
    score = parse_midi(one_after_another([first, second], [3 * ticks, 4 * ticks]))
    notes = zip(score.onsets.tolist(), score.ends.tolist(), score.pitches.tolist(), strict=True)
    told = {(onset // ticks, round(end / ticks), pitch) for onset, end, pitch in notes}
    assert told == {(n, n + 1, 60) for n in range(4)} | {(n, n + 1, 64) for n in range(3, 7)}
