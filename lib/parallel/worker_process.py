"""Run calls in another process, one at a time, and notice when that process dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import Generic, TypeVar

POLL_SECONDS: float = 0.5  # between two checks that the parent is alive
DEFAULTS: dict[str, str] = {
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=4194304",
    "OPENBLAS_NUM_THREADS": "1",
}
"""Variables of a process where the environment does not set them.

From glibc 2.35 on, large pages of memory save networks a tenth of their time, and large pieces are
given back once they are freed: otherwise those of networks with inputs of many sizes leave gaps
(0.8 GB in place of 0.5). NumPy's products here are small: two threads take no less time for them,
and as the second waits busily, reading an image takes 1.6 times the processor time.
"""

Value = TypeVar("Value")


class WorkerProcess(Generic[Value]):
    """A process that calls one function again and again.

    It is a program of its own: a fork would copy the locks of other threads, and multiprocessing's
    spawn would rerun the caller's main module. It shares no lock with other processes, which makes
    the death of one harmless to the others. It ends with its parent, even if that is killed.

    Args:
        function: Importable by name; its module is imported before the process is ready.
        environment: Variables set in the process, besides those of this one.

    Attributes:
        is_ready: Whether it is known to have started; see `await_ready`.
    """

    def __init__(
        self, function: Callable[..., Value], environment: Mapping[str, str] | None = None
    ) -> None:
        self._connection, theirs = Pipe()
        self.is_ready = False
        code = f"from {__name__} import serve; serve({theirs.fileno()}, {os.getpid()})"
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", code],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={
                    **DEFAULTS,
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(sys.path),
                    **(environment or {}),
                },
            )
        self._send(function)

    def await_ready(self, seconds: float | None) -> bool:
        """Wait until the process can be called; return whether it can.

        Raises:
            EOFError: It failed to start.
        """
        if not self.is_ready and self._connection.poll(seconds):
            self._receive()
            self.is_ready = True
        return self.is_ready

    def call(self, *arguments: object) -> None:
        """Begin a call; if the process has died, `receive` tells."""
        self._send(arguments)

    def receive(self, seconds: float | None = None) -> Value:
        """Wait for the result of a call.

        Raises:
            EOFError: The process died.
            TimeoutError: There is none yet.
        """
        if not self._connection.poll(seconds):
            raise TimeoutError(f"no result within {seconds} s")
        value: Value = self._receive()
        return value

    def _send(self, message: object) -> None:
        with suppress(OSError):
            self._connection.send(message)

    def _receive(self) -> Value:
        try:
            value: Value = self._connection.recv()
        except (EOFError, ConnectionResetError) as error:
            raise EOFError("a worker process died; its standard error may tell why") from error
        return value

    @property
    def is_closed(self) -> bool:
        """Return whether the process was closed."""
        return self._connection.closed

    def close(self) -> None:
        """Kill the process, whatever it is doing."""
        self._connection.close()
        self._process.kill()
        self._process.wait()


def wait_for_any(workers: Sequence[WorkerProcess[Value]]) -> list[WorkerProcess[Value]]:
    """Wait until some of the processes are ready, have a result or have died."""
    found = wait([worker._connection for worker in workers])
    return [worker for worker in workers if worker._connection in found]


def serve(descriptor: int, parent: int) -> None:
    """Make calls until the connection closes or the parent process has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is handled by the parent
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    os.set_inheritable(descriptor, False)
    with Connection(descriptor) as connection, suppress(EOFError, ConnectionError):
        function = connection.recv()
        connection.send(None)
        while True:
            connection.send(function(*connection.recv()))


def _end_with(parent: int) -> None:
    """End this process, whatever it is doing, once its parent is gone.

    Linux's own `PR_SET_PDEATHSIG` does not serve: it fires when the thread that started the process
    ends, and processes are started from short-lived threads.
    """
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    os._exit(1)
