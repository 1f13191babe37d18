"""Encrypted connections, connections kept and lost, and time limits of the client."""

import asyncio
import io
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lib.download.http.client import Client, FetchError, explain_status, parse_url
from lib.download.limits import Limits

BODY = bytes(range(256)) * 50
PLAIN = b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s"


class Server:
    """A server that hands each connection to a function in a thread of its own.

    Args:
        talk: Given the socket of each connection.
    """

    def __init__(self, talk: Callable[[socket.socket], None]) -> None:
        self.connections = 0
        self._talk = talk
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):  # clients leave early here
            self._talk(connection)


def answer_plainly(connection: socket.socket) -> None:
    """Answer each request; a path with `lost` is not there, and says so with a body."""
    while request := connection.recv(65536):
        lost = b"lost" in request
        body, status = (b"gone", b"404 Not Found") if lost else (BODY, b"200 OK")
        connection.sendall(PLAIN % (status, len(body), body))


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Make a certificate for `localhost` that nobody else trusts, with its key."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl to make a certificate with")
    path = tmp_path / "localhost.pem"
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    about = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", path, "-out", tmp_path / "certificate.pem"]
    subprocess.run([*make.split(), *about, *files], check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + (tmp_path / "certificate.pem").read_bytes())
    return path


async def fetch_one(client: Client, link: str) -> bytes:
    """Fetch a link into memory."""
    body = io.BytesIO()
    await client.fetch(parse_url(link), body)
    return body.getvalue()


def fetch(*links: str, allow_hosts: tuple[str, ...] = ("127.0.0.1", "localhost")) -> list[bytes]:
    """Fetch links one after another, with one client and short limits."""

    async def fetch_all() -> list[bytes]:
        limits = Limits(connections=4, connect=2.0, read=2.0, total=1.0)
        async with Client(limits, allow_hosts, "tester/1") as client:
            return [await fetch_one(client, link) for link in links]

    return asyncio.run(fetch_all())


def answer_encrypted(certificate: Path) -> Callable[[socket.socket], None]:
    """Make a function that answers over TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)

    def answer(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as encrypted:
            answer_plainly(encrypted)

    return answer


def test_certificates_of_the_environment(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate counts when the environment names it."""
    server = Server(answer_encrypted(certificate))
    link = f"https://localhost:{server.port}/a.jpg"
    with pytest.raises(FetchError, match="certificate not accepted") as error:
        fetch(link)
    assert not error.value.again
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    before = server.connections
    assert fetch(link, link, link) == [BODY] * 3
    assert server.connections == before + 1, "one connection for all three"


def tunnel(connection: socket.socket) -> None:
    """Be a proxy that connects to where it is told and passes all bytes on."""

    def pass_on(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)

    host, _, port = connection.recv(65536).split()[1].partition(b":")
    with socket.create_connection((host, int(port))) as far:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        threading.Thread(target=pass_on, args=(far, connection), daemon=True).start()
        pass_on(connection, far)


