"""One way into every command: flags, output in any encoding, one-line errors, exit codes."""

import contextlib
import functools
import io
import os
import re
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from typing import NoReturn

from absl import app, flags, logging

from cyclegan_jax.atomic_files import DISK_FULL
from cyclegan_jax.errors import NotWrittenError, TrainingCollapsedError, TrainingDivergedError, UserError
from launch.process import signals
from launch.process.signals import StoppedError

DONE, SOME_FAILED, USAGE, DIVERGED = 0, 1, 2, 3
LAST_SECONDS = 1.0  # the first of several processes stays so long, since its end ends the others
LOST = re.compile(  # what jax, gloo and NCCL say where another process does not answer
    r"^(UNAVAILABLE|ABORTED|CANCELLED|DEADLINE_EXCEEDED)\b|gloo|nccl|connection (closed|reset|refused)", re.I
)
EXIT_CODES = (
    "Exit codes: 0 done; 1 some inputs failed, a file could not be written, or another process of the same "
    "training\nwas lost; 2 wrong flags, config, files or devices; 3 training diverged or collapsed; 75 "
    "stopped by\nSIGTERM; 130 stopped by Ctrl-C."
)


def run(main: Callable[[list[str]], int | None]) -> None:
    """Parse the flags, call `main` with what is left of the command line, and end the process.

    Exit codes:
    0, or what `main` returns; also for `--help`.
    1 where a file could not be written (disk full or permission denied), or another process of the same
    training was lost.
    2 for wrong flags, a UserError, a file that cannot be read, or where JAX_PLATFORMS names devices that are
    not there, with one line on stderr.
    3 where training diverged or collapsed.
    75 and 130 where SIGTERM or Ctrl-C stopped it.
    """
    _print_in_any_encoding()
    signals.install()
    logging.set_verbosity(logging.ERROR)
    parse = functools.partial(_parse, main.__module__)
    app.run(lambda argv: _exit(_call(main, argv[1:])), flags_parser=parse)


def _print_in_any_encoding() -> None:
    """Let a character that the terminal's encoding lacks, as an arrow, appear as a backslash escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _exit(code: int) -> NoReturn:
    """End the process; where one of several has failed, without waiting for the others."""
    if code != DONE and _is_one_of_several():
        leave(code)
    sys.exit(code)


def _is_one_of_several() -> bool:
    """Whether this is one of several processes that train together."""
    jax = sys.modules.get("jax")
    return jax is not None and jax.distributed.is_initialized()


def _parse(module: str, argv: Sequence[str]) -> list[str]:
    try:
        words = flags.FLAGS(argv)
        _refuse_flags_of_others(module)
        return words
    except flags.Error as error:
        _explain(f"{_one_line(error)} See --help.")
        sys.exit(USAGE)
    except SystemExit:  # absl has printed the help and would end with 1
        if not any(word.lstrip("-").startswith("helpxml") for word in argv):
            print(EXIT_CODES)
        sys.exit(DONE)


def _refuse_flags_of_others(module: str) -> None:
    """All commands share one registry, so a flag that this command does not list is as good as unknown."""
    own = {flag.name for flag in flags.FLAGS.get_key_flags_for_module(module)}
    for owner, defined in flags.FLAGS.flags_by_module_dict().items():
        for flag in defined:
            if owner.startswith("launch.") and flag.present and flag.name not in own:
                raise flags.UnrecognizedFlagError(flag.name)


def _call(main: Callable[[list[str]], int | None], arguments: list[str]) -> int:
    """The exit code, also where one of several processes that train together fails unexpectedly.

    Such a process must end at once: the others wait for it in a collective operation.
    """
    try:
        return _exit_code(main, arguments)
    except Exception as error:
        if not _is_one_of_several():
            raise
        if LOST.search(str(error)):
            _explain(
                "training together broke off, because another process has ended or cannot be reached "
                f"({str(error).splitlines()[0]}); see its own message, and start all of them again."
            )
        else:
            traceback.print_exc()
        return SOME_FAILED


def _exit_code(main: Callable[[list[str]], int | None], arguments: list[str]) -> int:
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    try:
        return main(arguments) or DONE
    except UserError as error:
        _explain(_one_line(error))
        return USAGE
    except NotWrittenError as error:
        _explain(_one_line(error))
        return SOME_FAILED
    except OSError as error:
        if error.filename is None:
            raise
        _explain(f"{error.filename}: {error.strerror}; name another place, or make it readable or writable.")
        return SOME_FAILED if error.errno in DISK_FULL else USAGE
    except (TrainingDivergedError, TrainingCollapsedError) as error:
        _explain(_one_line(error))
        return DIVERGED
    except (AssertionError, RuntimeError) as error:
        why = None if _is_one_of_several() and LOST.search(str(error)) else _why_no_device()
        if why is None:
            raise
        _explain(why)
        return USAGE
    except StoppedError as stop:
        with contextlib.suppress(OSError):  # Ctrl-C ends what the output is piped to as well
            _explain(_one_line(stop))
        leave(stop.code)


def _why_no_device() -> str | None:
    """A sentence where JAX has none of the devices that JAX_PLATFORMS names; None where it has one.

    JAX raises RuntimeError or a bare AssertionError then, and takes its own frames out of the traceback, so
    its devices are asked for again.
    """
    jax = sys.modules.get("jax")
    if jax is None or not jax.config.jax_platforms:
        return None
    try:
        jax.devices()
    except (AssertionError, RuntimeError) as error:
        reason = f" ({_one_line(error)})" if str(error) else ""
        return (
            f"JAX_PLATFORMS is {jax.config.jax_platforms!r}, but JAX finds no such device{reason}; set it "
            "to cpu or leave it unset, or install JAX for that device (for a GPU pip install "
            "'cyclegan_jax[cuda13]') and see that its driver works."
        )
    return None


def leave(code: int) -> NoReturn:
    """End the process without waiting for its threads."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
        if _is_one_of_several() and sys.modules["jax"].process_index() == 0:
            time.sleep(LAST_SECONDS)
    finally:
        os._exit(code)


def warn(sentence: str) -> None:
    """Print what the user should know although the command goes on."""
    print(f"warning: {sentence}", file=sys.stderr)


def refuse_arguments(arguments: list[str]) -> None:
    """Raise UserError if there are words that are not flags, for commands that take none."""
    if arguments:
        raise UserError(f"{arguments[0]!r} is not a flag, and this command takes nothing else; see --help.")


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


def _explain(sentence: str) -> None:
    print(sentence, file=sys.stderr)
