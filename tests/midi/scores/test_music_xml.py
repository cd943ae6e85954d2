"""MusicXML as MIDI: bars where the score has them, and archives that mean harm."""

import sys
import tracemalloc

import pytest
from support.scores import compressed, music_xml

from cyclegan_jax.midi.reader import parse_midi
from cyclegan_jax.midi.refusals import Refusal, RefusedSongError
from cyclegan_jax.midi.scores import music_xml as module
from cyclegan_jax.midi.scores.music_xml import music_xml_to_midi

ENTITIES = "<!DOCTYPE score-partwise [<!ENTITY a0 'ha'>{}]>".format(
    "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10))
)


def signatures(data: bytes) -> list[tuple[float, int, int]]:
    score = parse_midi(music_xml_to_midi(data))
    return [(tick / score.ticks_per_quarter, above, below) for tick, above, below in score.time_signatures]


@pytest.mark.parametrize("packed", [False, True])
def test_an_upbeat_is_a_bar_of_its_own(packed):
    xml = music_xml([1, 4, 4, 4, 4, 3])
    data = compressed({"score.xml": xml}) if packed else xml.encode()
    assert signatures(data) == [(0, 1, 4), (1, 4, 4)]
    score = parse_midi(music_xml_to_midi(data))
    assert (score.onsets / score.ticks_per_quarter).tolist() == list(range(20))


def test_text_may_be_utf_16_and_the_score_lie_in_a_folder():
    xml = music_xml([3, 3], (3, 4)).replace("UTF-8", "UTF-16")
    assert signatures(compressed({"scores/a & b.xml": xml.encode("utf-16")}, "scores/a &amp; b.xml")) == [
        (0, 3, 4)
    ]


@pytest.mark.parametrize(
    "data, reason, words",
    [
        (b"PK\3\4 and no more", Refusal.DAMAGED, "cannot be unpacked"),
        (compressed({"score.xml": music_xml([4])})[:200], Refusal.DAMAGED, "cannot be unpacked"),
        (compressed({"score.xml": ""}, container=False), Refusal.NOT_MIDI, "META-INF/container.xml"),
        (compressed({}, "../../etc/passwd"), Refusal.DAMAGED, "../../etc/passwd"),
        (compressed({}, "/etc/passwd"), Refusal.DAMAGED, "/etc/passwd"),
        (compressed({"score.xml": "no score"}), Refusal.DAMAGED, "cannot be read"),
        (b"<score-partwise><part", Refusal.DAMAGED, ""),
        (b"<score-timewise></score-timewise>", Refusal.DAMAGED, "save it as score-partwise"),
    ],
    ids=[  # a zip archive tells the time, which workers of the tests may not share
        *("no archive", "cut off", "no container", "a path upwards", "a path from the root", "text"),
        *("cut off amid a tag", "timewise"),
    ],
)
def test_what_is_no_score_is_refused_with_a_reason(data, reason, words):
    with pytest.raises(RefusedSongError) as refused:
        music_xml_to_midi(data)
    assert refused.value.reason == reason and words in refused.value.detail


def test_a_zip_bomb_is_unpacked_to_its_limit_only(monkeypatch):
    monkeypatch.setattr(module, "MAX_XML", 1 << 20)
    bomb = compressed({"score.xml": b" " * (256 << 20)})
    assert len(bomb) < 1 << 20
    tracemalloc.start()
    with pytest.raises(RefusedSongError) as refused:
        music_xml_to_midi(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refused.value.reason == Refusal.TOO_LARGE and peak < 16 << 20


def test_grace_notes_delay_no_note():
    grace = "<note><grace/><pitch><step>A</step><octave>5</octave></pitch><type>eighth</type></note>"
    xml = music_xml([4, 4]).replace("<note>", f"{grace}<note>").replace(grace, grace * 3, 2)
    score = parse_midi(music_xml_to_midi(xml.encode()))
    assert (score.onsets / score.ticks_per_quarter).tolist() == list(range(8))


def test_the_notes_of_an_arpeggio_begin_together():
    spread = "<notations><arpeggiate/></notations>"
    xml = music_xml([4, 4]).replace("</type>", f"</type>{spread}")
    chord = "<note><chord/><pitch><step>B</step><octave>5</octave></pitch><duration>1</duration>"
    xml = xml.replace("</note>", f"</note>{chord}<type>quarter</type>{spread}</note>")
    score = parse_midi(music_xml_to_midi(xml.encode()))
    assert sorted(score.onsets / score.ticks_per_quarter) == sorted([*range(8)] * 2)


def test_a_note_sounds_by_its_step_alter_and_octave_whatever_is_printed():
    """verovio by itself moves notes under an octave line in all parts but the first."""
    line = '<direction><direction-type><octave-shift type="{}" size="8"/></direction-type></direction>'
    xml = music_xml([2, 2], (2, 4)).replace("<type>", "<accidental>sharp</accidental><type>")
    xml = xml.replace("</note></measure>", f"</note>{line.format('stop')}</measure>")
    xml = xml.replace("<note>", f"{line.format('down')}<note>", 1)
    part = xml[xml.index('<part id="P1">') : xml.index("</score-partwise>")]
    second = part.replace("P1", "P2").replace("<octave>4", "<octave>5")
    two = xml.replace(
        "</part-list>", '<score-part id="P2"><part-name>Oboe</part-name></score-part></part-list>'
    )
    score = parse_midi(music_xml_to_midi(two.replace("</part>", f"</part>{second}").encode()))
    assert sorted(score.pitches.tolist()) == [60, 60, 62, 62, 72, 72, 74, 74]


def test_entities_are_not_expanded():
    xml = music_xml([4, 4], doctype=ENTITIES).replace("Flute", "&a9;")
    assert signatures(xml.encode()) == [(0, 4, 4)]


def test_without_verovio_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "verovio", None)
    with pytest.raises(RefusedSongError, match=r"pip install 'cyclegan-jax\[scores\]'") as refused:
        music_xml_to_midi(music_xml([4]).encode())
    assert refused.value.reason == Refusal.NO_SCORE_READER
