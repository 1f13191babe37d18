"""Request one link over HTTP: write its body to a file, or raise an error that allows a retry."""

import functools
import hashlib
import ssl
import threading
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import IO
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

from lib.download.http.addresses import AddressError, PublicBackend
from lib.download.http.connections import Connections
from lib.download.http.deadline import Deadline
from lib.download.limits import Limits

REDIRECTS: frozenset[int] = frozenset({301, 302, 303, 307, 308})
# Statuses worth a retry, besides 5xx: RFC 9110, RFC 8470, RFC 6585.
PASSING: frozenset[int] = frozenset({408, 425, 429})
CHUNK: int = 1 << 16  # bytes decompressed at a time
LONGEST_DATE: int = 64  # characters
LAST_PORT: int = 65_535
ZLIB_OR_GZIP: int = 47  # `wbits` that detects either format
NETWORK_ERRORS = (
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.ProtocolError,
    httpcore.ProxyError,
)


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
    """An HTTP client for many threads that keeps connections open.

    It uses the proxies and certificates of the environment (`HTTPS_PROXY`, `NO_PROXY`,
    `SSL_CERT_FILE` ...). It sends no cookies, no referrer and no credentials, neither from a
    netrc file nor from the link.

    Args:
        limits: Timeouts and sizes.
        allow_hosts: Host names that may be on a private network.
        user_agent: The `User-Agent` header.
        stop: Once set, all running requests end soon, with an error.
    """

    def __init__(
        self, limits: Limits, allow_hosts: Iterable[str], user_agent: str, stop: threading.Event
    ) -> None:
        self._limits = limits
        self._deadline = Deadline(stop)
        self._backend = PublicBackend(self._deadline, allow_hosts)
        self._headers = [
            (b"user-agent", user_agent.encode("latin-1", "replace")),
            (b"accept", b"image/*,*/*;q=0.5"),
            (b"accept-encoding", b"identity"),
        ]
        waits = {"connect": limits.connect, "read": limits.read}
        self._timeouts = waits | {"write": limits.read, "pool": limits.total}
        self._certificates = functools.cache(httpx.create_ssl_context)
        self._connections = Connections(
            self._certificates, self._backend, limits.connections, limits.read
        )
        proxies = {scheme: _describe_proxy(url) for scheme, url in find_proxies().items()}
        hosts = [proxy.url.host.decode("ascii") for proxy in proxies.values()]
        self._to_proxies = PublicBackend(self._deadline, hosts)
        self._pools = {scheme: self._make_pool(proxy) for scheme, proxy in proxies.items()}

    def close(self) -> None:
        """Close all connections."""
        self._connections.close()
        for pool in self._pools.values():
            pool.close()
        self._backend.close()
        self._to_proxies.close()

    def fetch(self, url: httpx.URL, file: IO[bytes]) -> str:
        """Request a URL and write the body to a file.

        Returns:
            The body's sha256, in hex.

        Raises:
            FetchError: The request failed.
        """
        self._deadline.start(self._limits.total)
        try:
            return self._follow(url, file)
        except AddressError as error:
            raise FetchError(str(error)) from error
        except NETWORK_ERRORS as error:
            if self._deadline.left():
                raise explain_error(error) from error
            reason = f"timeout: not finished within {self._limits.total:g} s"
            raise FetchError(reason, again=True, host_failed=True) from error

    def _follow(self, url: httpx.URL, file: IO[bytes]) -> str:
        """Request a URL and follow redirects, up to the limit."""
        for _ in range(self._limits.redirects + 1):
            found = self._ask(url, file)
            if isinstance(found, str):
                return found
            url = found
        raise FetchError(f"too many redirects: more than {self._limits.redirects}")

    def _ask(self, url: httpx.URL, file: IO[bytes]) -> str | httpx.URL:
        """Send one request; return the sha256 of the body written, or a redirect's target."""
        request = self._make_request(url)
        with self._find_sender(url, request) as sender:
            answer = sender.handle_request(request)
            with closing(answer):
                if answer.status == HTTPStatus.OK:
                    check_length(answer, self._limits.size)
                    return self._save(answer, file)
                skip_body(answer)
        if answer.status in REDIRECTS:
            return find_target(url, answer)
        raise explain_status(answer.status, read_header(answer, b"retry-after"), time.time())

    def _make_request(self, url: httpx.URL) -> httpcore.Request:
        target = httpcore.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
        )
        headers = [(b"host", url.netloc), *self._headers]
        return httpcore.Request(
            "GET", target, headers=headers, extensions={"timeout": self._timeouts}
        )

    def _find_sender(
        self, url: httpx.URL, request: httpcore.Request
    ) -> AbstractContextManager[httpcore.HTTPConnection | httpcore.ConnectionPool]:
        """Choose a direct connection or the environment's proxy."""
        pool = self._pools.get(url.scheme) or self._pools.get("all")
        if pool is None or proxy_bypass(url.netloc.decode("ascii")):
            return self._connections.lend(request.url.origin)
        self._backend.check(url.raw_host.decode("ascii"), url.port or 443, self._limits.connect)
        return nullcontext(pool)

    def _make_pool(self, proxy: httpcore.Proxy) -> httpcore.ConnectionPool:
        return httpcore.ConnectionPool(
            ssl_context=self._certificates(),
            max_connections=self._limits.connections,
            keepalive_expiry=self._limits.read,
            proxy=proxy,
            network_backend=self._to_proxies,
        )

    def _save(self, answer: httpcore.Response, file: IO[bytes]) -> str:
        """Write the body to a file, up to the size limit, and return its sha256."""
        digest, size = hashlib.sha256(), 0
        for part in unpack_body(answer):
            size += len(part)
            if size > self._limits.size:
                raise FetchError(f"too large: more than {self._limits.size:,} bytes")
            digest.update(part)
            file.write(part)
        return digest.hexdigest()


