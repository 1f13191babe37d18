"""Decode and write images in a process pool, so that the download never waits for the GIL."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from lib.download.image_files import DISK_FAULTS, Body, StoredBody, as_failed, store_image
from lib.parallel import InternalError, WorkerProcess, try_item

PROCESSES: int = min(4, os.cpu_count() or 1)
EACH: int = 16  # bodies per process; with more waiting, one more process starts
LONGEST: float = 60.0  # seconds; timeout for one lot of bodies

StoreResult = StoredBody | InternalError | OSError
"""The outcome of one body; an `OSError` if the disk accepts no file at all."""
Writer = WorkerProcess[list[StoreResult]]


@dataclass(frozen=True)
class Task:
    """The work done on each body.

    Attributes:
        data_dir: Images lie in `images/` below it.
        folder: For temporary files.
        store: Importable by name; gets a body, the data folder and a free path.
    """

    data_dir: Path
    folder: Path
    store: Callable[[Body, Path, str], StoredBody] = store_image

    def do(self, bodies: Sequence[Body]) -> list[StoreResult]:
        """Return the outcome of each body, in order."""
        return [try_item(self._store, body) for body in bodies]

    def _store(self, body: Body) -> StoredBody | OSError:
        try:
            return self.store(body, self.data_dir, f"{self.folder}/{secrets.token_hex(16)}")
        except OSError as error:
            if error.errno not in DISK_FAULTS:
                raise
            return error


class WriterPool:
    """A pool of processes that store bodies as files, started on demand.

    Until one is ready the calling thread does the work. When a process dies, each body of its lot
    is retried alone, so that only the body that killed it is lost.

    Args:
        task: The work to do.
        processes: Maximum number; 0 works in the calling thread only.
    """

    def __init__(self, task: Task, processes: int = PROCESSES) -> None:
        self._task = task
        self._most = processes
        self._writers: list[Writer] = []

    def close(self) -> None:
        """End the processes."""
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    def store(self, bodies: Sequence[Body]) -> list[StoreResult]:
        """Store each body as a file and return the outcomes in order."""
        wanted = min(self._most, -(-len(bodies) // EACH))
        while len(self._writers) < wanted:
            self._writers.append(WorkerProcess(self._task.do))
        try:
            ready = [writer for writer in self._writers[:wanted] if writer.await_ready(0)]
            return self._share_out(bodies, ready) if ready else self._task.do(bodies)
        except EOFError:  # one failed to start
            self._give_up()
            return self._task.do(bodies)
        except BaseException:  # Ctrl-C: nobody will read the pending results
            self._give_up()
            raise

    def _give_up(self) -> None:
        """Stop the pool; from now on the calling thread does the work."""
        self._most = 0
        self.close()

    def _share_out(self, bodies: Sequence[Body], writers: Sequence[Writer]) -> list[StoreResult]:
        """Send each process its lot and wait for all results."""
        lots = [bodies[i :: len(writers)] for i in range(len(writers))]
        for writer, lot in zip(writers, lots, strict=True):
            writer.call(lot)
        results = [self._receive(writer, lot) for writer, lot in zip(writers, lots, strict=True)]
        return [results[i % len(writers)][i // len(writers)] for i in range(len(bodies))]

    def _receive(self, writer: Writer, bodies: Sequence[Body]) -> list[StoreResult]:
        """Receive the outcomes of a lot; retry its bodies one by one if the process died."""
        try:
            return writer.receive(LONGEST)
        except (EOFError, TimeoutError):
            writer.close()
            self._writers.remove(writer)
        return [self._store_alone(body) for body in bodies]

    def _store_alone(self, body: Body) -> StoreResult:
        """Store a body that may kill its process, in a process of its own."""
        with closing(WorkerProcess(self._task.do)) as writer:
            try:
                if writer.await_ready(LONGEST):
                    writer.call([body])
                    return writer.receive(LONGEST)[0]
            except (EOFError, TimeoutError):
                if writer.is_ready:
                    return StoredBody(as_failed(body.link, "damaged image: its decoder crashed"))
        return self._task.do([body])[0]
