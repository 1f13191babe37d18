"""How long a thread's work may still take, and network streams that keep to it."""

import math
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import httpcore

# What an encrypted socket may have to wait for, whichever way the bytes go.
READY_FOR: dict[type[OSError], int] = {
    ssl.SSLWantReadError: select.POLLIN,
    ssl.SSLWantWriteError: select.POLLOUT,
}


class Deadline(threading.local):
    """The end of what a thread is doing; each thread has its own.

    Args:
        stop: Once set, the time of all threads is over.
    """

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._ends = math.inf

    def start(self, seconds: float) -> None:
        """Give this thread so many seconds from now."""
        self._ends = time.monotonic() + seconds

    def left(self) -> float:
        """Say how many seconds this thread has left, 0 when its time is over."""
        return 0.0 if self._stop.is_set() else max(0.0, self._ends - time.monotonic())

    def cut(self, timeout: float | None) -> float:
        """Shorten a wait to the time that is left, in seconds.

        Raises:
            httpcore.ReadTimeout: No time is left.
        """
        left = self.left()
        if not left:
            raise httpcore.ReadTimeout("no time left")
        return left if timeout is None else min(timeout, left)


class TimedStream(httpcore.NetworkStream):
    """A network stream whose waits end with the deadline of the thread that waits.

    Its socket never blocks, and is waited for only where it has to be: each system call lets other
    threads in, which with many threads costs more than the call.

    Args:
        connected: A socket.
        deadline: Of whoever reads and writes.
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
        """Go on encrypted; see `httpcore.NetworkStream`."""
        self._socket.settimeout(self._deadline.cut(timeout))
        try:
            encrypted = ssl_context.wrap_socket(self._socket, server_hostname=server_hostname)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        return TimedStream(encrypted, self._deadline)

    def get_extra_info(self, info: str) -> object:
        """Tell something about the connection; see `httpcore.NetworkStream`."""
        if info == "ssl_object" and isinstance(self._socket, ssl.SSLSocket):
            return self._socket
        if info == "is_readable":
            return bool(_poll(self._socket, select.POLLIN, 0.0))
        return self._socket if info == "socket" else None

    def _has_pending(self) -> bool:
        """Tell whether decrypted bytes wait to be read."""
        return isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0

    def _repeat(self, call: Callable[[], Any], event: int, ends: float) -> Any:
        """Call, and wait and call again while the socket is not ready."""
        while True:
            try:
                return call()
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
                wanted = READY_FOR.get(type(error), event)
            self._wait(wanted, ends)

    def _wait(self, event: int, ends: float) -> None:
        """Wait until the socket is ready; raise `TimeoutError` when that takes too long."""
        left = ends - time.monotonic()
        if left <= 0 or not _poll(self._socket, event, left):
            raise TimeoutError("too long a silence")


def _poll(connected: socket.socket, event: int, seconds: float) -> list[tuple[int, int]]:
    poll = select.poll()
    poll.register(connected, event)
    return poll.poll(seconds * 1000)
