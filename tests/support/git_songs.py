"""A repository's files for tests of fetching, and what is at hand to disturb it."""

import os
import random
import subprocess
import sys
from pathlib import Path

from cyclegan_jax.datasets.genre_rolls.open_corpus.source_list import Source

draw = random.Random(0)
SONGS = {f"scores/{n % 3}/Lied für {n}.mid": draw.randbytes(5_000) for n in range(20)}
USED = {
    **SONGS,
    "scores/first.mid": b"$Id$ one\r\ntwo\n",
    "beats/1.csv": b"1\n2\r\n",
    "LICENSE.txt": b"free\n",
    "README.md": b"songs\n",
}
UNUSED = {
    ".gitattributes": b"* text eol=crlf ident\n*.mid filter=lfs\n",
    "scores/0/one.pdf": b"a picture",
    "pictures/scores/one.mid": b"elsewhere",
    "pictures/LICENSE": b"of the pictures",
}
LATER = {"scores/later.mid": b"later", "README.md": b"more songs\n"}
PART = 20_000  # bytes: more than the listings come to, less than the songs


def files_in(place: Path) -> dict[str, bytes]:
    """All but git's own."""
    paths = [path for path in place.rglob("*") if path.is_file()]
    names = {path.relative_to(place).as_posix(): path for path in paths}
    return {name: path.read_bytes() for name, path in names.items() if not name.startswith(".git/")}


def fetching(source: Source, folder: Path, **variables: str) -> subprocess.Popen:
    """A process that fetches, and that takes Ctrl-C even where the tests run in the background."""
    program = (
        "import signal, sys; from pathlib import Path\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from cyclegan_jax.datasets.genre_rolls.open_corpus import fetch, source_list\n"
        f"fetch.fetch([source_list.{source!r}], Path(sys.argv[1]))"
    )
    words = [sys.executable, "-c", program, str(folder)]
    return subprocess.Popen(words, env={**os.environ, **variables}, stderr=subprocess.PIPE, text=True)


def stand_in(folder: Path, script: str) -> None:
    """A program called git that does what a script says."""
    (folder / "git").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "git").chmod(0o755)