def test_encrypted_through_a_proxy(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's proxy is used for https, too, except where the environment says not to."""
    proxy = Server(tunnel)
    link = f"https://localhost:{Server(answer_encrypted(certificate)).port}/a.jpg"
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
    for exception, wanted in (("far.example", 1), ("localhost", 1)):
        monkeypatch.setenv("no_proxy", exception)
        assert fetch(link) == [BODY]
        assert proxy.connections == wanted
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(FetchError, match="address not public"):
        fetch(link, allow_hosts=())
    assert proxy.connections == 1, "the proxy is no way round the addresses that are refused"


# status, whether to ask again, whether it speaks against the host, why this row
STATUSES = [
    (408, True, False, "the server waited too long for us"),
    (425, True, False, "too early"),
    (429, True, False, "too many at a time"),
    (500, True, True, "any fault of the server may pass"),
    (503, True, True, "likewise"),
    (599, True, True, "a number without a name is a fault, too"),
    (404, False, False, "what is not there will not come"),
    (403, False, False, "nor will a door open"),
    (304, False, False, "nothing was asked that this could answer"),
    (204, False, False, "no body, no image"),
]


@pytest.mark.parametrize(("status", "again", "host_failed", "why"), STATUSES)
def test_statuses(status: int, again: bool, host_failed: bool, why: str) -> None:
    """Some answers may be better next time; some speak against the host; waits are kept."""
    error = explain_status(status, "7", now=0.0)
    assert (error.again, error.host_failed) == (again, host_failed), why
    assert error.wait == (7.0 if again else None), why


DATE_PARTS = st.sampled_from(
    ["Thu, ", "01", " Jan ", "Jax", "1970", " 00:01:00", ":", " ", "+", "-", "GMT", "9", "99", "0"]
)
QUICKLY = settings(derandomize=True, max_examples=300, deadline=None, database=None)


@QUICKLY
@given(st.lists(DATE_PARTS | st.text(max_size=3), max_size=12).map("".join))
@example("Thu, 01 Jan 1970 00:01:00 +99999999999999999999")
@example("Thu, 01 Jax 1970 00:01:00 GMT")
@example("9" * 5000)
def test_any_wait_is_a_time_or_none(retry_after: str) -> None:
    """No Retry-After raises an error or asks for less than no time."""
    wait = explain_status(503, retry_after, now=30.0).wait
    assert wait is None or wait >= 0


@settings(QUICKLY, max_examples=100)
@given(
    st.sampled_from([b"200", b"302", b"404"]),
    st.sampled_from([b"Content-Length", b"Location", b"Content-Encoding"]),
    st.binary(max_size=9) | st.sampled_from([b"9" * 5000, b"http://xn--a", b"//[", b"\xb2"]),
)
def test_any_header_is_read_or_refused(status: bytes, name: bytes, value: bytes) -> None:
    """No header ends in an error but the one that has a reason."""

    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 %s Odd\r\n%s: %s\r\n\r\n" % (status, name, value))

    with suppress(FetchError):
        fetch(f"http://127.0.0.1:{Server(answer).port}/a")


def test_connections_are_kept() -> None:
    """One connection serves many requests, also after an answer that was no image."""
    server = Server(answer_plainly)

    async def fetch_three() -> None:
        async with Client(Limits(), ["127.0.0.1"], "tester/1") as client:
            for path in ("a", "lost", "b"):
                with suppress(FetchError):
                    await fetch_one(client, f"http://127.0.0.1:{server.port}/{path}")

    asyncio.run(fetch_three())
    assert server.connections == 1


def test_an_unused_connection_is_closed_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections to thousands of hosts are never open all at once."""
    monkeypatch.setattr("lib.download.http.client.IDLE", 0.05)
    closed = threading.Event()

    def answer(connection: socket.socket) -> None:
        answer_plainly(connection)
        closed.set()

    async def fetch_and_wait() -> bool:
        async with Client(Limits(), ["127.0.0.1"], "tester/1") as client:
            await fetch_one(client, f"http://127.0.0.1:{Server(answer).port}/a")
            return await asyncio.to_thread(closed.wait, 10)

    assert asyncio.run(fetch_and_wait()), "aiohttp's own limit is 15 s"


def test_a_connection_closed_meanwhile_is_replaced() -> None:
    """What the other side closed while it was idle is noticed before it is used."""
    server = Server(lambda connection: connection.sendall(PLAIN % (b"200 OK", 2, b"ok")))

    async def fetch_thrice() -> None:
        async with Client(Limits(), ["127.0.0.1"], "tester/1") as client:
            for _ in range(3):
                assert await fetch_one(client, f"http://127.0.0.1:{server.port}/a") == b"ok"
                await asyncio.sleep(0.05)

    asyncio.run(fetch_thrice())
    assert server.connections == 3


def test_a_lost_connection_is_one_request() -> None:
    """A request whose connection is lost is not sent again unasked."""
    server = Server(lambda connection: connection.recv(65536))
    with pytest.raises(FetchError, match="connection failed") as error:
        fetch(f"http://127.0.0.1:{server.port}/a")
    assert error.value.again and server.connections == 1


def drip(connection: socket.socket) -> None:
    """Send a byte now and then, for ever."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


def test_the_whole_has_a_time_limit() -> None:
    """Bytes that keep coming do not stretch the time for one image."""
    began = time.monotonic()
    with pytest.raises(FetchError, match="not finished within 1 s") as error:
        fetch(f"http://127.0.0.1:{Server(drip).port}/a")
    assert error.value.again and error.value.host_failed
    assert time.monotonic() - began < 25, "the body takes 50 s"
