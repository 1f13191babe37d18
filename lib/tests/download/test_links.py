"""Links as people write them: what is requested, which file is found, what is decoded."""

import hashlib
import importlib
import os
import sys
import threading
import unicodedata
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

import fsspec
import pandas as pd
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from lib.download import Limits, fetch_images
from lib.download.object_storage import STORES
from lib.tests.drawing import make_image

PNG = make_image(1, "PNG")
ENCODED = b64encode(PNG).decode()


class Handler(BaseHTTPRequestHandler):
    """Answer each request with the image, and with the tags that its query holds."""

    def log_message(self, *args: object) -> None:
        """Stay silent."""

    def do_GET(self) -> None:
        """Remember the path as it came."""
        self.server.asked.append(self.path)
        self.send_response(200)
        for tag in self.server.tags:
            self.send_header("X-Robots-Tag", tag)
        self.send_header("Content-Length", str(len(PNG)))
        self.end_headers()
        self.wfile.write(PNG)


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    """Run a server that has an image at every path."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.asked, server.tags = [], []
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


def fetch(links: list[str], data_dir: Path, folder: Path | str = "", **options) -> pd.DataFrame:
    """Fetch links one at a time."""
    checksums = options.pop("checksums", [""] * len(links))
    table = pd.DataFrame({"link": links, "folder": str(folder), "checksum": checksums})
    limits = Limits(connections=1, attempts=2, backoff=0.01, total=5.0, size=200_000)
    return fetch_images(table, data_dir, allow_hosts=["127.0.0.1"], limits=limits, **options)


# what follows the host, what the server must be asked for, why this row
ENCODINGS = [
    ("/a.jpg", "/a.jpg", "plain"),
    ("", "/", "no path at all"),
    ("/a%20b.jpg", "/a%20b.jpg", "encoded already"),
    ("/a b.jpg", "/a%20b.jpg", "a blank"),
    ("/a b%20c.jpg", "/a%20b%20c.jpg", "half encoded"),
    ("/a%2520b.jpg", "/a%2520b.jpg", "a name that holds %20"),
    ("/100%.jpg", "/100%25.jpg", "a percent sign that encodes nothing"),
    ("/50%25.jpg", "/50%25.jpg", "one that is encoded"),
    ("/a%2Fb%2B.jpg", "/a%2Fb%2B.jpg", "an encoded slash is no slash"),
    ("/a+b~c,d;e=f(1)'!@$*.jpg", "/a+b~c,d;e=f(1)'!@$*.jpg", "letters that need no encoding"),
    ("/%7Ea/%41.jpg", "/%7Ea/%41.jpg", "letters that needed none and have one"),
    ("/Müller.jpg", "/M%C3%BCller.jpg", "an umlaut"),
    ("/M%C3%BCller.jpg", "/M%C3%BCller.jpg", "an umlaut, encoded"),
    ("/M%FCller.jpg", "/M%FCller.jpg", "an umlaut, encoded as Latin-1"),
    ("/商品 1.jpg", "/%E5%95%86%E5%93%81%201.jpg", "Chinese"),
    ("/a\u00a0b.jpg", "/a%C2%A0b.jpg", "a blank that does not break"),
    ('/a"b<c>|^`{d}[e].jpg', "/a%22b%3Cc%3E%7C%5E%60%7Bd%7D%5Be%5D.jpg", "what URLs never hold"),
    ("/a.jpg#top", "/a.jpg", "a fragment is the browser's"),
    ("/a%23b.jpg", "/a%23b.jpg", "an encoded hash is part of the name"),
    ("/shoe #2.jpg", "/shoe%20%232.jpg", "so is one that a file name follows"),
    ("/a.jpg#b.jpg", "/a.jpg", "but not after a whole name"),
    ("/a?n=1#b.jpg", "/a?n=1", "nor after a query"),
    ("/a?x=1&amp;y=2", "/a?x=1&y=2", "copied from a page's source"),
    ("/a?x=1&copy=2&#38;y=3", "/a?x=1&copy=2&y=3", "no escape without its semicolon"),
    ("/R&amp;amp;D.jpg", "/R&amp;D.jpg", "escapes are undone once"),
    ("/a?q=b c", "/a?q=b%20c", "a blank in the query"),
    (
        "/a?u=https%3A%2F%2Fx%2Fb.jpg%3Fv%3D1",
        "/a?u=https%3A%2F%2Fx%2Fb.jpg%3Fv%3D1",
        "a nested URL",
    ),
    ("/a?txt=1%2C2&s=x%2By%2F%3D", "/a?txt=1%2C2&s=x%2By%2F%3D", "a signed query stays as it is"),
    ("/a?q=ä&r=%E4", "/a?q=%C3%A4&r=%E4", "umlauts in the query"),
]


@pytest.mark.parametrize(("path", "asked", "why"), ENCODINGS, ids=[e[2] for e in ENCODINGS])
def test_a_link_is_encoded_once(
    path: str, asked: str, why: str, tmp_path: Path, server: ThreadingHTTPServer
) -> None:
    """What a URL may not hold is encoded, and what is encoded stays."""
    link = f"http://127.0.0.1:{server.server_port}{path}"
    image = fetch([link], tmp_path).iloc[0]
    assert (image["status"], image["link"]) == ("ok", link), (why, image["reason"])
    assert server.asked == [asked], why


# link, the file that it means in the table's folder ("/x" in LOCAL_IMAGES), why this row
FILES = [
    ("a.png", "a.png", "plain"),
    ("./sub/../a.png", "a.png", "a detour"),
    ("a b.png", "a b.png", "a blank"),
    ("a%20b.png", "a b.png", "encoded although it is no URL"),
    ("c%20d.png", "c%20d.png", "a name that looks encoded"),
    ("no #1.png", "no #1.png", "a hash"),
    ("R&amp;D.png", "R&D.png", "copied from a page's source"),
    ("what?.png", "what?.png", "a question mark"),
    ("sub\\e.png", "sub/e.png", "as Windows writes it"),
    (unicodedata.normalize("NFC", "Müller.png"), "NFD", "one letter where macOS writes two"),
    ("商品.png", "商品.png", "Chinese"),
    ("view:1.png", "view:1.png", "a colon"),
    ("{tables}/a.png", "a.png", "an absolute path within the folder"),
    ("{local}/deep/f.png", "/deep/f.png", "an absolute path within LOCAL_IMAGES"),
    ("deep/f.png", "/deep/f.png", "a path from LOCAL_IMAGES"),
    ("http://m.example/x/g%20h.png?v=1", "/g h.png", "a web link whose file is here"),
    ("http://m.example/x/no%20%232.png", "/no #2.png", "with an encoded hash"),
    ("//m.example/x/no #2.png", "/no #2.png", "with a bare one, and no scheme"),
    ("C:\\photos\\g h.png", "/g h.png", "a path of another machine whose file is here"),
    ("file://{tables}/a.png", "a.png", "a file URL"),
    ("file://localhost{tables}/a%20b.png", "a b.png", "of this machine, encoded"),
    ("file:{tables}/no #1.png", "no #1.png", "of the short form, with a hash"),
    ("file:sub/e.png", "sub/e.png", "a relative one"),
    ("FILE://{local}/deep/f.png", "/deep/f.png", "one within LOCAL_IMAGES"),
]


def test_paths_and_file_urls(tmp_path: Path) -> None:
    """Each link finds its file, and no other, in the folders that are allowed."""
    roots = {"tables": tmp_path / "tables", "local": tmp_path / "local"}
    paths = {}
    for _, name, _ in FILES:
        own = unicodedata.normalize("NFD", "Müller.png") if name == "NFD" else name
        paths[name] = roots["local" if own.startswith("/") else "tables"] / own.lstrip("/")
    for number, path in enumerate(dict.fromkeys(paths.values())):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(make_image(number, "PNG"))
    links = [link.format(**roots) for link, *_ in FILES]
    images = fetch(links, tmp_path / "data", roots["tables"], local_images=roots["local"])
    for row, (link, name, why) in zip(images.itertuples(), FILES, strict=True):
        assert (row.status, row.path) == ("ok", str(paths[name])), (link, why, row.reason)
        assert row.source == "local", why


# link, why this row
DATA = [
    (f"data:image/png;base64,{ENCODED}", "the usual form"),
    (f"data:;base64,{ENCODED}", "no type"),
    (f"data:text/plain;charset=utf-8;base64,{ENCODED}", "a wrong type: the content decides"),
    (f"DATA:image/png;BASE64,{ENCODED}", "large letters"),
    (f"data:image/png;base64,{ENCODED.rstrip('=')}", "no padding"),
    (f"data:image/png;base64,{quote(ENCODED)}", "encoded twice"),
    (f"data:image/png;base64,{urlsafe_b64encode(PNG).decode()}", "the alphabet of URLs"),
    (f"data:image/png;base64,\n {ENCODED[:99]}\r\n {ENCODED[99:]}", "over lines"),
    (f"data:image/png,{quote(PNG)}", "percent-encoded"),
]


@pytest.mark.parametrize(("link", "why"), DATA, ids=[why for _, why in DATA])
def test_data_links_are_decoded(link: str, why: str, tmp_path: Path) -> None:
    """An image within its link is kept as a file, like any other."""
    (tmp_path / "local").mkdir()
    image = fetch([link], tmp_path, local_images=tmp_path / "local").iloc[0]
    assert (image["status"], image["source"]) == ("ok", "local"), (why, image["reason"])
    assert (tmp_path / image["path"]).read_bytes() == PNG, why
    assert fetch([link], tmp_path).loc[0, "source"] == "record", why


class Storage(MemoryFileSystem):
    """Object storage with a few odd keys."""

    protocol = "s3"
    store: ClassVar = {"/shop/a b%20#1.png": PNG, "/shop/large.png": bytes(200_001)}
    calls: ClassVar[list[str]] = []

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return "/" + path.removeprefix("s3://")

    def cat_file(self, path: str, start: int | None = None, end: int | None = None) -> bytes:
        """Return the first bytes of an object."""
        self.calls.append(path)
        if "busy" in path and self.calls.count(path) > 1:
            return PNG
        for word, error in (("busy", OSError("503 Slow Down")), ("mine", PermissionError("403"))):
            if word in path:
                raise error
        if path not in self.store:
            raise FileNotFoundError(path)
        return self.store[path][start:end]


# link, reason it begins with, how often it is read, why this row
OBJECTS = [
    ("s3://shop/a b%20#1.png", "", 1, "a key is taken as written"),
    ("S3://shop/busy.png", "", 2, "busy, then well"),
    ("s3://shop/lost.png", "no such object", 1, "no such key"),
    ("s3://shop/mine.png", "access refused", 1, "no right to it"),
    ("s3://shop/large.png", "too large", 1, "beyond the limit"),
]


def test_objects_are_read_through_their_driver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Errors of a driver are the link's; some may pass, the others are not tried again."""
    registry = importlib.import_module("fsspec.registry")
    monkeypatch.setitem(registry._registry, "s3", Storage)
    Storage.calls.clear()
    images = fetch([link for link, *_ in OBJECTS], tmp_path)
    for row, (link, reason, calls, why) in zip(images.itertuples(), OBJECTS, strict=True):
        assert row.reason.startswith(reason) and bool(row.reason) == bool(reason), (why, row)
        assert Storage.calls.count(f"/{link[5:]}") == calls == row.attempts, why
        assert row.source == "network", why
    assert (tmp_path / images.loc[0, "path"]).read_bytes() == PNG
    fetch([OBJECTS[0][0]], tmp_path)
    assert Storage.calls.count("/shop/a b%20#1.png") == 1, "it is known from the first run"


