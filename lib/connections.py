"""Open connections, kept for the next request to the same place."""

import ssl
from collections import defaultdict

import httpcore

Key = tuple[bytes, bytes, int | None]


class Connections:
    """Send requests over kept connections, HTTP/2 where the other side offers it.

    httpcore's own pool looks at every socket for every request, which at 32 connections costs
    more than the request.

    Args:
        certificates: What to trust.
        network: How to connect.
        most: Connections kept; idle ones beyond are closed, longest unused first.
        idle: How long an unused connection is kept, in seconds.
    """

    def __init__(
        self,
        certificates: ssl.SSLContext,
        network: httpcore.AsyncNetworkBackend,
        most: int,
        idle: float,
    ) -> None:
        self._certificates = certificates
        self._network = network
        self._most = most
        self._idle = idle
        self._count = 0
        # By place, the longest unused place first.
        self._open: dict[Key, list[httpcore.AsyncHTTPConnection]] = defaultdict(list)

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request; the caller closes the answer."""
        key = (request.url.scheme, request.url.host, request.url.port)
        while True:
            connection = await self._find(key) or await self._add(key, request.url.origin)
            try:
                return await connection.handle_async_request(request)
            except httpcore.ConnectionNotAvailable:
                continue  # taken meanwhile, or not HTTP/2 after all

    async def aclose(self) -> None:
        """Close all connections."""
        for connections in self._open.values():
            for connection in connections:
                await connection.aclose()
        self._open.clear()
        self._count = 0

    async def _find(self, key: Key) -> httpcore.AsyncHTTPConnection | None:
        """Find a connection that is free and still good."""
        connections = self._open.pop(key, [])
        self._open[key] = connections  # used last
        for connection in [one for one in connections if one.is_available()]:
            if not connection.has_expired():
                connections.remove(connection)
                connections.append(connection)  # so that the next request tries another one
                return connection
            await self._drop(key, connection)
        return None

    async def _add(self, key: Key, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection:
        """Make a connection, and close idle ones if there are too many."""
        await self._tidy()
        connection = httpcore.AsyncHTTPConnection(
            origin,
            ssl_context=self._certificates,
            keepalive_expiry=self._idle,
            http2=True,
            network_backend=self._network,
        )
        self._open[key].append(connection)
        self._count += 1
        return connection

    async def _tidy(self) -> None:
        """Forget closed connections, and close idle ones beyond the limit."""
        for key in list(self._open):
            for connection in list(self._open[key]):
                idle = connection.is_idle() and self._count >= self._most
                if idle or connection.is_closed():
                    await self._drop(key, connection)
            if not self._open[key]:
                del self._open[key]

    async def _drop(self, key: Key, connection: httpcore.AsyncHTTPConnection) -> None:
        """Close a connection, unless another request already did."""
        if connection in self._open.get(key, []):
            self._open[key].remove(connection)
            self._count -= 1
            await connection.aclose()
