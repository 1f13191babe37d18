"""Set a deadline for each thread's work, and enforce it in network streams."""

import math
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import httpcore

# The event to wait for: an encrypted socket may need to write while reading, and vice versa.
READY_FOR: dict[type[OSError], int] = {
    ssl.SSLWantReadError: select.POLLIN,
    ssl.SSLWantWriteError: select.POLLOUT,
}
Value = TypeVar("Value")


class Deadline(threading.local):
    """The deadline of a thread's current work; each thread has its own.

    Args:
        stop: Once set, the deadline of every thread has passed.
    """

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._ends = math.inf

    def start(self, seconds: float) -> None:
        """Set this thread's deadline to `seconds` from now."""
        self._ends = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds this thread has left, 0 after the deadline."""
        return 0.0 if self._stop.is_set() else max(0.0, self._ends - time.monotonic())

    def cut(self, timeout: float | None) -> float:
        """Shorten a timeout to the seconds that are left.

        Raises:
            httpcore.ReadTimeout: No time is left.
        """
        left = self.left()
        if not left:
            raise httpcore.ReadTimeout("no time left")
        return left if timeout is None else min(timeout, left)


class TimedStream(httpcore.NetworkStream):
    """A network stream whose waits end at the deadline of the waiting thread.

    Its socket is non-blocking and polled only when it is not ready: each system call releases the
    GIL, which with many threads costs more than the call.

    Args:
        connected: A connected socket.
        deadline: Of the threads that read and write.
    """

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        connected.setblocking(False)
        self._socket = connected
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read some bytes; see `httpcore.NetworkStream`."""
        ends = time.monotonic() + self._deadline.cut(timeout)
        try:
            if not self._has_pending():
                self._wait(select.POLLIN, ends)
            return self._repeat(partial(self._socket.recv, max_bytes), select.POLLIN, ends)
        except TimeoutError as error:
            raise httpcore.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all bytes; see `httpcore.NetworkStream`."""
        ends = time.monotonic() + self._deadline.cut(timeout)
        try:
            while buffer:
                sent = self._repeat(partial(self._socket.send, buffer), select.POLLOUT, ends)
                buffer = buffer[sent:]
        except TimeoutError as error:
            raise httpcore.WriteTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """Start TLS on the connection; see `httpcore.NetworkStream`."""
        self._socket.settimeout(self._deadline.cut(timeout))
        try:
            encrypted = ssl_context.wrap_socket(self._socket, server_hostname=server_hostname)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        return TimedStream(encrypted, self._deadline)

    def get_extra_info(self, info: str) -> object:
        """Return a property of the connection; see `httpcore.NetworkStream`."""
        if info == "ssl_object" and isinstance(self._socket, ssl.SSLSocket):
            return self._socket
        if info == "is_readable":
            return bool(_poll(self._socket, select.POLLIN, 0.0))
        return self._socket if info == "socket" else None

    def _has_pending(self) -> bool:
        """Return whether decrypted bytes can be read without waiting."""
        return isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0

    def _repeat(self, call: Callable[[], Value], event: int, ends: float) -> Value:
        """Repeat a call until it succeeds, waiting whenever the socket is not ready."""
        while True:
            try:
                return call()
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
                wanted = READY_FOR.get(type(error), event)
            self._wait(wanted, ends)

    def _wait(self, event: int, ends: float) -> None:
        """Wait until the socket is ready; raise `TimeoutError` at the deadline."""
        left = ends - time.monotonic()
        if left <= 0 or not _poll(self._socket, event, left):
            raise TimeoutError("too long a silence")


def _poll(connected: socket.socket, event: int, seconds: float) -> list[tuple[int, int]]:
    poll = select.poll()
    poll.register(connected, event)
    return poll.poll(seconds * 1000)
