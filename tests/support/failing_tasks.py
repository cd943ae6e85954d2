"""Work that does not go well, for workers to survive: importable by name, as theirs must be."""

import os
import re
import signal
import struct
import sys
import time
from pathlib import Path
from typing import Any

from cyclegan_jax.datasets.genre_rolls.reading.midi_file import Reading, Rules, convert


def do(kind: str, value: Any = None) -> Any:
    """Come to the end that `kind` names, or return `value`."""
    if kind == "sleep":
        time.sleep(value)
    elif kind == "hold the GIL":
        re.match(r"(a+)+$", "a" * 99 + "b")
    elif kind == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif kind == "abort":
        os.abort()
    elif kind == "exit":
        os._exit(value)
    elif kind == "leave":
        sys.exit(value)
    elif kind == "raise":
        raise ValueError(value)
    elif kind == "swell":
        return len(bytearray(value))
    elif kind == "unpicklable":
        return lambda: value
    elif kind == "stop half way":
        (descriptor,) = re.findall(r"serve\((\d+)\)", " ".join(sys.orig_argv))
        os.write(int(descriptor), struct.pack("!i", 999) + b"half of a message")
        os.kill(os.getpid(), signal.SIGKILL)
    elif kind == "print":
        os.write(1, b"out")
        os.write(2, b"error")
        print(value, file=sys.stderr, flush=True)
    return value


def convert_or_fail(path: str, rules: Rules, refused: tuple[str, ...]) -> Reading:
    """As `convert`, but a file named for it brings the process down."""
    if Path(path).stem in ("segfault", "abort"):
        do(Path(path).stem)
    if Path(path).stem == "hang":
        do("hold the GIL")
    return convert(path, rules, refused)
