"""Downloads from a server that misbehaves on purpose, and from local folders."""

import errno
import gzip
import hashlib
import io
import itertools
import multiprocessing
import os
import random
import signal
import socket
import sqlite3
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lib.download import fetch as download
from lib.download import image_files, jobs
from lib.download.fetch import fetch_images
from lib.download.http import addresses, client
from lib.download.http.addresses import AddressGuard
from lib.download.http.client import Client
from lib.download.image_files import EXTENSIONS, Body
from lib.download.jobs import Job, make_job
from lib.download.limits import Limits
from lib.download.schedule import Schedule
from lib.download.store import ImageStore
from lib.download.summary import (
    count_outcomes,
    find_failed_samples,
    measure_hosts,
    measure_sources,
    name_host,
)
from lib.download.writers import WriterPool
from lib.io.samples import read_samples
from lib.parallel.item_errors import StageFault
from lib.parallel.progress import Progress
from lib.tests.drawing import make_image

QUICK = Limits(
    connections=16,
    per_host=16,
    connect=1.0,
    read=0.5,
    total=1.0,
    attempts=3,
    backoff=0.05,
    longest_wait=2.0,
    redirects=3,
    size=200_000,
    host_failures=100,
)


IMAGE = make_image()
BOMB = gzip.compress(bytes(20_000_000))

RAW = [  # what comes after the version of the protocol
    b"099 Early",
    b"999 " + b"x" * 9000,
    b"200\r\nConnection: close\r\nContent-Length: 0",
    b"-1 OK",
    b"200 OK\r\nContent-Length: -7",
    b"200 OK\r\nContent-Length: 1e9",
    b"200 OK\r\nContent-Length: " + b"9" * 5000,
    b"200 OK\r\nContent-Length: 1, 2",
    b"302 Found\r\nLocation: http://[::1/x",
    b"302 Found\r\nLocation: http://xn--a/x",
    b"302 Found\r\nLocation: http://\xff\x80/",
    b"200 OK\r\nContent-Encoding: \xff",
    b"200 OK\r\n\xff: \xff",
]
WAITS = [
    "Thu, 01 Jan 1970 00:01:00 +99999999999999999999",
    "Thu, 01 Jax 1970 00:01:00 GMT",
    "Fri, 31 Dec 9999 23:59:59 -2359",
    "9" * 5000,
    "-1e999",
    "nan",
]


