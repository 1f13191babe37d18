"""Restrict downloads to public network addresses, checked at the moment of connecting."""

import socket
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from socket import getaddrinfo

import httpcore

from lib.download.http.deadline import Deadline, TimedStream

# Ranges that the standard library calls global but that reach internal services.
INSIDE: tuple[IPv4Network | IPv6Network, ...] = tuple(
    map(
        ip_network,
        (
            "168.63.129.16/32",  # Azure's own services, metadata among them
            "192.0.0.0/24",  # RFC 6890; Oracle's metadata service answers at 192.0.0.192
            "192.88.99.0/24",  # RFC 7526: withdrawn 6to4 relays
            "fec0::/10",  # RFC 3879: withdrawn site-local addresses
            "::/96",  # RFC 4291: withdrawn IPv4-compatible addresses
        ),
    )
)
# RFC 6052: a gateway makes these from the IPv4 address in their last four bytes.
NAT64: IPv6Network = IPv6Network("64:ff9b::/96")
MOST_LOOKUPS: int = 32  # concurrent name look-ups; the system's resolver has no timeout


class AddressError(ValueError):
    """A host that must not be contacted; the message is the reason."""


def is_public(address: str) -> bool:
    """Return whether an address is public.

    >>> [is_public(a) for a in ("8.8.8.8", "10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1")]
    [True, False, False, False]
    """
    found = _embedded(ip_address(address.partition("%")[0]))
    if found.is_multicast or any(found in network for network in INSIDE):
        return False
    return found.is_global


def _embedded(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address embedded in an IPv6 address; any other address unchanged."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


class PublicBackend(httpcore.NetworkBackend):
    """A network backend that connects to public addresses only.

    The name is resolved here, once per connection, and the checked address itself is used, so
    that a name cannot change its address between check and use (DNS rebinding).

    Args:
        deadline: Of the threads that connect.
        allow_hosts: Names, as written in the link, that may resolve to any address.
    """

    def __init__(self, deadline: Deadline, allow_hosts: Iterable[str] = ()) -> None:
        self._deadline = deadline
        self._allowed = {host.lower().strip("[]") for host in allow_hosts}
        self._resolver = ThreadPoolExecutor(MOST_LOOKUPS, "resolve")

    def close(self) -> None:
        """Cancel pending look-ups."""
        self._resolver.shutdown(wait=False, cancel_futures=True)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Open a connection; see `httpcore.NetworkBackend`.

        Raises:
            AddressError: The host has no public address and is not allowed by name.
            httpcore.ConnectError: The name is unknown or no address answers.
            httpcore.ConnectTimeout: It took longer than `timeout` seconds.
        """
        ends = time.monotonic() + self._deadline.cut(timeout)
        addresses = self._resolve(host, port, ends)
        if host.lower() not in self._allowed:
            addresses = _only_public(host, addresses)
        return TimedStream(_connect(addresses, port, ends), self._deadline)

    def check(self, host: str, port: int, timeout: float) -> None:
        """Check a host that a proxy will connect to, if its name resolves here.

        Raises:
            AddressError: The host has no public address and is not allowed by name.
        """
        if host.lower() in self._allowed:
            return
        try:
            addresses = self._resolve(host, port, time.monotonic() + timeout)
        except (httpcore.ConnectError, httpcore.ConnectTimeout):
            return  # behind a proxy, often only the proxy resolves outside names
        _only_public(host, addresses)

    def _resolve(self, host: str, port: int, ends: float) -> list[str]:
        """Resolve a name; IPv4 first, since a dead IPv6 route uses up the whole timeout."""
        asked = self._resolver.submit(getaddrinfo, host, port, type=socket.SOCK_STREAM)
        try:
            found = asked.result(_time_left(ends))
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"no address of {host} in time") from error
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"unknown host name: {error}") from error
        found.sort(key=lambda entry: entry[0] != socket.AF_INET)
        return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _connect(addresses: list[str], port: int, ends: float) -> socket.socket:
    """Connect to the first address that answers."""
    for address in addresses:
        try:
            found = socket.create_connection((address, port), _time_left(ends))
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"no connection to {address} in time") from error
        except OSError as error:
            failure = httpcore.ConnectError(str(error))
            failure.__cause__ = error
            continue
        return found
    raise failure


def _time_left(ends: float) -> float:
    """Return the seconds left; raise `httpcore.ConnectTimeout` if there are none."""
    left = ends - time.monotonic()
    if left <= 0:
        raise httpcore.ConnectTimeout("no connection in time")
    return left


def _only_public(host: str, addresses: list[str]) -> list[str]:
    """Return the public addresses; raise `AddressError` if there are none."""
    public = [address for address in addresses if is_public(address)]
    if not public:
        raise AddressError(f"address not public: {host} is {', '.join(addresses)}")
    return public
