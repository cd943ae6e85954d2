"""The one exception that means: the user can mend this."""


class UserError(ValueError):
    """A mistake in what the user gave: one sentence with what, its value, what is allowed, what to do.

    The commands print it as a single line and end with exit code 2; nothing else becomes a line.
    """


class TrainingDivergedError(ArithmeticError):
    """A loss or gradient is no longer finite; the message names it and the step."""


class TrainingCollapsedError(RuntimeError):
    """The outputs are all alike, blank or of an impossible density; the message says where the run stands."""


class NoSoundError(RuntimeError):
    """A song that comes to no sound, within the time and memory that it may take."""