class Handler(BaseHTTPRequestHandler):
    """Answer each path in its own bad way; `/ok/7` is image number 7."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body go out apart, 40 ms lost to it otherwise

    def log_message(self, *args: object) -> None:
        """Stay silent."""

    def do_GET(self) -> None:
        """Count the request and hand it to the method named by the first part of the path."""
        name, _, self.rest = self.path.strip("/").partition("/")
        with self.server.lock:
            self.server.asked[self.path] += 1
            self.number = self.server.asked[self.path]
        self.server.heads[self.path] = dict(self.headers)
        getattr(self, f"_get_{name}", self._get_missing)()

    def answer(
        self, body: bytes = IMAGE, status: int = 200, length: int | None = None, **headers: str
    ) -> None:
        """Send an answer; `length` is what Content-Length says."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def stream(self, parts: Iterator[bytes]) -> None:
        """Send a body whose end is the end of the connection."""
        self.close_connection = True
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            for part in parts:
                self.wfile.write(part)
        except OSError:
            pass  # the client had enough

    def _get_ok(self) -> None:
        time.sleep(self.server.latency)
        self.answer(make_image(int(self.rest or 0)))

    def _get_missing(self) -> None:
        self.answer(b"gone", 404)

    def _get_slow_head(self) -> None:
        time.sleep(0.8)
        self.answer()

    def _get_slow_body(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        for _ in range(200 if self.rest == "long" else 12):
            time.sleep(0.15)
            self.wfile.write(b"x")
        self.close_connection = True

    def _get_reset(self) -> None:
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        self.connection.close()
        self.wfile = self.rfile = io.BytesIO()

    def _get_reset_once(self) -> None:
        self._get_reset() if self.number == 1 else self.answer()

    def _get_busy_once(self) -> None:
        self.answer(b"", 429, Retry_After="1") if self.number == 1 else self.answer()

    def _get_busy_long(self) -> None:
        self.answer(b"", 429, Retry_After="3600")

    def _get_down_once(self) -> None:
        self.answer(b"", 503) if self.number == 1 else self.answer()

    def _get_recovering(self) -> None:
        early = sum(self.server.asked.values()) <= 8
        self.answer(b"", 503) if early else self.answer()

    def _get_down(self) -> None:
        self.answer(b"", 500)

    def _get_wrong_type(self) -> None:
        self.answer(Content_Type="text/html")

    def _get_loop(self) -> None:
        self.answer(b"", 302, Location=self.path)

    def _get_moved(self) -> None:
        self.answer(b"", 301, Location="/ok/9")

    def _get_to(self) -> None:
        self.answer(b"", 302, Location=self.rest)

    def _get_nowhere(self) -> None:
        self.answer(b"", 302)

    def _get_page(self) -> None:
        self.answer(b"<!DOCTYPE html><html>Sorry</html>", Content_Type="image/jpeg")

    def _get_svg(self) -> None:
        self.answer(b"<svg xmlns='http://www.w3.org/2000/svg'/>", Content_Type="image/svg+xml")

    def _get_empty(self) -> None:
        self.answer(b"")

    def _get_cut(self) -> None:
        self.close_connection = True
        self.answer(IMAGE[:300], length=len(IMAGE))

    def _get_cut_silently(self) -> None:
        self.stream(iter([IMAGE[:300]]))

    def _get_endless(self) -> None:
        self.stream(iter(lambda: bytes(10_000), b""))

    def _get_announced(self) -> None:
        self.close_connection = True
        self.answer(b"", length=10_000_000_000)

    def _get_bomb(self) -> None:
        self.answer(BOMB, Content_Encoding="gzip")

    def _get_packed(self) -> None:
        self.answer(gzip.compress(IMAGE), Content_Encoding="gzip")

    def _get_brotli(self) -> None:
        self.answer(Content_Encoding="br")

    def _get_file(self) -> None:
        self.answer(Content_Disposition='attachment; filename="../../evil.jpg"')

    def _get_raw(self) -> None:
        self.close_connection = True
        self.wfile.write(b"HTTP/1.1 " + RAW[int(self.rest)] + b"\r\n\r\n")

    def _get_wait(self) -> None:
        self.answer(b"", 429, Retry_After=WAITS[int(self.rest)])

    def _get_garbage(self) -> None:
        self.close_connection = True
        self.wfile.write(b"this is not HTTP\r\n\r\n")


class Server(ThreadingHTTPServer):
    """A server that counts what it is asked and remembers the headers."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock, self.asked, self.heads, self.latency = threading.Lock(), Counter(), {}, 0.0

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent: clients leave early here."""

    def link(self, path: str) -> str:
        """Make a link to a path of this server."""
        return f"http://127.0.0.1:{self.server_port}/{path}"


@pytest.fixture
def server() -> Iterator[Server]:
    """Run a server in a thread."""
    with Server() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(autouse=True)
def own_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep few images in the own thread: processes take longer to start than a whole test."""
    monkeypatch.setattr("lib.download.store.WriterPool", partial(WriterPool, processes=0))


def fetch(links: list[str], data_dir: Path, folder: Path | str = "", **options) -> pd.DataFrame:
    """Fetch with short limits, asking this machine allowed."""
    table = pd.DataFrame({"link": links, "folder": str(folder)})
    options = {"limits": QUICK, "allow_hosts": ["127.0.0.1"]} | options
    return fetch_images(table, data_dir, **options)


# path, reason it begins with ("" for an image), how often it is asked, why this row
CASES = [
    ("ok/1", "", 1, "the plain case"),
    ("wrong_type/1.html", "", 1, "content decides, not the header or the name"),
    ("packed/1.jpg", "", 1, "a server that compresses without being asked"),
    ("moved/1.jpg", "", 1, "one redirect"),
    ("file/..%2F..%2Fevil.jpg", "", 1, "names in links and headers name no file"),
    ("file/a%00b.jpg", "", 1, "nor does a NUL"),
    ("slow_head/1", "timeout: silence", 3, "headers later than the read limit"),
    ("slow_body/1", "timeout: not finished", 3, "each byte in time, the whole too late"),
    ("reset/1", "connection failed", 3, "reset each time"),
    ("reset_once/1", "", 2, "reset, then well"),
    ("down_once/1", "", 2, "503, then well"),
    ("down/1", "HTTP 500", 3, "never well"),
    ("missing/1", "HTTP 404", 1, "404 stays 404"),
    ("loop/1", "too many redirects", 4, "a circle"),
    ("nowhere/1", "redirect to nowhere", 1, "no Location"),
    ("to/http://10.0.0.1/a.jpg", "address not public", 1, "redirect into a private network"),
    ("to/http://169.254.169.254/x", "address not public", 1, "redirect to metadata"),
    ("to/http://localhost/x", "address not public", 1, "this machine by another name"),
    ("to/file:///etc/passwd", "scheme refused", 1, "redirect to a file"),
    ("page/1.jpg", "a web page", 1, "an error page with status 200"),
    ("svg/1.jpg", "an SVG drawing", 1, "no pixels"),
    ("empty/1", "empty body", 1, "nothing"),
    ("cut/1", "connection failed", 3, "fewer bytes than Content-Length says"),
    ("cut_silently/1", "damaged image", 1, "cut, and only the image can tell"),
    ("endless/1", "too large", 1, "no announced end"),
    ("announced/1", "too large", 1, "10 GB announced"),
    ("bomb/1", "too large", 1, "20 MB in 20 kB"),
    ("brotli/1", "compression refused", 1, "a compression we did not offer"),
    ("garbage/1", "connection failed", 3, "not HTTP at all"),
    ("raw/0", "HTTP 99", 1, "a status below all"),
    ("raw/1", "HTTP 999", 3, "a status above all, with an endless phrase"),
    ("raw/2", "empty body", 1, "a status without a phrase"),
    ("raw/3", "connection failed", 3, "a status that is no number"),
    ("raw/4", "connection failed", 3, "a length below zero"),
    ("raw/5", "connection failed", 3, "a length with an exponent"),
    ("raw/6", "connection failed", 3, "a length of 5,000 digits"),
    ("raw/7", "connection failed", 3, "two lengths"),
    ("raw/8", "redirect to nowhere", 1, "an unclosed bracket"),
    ("raw/9", "not a web address", 1, "a host name that IDNA refuses"),
    ("raw/10", "redirect to nowhere", 1, "bytes that are no text"),
    ("raw/11", "compression refused", 1, "likewise"),
    ("raw/12", "connection failed", 3, "a header's name that is none"),
]


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, Counter, Path]:
    """Fetch all cases in one call; outcomes and requests by path, and the data folder."""
    data_dir = tmp_path_factory.mktemp("data")
    with Server() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        images = fetch([server.link(path) for path, *_ in CASES], data_dir)
        server.shutdown()
    outcomes = dict(zip([path for path, *_ in CASES], images.itertuples(), strict=True))
    return outcomes, server.asked, data_dir


@pytest.mark.parametrize(("path", "reason", "asked", "why"), CASES, ids=[c[0] for c in CASES])
def test_outcome(path: str, reason: str, asked: int, why: str, fetched: tuple) -> None:
    """Each misbehaviour ends as an image or with its reason, after so many requests."""
    outcomes, requests, data_dir = fetched
    outcome = outcomes[path]
    assert outcome.status == ("failed" if reason else "ok"), (why, outcome.reason)
    assert outcome.reason.startswith(reason), why
    assert requests[f"/{path}"] == asked, why
    if not reason:
        data = (data_dir / outcome.path).read_bytes()
        assert hashlib.sha256(data).hexdigest() == outcome.sha256 == Path(outcome.path).stem
        assert (outcome.bytes, outcome.width, outcome.height) == (len(data), 40, 40)


def test_nothing_else_is_written(fetched: tuple) -> None:
    """Only whole images under their content's name, and the record, are left behind."""
    outcomes, _, data_dir = fetched
    files = {path.relative_to(data_dir).as_posix() for path in data_dir.rglob("*.*")}
    record = {f"images/links.sqlite{end}" for end in ("", "-wal", "-shm")}
    record.add("images/.product-measurements")
    assert files - record == {outcome.path for outcome in outcomes.values() if outcome.path}
    assert not list((data_dir / "images/unfinished").iterdir())


# link, reason it begins with, why this row
REFUSED = [
    ("http://127.0.0.1:1/a.jpg", "address not public", "this machine"),
    ("http://2130706433/a.jpg", "not a web address", "the same, as one number"),
    ("http://[::1]/a.jpg", "address not public", "the same, as IPv6"),
    ("http://[::ffff:10.0.0.1]/a.jpg", "address not public", "private, wrapped in IPv6"),
    ("http://user:secret@192.168.0.1/a.jpg", "address not public", "a user name hides nothing"),
    ("ftp://m.example/a.jpg", "scheme refused", "not the web"),
    ("file:///etc/passwd", "path refused", "a file by URL"),
    ("file://localhost/etc/passwd", "path refused", "likewise, with this machine's name"),
    ("file://far.example/a.jpg", "path refused", "a file of another machine"),
    ("FILE:../secret.jpg", "path refused", "a relative one, out of the table's folder"),
    ("..%2Fsecret.jpg", "no such file", "out of it, encoded"),
    ("..\\secret.jpg", "no such file", "out of it, as Windows writes it"),
    ("a%00b.jpg", "no such file", "an encoded NUL"),
    ("s3://b/k::file:///etc/passwd", "not an object's address", "a chain of file systems"),
    ("s3:http://10.0.0.1/a", "not an object's address", "a scheme within another"),
    ("s3://b", "not an object's address", "a bucket without a key"),
    ("memory://b/k", "scheme refused", "a file system that is no storage"),
    ("sftp://192.168.0.1/a.jpg", "scheme refused", "a host that the link chooses"),
    ("ipfs://QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG", "scheme refused", "no host"),
    ("mailto:me@m.example", "scheme refused", "no place for a file"),
    ("blob:https://m.example/1", "scheme refused", "only the browser that made it knows it"),
    ("http://", "not a web address", "no host"),
    ("http://[::1/a.jpg", "not a web address", "an unclosed bracket"),
    ("http://m.example/\0.jpg", "not a web address", "a NUL"),
    ("../secret.jpg", "path refused", "out of the table's folder"),
    ("/etc/passwd", "path refused", "absolute"),
    ("link.jpg", "path refused", "out by a symlink"),
    ("a\0b.jpg", "not a link", "a NUL in a path"),
    ("", "not a link", "no link at all"),
    ("lost.jpg", "no such file", "nothing there"),
    ("http://xn--a/x.jpg", "not a web address", "a host name that IDNA refuses"),
    ("http://xn--/x", "not a web address", "likewise"),
    (f"http://{'a' * 64}.example/x", "not a web address", "a label longer than names have"),
    ("http://a..example/x", "not a web address", "an empty label"),
    ("http://us[er@127.0.0.1/x", "not a web address", "a bracket in the user's name"),
    ("http://user\u2100@127.0.0.1/x", "not a web address", "a letter that NFKC makes a slash"),
    ("http://127.0.0.1:99999/x", "not a web address", "no such port"),
    ("http://127.0.0.1:0/x", "not a web address", "nor this"),
    ("http://127.0.0.1:" + "9" * 5000, "not a web address", "nor this"),
    ("x" * 256 + ".jpg", "no such file", "a name longer than file systems have"),
    ("x/" * 3000 + "y.jpg", "no such file", "a path longer than systems take"),
    (f"{'y' * 300}/x.jpg", "no such file", "a folder's name likewise"),
    ("data:image/png;base64," + "iVBORw0K" * 2000, "not an image", "a PNG's head, over and over"),
    ("data:image/png;base64", "damaged data link: it has no comma", "cut before its content"),
    ("data:;base64,iVBOR", "damaged data link", "a number of letters that no bytes have"),
    ("data:;base64," + "iVBOR" * 80_000, "too large", "beyond the limit of a download"),
    ("data:,a\nb", "not an image", "text over lines"),
    ("data:,", "empty body", "nothing"),
    ("circle.jpg", "path refused", "a symlink to itself"),
    ("pipe", "not a regular file", "a pipe that nobody writes to"),
    (".", "not a regular file", "the folder itself"),
    ("odd", "path refused", "a link to a name that is no text"),
    ("secret/a.jpg", "cannot look up", "a folder that is not ours"),
]


def refuse_secret(path: Path) -> None:
    """Refuse as the system does, which lets root look everywhere."""
    if "secret" in path.parts:
        raise PermissionError(errno.EACCES, "Permission denied")


def test_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What must not or cannot be asked fails with its reason, at the first attempt."""
    folder = tmp_path / "tables"
    folder.mkdir()
    (tmp_path / "secret.jpg").write_bytes(IMAGE)
    (folder / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    (folder / "circle.jpg").symlink_to("circle.jpg")
    os.mkfifo(folder / "pipe")
    os.mkdir(bytes(folder / "odd") + b"\xff")
    (folder / "odd").symlink_to(os.fsdecode(b"odd\xff"))
    is_file = Path.is_file
    monkeypatch.setattr(Path, "is_file", lambda path: refuse_secret(path) or is_file(path))
    links = [link for link, *_ in REFUSED]
    images = fetch(links, tmp_path / "data", folder, allow_hosts=[])
    assert list(images["link"]) == links
    for row, (link, reason, why) in zip(images.itertuples(), REFUSED, strict=True):
        assert row.status == "failed" and row.reason.startswith(reason), (link, why, row.reason)
        assert row.attempts <= 1, why
    assert "192.168.0.1" in set(measure_hosts(images)["host"]), "without the user's name"


def test_odd_names_are_no_obstacle_to_a_folder_of_images(tmp_path: Path, server: Server) -> None:
    """A web link whose file name no folder can hold, or that is no file there, is fetched."""
    (tmp_path / "1").mkdir()
    (tmp_path / "circle").symlink_to("circle")
    paths = ("ok/1", f"file/{'x' * 300}", "file/circle")
    links = [server.link(path) for path in paths]
    images = fetch(links, tmp_path / "data", local_images=tmp_path)
    assert set(images["status"]) == {"ok"} and set(images["source"]) == {"network"}


LINK_PARTS = st.sampled_from(
    [
        "http://",
        "HTTPS:",
        "//",
        "@",
        ":",
        "[",
        "]",
        "::1",
        "xn--",
        "%",
        "\u2100",
        "\udc80",
        "..",
        "data:",
        "file:",
        "s3:",
        ";base64,",
        "&#0;",
        "#",
        "/",
    ]
)


@settings(derandomize=True, max_examples=300, deadline=None, database=None)
@given(st.lists(LINK_PARTS | st.text(max_size=5), max_size=8).map("".join))
@example("http://m.example/x#\udc80")
def test_any_link_is_a_job_or_has_a_reason(link: str) -> None:
    """No link raises an error, neither when it is looked at nor when its host is named."""
    made = make_job(link, 0, "/nowhere", Path("/nowhere"))
    if isinstance(made, Job):
        assert name_host(link) == made.host and made.key.encode()
    else:
        assert made.status == "failed" and made.reason


# addresses of a name at the first and the second look-up, reason it begins with, why this row
NAMES = [
    (["127.0.0.1"], ["192.168.7.7"], "", "the address that was checked is the one used"),
    (["192.168.7.7", "127.0.0.1"], [], "", "one of them is public"),
    (["192.168.7.7", "10.0.0.1", "::1"], [], "address not public: name.example", "none is"),
    ([], [], "connection failed", "a name without an address"),
]


@pytest.mark.parametrize(("first", "second", "reason", "why"), NAMES)
def test_addresses_of_a_name(
    first: list[str],
    second: list[str],
    reason: str,
    why: str,
    tmp_path: Path,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name is resolved once a connection, and connected to at a public address only."""
    asked = []

    def resolve(host: str, port: int, *_: object, **__: object) -> list:
        found = second if asked else first
        asked.append(host)
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        families = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in found]
        return [
            (family, socket.SOCK_STREAM, 6, "", (address, port))
            for family, address in zip(families, found, strict=True)
        ]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(addresses, "is_public", lambda address: address == "127.0.0.1")
    link = f"http://name.example:{server.server_port}/ok/1"
    image = fetch([link], tmp_path, allow_hosts=[], limits=Limits(attempts=1)).iloc[0]
    assert image["reason"].startswith(reason) and bool(image["reason"]) == bool(reason), why
    assert asked == ["name.example"], why


