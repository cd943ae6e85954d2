"""Songs that are scores, as MIDI: what a file is, is told by its first bytes."""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

from cyclegan_jax.midi.refusals import Refusal, RefusedSongError
from cyclegan_jax.midi.scores.abc_notation import abc_to_midi
from cyclegan_jax.midi.scores.music_xml import check_reader, music_xml_to_midi

SCORE_ENDINGS = (".mxl", ".musicxml", ".abc")
SECONDS = 60.0  # that a conversion may take
MOST_MEMORY = 4 << 30  # bytes of address space
REFUSED = 3  # exit status of the process that converts, for a score that is refused
MOST_WORDS = 100  # characters of an error's message
SEPARATOR = "\0"
HEAD = 4096  # bytes in which MusicXML's first element must begin


def as_midi(data: bytes) -> bytes:
    """A song as a Standard MIDI File: a score is converted, anything else comes back as it is.

    Scores are read by libraries that a hostile file may crash or keep busy, so call this in a process that
    may end; else call `as_midi_apart`. Raises RefusedSongError.
    """
    convert = _converter(data)
    return convert(data) if convert else data


def as_midi_apart(data: bytes, seconds: float = SECONDS) -> bytes:
    """As `as_midi`, a score in a process of its own, in bounded time and memory. Raises RefusedSongError."""
    if not _converter(data):
        return data
    words = [sys.executable, "-P", "-m", "cyclegan_jax.midi.scores.convert"]
    paths = os.pathsep.join(filter(None, sys.path))  # of this process; none of the current folder
    try:
        done = subprocess.run(
            words, input=data, capture_output=True, timeout=seconds, env={**os.environ, "PYTHONPATH": paths}
        )
    except subprocess.TimeoutExpired as error:
        raise RefusedSongError(Refusal.READER_FAILED, f"took over {seconds:g} s") from error
    if done.returncode == REFUSED:
        reason, detail = done.stdout.decode().split(SEPARATOR)
        raise RefusedSongError(Refusal(reason), detail)
    if done.returncode:
        raise RefusedSongError(Refusal.READER_FAILED, _last_words(done))
    return done.stdout


def _last_words(done: subprocess.CompletedProcess[bytes]) -> str:
    """How a process ended, in a line."""
    if done.returncode < 0:
        return f"killed by {signal.Signals(-done.returncode).name}"
    lines = done.stderr.decode("utf-8", "replace").splitlines() or [f"exit status {done.returncode}"]
    return textwrap.shorten(lines[-1], MOST_WORDS)


def check_readable(data: bytes) -> None:
    """Raise RefusedSongError for a score whose reader is not installed."""
    if _converter(data) is music_xml_to_midi:
        check_reader()


def _converter(data: bytes) -> Callable[[bytes], bytes] | None:
    """What makes MIDI of a score; None for what is none."""
    head = data[:HEAD].lstrip(b"\xef\xbb\xbf \t\r\n")
    if data[:4] == b"PK\3\4" or b"<score-" in head.replace(b"\0", b""):
        return music_xml_to_midi
    has_tune = any(line.startswith(b"X:") for line in head.splitlines())
    is_text = b"\0" not in head  # as the header of every MIDI file has it
    return abc_to_midi if is_text and (has_tune or head.startswith(b"%abc")) else None


def main() -> None:
    """Convert the score that comes in, as the process of `as_midi_apart`."""
    _limit_memory()
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answer:
        with Path(os.devnull).open("wb") as nowhere:  # symusic's reader prints what it thinks of a tune
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        try:
            answer.write(as_midi(sys.stdin.buffer.read()))
        except RefusedSongError as refusal:
            answer.write(f"{refusal.reason}{SEPARATOR}{refusal.detail}".encode())
            sys.exit(REFUSED)


def _limit_memory() -> None:
    """Allow this process so much memory, or less where less is allowed already, and no dump of it."""
    import resource  # not on Windows

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = MOST_MEMORY if hard == resource.RLIM_INFINITY else min(hard, MOST_MEMORY)
    with contextlib.suppress(ValueError):  # macOS
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
