"""Keep connections open for the next request to the same origin."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpcore

FRESH: float = 0.5  # seconds; a connection used this recently is assumed to be alive


class Connections:
    """A pool of connections, HTTP/2 where the server offers it.

    Each carries one request at a time, so that a slow response delays no other and an error
    concerns one link; Python 3.11 does not let two threads share a TLS connection either.
    httpcore's own pool polls every socket for every request, which costs more than the request.

    Args:
        certificates: Loads the trusted certificates; called on first use, since it is slow.
        network: Opens the connections.
        most: Maximum number of open connections, lent or idle; the one idle for longest is closed
            to make way for a new one.
        idle: Seconds after which an idle connection is closed.
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
        # Each with the time of its last use, most recent last.
        self._free: list[tuple[httpcore.Origin, httpcore.HTTPConnection, float]] = []

    @contextmanager
    def lend(self, origin: httpcore.Origin) -> Iterator[httpcore.HTTPConnection]:
        """Lend a connection to an origin; it is closed if its use raises an error."""
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
        """Return an idle connection that is still alive, or a new one."""
        with self._lock:
            self._lent += 1
            while position := self._find_free(origin):
                _, connection, since = self._free.pop(-position)
                if time.monotonic() - since < FRESH or not connection.has_expired():
                    return connection
                connection.close()
            while self._free and self._lent + len(self._free) > self._most:
                self._free.pop(0)[1].close()
        return self._make(origin)

    def _find_free(self, origin: httpcore.Origin) -> int:
        """Return the position of an origin's last used idle connection, from the end; 0 if none."""
        positions = enumerate(reversed(self._free), 1)
        return next((position for position, (key, *_) in positions if key == origin), 0)

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