def test_a_slow_name_has_a_time_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that does not answer costs no more than the limit."""
    found = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found.wait(60) and [])
    began = time.monotonic()
    images = fetch(["http://slow.example/a"], tmp_path, limits=Limits(connect=0.2, attempts=1))
    assert images.loc[0, "reason"] == "timeout: no connection for too long"
    assert time.monotonic() - began < 30, "the look-up takes 60 s"
    found.set()


def test_finished_links_are_not_asked_again(tmp_path: Path, server: Server) -> None:
    """A second run asks for failed links only, or for none; a lost file is fetched anew."""
    links = [server.link("ok/1"), server.link("ok/2"), server.link("missing/1")]
    first = fetch(links, tmp_path)
    second = fetch(links, tmp_path)
    assert list(second["source"]) == ["record", "record", "network"]
    facts = ["link", "path", "sha256", "bytes", "width", "height", "status", "reason"]
    assert first[facts].equals(second[facts])
    assert server.asked == {"/ok/1": 1, "/ok/2": 1, "/missing/1": 2}
    fetch(links, tmp_path, retry_failed=False)
    assert server.asked["/missing/1"] == 2
    (tmp_path / first.loc[0, "path"]).unlink()
    assert fetch(links, tmp_path).loc[0, "path"] == first.loc[0, "path"]
    assert server.asked["/ok/1"] == 2 and server.asked["/ok/2"] == 1


def test_duplicates_are_fetched_once(tmp_path: Path, server: Server) -> None:
    """A link that is there twice is one row and one request; equal content is one file."""
    links = [server.link("ok/9"), server.link("ok/9"), server.link("moved/1")]
    images = fetch(links, tmp_path)
    assert list(images["link"]) == [links[0], links[2]]
    assert images["path"].nunique() == 1
    assert server.asked["/ok/9"] == 2  # once by the redirect


def test_large_bodies_wait_on_the_disk(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body too large to be held in memory ends as the same file."""
    link = server.link("ok/1")
    small = fetch([link], tmp_path / "memory").loc[0, "sha256"]
    monkeypatch.setattr("lib.download.fetch.SPOOLED", 100)
    assert fetch([link], tmp_path / "disk").loc[0, "sha256"] == small


