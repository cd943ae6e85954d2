"""One way into every command: flags, one-line errors, exit codes."""

import sys
import warnings
from collections.abc import Callable, Sequence

from absl import app, flags, logging

from cyclegan_jax.errors import TrainingCollapsedError, TrainingDivergedError, UserError

DONE, SOME_FAILED, USAGE, DIVERGED = 0, 1, 2, 3


def run(main: Callable[[list[str]], int | None]) -> None:
    """Parse the flags, call `main` with what is left of the command line, and end the process.

    Exit code: what `main` returns or 0, also for `--help`; 2 with one line on stderr for wrong flags
    and for a UserError or a file that cannot be read or written; 3 where training diverged or collapsed.
    """
    logging.set_verbosity(logging.ERROR)
    app.run(lambda argv: sys.exit(_call(main, argv[1:])), flags_parser=_parse)


def _parse(argv: Sequence[str]) -> list[str]:
    try:
        return flags.FLAGS(argv)
    except flags.Error as error:
        _explain(f"{_one_line(error)} See --help.")
        sys.exit(USAGE)
    except SystemExit:  # absl has printed the help and would end with 1
        sys.exit(DONE)


def _call(main: Callable[[list[str]], int | None], arguments: list[str]) -> int:
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    try:
        return main(arguments) or DONE
    except UserError as error:
        _explain(_one_line(error))
        return USAGE
    except OSError as error:
        if error.filename is None:
            raise
        _explain(f"{error.filename}: {error.strerror}; name another place, or make it readable or writable.")
        return USAGE
    except (TrainingDivergedError, TrainingCollapsedError) as error:
        _explain(_one_line(error))
        return DIVERGED


def refuse_arguments(arguments: list[str]) -> None:
    """Raise UserError if there are words that are not flags, for commands that take none."""
    if arguments:
        raise UserError(f"{arguments[0]!r} is not a flag, and this command takes nothing else; see --help.")


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


def _explain(sentence: str) -> None:
    print(sentence, file=sys.stderr)
