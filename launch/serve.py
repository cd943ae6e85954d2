"""Serve a local page that changes the genre of a MIDI file dropped on it; see, hear and download."""

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING

from absl import flags

from cyclegan_jax.errors import UserError
from launch.flags.shared import MODEL, WORKDIR
from launch.flags.transfer import load_model
from launch.process.compilation_cache import keep_compiled
from launch.process.runner import refuse_arguments, run
from launch.process.signals import CODES

if TYPE_CHECKING:
    import uvicorn

flags.declare_key_flag(MODEL.name)
flags.declare_key_flag(WORKDIR.name)
PORT = flags.DEFINE_integer("port", 8000, "Port on this machine; 0: any free one.", 0, 65535)
LAST_SECONDS = 5.0  # from the first signal to the end, for songs in progress; a second signal ends it at once
HOST = "127.0.0.1"  # the loopback address: no other machine reaches it


def main(arguments: list[str]) -> None:
    """Serve until Ctrl-C; that ends with exit code 0."""
    keep_compiled()
    refuse_arguments(arguments)
    try:
        import uvicorn

        from launch.songs.web_app import Limits, build_app
    except ImportError as error:
        raise UserError(
            f"the page needs {error.name}, which is not installed: pip install 'cyclegan-jax[serve]'."
        ) from error
    model = load_model()
    try:
        listening = socket.create_server((HOST, PORT.value))
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise UserError(f"port {PORT.value} cannot be used ({why}); choose another --port, or 0.") from error
    model.warm_up()
    print(f"Open http://{HOST}:{listening.getsockname()[1]}/ in a browser; Ctrl-C ends this.", flush=True)
    # Without a lifespan, for the page has none, and a stop amid uvicorn's would print a traceback.
    config = uvicorn.Config(
        build_app(model, Limits()), lifespan="off", log_level="warning", limit_concurrency=100
    )
    server = uvicorn.Server(config)
    server.capture_signals = lambda: _ended_by_signals(server)  # uvicorn's own would raise them again
    server.run(sockets=[listening])


@contextlib.contextmanager
def _ended_by_signals(server: "uvicorn.Server") -> Iterator[None]:
    def end(number: int, frame: FrameType | None) -> None:
        if server.should_exit:
            os._exit(0)
        server.should_exit = True
        last = threading.Timer(LAST_SECONDS, os._exit, (0,))
        last.daemon = True
        last.start()

    signal.set_wakeup_fd(-1)  # set by the runner, for signals during training
    before = {number: signal.signal(number, end) for number in CODES}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


if __name__ == "__main__":
    run(main)