def spoil(
    monkeypatch: pytest.MonkeyPatch, owner: object, name: str, call: int, error: Exception
) -> None:
    """Make one call of a function fail."""
    function, calls = getattr(owner, name), itertools.count()

    def fail_once(*args: object, **kwargs: object) -> object:
        if next(calls) == call:
            raise error
        return function(*args, **kwargs)

    monkeypatch.setattr(owner, name, fail_once)


# What is done for each link, wherever it is done.
STEPS = [
    (download, "make_job"),
    (jobs, "find_local_file"),
    (jobs, "parse_url"),
    (download, "choose_pause"),
    (Schedule, "note_answer"),
    (Client, "fetch"),
    (client, "check_url"),
    (client, "unpack_body"),
    (client, "explain_status"),
    (AddressGuard, "open_socket"),
    (ImageStore, "adopt"),
    (image_files, "check_body"),
    (image_files, "write_whole"),
]


@pytest.mark.parametrize(("owner", "name"), STEPS, ids=[name for _, name in STEPS])
def test_an_unforeseen_error_costs_its_link_only(
    owner: object,
    name: str,
    tmp_path: Path,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The link has its reason, the log the traceback, the others are fetched; next time all are."""
    (tmp_path / "here.jpg").write_bytes(IMAGE)
    paths = ("ok/1", "ok/2", "ok/3", "moved/1", "down_once/1")
    links = ["here.jpg", *(server.link(path) for path in paths)]
    with monkeypatch.context() as patch:
        seldom = name in ("explain_status", "adopt", "choose_pause", "open_socket")
        call = 0 if seldom else random.Random(name).randrange(5)
        spoil(patch, owner, name, call, KeyError("engine"))
        images = fetch(links, tmp_path / "data", tmp_path)
    reasons = images.loc[images["status"] == "failed", "reason"]
    assert reasons.tolist() == ["internal error: KeyError: 'engine'"]
    lost = images.loc[reasons.index[0], "link"]
    assert f"{lost}: internal error" in caplog.text and "in fail_once" in caplog.text
    assert set(fetch(links, tmp_path / "data", tmp_path)["status"]) == {"ok"}


def test_the_same_unforeseen_error_of_all_is_our_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where every link ends in one error the call fails, once all that came is recorded."""

    def fail(*args: object) -> None:
        raise KeyError("engine")

    monkeypatch.setattr(download, "make_job", fail)
    with pytest.raises(StageFault, match="fetching images: all 5 items"):
        fetch([f"{n}.jpg" for n in range(5)], tmp_path)


@pytest.mark.parametrize("number", range(len(WAITS)))
def test_a_wait_that_makes_no_sense_ends_no_run(
    number: int, tmp_path: Path, server: Server
) -> None:
    """Whatever a host answers to be left alone, it is one link's failure."""
    (tmp_path / "here.jpg").write_bytes(IMAGE)
    images = fetch([server.link(f"wait/{number}"), "here.jpg"], tmp_path / "data", tmp_path)
    assert images["status"].tolist() == ["failed", "ok"]
    assert "HTTP 429" in images.loc[0, "reason"]


@pytest.mark.parametrize("kind", EXTENSIONS)
def test_formats(kind: str, tmp_path: Path) -> None:
    """Every usual format is kept, with the ending of its content."""
    image = tmp_path / "image.dat"
    image.write_bytes(make_image(kind=kind))
    store = ImageStore(tmp_path)
    with image.open("rb") as body:
        kept = store.add([Body("link", body.read(), "ab" * 32)])[0]
    store.close()
    assert kept.path == f"images/ab/{'ab' * 32}.{EXTENSIONS[kind]}"
    assert (tmp_path / kept.path).read_bytes() == image.read_bytes()


def test_waits_as_told(tmp_path: Path, server: Server) -> None:
    """Retry-After is waited for, and the rest of the host waits too."""
    began = time.monotonic()
    images = fetch([server.link("busy_once/1")], tmp_path)
    assert images.loc[0, "status"] == "ok" and images.loc[0, "attempts"] == 2
    assert time.monotonic() - began >= 1.0


def test_gives_up_a_host_that_asks_for_too_long(tmp_path: Path, server: Server) -> None:
    """A host that wants to be left alone for an hour is left alone."""
    links = [server.link("busy_long/1"), *(server.link(f"ok/{n}") for n in range(50))]
    images = fetch(links, tmp_path, limits=Limits(per_host=1))
    assert set(images["reason"]) == {"host given up: HTTP 429 Too Many Requests"}
    assert server.asked == {"/busy_long/1": 1}


def test_a_dead_host_costs_little(tmp_path: Path, server: Server) -> None:
    """A host that never answers is given up, and the others are not held up."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{closed.getsockname()[1]}"
    links = [f"{dead}/{n}.jpg" for n in range(300)] + [server.link(f"ok/{n}") for n in range(5)]
    limits = Limits(connections=8, per_host=4, backoff=0.02, host_pauses=(0.1, 0.1))
    images = fetch(links, tmp_path, limits=limits)
    assert (images["status"] == "ok").sum() == 5
    reasons = images["reason"].str.startswith("host given up: connection failed")
    assert reasons.sum() > 290
    assert images["attempts"].sum() < 30


def test_a_host_that_comes_back_is_asked_again(tmp_path: Path, server: Server) -> None:
    """After a pause one probe is enough to go on."""
    links = [server.link(f"recovering/{n}") for n in range(20)]
    limits = Limits(per_host=4, backoff=0.02, host_failures=3, host_pauses=(0.05,) * 9)
    assert set(fetch(links, tmp_path, limits=limits)["status"]) == {"ok"}


def test_says_who_it_is_and_nothing_more(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user agent is ours; no credentials of the environment or the link are sent."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    link = server.link("ok/1").replace("http://", "http://user:secret@")
    assert fetch([link], tmp_path, user_agent="tester/1").loc[0, "status"] == "ok"
    head = {key.lower(): value for key, value in server.heads["/ok/1"].items()}
    assert head["user-agent"] == "tester/1"
    assert not {"authorization", "cookie", "referer"} & set(head)


def test_uses_the_proxy_of_the_environment(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy is used as the environment says, but not to reach private hosts."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", server.link(""))
    images = fetch(["http://far.invalid/a.jpg", "http://10.0.0.1/b.jpg"], tmp_path)
    assert images.loc[0, "reason"] == "HTTP 404 Not Found"
    assert images.loc[1, "reason"].startswith("address not public")
    assert set(server.asked) == {"http://far.invalid/a.jpg"}


def test_local_files_stay_where_they_are(tmp_path: Path, server: Server) -> None:
    """Files here are found by name first, or by their path, and neither asked for nor copied."""
    local, tables = tmp_path / "local", tmp_path / "tables"
    for path in (local / "1", tables / "folder/b c.png"):
        path.parent.mkdir(parents=True)
        path.write_bytes(make_image(int(path.name == "1"), "PNG"))
    links = [server.link("ok/1"), "folder/b c.png"]
    images = fetch(links, tmp_path / "data", tables, local_images=local)
    assert list(images["path"]) == [str(local / "1"), str(tables / "folder/b c.png")]
    assert list(images["source"]) == ["local", "local"] and not server.asked
    again = fetch(links, tmp_path / "data", tables, local_images=local)
    assert list(again["source"]) == ["record", "record"]
    (local / "1").write_bytes(make_image(5))
    changed = fetch(links, tmp_path / "data", tables, local_images=local)
    assert changed.loc[0, "sha256"] != images.loc[0, "sha256"]


def test_refuses_a_missing_folder(tmp_path: Path) -> None:
    """A folder of images that is not there is an error, not a long download."""
    with pytest.raises(FileNotFoundError, match="LOCAL_IMAGES"):
        fetch(["a.jpg"], tmp_path, local_images=tmp_path / "none")


def test_no_links_are_no_rows(tmp_path: Path) -> None:
    """An empty batch is an empty table with the usual columns and types."""
    images = fetch([], tmp_path)
    assert images.empty and images["bytes"].dtype == "int64"


def test_damaged_record_costs_only_time(tmp_path: Path, server: Server) -> None:
    """A record of links that cannot be read is put aside."""
    fetch([server.link("ok/1")], tmp_path)
    (tmp_path / "images/links.sqlite").write_bytes(b"rubbish" * 1000)
    assert fetch([server.link("ok/1")], tmp_path).loc[0, "status"] == "ok"
    assert server.asked["/ok/1"] == 2


def test_several_processes_share_a_folder(tmp_path: Path, server: Server) -> None:
    """Two processes at the same links both end with all of them."""
    links = [server.link(f"ok/{n}") for n in range(30)]
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=fetch, args=(links, tmp_path)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert set(fetch(links, tmp_path)["source"]) == {"record"}


def test_interrupted_it_stops_soon_and_keeps_what_it_has(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C ends what is under way; what was finished until then is not fetched again."""

    def interrupt(self: Progress, reason: str) -> None:
        raise KeyboardInterrupt

    links = [server.link(f"ok/{n}") for n in range(3)]
    slow = [server.link("slow_body/long")]
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Progress, "count", interrupt)
        began = time.monotonic()
        fetch(links + slow, tmp_path, limits=Limits())
    assert time.monotonic() - began < 20, "the slow body takes 30 s"
    again = fetch(links, tmp_path)
    assert "record" in set(again["source"]) and set(again["status"]) == {"ok"}


