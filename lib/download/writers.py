"""Processes that check and write pictures, so that those who fetch them share no lock with it."""

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
EACH: int = 16  # bodies; so many more waiting call for one more process
LONGEST: float = 60.0  # seconds that a process may be silent over one lot of bodies

Answer = Kept | InternalError | OSError
"""What became of a body; an `OSError` where the disk takes no file at all."""


@dataclass(frozen=True)
class Task:
    """What is done with each body.

    Attributes:
        data_dir: Images lie in `images/` below it.
        folder: For temporary files.
        keep: Importable by name; gets a body, the data folder and a free path.
    """

    data_dir: Path
    folder: Path
    keep: Callable[[Body, Path, str], Kept] = keep_image

    def do(self, bodies: Sequence[Body]) -> list[Answer]:
        """Do it."""
        return [try_item(self._keep, body) for body in bodies]

    def _keep(self, body: Body) -> Kept | OSError:
        try:
            return self.keep(body, self.data_dir, f"{self.folder}/{secrets.token_hex(16)}")
        except OSError as error:
            if error.errno not in DISK_FAULTS:
                raise
            return error


class WriterPool:
    """Keep bodies as files, in processes that start when they are first wanted.

    Until one is ready the caller's own thread does the work. A process that dies costs only the
    body that it died of: the rest of its lot is done again, each body alone.

    Args:
        task: What is done.
        processes: At most; 0 for the caller's own thread alone.
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
        """Make each body a file and give what became of each, in their order."""
        wanted = min(self._most, -(-len(bodies) // EACH))
        while len(self._keepers) < wanted:
            self._keepers.append(Writer(self._task))
        ready = [keeper for keeper in self._keepers[:wanted] if keeper.wait(0)]
        if any(keeper.is_closed for keeper in self._keepers):  # it could not even start
            self._give_up()
            ready = []
        if not ready:
            return self._task.do(bodies)
        try:
            return self._share_out(bodies, ready)
        except BaseException:  # Ctrl-C: answers not yet received are for nobody
            self._give_up()
            raise

    def _give_up(self) -> None:
        """Leave all to the caller's own thread."""
        self._most = 0
        self.close()
        self._keepers.clear()

    def _share_out(self, bodies: Sequence[Body], ready: Sequence[Writer]) -> list[Answer]:
        """Give each process its lot and wait for all."""
        lots = [bodies[i :: len(ready)] for i in range(len(ready))]
        for keeper, lot in zip(ready, lots, strict=True):
            keeper.send(lot)
        kept = [self._receive(keeper, lot) for keeper, lot in zip(ready, lots, strict=True)]
        return [kept[i % len(ready)][i // len(ready)] for i in range(len(bodies))]

    def _receive(self, keeper: Writer, bodies: Sequence[Body]) -> list[Answer]:
        """Wait for what became of a lot."""
        kept = keeper.receive()
        if kept is None:
            self._keepers.remove(keeper)
            kept = [self._keep_alone(body) for body in bodies]
        return kept

    def _keep_alone(self, body: Body) -> Answer:
        """Keep a body of which a process may die, in a process of its own."""
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
    """A process that does the task with one lot of bodies after the other.

    It ends when this end of the connection is closed, be it by the death of this process.
    """

    def __init__(self, task: Task) -> None:
        # joblib's, since it does not run the caller's main module again, which may be a notebook.
        context = get_context("loky")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, task, os.getpid()), daemon=True)
        self._process.start()
        theirs.close()
        self._is_ready = False

    def wait(self, seconds: float) -> bool:
        """Wait until it is ready, and say whether it is."""
        if not self._is_ready and not self.is_closed and self._connection.poll(seconds):
            self._is_ready = self.receive() is not None
        return self._is_ready

    @property
    def is_closed(self) -> bool:
        """Whether it was closed, or died."""
        return self._connection.closed

    def send(self, bodies: Sequence[Body]) -> None:
        """Hand it a lot; whether it took it shows when its answer is received."""
        try:
            self._connection.send(bodies)
        except OSError:
            self._process.terminate()

    def receive(self) -> list[Answer] | None:
        """Wait for what became of the lot; `None` if the process died or had to be ended."""
        try:
            if self._connection.poll(LONGEST):
                return self._connection.recv()
        except (EOFError, OSError):
            pass
        self.end()
        return None

    def end(self) -> None:
        """End it at once."""
        self._process.terminate()
        self.close()

    def close(self) -> None:
        """Let it end."""
        self._connection.close()
        self._process.join()


def serve(connection: Connection, task: Task, parent: int) -> None:
    """Do the task until nobody is at the other end, or the parent process has gone."""
    end_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one at the other end
    try:
        connection.send([])
        while True:
            connection.send(task.do(connection.recv()))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
