"""Serve PP-OCR's networks on a GPU to the processes that read images."""

from __future__ import annotations

import math
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Listener
from multiprocessing.reduction import recv_handle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

from lib.ocr.engines import EngineError, Pixels
from lib.ocr.gpu.batching import Batcher, Start
from lib.ocr.gpu.shared_memory import (
    NO_MEMORY,
    Layout,
    Shape,
    find_places,
    map_memory,
    write_answer,
)
from lib.parallel import WorkerProcess

STARTS: int = 3
"""Times that a server is started; when it has died so often, reading ends."""
GREETING: str = "ready"
BACKLOG: int = 512  # clients that may ask at the same moment
SOCKET, PROBLEM = "socket", "problem"  # files in the folder of a server; the last once it is over


Serve = Callable[[str, str, str], str]


@dataclass(frozen=True)
class Request:
    """A request of a client, whose inputs lie in the memory that it shares.

    Attributes:
        path: ONNX file of the network.
        most: Pixels in a batch.
        shapes: Of the inputs, (N, H, W, 3) each.
    """

    path: Path
    most: int
    shapes: Sequence[Shape]


@dataclass(frozen=True)
class NetworkServer:
    """A server of networks, which is started again when it dies.

    Attributes:
        folder: Where clients find its socket.
    """

    folder: str
    _process: WorkerProcess[str]

    def check(self) -> None:
        """Check that the server may still answer.

        Raises:
            EngineError: It was given up.
        """
        with suppress(TimeoutError):
            try:
                if self._process.await_ready(0):
                    raise EngineError(self._process.receive(0))
            except EOFError as error:
                raise EngineError(str(error)) from error


def serve(folder: str, device: str, precision: str) -> str:
    """Answer clients until this process is ended; return why the device cannot be used."""
    from lib.ocr.gpu.torch_networks import TorchNetwork, prepare_device

    try:
        prepare_device(device)
    except EngineError as error:
        return str(error)

    def load(path: Path) -> Start:
        return TorchNetwork(path, device, precision).start

    listen(folder, Networks(load))


def listen(folder: str, networks: Networks) -> NoReturn:
    """Answer clients until this process is ended; an error that nobody expects ends it."""
    threading.excepthook = _end_process
    address = Path(folder, SOCKET)
    address.unlink(missing_ok=True)
    with Listener(str(address), "AF_UNIX", BACKLOG) as listener:
        while True:
            client = listener.accept()
            threading.Thread(target=serve_client, args=(client, networks), daemon=True).start()


def _end_process(error: threading.ExceptHookArgs) -> None:
    """End this process, so that no client waits for a thread that is gone."""
    traceback.print_exception(error.exc_type, error.exc_value, error.exc_traceback)
    sys.stderr.flush()
    os._exit(1)


class Networks:
    """The networks that were asked for, each loaded once.

    Args:
        load: Loads a file.
    """

    def __init__(self, load: Callable[[Path], Start]) -> None:
        self._load, self._lock = load, threading.Lock()
        self._batchers: dict[Path, Batcher] = {}

    def find(self, path: Path, most: int) -> Batcher:
        """Return what runs a network, in batches of so many pixels."""
        with self._lock:
            if path not in self._batchers:
                self._batchers[path] = Batcher(self._load(path), most)
            return self._batchers[path]


def serve_client(client: Connection, networks: Networks) -> None:
    """Greet a client and answer it until it goes or dies.

    It sends the size of memory that it shares and then its file, or a request.
    """
    memory = NO_MEMORY
    with client, suppress(EOFError, ConnectionError):
        client.send(GREETING)
        while True:
            asked: Request | int = client.recv()
            if isinstance(asked, int):
                memory = receive_memory(client, asked)
            else:
                client.send(run_request(asked, memory, networks))


def receive_memory(client: Connection, size: int) -> Pixels:
    """Receive a file that a client shares, and return its bytes."""
    descriptor = recv_handle(client)
    try:
        return map_memory(descriptor, size)
    finally:
        os.close(descriptor)


def run_request(asked: Request, memory: Pixels, networks: Networks) -> list[Layout] | str:
    """Run a request's inputs and write the answers in their places, or return why not."""
    places = [memory[place] for place in find_places(asked.shapes)]
    pairs = zip(places, asked.shapes, strict=True)
    inputs = [place[: math.prod(shape)].reshape(shape) for place, shape in pairs]
    futures = networks.find(asked.path, asked.most).submit(inputs)
    try:
        answers = [future.result() for future in futures]
    except MemoryError:
        return "the GPU has too little memory for this image; set DEVICE to cpu"
    return [write_answer(*pair) for pair in zip(places, answers, strict=True)]


@contextmanager
def start_server(device: str, precision: str, serve: Serve = serve) -> Iterator[NetworkServer]:
    """Start a server, which ends with the block or with this process, however that ends.

    Args:
        device: `"cpu"`, `"cuda"` or one of several cards, such as `"cuda:1"`.
        precision: `"float32"`, `"bfloat16"` or `"float16"`.
        serve: What its process does, given a folder and the first two.
    """
    with TemporaryDirectory(prefix="ocr-") as folder:
        process = WorkerProcess(keep_serving)
        process.call(serve, folder, device, precision)
        try:
            yield NetworkServer(folder, process)
        finally:
            process.close()


def keep_serving(serve: Serve, folder: str, device: str, precision: str) -> str:
    """Start the process that has the networks, again if it dies; return why it cannot go on."""
    problem = f"the process that runs the networks on {device} died {STARTS} times; see its log"
    for _ in range(STARTS):
        process = WorkerProcess(serve)
        process.call(folder, device, precision)
        with suppress(EOFError):
            process.await_ready(None)
            problem = process.receive()
            break
        process.close()
    Path(folder, PROBLEM).write_text(problem)
    return problem
