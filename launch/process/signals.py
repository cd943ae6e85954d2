"""Ctrl-C and SIGTERM: the current step is finished and saved, and the process ends within ten seconds.

The first signal is an exception, StoppedError, in the main thread. Within `deferred` it is only noted, and
the training loop asks for it after every dispatch; several processes agree there. The exception is a
KeyboardInterrupt, which asyncio and other libraries let through. A second signal ends the process at once:
files are written beside and renamed, so none is half written.

Python runs a handler only when a call into C returns, and a compilation may take half a minute. So a thread
reads the signals' wake-up socket, and ends the process after `GRACE` seconds if the main thread has not.

jax has the garbage collector call back, and an exception raised in such a callback is lost.
`sys.unraisablehook` notes that, and the thread then sends SIGALRM, whose handler raises the exception
again. It is sent until it is taken, because a call into C that has just begun does not notice a signal.

Two places are different. uvicorn raises signals again when it ends, so `launch.serve` has handlers of its
own. Before `install`, while a command's modules are imported for a second or two, Python's own handlers
hold.
"""

import contextlib
import math
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType

TERMINATED, INTERRUPTED = 75, 130
CODES: dict[int, int] = {signal.SIGTERM: TERMINATED, signal.SIGINT: INTERRUPTED}
AGAIN = signal.SIGALRM  # to ourselves, where the exception was swallowed
GRACE = 8.0  # seconds from the first signal to the end, unless a checkpoint is being saved
LAST_WORDS = 2.0  # seconds from when that is saved


class StoppedError(KeyboardInterrupt):
    """The process was asked to end; `code` is what it ends with. As text, a sentence."""

    def __init__(self, number: int, sentence: str = "stopped; what was finished is kept.") -> None:
        super().__init__(sentence)
        self.code = CODES[signal.Signals(number)]


class _Asked:
    """What the handler, the main thread and the watching thread share."""

    number: int | None = None
    deferred = False
    saving = False
    swallowed = False
    saved = -math.inf  # time.monotonic of the end of the last save


def install() -> None:
    """Take the signals over, but for one that the parent process has had ignored."""
    taken = [number for number in CODES if signal.getsignal(number) != signal.SIG_IGN]
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    for number in taken:
        signal.signal(number, _note)
    signal.signal(AGAIN, _raise_again)
    sys.unraisablehook = _swallowed
    threading.Thread(target=_watch, args=(ours, theirs), daemon=True, name="signals").start()


def asked() -> int | None:
    """The number of the signal that came, if one did."""
    return _Asked.number


@contextlib.contextmanager
def deferred(deferred: bool = True) -> Iterator[None]:
    """A block that asks `asked` itself whether to stop or, with False, a part of one that does not.

    At its ends StoppedError is raised if a signal came and no outer block asks for it.
    """
    before, _Asked.deferred = _Asked.deferred, deferred
    try:
        _raise_if_due()
        yield
    finally:
        _Asked.deferred = before
    _raise_if_due()


def _raise_if_due() -> None:
    if _Asked.number is not None and not _Asked.deferred:
        _Asked.swallowed = False
        raise StoppedError(_Asked.number)


@contextlib.contextmanager
def saving() -> Iterator[None]:
    """A block that may take as long as it needs: the watching thread waits for its end."""
    _Asked.saving = True
    try:
        yield
    finally:
        _Asked.saved = time.monotonic()
        _Asked.saving = False


def _note(number: int, frame: FrameType | None) -> None:
    _Asked.number = number
    _raise_if_due()


def _swallowed(what: "sys.UnraisableHookArgs") -> None:
    if isinstance(what.exc_value, StoppedError):
        _Asked.swallowed = True
    else:
        sys.__unraisablehook__(what)


def _raise_again(_number: int, _frame: FrameType | None) -> None:
    if _Asked.swallowed:
        _raise_if_due()


def _watch(signals: socket.socket, _other_end: socket.socket) -> None:
    """End the process at the second signal, or when the first one's time is up."""
    while (first := signals.recv(1)[0]) not in CODES:
        pass
    deadline = time.monotonic() + GRACE
    signals.settimeout(0.1)
    while _Asked.saving or time.monotonic() < max(deadline, _Asked.saved + LAST_WORDS):
        main = threading.main_thread().ident
        if _Asked.swallowed and main is not None:
            signal.pthread_kill(main, AGAIN)
            time.sleep(0.1)
        with contextlib.suppress(TimeoutError):
            if (number := signals.recv(1)[0]) in CODES:
                _end(number, "ended at once")
    _end(first, "stopped before the current work could be finished")


def _end(number: int, how: str) -> None:
    os.write(2, f"\n{how}; the newest checkpoint, if there is one, is whole.\n".encode())
    os._exit(CODES[number])
