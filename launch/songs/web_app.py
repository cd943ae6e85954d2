"""The local page: a MIDI file goes in; picture, sound and transfer are the answer; nothing is kept.

Promises: songs stay on this machine, nothing of them is written to disk, nothing is loaded from elsewhere.
Starlette with a page of our own keeps them. Gradio keeps uploads in a folder, serves files by name, loads
fonts and scripts from elsewhere, queues without end, and has no player over a roll.

- The program holds no state: a picture is answered with the MIDI files in it, and the page sends one of
  them again to get its sound.
- Requests must be of type `audio/midi`, which other sites' pages can't send without being asked first, and
  must name this host, against DNS rebinding.
- Sound is made by a process of its own, which can be ended. Transfers look at the clock between batches of
  64 phrases.
"""

import asyncio
import contextlib
import html
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import PurePath
from typing import NamedTuple

import numpy as np
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from cyclegan_jax.config import check_choice
from cyclegan_jax.datasets.genre_rolls.reading.midi_folder import ENDINGS
from cyclegan_jax.errors import NoSoundError, UserError
from cyclegan_jax.midi.reader import MAX_BYTES
from cyclegan_jax.midi.refusals import RefusedSongError
from cyclegan_jax.midi.scores.convert import as_midi_apart
from cyclegan_jax.midi.song import parse_song
from cyclegan_jax.models.batched_apply import BATCH
from cyclegan_jax.rendering.audio import mp3_apart
from cyclegan_jax.rendering.page import Piece, clock, fill, piece_html
from cyclegan_jax.transfer.controls import Controls
from cyclegan_jax.transfer.crossfade import Network
from cyclegan_jax.transfer.locking import MELODY
from cyclegan_jax.transfer.model import Model
from cyclegan_jax.transfer.song import transfer_song
from launch.songs.listening_pages import facts, original_and_transfer

HOSTS = ("127.0.0.1", "localhost")
MIDI = "audio/midi"  # a type that no other site's page may send here unasked
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self' data:; media-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
BUSY = "The program is busy with other songs; try again in a minute."
Work = Callable[[float], str | bytes]  # given the time by which it must be done, by time.monotonic()


class Limits(NamedTuple):
    """What a request may cost.

    `file_bytes`: of a file. `music`, `work`, `waiting`: seconds of a song, of work on it, of waiting for a
    turn or an upload. `at_once`: requests worked on at a time.
    """

    file_bytes: int = MAX_BYTES
    music: float = 600.0
    work: float = 90.0
    waiting: float = 30.0
    at_once: int = 2


def build_app(model: Model, limits: Limits) -> Starlette:
    """The page at `/`; `/transfer` and `/sound`, which take a MIDI file as a request's body.

    What cannot be done is answered by a sentence as plain text, status 400, 408, 413, 415, 422, 503 or 504.
    """
    queue = _WorkQueue(limits)

    async def index(_: Request) -> Response:
        return HTMLResponse(_index(model, limits), headers=HEADERS)

    async def transfer(request: Request) -> Response:
        midi = await _midi(request, limits)
        asked = dict(request.query_params)
        return HTMLResponse(await queue.work(partial(_transfer, model, limits, midi, asked)), headers=HEADERS)

    async def sound(request: Request) -> Response:
        midi = await _midi(request, limits)
        return Response(
            await queue.work(partial(_sound, limits, midi)), media_type="audio/mpeg", headers=HEADERS
        )

    return Starlette(
        routes=[
            Route("/", index),
            Route("/transfer", transfer, methods=["POST"]),
            Route("/sound", sound, methods=["POST"]),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS, www_redirect=False)],
        exception_handlers={HTTPException: _as_text, Exception: _failed},
    )


