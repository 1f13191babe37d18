"""Decode and write images in a process pool, so that download threads never wait for the GIL."""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from joblib.externals.loky.backend import get_context

from lib.download.image_files import DISK_FAULTS, Body, Kept, as_failed, keep_image
from lib.parallel import InternalError, end_with_parent, try_item

PROCESSES: int = min(4, os.cpu_count() or 1)
EACH: int = 16  # bodies per process; with more waiting, one more process starts
LONGEST: float = 60.0  # seconds; timeout for one lot of bodies

Answer = Kept | InternalError | OSError
"""The outcome of one body; an `OSError` if the disk accepts no file at all."""


@dataclass(frozen=True)
class Task:
    """The work done on each body.

    Attributes:
        data_dir: Images lie in `images/` below it.
        folder: For temporary files.
        keep: Importable by name; gets a body, the data folder and a free path.
    """

    data_dir: Path
    folder: Path
    keep: Callable[[Body, Path, str], Kept] = keep_image

    def do(self, bodies: Sequence[Body]) -> list[Answer]:
        """Return the outcome of each body, in order."""
        return [try_item(self._keep, body) for body in bodies]

    def _keep(self, body: Body) -> Kept | OSError:
        try:
            return self.keep(body, self.data_dir, f"{self.folder}/{secrets.token_hex(16)}")
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
        self._keepers: list[Writer] = []

    def close(self) -> None:
        """End the processes."""
        for keeper in self._keepers:
            keeper.close()

    def keep(self, bodies: Sequence[Body]) -> list[Answer]:
        """Store each body as a file and return the outcomes in order."""
        wanted = min(self._most, -(-len(bodies) // EACH))
        while len(self._keepers) < wanted:
            self._keepers.append(Writer(self._task))
        ready = [keeper for keeper in self._keepers[:wanted] if keeper.wait(0)]
        if any(keeper.is_closed for keeper in self._keepers):  # it failed to start
            self._give_up()
            ready = []
        if not ready:
            return self._task.do(bodies)
        try:
            return self._share_out(bodies, ready)
        except BaseException:  # Ctrl-C: nobody will read the pending answers
            self._give_up()
            raise

    def _give_up(self) -> None:
        """Stop the pool; from now on the calling thread does the work."""
        self._most = 0
        self.close()
        self._keepers.clear()

    def _share_out(self, bodies: Sequence[Body], ready: Sequence[Writer]) -> list[Answer]:
        """Send each process its lot and wait for all answers."""
        lots = [bodies[i :: len(ready)] for i in range(len(ready))]
        for keeper, lot in zip(ready, lots, strict=True):
            keeper.send(lot)
        kept = [self._receive(keeper, lot) for keeper, lot in zip(ready, lots, strict=True)]
        return [kept[i % len(ready)][i // len(ready)] for i in range(len(bodies))]

    def _receive(self, keeper: Writer, bodies: Sequence[Body]) -> list[Answer]:
        """Receive the outcomes of a lot; retry its bodies one by one if the process died."""
        kept = keeper.receive()
        if kept is None:
            self._keepers.remove(keeper)
            kept = [self._keep_alone(body) for body in bodies]
        return kept

    def _keep_alone(self, body: Body) -> Answer:
        """Store a body that may kill its process, in a process of its own."""
        keeper = Writer(self._task)
        if not keeper.wait(LONGEST):
            keeper.end()
            return self._task.do([body])[0]
        keeper.send([body])
        kept = keeper.receive()
        keeper.close()
        lost = Kept(as_failed(body.link, "damaged picture: its decoder crashed"))
        return kept[0] if kept else lost


class Writer:
    """A process that runs the task on one lot of bodies after another.

    It ends when this end of the connection closes, even if this process is killed.
    """

    def __init__(self, task: Task) -> None:
        # joblib's context does not rerun the caller's main module, which may be a notebook.
        context = get_context("loky")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, task, os.getpid()), daemon=True)
        self._process.start()
        theirs.close()
        self._is_ready = False

    def wait(self, seconds: float) -> bool:
        """Wait until the process is ready; return whether it is."""
        if not self._is_ready and not self.is_closed and self._connection.poll(seconds):
            self._is_ready = self.receive() is not None
        return self._is_ready

    @property
    def is_closed(self) -> bool:
        """Return whether the process was closed or has died."""
        return self._connection.closed

    def send(self, bodies: Sequence[Body]) -> None:
        """Send a lot; a failure to send shows up in `receive`."""
        try:
            self._connection.send(bodies)
        except OSError:
            self._process.terminate()

    def receive(self) -> list[Answer] | None:
        """Wait for the outcomes of the lot; `None` if the process died or timed out."""
        try:
            if self._connection.poll(LONGEST):
                return self._connection.recv()
        except (EOFError, OSError):
            pass
        self.end()
        return None

    def end(self) -> None:
        """Kill the process."""
        self._process.terminate()
        self.close()

    def close(self) -> None:
        """Close the connection, so that the process ends."""
        self._connection.close()
        self._process.join()


def serve(connection: Connection, task: Task, parent: int) -> None:
    """Run the task until the connection closes or the parent process has ended."""
    end_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is handled by the parent
    try:
        connection.send([])
        while True:
            connection.send(task.do(connection.recv()))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
