"""Songs that are scores, as MIDI: what a file is, is told by its first bytes."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from cyclegan_jax.midi.refusals import Refusal, RefusedSongError
from cyclegan_jax.midi.scores.abc_notation import abc_to_midi
from cyclegan_jax.midi.scores.music_xml import music_xml_to_midi

SCORE_ENDINGS = (".mxl", ".musicxml", ".abc")
SECONDS = 60.0  # that a conversion may take
MOST_MEMORY = 4 << 30  # bytes of address space
REFUSED = 3  # exit status of the process that converts, for a score that is refused
SEPARATOR = "\0"
HEAD = 4096  # bytes in which MusicXML's first element must begin


def as_midi(data: bytes) -> bytes:
    """A song as a Standard MIDI File: a score is converted, anything else comes back as it is.

    Scores are read by libraries that a hostile file may crash or keep busy, so call this in a process that
    may end; else call `as_midi_apart`. Raises RefusedSongError.
    """
    convert = _converter(data)
    return convert(data) if convert else data


def as_midi_apart(data: bytes) -> bytes:
    """As `as_midi`, a score in a process of its own, in bounded time and memory. Raises RefusedSongError."""
    if not _converter(data):
        return data
    words = [sys.executable, "-m", "cyclegan_jax.midi.scores.convert"]
    try:
        done = subprocess.run(words, input=data, capture_output=True, timeout=SECONDS)
    except subprocess.TimeoutExpired as error:
        raise RefusedSongError(Refusal.READER_FAILED, f"took over {SECONDS:g} s") from error
    if done.returncode == REFUSED:
        reason, detail = done.stdout.decode().split(SEPARATOR)
        raise RefusedSongError(Refusal(reason), detail)
    if done.returncode:
        raise RefusedSongError(Refusal.READER_FAILED, "no memory is left, or the score is damaged")
    return done.stdout


def _converter(data: bytes) -> Callable[[bytes], bytes] | None:
    """What makes MIDI of a score; None for what is none."""
    head = data[:HEAD].lstrip(b"\xef\xbb\xbf \t\r\n")
    if data[:4] == b"PK\3\4" or b"<score-" in head.replace(b"\0", b""):
        return music_xml_to_midi
    is_abc = head.startswith(b"%abc") or any(line.startswith(b"X:") for line in head.splitlines())
    return abc_to_midi if is_abc else None


def main() -> None:
    """Convert the score that comes in, as the process of `as_midi_apart`."""
    import resource  # not on Windows, where nothing else here needs it

    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answer:
        with Path(os.devnull).open("wb") as nowhere:  # symusic's reader prints what it thinks of a tune
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        try:
            answer.write(as_midi(sys.stdin.buffer.read()))
        except RefusedSongError as refusal:
            answer.write(f"{refusal.reason}{SEPARATOR}{refusal.detail}".encode())
            sys.exit(REFUSED)


if __name__ == "__main__":
    main()