class _WorkQueue:
    """Where work is done: so much at once over all requests, the rest waits its turn for a while."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._free = asyncio.Semaphore(limits.at_once)
        self._threads = ThreadPoolExecutor(limits.at_once)

    async def work(self, work: Work) -> str | bytes:
        """The outcome of work on a thread; raises HTTPException where there is none."""
        try:
            async with asyncio.timeout(self._limits.waiting):
                await self._free.acquire()
        except TimeoutError:
            raise HTTPException(503, BUSY) from None
        doing = asyncio.get_running_loop().run_in_executor(
            self._threads, work, time.monotonic() + self._limits.work
        )
        doing.add_done_callback(self._done)
        try:
            async with asyncio.timeout(self._limits.work):
                return await asyncio.shield(doing)
        except TimeoutError:
            told = f"This song takes over {self._limits.work:g} seconds; try a shorter one."
            raise HTTPException(504, told) from None
        except RefusedSongError as error:
            reason = str(error).replace("--any_metre", "the box “any metre”")
            raise HTTPException(422, f"This song cannot be used: {reason}.") from error
        except NoSoundError as error:
            raise HTTPException(422, f"{str(error).capitalize()}.") from error
        except UserError as error:
            raise HTTPException(400, str(error)) from error

    def _done(self, doing: asyncio.Future) -> None:
        self._free.release()
        with contextlib.suppress(asyncio.CancelledError):
            doing.exception()  # asked for, since asyncio warns of one that nobody asks for


async def _midi(request: Request, limits: Limits) -> bytes:
    """The MIDI file that a request brings. Raises HTTPException."""
    if request.headers.get("content-type") != MIDI:
        raise HTTPException(415, f"Send a MIDI file as {MIDI}.")
    data = bytearray()
    try:
        async with asyncio.timeout(limits.waiting):
            async for chunk in request.stream():
                data += chunk
                if len(data) > limits.file_bytes:
                    raise HTTPException(413, f"This file is larger than {_mib(limits)}.")
    except TimeoutError:
        raise HTTPException(408, "The file did not come in time.") from None
    except ClientDisconnect:
        raise HTTPException(400, "The file did not come whole.") from None
    return bytes(data)


def _transfer(model: Model, limits: Limits, midi: bytes, asked: dict[str, str], deadline: float) -> str:
    to = asked.get("to", "")
    check_choice("to", to, model.genres)
    try:
        strength = float(asked.get("strength", "1"))
    except ValueError as error:
        raise UserError(f"strength is {asked['strength']!r}, but must be a number.") from error
    keep = (MELODY,) if asked.get("keep_melody") == "1" else ()
    controls = Controls(strength=strength, keep=keep, any_metre=asked.get("any_metre") == "1")
    name = PurePath(asked.get("name", "song").replace("\\", "/")).stem or "song"
    midi = as_midi_apart(midi, max(deadline - time.monotonic(), 0))
    _check_length(midi, limits)
    network = _until(deadline, model.network(to))
    song = transfer_song(midi, network, to, model.calibrated(controls, to), model.bounds(to))
    versions = original_and_transfer(model, name, midi, to, song)
    counts = f"{song.kept} notes kept, {song.gone} gone, {song.new} new"
    return piece_html(Piece(name, versions, (counts, *song.remarks)), limits.music, with_sound=False)


def _sound(limits: Limits, midi: bytes, deadline: float) -> bytes:
    _check_length(midi, limits)
    return mp3_apart(midi, limits.music, timeout=deadline - time.monotonic())


def _check_length(midi: bytes, limits: Limits) -> None:
    seconds = parse_song(midi).duration
    if seconds > limits.music:
        raise UserError(f"This song lasts {clock(seconds)}; at most {limits.music / 60:g} minutes are taken.")


def _until(deadline: float, network: Network) -> Network:
    """The same network, that raises TimeoutError at a deadline."""

    def watched(phrases: np.ndarray) -> np.ndarray:
        parts = []
        for start in range(0, len(phrases), BATCH):
            if time.monotonic() > deadline:
                raise TimeoutError
            parts.append(network(phrases[start : start + BATCH]))
        return np.concatenate(parts)

    return watched


def _index(model: Model, limits: Limits) -> str:
    options = "".join(f"<option>{html.escape(genre)}</option>" for genre in reversed(model.genres))
    title = "{} ⇄ {}".format(*model.genres)
    return fill(
        "serve.html",
        title=html.escape(title),
        facts=html.escape(facts(model)),
        genres=options,
        endings=",".join(ENDINGS),
        most_bytes=str(limits.file_bytes),
        too_large=f"This file is larger than {_mib(limits)}.",
    )


def _mib(limits: Limits) -> str:
    return f"{limits.file_bytes / 2**20:g} MiB"


async def _as_text(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return PlainTextResponse(error.detail, error.status_code, headers=HEADERS)


async def _failed(_: Request, error: Exception) -> Response:
    return PlainTextResponse("Something went wrong with this song; please report it.", 500, headers=HEADERS)
