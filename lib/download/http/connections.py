"""Open connections, kept for the next request to the same place."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpcore

FRESH: float = 0.5  # seconds; a connection used so lately is taken to be still good


class Connections:
    """Lend connections, HTTP/2 where the other side offers it.

    Each carries one request at a time, so that a slow answer holds up no other and an error
    speaks of one link; and Python 3.11 lets no two threads use one encrypted connection. httpcore's
    own pool looks at every socket for every request, which costs more than the request.

    Args:
        certificates: Gives what to trust; asked only when it is needed, since reading takes time.
        network: How to connect.
        most: Connections open at the same time; idle ones are closed for new ones, longest unused
            first. Not more may be lent.
        idle: How long an unused connection is kept, in seconds.
    """

    def __init__(
        self,
        certificates: Callable[[], ssl.SSLContext],
        network: httpcore.NetworkBackend,
        most: int,
        idle: float,
    ) -> None:
        self._certificates = certificates
        self._network = network
        self._most = most
        self._idle = idle
        self._lock = threading.Lock()
        self._lent = 0
        # With the time since when they are free, the last used last.
        self._free: list[tuple[httpcore.Origin, httpcore.HTTPConnection, float]] = []

    @contextmanager
    def lend(self, origin: httpcore.Origin) -> Iterator[httpcore.HTTPConnection]:
        """Lend a connection to a place; it is closed if its use ends in an error."""
        connection = self._find(origin)
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        finally:
            self._take_back(origin, connection)

    def close(self) -> None:
        """Close all connections that are not lent."""
        while self._free:
            self._free.pop()[1].close()

    def _find(self, origin: httpcore.Origin) -> httpcore.HTTPConnection:
        """Find a connection that is free and still good, or make one."""
        with self._lock:
            self._lent += 1
            while place := self._find_free(origin):
                _, connection, since = self._free.pop(-place)
                if time.monotonic() - since < FRESH or not connection.has_expired():
                    return connection
                connection.close()
            while self._free and self._lent + len(self._free) > self._most:
                self._free.pop(0)[1].close()
        return self._make(origin)

    def _find_free(self, origin: httpcore.Origin) -> int:
        """Find the last used free connection to a place, counted from the end; 0 for none."""
        places = enumerate(reversed(self._free), 1)
        return next((place for place, (where, *_) in places if where == origin), 0)

    def _make(self, origin: httpcore.Origin) -> httpcore.HTTPConnection:
        return httpcore.HTTPConnection(
            origin,
            ssl_context=self._certificates() if origin.scheme == b"https" else None,
            keepalive_expiry=self._idle,
            http2=True,
            network_backend=self._network,
        )

    def _take_back(self, origin: httpcore.Origin, connection: httpcore.HTTPConnection) -> None:
        with self._lock:
            self._lent -= 1
            if connection.is_idle():
                self._free.append((origin, connection, time.monotonic()))
