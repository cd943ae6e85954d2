"""MusicXML as MIDI, by verovio (extra `scores`); compressed scores (.mxl) are unpacked in memory.

verovio reads MusicXML 1.0 to 4.0, plays the repeats of a movement, and says where each bar begins. It plays a
grace note on the beat, up to half as long as the note that it leads to, which then begins late. So grace
notes, which have no time in a bar, are left out. So are arpeggios, whose later notes it plays late, and
accidentals and octave lines. These say how a note is printed; its step, alter and octave say how it sounds.
verovio prefers an accidental to the alter, and in every part but the first it moves notes under an octave
line once more. Its parser knows no entities but
XML's own, so none can grow. A compressed score is a zip whose META-INF/container.xml names the score
(MusicXML 4.0, https://www.w3.org/2021/06/musicxml40/tutorial/compressed-mxl-files/).
"""

import base64
import importlib.util
import io
import lzma
import re
import zipfile
import zlib
from html import unescape
from itertools import accumulate
from typing import Any

from cyclegan_jax.midi.midi_file import read_file
from cyclegan_jax.midi.refusals import Refusal, RefusedSongError
from cyclegan_jax.midi.scores.bar_lines import with_bar_lines
from cyclegan_jax.midi.scores.movements import movements, one_after_another

MAX_XML = 32 << 20  # bytes of a compressed score when unpacked; a whole string quartet has 11 MiB
CONTAINER = "META-INF/container.xml"
ROOT_FILE = re.compile(r"""<rootfile\b[^>]*?\bfull-path\s*=\s*(["'])(.*?)\1""", re.DOTALL)
BAD_ARCHIVE = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError),
    *(NotImplementedError, RuntimeError, ValueError),  # of a method that is not known, a password, a name
)
GRACE_NOTE = re.compile(r"<note\b[^<>]*>\s*<grace\b(?:(?!<note\b).)*?</note>", re.DOTALL)
PRINTED = re.compile(r"<(accidental|arpeggiate|octave-shift)\b[^<>]*?(?:/>|>[^<]*</\1>)")
TIME = re.compile(r"<beats>\s*(\d{1,3})\s*</beats>\s*<beat-type>\s*(\d{1,3})\s*</beat-type>")
BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")  # of UTF-16


def music_xml_to_midi(data: bytes) -> bytes:
    """A score, .musicxml or .mxl, as a Standard MIDI File, its bars told by time signatures.

    An uncompressed score has at most 8 MiB, as any song; packed as .mxl it may have four times that. Raises
    RefusedSongError where it is damaged or too large, or where verovio is not installed.
    """
    text = _decoded(_unpacked(data) if data[:2] == b"PK" else data)
    toolkit = _toolkit()
    if "<score-timewise" in text:
        raise RefusedSongError(Refusal.DAMAGED, "a score-timewise is not read; save it as score-partwise")
    played = [_played(toolkit, movement) for movement in movements(PRINTED.sub("", GRACE_NOTE.sub("", text)))]
    lengths = [lines[-1] for _, lines in played]
    starts = accumulate(lengths, initial=0)
    lines = {start + line for start, (_, lines) in zip(starts, played, strict=False) for line in lines}
    return with_bar_lines(one_after_another([midi for midi, _ in played], lengths), sorted(lines))


def _played(toolkit: Any, movement: str) -> tuple[bytes, list[int]]:  # noqa: ANN401  # as below
    """A movement as MIDI, repeats played, and the ticks of its bar lines; the last is its end."""
    if not toolkit.loadData(movement):
        raise RefusedSongError(Refusal.DAMAGED, "this MusicXML cannot be read")
    midi = base64.b64decode(toolkit.renderToMIDI())
    timemap = toolkit.renderToTimemap({"includeMeasures": True})
    bars = {entry["qstamp"] for entry in timemap if "measureOn" in entry}
    if not bars:
        raise RefusedSongError(Refusal.DAMAGED, "this MusicXML has no bar")
    ticks = read_file(midi).ticks_per_quarter
    return midi, sorted({round(quarter * ticks) for quarter in (*bars, timemap[-1]["qstamp"])})


def metres_of(data: bytes) -> set[tuple[int, int]]:
    """The metres that a score names, fast, as it is not read further; none where notes come before the first.

    Raises RefusedSongError.
    """
    text = _decoded(_unpacked(data) if data[:2] == b"PK" else data)
    first = TIME.search(text)
    if not first or "<note" in text[: first.start()]:
        return set()
    return {(int(above), int(below)) for above, below in TIME.findall(text)}


def check_reader() -> None:
    """Raise RefusedSongError where verovio is not installed."""
    if importlib.util.find_spec("verovio") is None:
        raise RefusedSongError(
            Refusal.NO_SCORE_READER,
            "install it by pip install 'cyclegan-jax[scores]', or save the score as MIDI",
        )


def _toolkit() -> Any:  # noqa: ANN401  # verovio tells no types
    """A reader of scores that lays nothing out on pages."""
    check_reader()
    import verovio

    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit()
    toolkit.setOptions({"breaks": "none"})
    return toolkit


def _decoded(xml: bytes) -> str:
    return xml.decode("utf-16" if xml[:2] in BYTE_ORDER_MARKS else "utf-8", "replace")


def _unpacked(data: bytes) -> bytes:
    """The score in a compressed one."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if CONTAINER not in archive.namelist():
                raise RefusedSongError(Refusal.NOT_MIDI, f"a zip archive without {CONTAINER}, so no score")
            named = ROOT_FILE.search(_decoded(_content(archive, CONTAINER)))
            if not named:
                raise RefusedSongError(Refusal.DAMAGED, f"{CONTAINER} names no score")
            return _content(archive, unescape(named[2]))
    except KeyError as error:
        raise RefusedSongError(Refusal.DAMAGED, f"no score in this archive: {error.args[0]}") from error
    except BAD_ARCHIVE as error:
        why = f"this compressed score cannot be unpacked: {error}"
        raise RefusedSongError(Refusal.DAMAGED, why) from error


def _content(archive: zipfile.ZipFile, name: str) -> bytes:
    """A file of an archive; no more of it is unpacked than is allowed, whatever size the archive tells."""
    with archive.open(name) as file:
        content = file.read(MAX_XML + 1)
    if len(content) > MAX_XML:
        raise RefusedSongError(Refusal.TOO_LARGE, f"over {MAX_XML >> 20} MiB when unpacked")
    return content
