"""The local page's program over real connections."""

import functools
import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import uvicorn

from cyclegan_jax.transfer.model import Model
from launch.songs.web_app import Limits, build_app

MIDI = {"Content-Type": "audio/midi"}


class Answer(NamedTuple):
    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def text(self) -> str:
        return self.body.decode()


Ask = Callable[..., Answer]


@contextmanager
def serving(model: Model, limits: Limits) -> Iterator[Ask]:
    """Serves a model under limits; how to ask it."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(build_app(model, limits), log_level="critical"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield functools.partial(ask, listening.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(30)
    assert not thread.is_alive()


def ask(port: int, method: str, path: str, body: bytes = b"", headers: dict | None = None) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=150)
    connection.request(method, path, body, {**MIDI, **(headers or {})})
    answer = connection.getresponse()
    found = Answer(answer.status, answer.read(), {k.lower(): v for k, v in answer.getheaders()})
    connection.close()
    return found
