"""Serve small images on this machine, with the latency of a distant host."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection

import numpy as np
from PIL import Image

SIDE: int = 64  # pixels; an image has about 2 kB, so that bandwidth is never the limit
MISSING: bytes = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


@contextmanager
def serve_images(count: int, latency: float, missing: int = 0) -> Iterator[str]:
    """Serve synthetic images.

    Args:
        count: Number of distinct images; the path `/7` returns number 7 modulo `count`.
        latency: Seconds from a request to its response.
        missing: Every `missing`-th path is answered with 404; 0 for none.

    Yields:
        The address to which a path's number is appended.
    """
    with serve(draw_images(count), latency, missing) as address:
        yield address


@contextmanager
def serve(
    bodies: Sequence[bytes], latency: float = 0, missing: int = 0, gap: float = 0
) -> Iterator[str]:
    """Run a server in a process of its own.

    Args:
        bodies: JPEG images; the path `/7` returns number 7 modulo their count.
        latency: Seconds from a request to its response.
        missing: Every `missing`-th path is answered with 404; 0 for none.
        gap: Minimum seconds between two responses, over all connections.

    Yields:
        The address to which a path's number is appended.
    """
    ours, theirs = get_context("spawn").Pipe()
    desk = Desk([_add_head(body) for body in bodies], latency, missing, gap)
    process = get_context("spawn").Process(target=_serve, args=(theirs, desk), daemon=True)
    process.start()
    theirs.close()
    try:
        yield f"http://127.0.0.1:{ours.recv()}/"
    finally:
        process.terminate()
        process.join()


def draw_images(count: int) -> list[bytes]:
    """Draw distinct JPEG images."""
    random = np.random.default_rng(0)
    return [_draw(random) for _ in range(count)]


def _draw(random: np.random.Generator) -> bytes:
    """Draw a blurred pattern, which compresses as a photo does."""
    coarse = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(coarse).resize((SIDE, SIDE)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def _add_head(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode("ascii") + body


@dataclass
class Desk:
    """The responses of a server and their times, shared by all connections.

    Attributes:
        answers: Responses, headers included.
        latency: Seconds from a request to its response.
        missing: Every `missing`-th path is answered with 404; 0 for none.
        gap: Minimum seconds between two responses.
        free: Earliest time of the next response, by the loop's clock.
    """

    answers: list[bytes]
    latency: float
    missing: int
    gap: float
    free: float = 0.0

    def find_answer(self, request: bytes) -> bytes:
        """Return the response to a request."""
        number = int(request.split(b" ", 2)[1].rpartition(b"/")[2])
        if self.missing and number % self.missing == 0:
            return MISSING
        return self.answers[number % len(self.answers)]

    def choose_time(self, now: float) -> float:
        """Return the time at which to send a response."""
        self.free = max(now, self.free) + self.gap
        return self.free + self.latency


class _Answers(asyncio.Protocol):
    """A protocol that answers the requests of one connection and parses only their paths."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._received = desk, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *requests, self._received = (self._received + data).split(b"\r\n\r\n")
        loop = asyncio.get_running_loop()
        for request in requests:
            when, answer = self._desk.choose_time(loop.time()), self._desk.find_answer(request)
            loop.call_at(when, self._transport.write, answer)


def _serve(port: Connection, desk: Desk) -> None:
    asyncio.run(_serve_forever(port, desk))


async def _serve_forever(port: Connection, desk: Desk) -> None:
    server = await asyncio.get_running_loop().create_server(
        lambda: _Answers(desk), "127.0.0.1", 0, backlog=1024
    )
    port.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()