def parse_url(link: str) -> httpx.URL:
    """Parse a link as a URL, quoting characters where needed.

    >>> parse_url("HTTP://Example.org/a b.jpg").raw_path
    b'/a%20b.jpg'

    Raises:
        FetchError: The link is no valid URL.
    """
    try:
        url = httpx.URL(link)
        url.raw_host.decode("ascii")
        host = url.host  # decodes the name, so that invalid IDNA raises here
    except (httpx.InvalidURL, ValueError) as error:
        raise FetchError(f"not a web address: {error}") from error
    if url.scheme not in ("http", "https"):
        raise FetchError(f"scheme refused: {url.scheme!r}, only http and https are fetched")
    if not host:
        raise FetchError("not a web address: it names no host")
    if url.port is not None and not 0 < url.port <= LAST_PORT:
        raise FetchError(f"not a web address: it names port {url.port}")
    return url


def find_target(url: httpx.URL, answer: httpcore.Response) -> httpx.URL:
    """Return the target of a redirect; raise `FetchError` if it is refused."""
    location = read_header(answer, b"location")
    if not location:
        raise FetchError(f"redirect to nowhere: HTTP {answer.status} without Location")
    try:
        return parse_url(str(url.join(location)))
    except (httpx.InvalidURL, ValueError) as error:
        raise FetchError(f"redirect to nowhere: {error}") from error


def check_length(answer: httpcore.Response, size: int) -> None:
    """Raise `FetchError` if the answer announces a body of more than `size` bytes."""
    length = read_number(read_header(answer, b"content-length"))
    if length is not None and length > size:
        raise FetchError(f"too large: {length:,.0f} bytes announced, at most {size:,} wanted")


def skip_body(answer: httpcore.Response) -> None:
    """Read and discard a short body, so that the connection can be reused."""
    length = read_number(read_header(answer, b"content-length"))
    if length is not None and length <= CHUNK:
        answer.read()


def read_number(header: str) -> float | None:
    """Parse a header as a number of any length; `None` if it is not a number.

    >>> read_number("12"), read_number("9" * 5000), read_number("-1"), read_number("")
    (12.0, inf, None, None)
    """
    return float(header) if header.isdecimal() else None


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
    number = read_number(retry_after)
    if number is not None:
        return number
    try:
        date = parsedate_to_datetime(retry_after[:LONGEST_DATE])
        return max(0.0, date.replace(tzinfo=date.tzinfo or UTC).timestamp() - now)
    except (ValueError, OverflowError):  # such as a month "Jax", or an offset of a million hours
        return None


def explain_error(error: Exception) -> FetchError:
    """Return the `FetchError` for a connection error, with whether a retry may help."""
    if isinstance(_find_cause(error), ssl.SSLCertVerificationError):
        return FetchError(f"certificate not accepted: {error}")
    if isinstance(error, httpcore.TimeoutException):
        kind = "no connection" if isinstance(error, httpcore.ConnectTimeout) else "silence"
        return FetchError(f"timeout: {kind} for too long", again=True, host_failed=True)
    return FetchError(f"connection failed: {error}", again=True, host_failed=True)


def _find_cause(error: BaseException) -> BaseException:
    """Return the first error of a chain."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    return error


def unpack_body(answer: httpcore.Response) -> Iterator[bytes]:
    """Yield the body in small parts; unrequested compression is undone part by part.

    Raises:
        FetchError: The compression is unknown, or its data is damaged or truncated.
    """
    coding = read_header(answer, b"content-encoding").strip().lower()
    if coding in ("", "identity"):
        yield from answer.iter_stream()
    elif coding in ("gzip", "x-gzip", "deflate"):
        yield from _inflate(answer)
    else:
        raise FetchError(f"compression refused: {coding!r} was not asked for")


def _inflate(answer: httpcore.Response) -> Iterator[bytes]:
    inflater = zlib.decompressobj(ZLIB_OR_GZIP)
    try:
        for part in answer.iter_stream():
            while part:  # small parts, so that the size limit stops a decompression bomb
                yield inflater.decompress(part, CHUNK)
                part = inflater.unconsumed_tail
        yield inflater.flush()
    except zlib.error as error:
        raise FetchError(f"damaged compression: {error}") from error
    if not inflater.eof:
        raise FetchError("damaged compression: it ends early", again=True)


def read_header(answer: httpcore.Response, name: bytes) -> str:
    """Return a header, `""` if it is missing; `name` in lower case."""
    found = [value for key, value in answer.headers if key.lower() == name]
    return found[0].decode("latin-1") if found else ""


def find_proxies() -> dict[str, str]:
    """Read the environment's proxies by scheme; `all` serves the schemes not named."""
    return {key: url for key, url in getproxies().items() if key in ("http", "https", "all")}


def _describe_proxy(address: str) -> httpcore.Proxy:
    proxy = httpx.Proxy(address)
    return httpcore.Proxy(url=str(proxy.url), auth=proxy.raw_auth, headers=proxy.headers.raw)
