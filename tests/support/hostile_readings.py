"""Reads scores in one of the two ways that bound it, and tells as JSON what came of each, as a program.

`python -m support.hostile_readings apart|worker FILE...`: of each file why it is refused, or null, and the
seconds it took; of all of them the peak memory of a process that read, in bytes.
"""

import json
import resource
import sys
import time
from pathlib import Path

from cyclegan_jax.datasets.genre_rolls.reading.midi_file import Reading, Refused, Rules, convert
from cyclegan_jax.datasets.genre_rolls.reading.process_pool import TaskFailedError, Workers
from cyclegan_jax.midi.refusals import RefusedSongError
from cyclegan_jax.midi.scores.convert import as_midi_apart


def read_apart(file: str) -> str | None:
    """As the command and the page of transfers read it."""
    try:
        as_midi_apart(Path(file).read_bytes())
    except RefusedSongError as refusal:
        return str(refusal)
    return None


def read_by_worker(file: str) -> str | None:
    """As the builder of a dataset reads it."""
    with Workers(convert, 1) as workers:
        (reading,) = workers.map([(file, Rules())])
    if isinstance(reading, TaskFailedError):
        return f"failed: {reading}"
    assert isinstance(reading, Reading)
    outcome = reading.outcome
    return f"{outcome.reason}: {outcome.detail}" if isinstance(outcome, Refused) else None


def main() -> None:
    """Print the outcomes."""
    way, *files = sys.argv[1:]
    words, seconds = [], []
    for file in files:
        start = time.monotonic()
        words.append(read_apart(file) if way == "apart" else read_by_worker(file))
        seconds.append(time.monotonic() - start)
    peak = 1024 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(json.dumps({"words": words, "seconds": seconds, "peak": peak}))


if __name__ == "__main__":
    main()
