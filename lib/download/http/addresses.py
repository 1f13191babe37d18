"""Restrict downloads to public network addresses, checked at the moment of connecting."""

import asyncio
import socket
from collections.abc import Iterable
from contextvars import ContextVar
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp import AddrInfoType, ClientHandlerType, ClientRequest, ClientResponse

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
CHECKED: ContextVar[str] = ContextVar("CHECKED")
"""Host of a task's request whose addresses must be public, `""` if they need not be."""


class AddressError(OSError):
    """The address of a host is not public; the message is the host."""


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


class AddressGuard:
    """A guard that allows connections to public addresses only, also after redirects.

    The address of each socket is checked just before it connects, so that a name cannot change
    its address between check and use (DNS rebinding).

    Args:
        allow_hosts: Names, as written in the link, that may resolve to any address.
    """

    def __init__(self, allow_hosts: Iterable[str] = ()) -> None:
        self._allowed = {host.lower().strip("[]") for host in allow_hosts}

    async def check(self, request: ClientRequest, send: ClientHandlerType) -> ClientResponse:
        """Note the host of a request for `open_socket`; check it here if a proxy will connect.

        Raises:
            AddressError: A proxy would connect to an address that is not public.
        """
        host = request.url.raw_host or ""
        name = "" if host in self._allowed else host
        if request.proxy and name:
            await _check_far(name)
            name = ""
        CHECKED.set(name)
        return await send(request)

    def open_socket(self, address: AddrInfoType) -> socket.socket:
        """Make the socket for a connection to an address.

        Raises:
            AddressError: The address is not public, and its host is not allowed by name.
        """
        family, kind, protocol, _, target = address
        if CHECKED.get() and not is_public(target[0]):
            raise AddressError(CHECKED.get())
        return socket.socket(family, kind, protocol)


async def _check_far(host: str) -> None:
    """Check a host that a proxy will connect to; often only the proxy can resolve the name.

    Raises:
        AddressError: The name resolves, and to no public address.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None)
    except (OSError, UnicodeError):
        return
    if not any(is_public(str(address[0])) for *_, address in found):
        raise AddressError(host)
