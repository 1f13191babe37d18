"""Run PP-OCR's networks in the process that has the GPU, from a process that reads images."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Client, Connection
from multiprocessing.reduction import send_handle
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, TypeVar, cast

from lib.ocr.engines import EngineError, Pixels
from lib.ocr.gpu.batching import Answer
from lib.ocr.gpu.server import PROBLEM, SOCKET, Request
from lib.ocr.gpu.shared_memory import NO_MEMORY, Layout, find_places, map_memory, read_answer

if TYPE_CHECKING:  # takes a second to import
    from lib.ocr.ppocr_networks import Chances, DetectorNetwork, Heat, Letters, RecogniserNetwork

ATTEMPTS: int = 2
"""Times that inputs are sent: the image may not be what killed the server the first time."""
START_TIMEOUT: float = 180.0  # seconds in which a server has started
POLL_SECONDS: float = 0.05  # between two looks whether it has
MEMORY: int = 64 << 20  # bytes to share, of which those that are used cost memory

IMAGES: int = 32 * 960 * 960  # pixels in a detector's batch,
STRIPS: int = 256 * 48 * 320  # and in a recogniser's

Found = TypeVar("Found")


class NetworkClient:
    """A connection to a server of networks, made when first needed and again when it is lost.

    Args:
        folder: Of the server.
    """

    def __init__(self, folder: str) -> None:
        self._folder, self._lock = Path(folder), Lock()
        self._connection: Connection | None = None
        self._memory = NO_MEMORY

    def use_detector(self, path: Path) -> DetectorNetwork:
        """Return the function that runs a network that finds text."""

        def detect(pixels: Pixels) -> Heat:
            return cast("Heat", self.run(path, IMAGES, [pixels])[0][0])

        return detect

    def use_recogniser(self, path: Path) -> RecogniserNetwork:
        """Return the function that runs a network that reads strips, all of an image at once."""

        def recognise(batches: Sequence[Pixels]) -> Iterator[tuple[Chances, Letters]]:
            for answer in self.run(path, STRIPS, batches):
                yield cast("tuple[Chances, Letters]", answer)

        return recognise

    def run(self, path: Path, most: int, inputs: Sequence[Pixels]) -> list[Answer]:
        """Run a network on inputs, together with those of other clients.

        Args:
            path: ONNX file of the network.
            most: Pixels in a batch.
            inputs: BGR pixels (N, H, W, 3) each, uint8.

        Raises:
            EngineError: The server died, could not be started, or has too little memory.
        """
        request = Request(path, most, [pixels.shape for pixels in inputs])
        return self._insist(partial(self._run, request, inputs)) if inputs else []

    def _insist(self, ask: Callable[[Connection], Found]) -> Found:
        """Ask the server; if it dies meanwhile, ask the one that is started in its place."""
        for _ in range(ATTEMPTS):
            with self._lock:
                with suppress(EOFError, ConnectionError):
                    return ask(self._connection or self._connect())
                self._connection = None
        raise EngineError("the process that runs the networks died while it read this image")

    def _run(
        self, request: Request, inputs: Sequence[Pixels], connection: Connection
    ) -> list[Answer]:
        places = find_places(request.shapes)
        if places[-1].stop > len(self._memory):
            self._share(connection, max(MEMORY, places[-1].stop))
        for place, pixels in zip(places, inputs, strict=True):
            self._memory[place][: pixels.size] = pixels.reshape(-1)
        connection.send(request)
        answers: list[Layout] | str = connection.recv()
        if isinstance(answers, str):
            raise EngineError(answers)
        found = zip(places, answers, strict=True)
        return [read_answer(self._memory[place], layout) for place, layout in found]

    def _connect(self) -> Connection:
        """Connect to the server; wait while it is being started.

        Raises:
            EngineError: It was given up, or does not start.
        """
        end = time.monotonic() + START_TIMEOUT
        while time.monotonic() < end:
            with suppress(FileNotFoundError, ConnectionError, EOFError):
                self._connection = Client(str(self._folder / SOCKET), "AF_UNIX")
                self._connection.recv()  # it is not one that is just dying
                self._memory = NO_MEMORY
                return self._connection
            with suppress(FileNotFoundError):
                raise EngineError((self._folder / PROBLEM).read_text())
            time.sleep(POLL_SECONDS)
        raise EngineError(f"no process with the networks after {START_TIMEOUT:g} s")

    def _share(self, connection: Connection, size: int) -> None:
        """Share memory with the server: a file without a name, which ends with its last user.

        It does not lie in /dev/shm, of which containers have 64 MB.
        """
        descriptor = os.memfd_create("ocr")
        try:
            os.ftruncate(descriptor, size)
            self._memory = map_memory(descriptor, size)
            connection.send(size)
            send_handle(connection, descriptor, os.getpid())
        finally:
            os.close(descriptor)