# scheme, package that its reason must name
DRIVERS = [("s3", "s3fs"), ("gs", "gcsfs"), ("az", "adlfs"), ("abfs", "adlfs"), ("oss", "ossfs")]


@pytest.mark.parametrize(("scheme", "package"), DRIVERS)
def test_a_missing_driver_is_named(
    scheme: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A storage without its driver says what to install, and is asked once that is done."""
    monkeypatch.setitem(sys.modules, package, None)
    image = fetch([f"{scheme}://shop/a.png"], tmp_path).iloc[0]
    assert image["reason"].startswith("driver missing") and package in image["reason"]
    assert image["attempts"] == 0


def test_every_storage_is_known_to_fsspec() -> None:
    """No scheme is allowed that fsspec has no driver for."""
    assert set(fsspec.available_protocols()) >= STORES


OTHER = hashlib.sha256(b"other").hexdigest()
SHA256, MD5 = hashlib.sha256(PNG).hexdigest(), hashlib.md5(PNG).hexdigest()
# checksum, reason it ends in, why this row
CHECKSUMS = [
    ("", "", "none"),
    ("NA", "", "none, in words"),
    (SHA256, "", "the right one"),
    (f" {SHA256.upper()} ", "", "in large letters"),
    (f"sha256:{SHA256}", "", "with its method's name"),
    (MD5, "", "MD5"),
    (OTHER, f"checksum differs: SHA256 is {SHA256[:8]}..., the table says {OTHER[:8]}...", "other"),
    ("0" * 32, f"checksum differs: MD5 is {MD5[:8]}..., the table says 00000000...", "other MD5"),
    ("17", "checksum unknown: '17'; expected SHA-256 or MD5 in hex", "no checksum"),
    ("x" * 64, f"checksum unknown: '{'x' * 64}'; expected SHA-256 or MD5 in hex", "no hex"),
]


@pytest.mark.parametrize(("checksum", "reason", "why"), CHECKSUMS, ids=[c[2] for c in CHECKSUMS])
@pytest.mark.parametrize("place", ["web", "file", "data"])
def test_checksums(
    checksum: str,
    reason: str,
    why: str,
    place: str,
    tmp_path: Path,
    server: ThreadingHTTPServer,
) -> None:
    """An image that is not the one of the table is a failed link, wherever it comes from."""
    (tmp_path / "a.png").write_bytes(PNG)
    address = f"http://127.0.0.1:{server.server_port}/a.png"
    link = {"web": address, "file": "a.png", "data": DATA[0][0]}[place]
    for retry in (True, False):  # the second time from the record
        options = {"checksums": [checksum], "retry_failed": retry}
        image = fetch([link], tmp_path / "data", tmp_path, **options).iloc[0]
        assert (image["reason"], image["path"] != "") == (reason, not reason), why
    assert len(server.asked) == (place == "web"), why


def test_a_checksum_that_comes_later(tmp_path: Path, server: ThreadingHTTPServer) -> None:
    """A recorded image that has the new checksum is not fetched again; another is."""
    link = f"http://127.0.0.1:{server.server_port}/a.png"
    path = tmp_path / fetch([link], tmp_path).loc[0, "path"]
    assert fetch([link], tmp_path, checksums=[MD5]).loc[0, "source"] == "record"
    assert fetch([link], tmp_path, checksums=[OTHER]).loc[0, "status"] == "failed"
    assert fetch([link], tmp_path, checksums=[SHA256]).loc[0, "status"] == "ok"
    path.write_bytes(os.urandom(len(PNG)))
    assert fetch([link], tmp_path, checksums=[MD5]).loc[0, "source"] == "network"
    assert len(server.asked) == 4 and path.read_bytes() == PNG


def test_a_table_without_checksums(tmp_path: Path) -> None:
    """The column may be missing."""
    table = pd.DataFrame({"link": [DATA[0][0]], "folder": ""})
    assert fetch_images(table, tmp_path).loc[0, "status"] == "ok"


# headers, the rule that refuses the image, why this row
TAGS = [
    ([], "", "no header"),
    (["noai, noimageai"], "noai", "no use for artificial intelligence"),
    (["NOINDEX"], "noindex", "no index"),
    (["none"], "none", "nothing at all"),
    (["nofollow, noarchive"], "", "rules about other things"),
    (["all", "noimageai"], "noimageai", "the second header"),
    (["otherbot: noai, noindex"], "", "for another robot"),
    (["tester: noimageindex"], "noimageindex", "for this one"),
    (["otherbot: nofollow, tester: noai"], "noai", "for each its own"),
    (["max-snippet: 5, noai"], "noai", "after a rule with a value"),
    (["unavailable_after: 25 Jun 2030 15:00:00 PST"], "", "a time is no rule"),
]


@pytest.mark.parametrize(("tags", "rule", "why"), TAGS, ids=[tag[2] for tag in TAGS])
def test_robots_tags(
    tags: list[str], rule: str, why: str, tmp_path: Path, server: ThreadingHTTPServer
) -> None:
    """A host's refusal is a reason if it is respected, and of no effect if it is not."""
    server.tags = tags
    link = f"http://127.0.0.1:{server.server_port}/a.png"
    options = {"user_agent": "Tester/1", "respect_robots_tag": True}
    reason = fetch([link], tmp_path / "data", **options).loc[0, "reason"]
    assert reason == (f"refused by its host: X-Robots-Tag: {rule}" if rule else ""), why
    assert fetch([link], tmp_path / "data").loc[0, "status"] == "ok", why