def test_a_full_disk_is_an_error(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What no other link would survive ends the run; nothing half-written stays."""

    def refuse(file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("lib.download.image_files.os.fsync", refuse)
    with pytest.raises(OSError, match="No space left"):
        fetch([server.link(f"ok/{n}") for n in range(30)], tmp_path)
    assert not list((tmp_path / "images/unfinished").iterdir())
    assert not list(tmp_path.rglob("*.jpg"))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_without_room_for_a_body_is_an_error(
    number: int, tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that runs full before a body is whole ends the run as well."""
    spoil(monkeypatch, Client, "fetch", 0, OSError(number, "no room"))
    with pytest.raises(OSError, match="no room"):
        fetch([server.link("ok/1")], tmp_path)


def test_a_record_that_cannot_be_read_is_an_error(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What no link can be looked up in ends the run, with the error itself."""
    spoil(monkeypatch, ImageStore, "find", 1, sqlite3.OperationalError("disk I/O error"))
    with pytest.raises(sqlite3.OperationalError, match="disk I/O error"):
        fetch([server.link(f"ok/{n}") for n in range(200)], tmp_path)


def list_recorded(data_dir: Path) -> set[str]:
    """List the links with a recorded outcome."""
    path = f"file:{data_dir}/images/links.sqlite?mode=ro"
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(path, uri=True)) as record:
        return {link for (link,) in record.execute("SELECT link FROM links")}
    return set()  # there is no record yet, or it has no tables


def test_survives_being_killed(tmp_path: Path, server: Server) -> None:
    """Killed at random moments, the download goes on: all images whole, none asked for thrice."""
    server.latency = 0.03
    links = [server.link(f"ok/{n}") for n in range(240)]
    limits, moments = Limits(per_host=4), random.Random(5)
    for _ in range(5):
        asked, before = {server.link(path[1:]) for path in server.asked}, list_recorded(tmp_path)
        options = {"limits": limits}
        context = multiprocessing.get_context("fork")
        worker = context.Process(target=fetch, args=(links, tmp_path), kwargs=options)
        worker.start()
        while not (asked <= (now := list_recorded(tmp_path)) and len(now) >= len(before) + 20):
            assert worker.is_alive(), "what was lost before comes first"
            time.sleep(0.01)
        time.sleep(moments.uniform(0, 0.1))
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
    images = fetch(links, tmp_path, limits=limits)
    assert (images["status"] == "ok").all()
    assert (images["source"] == "record").sum() >= 5 * 20
    for row in images.itertuples():
        data = (tmp_path / row.path).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row.sha256
    assert max(server.asked.values()) <= 2
    assert len({row.path for row in images.itertuples()}) == len(list(tmp_path.rglob("*.jpg")))


def test_failed_samples_can_be_fed_back_in(tmp_path: Path, server: Server) -> None:
    """The questions whose image failed are a table that can be read again, with the reason."""
    rows = [
        (7, server.link("missing/1"), "a", "width", "1.0 inch"),
        (8, server.link("ok/1"), "b", "width", "2.0 inch"),
        (9, server.link("missing/1"), "a", "height", "3.0 inch"),
    ]
    names = ["index", "image_link", "group_id", "entity_name", "entity_value"]
    pd.DataFrame(rows, columns=names).to_csv(tmp_path / "all.csv", index=False)
    samples = read_samples(tmp_path / "all.csv", "")
    images = fetch(list(samples["image_link"]), tmp_path / "data")
    failed = find_failed_samples(samples, images)["train"]
    assert set(failed["reason"]) == {"HTTP 404 Not Found"}
    failed.to_csv(tmp_path / "failed.csv", index=False)
    again = read_samples(tmp_path / "failed.csv", "")
    assert again["image_link"].tolist() == [rows[0][1]] * 2
    assert again["entity_name"].tolist() == ["width", "height"]


def test_counts_outcomes_and_hosts() -> None:
    """Reasons are counted by kind, hosts by what they cost."""
    rows = [
        ("http://a.org/1", "ok", "", "network", 1, 0.5, 2_000_000),
        ("http://b.org/1", "failed", "damaged image (12 bytes): cut", "network", 1, 2.0, 0),
        ("http://b.org/2", "failed", "damaged image (99 bytes): cut", "network", 3, 4.0, 0),
        ("c.jpg", "ok", "", "local", 1, 9.0, 1_000_000),
    ]
    names = ["link", "status", "reason", "source", "attempts", "seconds", "bytes"]
    images = pd.DataFrame(rows, columns=names)
    counts = count_outcomes(images).set_index(["status", "reason"])
    assert counts.loc[("failed", "damaged image"), "links"] == 2
    assert counts.loc[("ok", ""), "megabytes"] == 3.0
    sources = measure_sources(images, seconds=2.0).set_index("source")
    assert sources.loc["network", ["links", "links_per_second"]].tolist() == [3, 1.5]
    assert sources.loc["local", "megabytes_per_second"] == 0.5
    hosts = measure_hosts(images)
    assert list(hosts["host"]) == ["b.org", "a.org"]
    assert list(hosts["failed"]) == [2, 0] and list(hosts["attempts"]) == [4, 1]
