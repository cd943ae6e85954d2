"""Pages to look at and to listen to: a song, its transfer and its reconstruction, one under another.

A page is one file that needs no other: pictures, sound and MIDI files are in it, and it loads nothing from
elsewhere. So it can be mailed or kept. Mail and browsers have limits, so it has at most 10 MB.
"""

import base64
import html
import importlib.resources
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from string import Template

from cyclegan_jax.errors import UserError
from cyclegan_jax.midi.refusals import RefusedSongError
from cyclegan_jax.midi.song import Song
from cyclegan_jax.rendering.audio import BYTES_PER_SECOND, mp3_of
from cyclegan_jax.rendering.svg import lay_out

MOST_BYTES = 10_000_000  # of a page
SHORTEST = 2.0  # seconds, that a song may be cut to
MOST_SECONDS = MOST_BYTES * 3 / 4 / BYTES_PER_SECOND / 2  # of a song whose two versions fill a page
PAGES = importlib.resources.files("cyclegan_jax.rendering") / "pages"


@dataclass(frozen=True)
class Version:
    """One version of a song: `title` for people, `file_name` to save it by, the file and the song parsed
    from it, and the classifier's probabilities by genre, maybe none.
    """

    title: str
    file_name: str
    midi: bytes
    song: Song
    probabilities: dict[str, float]


@dataclass(frozen=True)
class Piece:
    """A song in its versions: the original, its transfer and, if there is one, its reconstruction."""

    title: str
    versions: Sequence[Version]
    remarks: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """How long its original lasts."""
        return self.versions[0].song.duration


def page(title: str, facts: str, pieces: Sequence[Piece], *, seconds: float = math.inf) -> str:
    """A page that needs nothing but itself: pictures, sound and MIDI files are in it.

    At most 10 MB: songs are cut as short as that takes, and say so; `seconds`: no song is longer in any
    case. Raises UserError where not even two seconds of each have room.
    """
    longest = min(seconds, max(piece.seconds for piece in pieces), MOST_SECONDS)
    silent = "".join(piece_html(piece, SHORTEST, with_sound=False) for piece in pieces)
    while len(silent.encode()) <= MOST_BYTES:
        shown = "".join(piece_html(piece, longest, with_sound=True) for piece in pieces)
        text = fill("listen.html", title=html.escape(title), facts=html.escape(facts), pieces=shown)
        size = len(text.encode())
        if size <= MOST_BYTES:
            return text
        longest = min(longest * 0.9 * MOST_BYTES / size, longest - 1)
        if longest < SHORTEST:
            break
    raise UserError(
        f"the songs, {len(pieces)} of them, and their MIDI files are too large for a page of "
        f"{MOST_BYTES // 10**6} MB; take fewer or smaller ones."
    )


def fill(name: str, **values: str) -> str:
    """A page of `pages/` with its values, and the style, player and legend that all pages share."""
    shared = {part: (PAGES / f"player.{part}").read_text("utf-8") for part in ("css", "js")}
    shared["legend"] = (PAGES / "legend.html").read_text("utf-8")
    return Template((PAGES / name).read_text("utf-8")).substitute(**shared, **values)


def piece_html(piece: Piece, seconds: float, *, with_sound: bool) -> str:
    """A song's versions under each other on one time line, as a section of a page.

    The original's cells are marked where the transfer has lost them, the others' where the original has
    them not; those that the reconstruction lacks are outlined.
    """
    songs = [version.song for version in piece.versions]
    drawing = lay_out(songs, seconds)
    others = [songs[1], *[songs[0]] * (len(songs) - 1)]
    is_cut = drawing.seconds < piece.seconds
    heard = drawing.seconds if is_cut else math.inf  # drums and the last note's release may go on for longer
    sounds = _sounds(piece, heard) if with_sound else [""] * len(songs)
    pictures = [
        drawing.draw(song, other, ghosts=place > 1)
        for place, (song, other) in enumerate(zip(songs, others, strict=True))
    ]
    kinds = ["original", *["version"] * len(others[1:])]
    rows = map(_row, kinds, piece.versions, pictures, sounds)
    remarks = list(piece.remarks)
    if is_cut:
        remarks.append(f"cut after {clock(drawing.seconds)} of {clock(piece.seconds)}")
    remark = f'<p class="remarks">{html.escape("; ".join(remarks))}</p>' if remarks else ""
    return (
        f"<section><h2>{html.escape(piece.title)}</h2>{remark}"
        f'<div class="rolls" data-scale="{drawing.scale:.6g}">{"".join(rows)}</div></section>'
    )


def _sounds(piece: Piece, seconds: float) -> list[str]:
    """The attribute that gives each version its sound, made side by side; nothing where none can be made."""

    def attribute(version: Version) -> str:
        try:
            return f' src="{_data("audio/mpeg", mp3_of(version.midi, seconds))}"'
        except RefusedSongError:
            return ""

    with ThreadPoolExecutor() as threads:
        return list(threads.map(attribute, piece.versions))


def _row(kind: str, version: Version, picture: str, sounds: str) -> str:
    shares = "".join(
        f"<li>{html.escape(genre)} <b>{100 * share:.0f} %</b></li>"
        for genre, share in version.probabilities.items()
    )
    title, name = html.escape(version.title), html.escape(version.file_name)
    return (
        f'<div class="row {kind}"><div class="side"><h3>{title}</h3>'
        f'<button class="play" aria-label="play {title}">▶</button>'
        f'<audio preload="metadata"{sounds}></audio><ul>{shares}</ul>'
        f'<a class="midi" download="{name}" href="{_data("audio/midi", version.midi)}">download MIDI</a>'
        "</div>"
        f'<div class="roll">{picture}<div class="cursor"></div></div></div>'
    )


def _data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def clock(seconds: float) -> str:
    """Minutes and whole seconds, as `4:05`."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
