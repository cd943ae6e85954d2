"""An open corpus small enough for tests: a source of each format, and the list that names them."""

import os
import runpy
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from cyclegan_jax.datasets.genre_rolls.open_corpus import source_list
from cyclegan_jax.datasets.genre_rolls.open_corpus.source_list import Source, checksum
from support.midi_bytes import meta, midi, off, on, track
from support.running import ONE_DEVICE
from support.scores import HYMN, compressed, music_xml

SONGS = 4  # of each genre
BROKEN = "scores/broken.mxl"  # in `scores`, beside them
LABELS = "chords"  # a track that is no music
COMMIT = "0" * 40
SOURCES = (
    Source("labelled", "pop", "", COMMIT, "midi/*.mid", "MIT", "A. Pop", "", without=(LABELS, "MIDI 01")),
    Source("scores", "classic", "", COMMIT, "scores/**/*.mxl", "CC0-1.0", "B. Classic", ""),
    Source("hymns", "hymn", "", COMMIT, "*.abc", "CC-PDDC", "C. Hymn", ""),
    Source(
        *("solos", "jazz", "", COMMIT, "mcsv_melody/*.csv", "ODbL-1.0", "D. Jazz", ""),
        beside=("mcsv_beat/*.csv",),
        format="weimar_jazz",
    ),
)
NOTE_NAMES = ("C", "D", "E", "F")  # keys of the hymns, one a song
MELODY_HEAD = "onset,duration,period,division,bar,beat,tatum,beat_duration,signature,pitch,chord"
BEATS_HEAD = "onset,duration,period,division,bar,beat,signature,chord,form,chorus_id,bass"


def write_small_sources(folder: Path) -> list[Source]:
    """Write the folders of all sources; they come back with their sums."""
    for number in range(SONGS):
        _write(folder / f"labelled/midi/{number}.mid", _labelled(50 + number))
        score = compressed({"score.xml": music_xml([4] * (8 + 4 * number))})
        _write(folder / f"scores/scores/Ä, B/{number}.mxl", score)
        _write(folder / f"hymns/{number}.abc", HYMN.replace("K: Bb", f"K: {NOTE_NAMES[number]}").encode())
        _write(folder / f"solos/mcsv_melody/S{number}.csv", _solo(60 + number).encode())
        _write(folder / f"solos/mcsv_beat/S{number}_beattrack.csv", _beats().encode())
    _write(folder / "scores" / BROKEN, b"PK\3\4 and no more")
    _write(folder / "hymns/README.md", b"not a song")
    return [with_sum(source, folder) for source in SOURCES]


def with_sum(source: Source, folder: Path) -> Source:
    place = folder / source.name
    return replace(source, sha256=checksum(source.used_paths(place), place))


def write_list(path: Path, sources: Sequence[Source]) -> Path:
    """The list of these sources, as TOML."""
    lines = []
    for source in sources:
        entries = {name: value for name, value in asdict(source).items() if name != "name"}
        lines.append(f"[{source.name}]")
        lines += [f"{name} = {_toml(value)}" for name, value in entries.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def run_with_list(
    path: Path, name: str, *arguments: object, cwd: Path, **variables: str
) -> subprocess.CompletedProcess:
    """`python -m launch.<name>` with another list of sources, in a process of its own."""
    words = [sys.executable, "-m", "support.small_sources", str(path), name, *map(str, arguments)]
    environment = {**os.environ, "XLA_FLAGS": ONE_DEVICE, **variables}
    return subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, timeout=560)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _toml(value: str | tuple[str, ...]) -> str:
    return f'"{value}"' if isinstance(value, str) else f"[{', '.join(map(_toml, value))}]"


def _labelled(pitch: int) -> bytes:
    """Eight bars of 4/4: a track of music, a note a bar, and one of labels, a note at 100."""
    notes = [event for bar in range(8) for event in (on(pitch + bar % 3), off(pitch + bar % 3, 16))]
    music = track(meta(3, b"piano"), meta(0x58, bytes([4, 2, 24, 8])), *notes)
    return midi(music, track(meta(3, LABELS.encode()), on(100), off(100, 16 * 8)))


def _solo(pitch: int) -> str:
    """Eight bars of two notes."""
    rows = [
        f'{bar},0.5,4,2,{bar},{beat},1,0.5,"""4/4""",{pitch + bar % 3},C'
        for bar in range(1, 9)
        for beat in (1, 3)
    ]
    return "\n".join([MELODY_HEAD, *rows]) + "\n"


def _beats() -> str:
    rows = [
        f"{bar},0.5,4,2,{bar},{beat},'4/4',{'C7' if beat == 1 else ''},A1,1,{36 + beat}"
        for bar in range(1, 9)
        for beat in range(1, 5)
    ]
    return "\n".join([BEATS_HEAD, *rows]) + "\n"


if __name__ == "__main__":
    source_list.SOURCE_LIST = Path(sys.argv[1])
    name, *sys.argv[1:] = sys.argv[2:]
    runpy.run_module(f"launch.{name}", run_name="__main__", alter_sys=False)
