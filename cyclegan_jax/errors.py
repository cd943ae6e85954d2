"""The exceptions that end a command with one sentence in place of a traceback."""

import errno
import os
from pathlib import Path


class UserError(ValueError):
    """A mistake in what the user gave: one sentence with what, its value, what is allowed, what to do.

    The commands print it as a single line and end with exit code 2.
    """


class NotWrittenError(OSError):
    """A file could not be written: the disk is full or permission is denied. The old file, if any, stays.

    `need`: its bytes, where they are known. `errno` and `filename` as of any OSError; as text, a sentence.
    """

    def __init__(self, number: int | None, path: str, need: int | None = None) -> None:
        number = number or errno.EIO
        super().__init__(number, os.strerror(number), path)
        self.need = need

    def __str__(self) -> str:
        need = (
            "" if self.need is None else f"{self.need:,} bytes are needed in {Path(self.filename).parent}; "
        )
        return (
            f"{self.filename} could not be written: {self.strerror}; {need}make room there, make it "
            "writable, or name another place."
        )


class TrainingDivergedError(ArithmeticError):
    """A loss or gradient is NaN or infinite; the message names it and the step.

    `steps`: those of the dispatch in which it was seen, counted from 1.
    """

    def __init__(self, sentence: str, steps: range = range(0)) -> None:
        super().__init__(sentence)
        self.steps = steps


class TrainingCollapsedError(RuntimeError):
    """The outputs are all alike, blank, too dense or too sparse; the message says where the run stands."""


class NoSoundError(RuntimeError):
    """A song that comes to no sound, within the time and memory that it may take."""
