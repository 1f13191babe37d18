"""Request one link over HTTP: write its body to a file, or raise an error that allows a retry."""

import functools
import hashlib
import os
import re
import ssl
import time
import zlib
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import TracebackType
from typing import IO, Self
from urllib.parse import quote, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import certifi
from yarl import URL

from lib.download.http.addresses import AddressError, AddressGuard
from lib.download.http.robots import find_refusal
from lib.download.limits import Limits
from lib.download.link_text import complete_url

# Statuses worth a retry, besides 5xx: RFC 9110, RFC 8470, RFC 6585.
PASSING: frozenset[int] = frozenset({408, 425, 429})
REDIRECTS: frozenset[int] = frozenset({301, 302, 303, 307, 308})
NO_TEXT: re.Pattern[str] = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")  # control or not UTF-8
STRAY_PERCENT: re.Pattern[str] = re.compile(r"%(?![0-9A-Fa-f]{2})")
SAFE: str = "%/?:@!$&'()*+,;=~"  # RFC 3986; what is encoded already stays as written
IDLE: float = 1.0  # seconds until an unused connection closes; there may be thousands of hosts
CHUNK: int = 1 << 16  # bytes decompressed at a time
ZLIB_OR_GZIP: int = 47  # `wbits` that detects either format
LONGEST_LINE: int = 1 << 16  # bytes of a response's head
LONGEST_DATE: int = 64  # characters
# The first that fits; none of these errors goes away with a retry.
LASTING: dict[type[Exception], str] = {
    AddressError: "address not public",
    aiohttp.ClientConnectorCertificateError: "certificate not accepted",
    aiohttp.NonHttpUrlClientError: "scheme refused",
    aiohttp.RedirectClientError: "redirect to nowhere",
    aiohttp.InvalidURL: "not a web address",
}


class FetchError(Exception):
    """A link that could not be fetched; the message is the reason, `kind: details`.

    Args:
        reason: Why it failed.
        again: Whether a retry may help.
        wait: Seconds that the host asks to wait (`Retry-After`); `None` if it did not say.
        host_failed: Whether the failure counts against the host and not only against the link.
    """

    def __init__(
        self,
        reason: str,
        again: bool = False,
        wait: float | None = None,
        host_failed: bool = False,
    ) -> None:
        super().__init__(reason)
        self.again = again
        self.wait = wait
        self.host_failed = host_failed


class Client:
    """An HTTP client that keeps connections open; `async with` opens it in an event loop.

    It uses the proxies and certificates of the environment (`HTTPS_PROXY`, `NO_PROXY`,
    `SSL_CERT_FILE` ...), for redirects the proxy of the link. It sends no cookies, no referrer and
    no credentials, neither from a netrc file nor from the link.

    Args:
        limits: Timeouts and sizes.
        allow_hosts: Host names that may be on a private network.
        user_agent: The `User-Agent` header.
        respect_robots_tag: Whether an image whose `X-Robots-Tag` refuses it is left.
    """

    def __init__(
        self,
        limits: Limits,
        allow_hosts: Iterable[str],
        user_agent: str,
        respect_robots_tag: bool = False,
    ) -> None:
        self._limits = limits
        self._respect_robots_tag = respect_robots_tag
        self._guard = AddressGuard(allow_hosts)
        self._proxies = getproxies()
        self._headers = {
            "User-Agent": user_agent,
            "Accept": "image/*,*/*;q=0.5",
            "Accept-Encoding": "identity",
        }

    async def __aenter__(self) -> Self:
        limits = self._limits
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=limits.connections,
                keepalive_timeout=IDLE,
                socket_factory=self._guard.open_socket,
                ssl=find_certificates(),
            ),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=self._headers,
            max_line_size=LONGEST_LINE,
            middlewares=[self._guard.check, self._send],
            timeout=aiohttp.ClientTimeout(
                total=limits.total, connect=limits.connect, sock_read=limits.read
            ),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def fetch(self, url: URL, file: IO[bytes]) -> str:
        """Request a URL and write the body to a file.

        Returns:
            The body's sha256, in hex.

        Raises:
            FetchError: The request failed.
        """
        proxy, redirects = self._find_proxy(url), self._limits.redirects
        try:
            async with self._session.get(url, proxy=proxy, max_redirects=redirects + 1) as answer:
                if answer.status == HTTPStatus.OK:
                    self._check_robots_tag(answer)
                    return await self._save(answer, file)
                await skip_body(answer)
        except aiohttp.TooManyRedirects as error:
            raise FetchError(f"too many redirects: more than {redirects}") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self._explain(error) from error
        if answer.status in REDIRECTS:
            raise FetchError(f"redirect to nowhere: HTTP {answer.status} without Location")
        raise explain_status(answer.status, answer.headers.get("Retry-After", ""), time.time())

    def _check_robots_tag(self, answer: aiohttp.ClientResponse) -> None:
        """Check the `X-Robots-Tag` headers of an answer, if they are respected.

        Raises:
            FetchError: They refuse the image.
        """
        if not self._respect_robots_tag:
            return
        tags = answer.headers.getall("X-Robots-Tag", [])
        if refusal := find_refusal(tags, self._headers["User-Agent"]):
            raise FetchError(f"refused by its host: X-Robots-Tag: {refusal}")

    def _find_proxy(self, url: URL) -> str | None:
        """Return the environment's proxy for a URL, `None` if there is none."""
        if not self._proxies or proxy_bypass(url.host_port_subcomponent or ""):
            return None
        return self._proxies.get(url.scheme) or self._proxies.get("all")

    async def _send(
        self, request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Send a request once, which aiohttp would repeat by itself, and without credentials.

        Raises:
            FetchError: The URL is refused, or the connection failed.
        """
        check_url(request.url)
        request.headers.pop("Authorization", None)
        try:
            return await send(request)
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
            raise self._explain(error) from error

    def _explain(self, error: Exception) -> FetchError:
        """Return the `FetchError` for a connection error."""
        for cause in (error.__cause__, error):
            for kind, reason in LASTING.items():
                if isinstance(cause, kind):
                    return FetchError(f"{reason}: {cause}")
        reason = f"connection failed: {error}"
        if isinstance(error, TimeoutError):
            reason = f"timeout: not finished within {self._limits.total:g} s"
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            reason = "timeout: no connection for too long"
        if isinstance(error, aiohttp.SocketTimeoutError):
            reason = "timeout: silence for too long"
        return FetchError(reason, again=True, host_failed=True)

    async def _save(self, answer: aiohttp.ClientResponse, file: IO[bytes]) -> str:
        """Write the body to a file and return its sha256.

        Raises:
            FetchError: It is larger than the limit, or its compression is damaged.
        """
        length, most = answer.content_length or 0, self._limits.size
        if length > most:
            raise FetchError(f"too large: {length:,} bytes announced, at most {most:,} wanted")
        digest, size = hashlib.sha256(), 0
        async with aclosing(unpack_body(answer)) as parts:
            async for part in parts:
                size += len(part)
                if size > most:
                    raise FetchError(f"too large: more than {most:,} bytes")
                digest.update(part)
                file.write(part)
        return digest.hexdigest()


def parse_url(link: str) -> URL:
    """Parse a link as a URL; encode what a URL may not hold, and nothing twice.

    >>> parse_url("HTTP://Example.org/a b%20c.jpg?q=%2F&amp;r=ä#d").raw_path_qs
    '/a%20b%20c.jpg?q=%2F&r=%C3%A4'

    Raises:
        FetchError: The link is no valid URL.
    """
    text = complete_url(link)
    if NO_TEXT.search(text):
        raise FetchError("not a web address: it holds a character that is no text")
    try:
        url, parts = URL(text), urlsplit(text)
    except ValueError as error:
        raise FetchError(f"not a web address: {error}") from error
    check_url(url)
    return URL.build(
        scheme=url.scheme,
        authority=url.raw_authority,
        path=_encode(parts.path) or "/",
        query_string=_encode(parts.query),
        encoded=True,
    )


def _encode(text: str) -> str:
    return quote(STRAY_PERCENT.sub("%25", text), safe=SAFE)


def check_url(url: URL) -> None:
    """Check the URL of a link or of a redirect.

    Raises:
        FetchError: It cannot be requested.
    """
    try:
        host = url.host  # decodes the name, so that invalid IDNA raises here
        (url.raw_host or "").encode("idna")  # as the resolver does; it refuses too long a label
    except ValueError as error:
        raise FetchError(f"not a web address: {error}") from error
    if url.scheme not in ("http", "https"):
        raise FetchError(f"scheme refused: {url.scheme!r} is not fetched")
    if not host:
        raise FetchError("not a web address: it names no host")
    if not url.port:
        raise FetchError(f"not a web address: it names port {url.port}")


async def unpack_body(answer: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
    """Yield the body in small parts; unrequested compression is undone part by part.

    Raises:
        FetchError: The compression is unknown, or its data is damaged or truncated.
    """
    coding = answer.headers.get("Content-Encoding", "").strip().lower()
    if coding in ("", "identity"):
        async for part in answer.content.iter_any():
            yield part
        return
    if coding not in ("gzip", "x-gzip", "deflate"):
        raise FetchError(f"compression refused: {coding!r} was not asked for")
    inflater = zlib.decompressobj(ZLIB_OR_GZIP)
    try:
        async for part in answer.content.iter_any():
            while part:  # small parts, so that the size limit stops a decompression bomb
                yield inflater.decompress(part, CHUNK)
                part = inflater.unconsumed_tail
        yield inflater.flush()
    except zlib.error as error:
        raise FetchError(f"damaged compression: {error}") from error
    if not inflater.eof:
        raise FetchError("damaged compression: it ends early", again=True)


async def skip_body(answer: aiohttp.ClientResponse) -> None:
    """Read and discard a short body, so that the connection can be reused."""
    if answer.content_length is not None and answer.content_length <= CHUNK:
        await answer.read()


def explain_status(status: int, retry_after: str, now: float) -> FetchError:
    """Return the error for an HTTP status; `now` in seconds since 1970.

    >>> error = explain_status(503, "120", 0.0)
    >>> str(error), error.again, error.wait, error.host_failed
    ('HTTP 503 Service Unavailable', True, 120.0, True)
    """
    try:
        reason = f"HTTP {status} {HTTPStatus(status).phrase}"
    except ValueError:
        reason = f"HTTP {status}"
    failed = status >= 500
    again = failed or status in PASSING
    return FetchError(reason, again, read_wait(retry_after, now) if again else None, failed)


def read_wait(retry_after: str, now: float) -> float | None:
    """Parse a `Retry-After` header (seconds or a date) as seconds from now.

    >>> read_wait("7", 0), read_wait("Thu, 01 Jan 1970 00:01:00 GMT", 15), read_wait("soon", 0)
    (7.0, 45.0, None)
    """
    if retry_after.isdecimal():
        return float(retry_after)
    try:
        date = parsedate_to_datetime(retry_after[:LONGEST_DATE])
        return max(0.0, date.replace(tzinfo=date.tzinfo or UTC).timestamp() - now)
    except (ValueError, OverflowError):  # such as a month "Jax", or an offset of a million hours
        return None


def find_certificates() -> ssl.SSLContext:
    """Return the certificates that the environment names, those of certifi if it names none."""
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    return _load_certificates(file or (None if folder else certifi.where()), folder)


@functools.cache
def _load_certificates(file: str | None, folder: str | None) -> ssl.SSLContext:
    """Load certificates once, which takes a tenth of a second."""
    return ssl.create_default_context(cafile=file, capath=folder)
