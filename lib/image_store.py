"""Image files under the data folder, named by their content, and what became of each link."""

import hashlib
import itertools
import logging
import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import BinaryIO

from lib.images import ImageError, check_image

LOG = logging.getLogger(__name__)

EXTENSIONS: dict[str, str] = {
    "JPEG": "jpg",
    "MPO": "jpg",
    "PNG": "png",
    "WEBP": "webp",
    "GIF": "gif",
    "BMP": "bmp",
    "TIFF": "tif",
    "AVIF": "avif",
    "PPM": "ppm",
}
DECODERS: int = 2 * (os.cpu_count() or 1)  # images decoded at once; one may take 240 MB
DAY: int = 24 * 60 * 60  # seconds; no attempt at an image takes that long
LONGEST_LOCK: float = 30.0  # seconds that another process may hold the record


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one link.

    Attributes:
        link: As it stands in the table.
        path: The file, relative to the data folder when it lies below it; `""` if failed.
        sha256: Of the file's bytes, in hex; `""` if failed.
        bytes: Size of the file.
        width: In pixels, once upright.
        height: In pixels, once upright.
        status: `"ok"` or `"failed"`.
        reason: Why it failed, `kind: details`; `""` if it did not.
        source: `"network"`, `"local"`, or `"record"` if it was known from an earlier run.
        attempts: How often it was asked this time.
        seconds: How long that took.
    """

    link: str
    path: str = ""
    sha256: str = ""
    bytes: int = 0
    width: int = 0
    height: int = 0
    status: str = "ok"
    reason: str = ""
    source: str = "network"
    attempts: int = 0
    seconds: float = 0.0


STORED: tuple[str, ...] = tuple(field.name for field in fields(Outcome))[:8]


class ImageStore:
    """Keep images and remember links; several processes may share one folder.

    A file appears under its final name only when it is whole and on the disk, and is recorded
    only after that. So a crash at any moment leaves at worst a temporary file. Threads may share
    it, too.

    Args:
        data_dir: Images lie in `images/` below it.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._folder = data_dir / "images"
        self._unfinished = self._folder / "unfinished"
        self._unfinished.mkdir(parents=True, exist_ok=True)
        _remove_old(self._unfinished)
        self._record = _open_record(self._folder / "links.sqlite")
        self._lock = threading.Lock()  # guards the record
        self._decoding = threading.Semaphore(DECODERS)
        self._mark, self._numbers = secrets.token_hex(8), itertools.count()

    def close(self) -> None:
        """Close the record of links."""
        self._record.close()

    def find(self, keys: Sequence[str]) -> dict[str, Outcome]:
        """Find what an earlier run learnt of some links, if their files are still there, whole."""
        places = ", ".join("?" * len(keys))
        query = f"SELECT {', '.join(STORED)} FROM links WHERE link IN ({places})"
        with self._lock:
            rows = self._record.execute(query, keys).fetchall()
        found = {row[0]: Outcome(*row, source="record") for row in rows}
        return {
            key: outcome
            for key, outcome in found.items()
            if outcome.status == "failed" or self._is_there(outcome.path, outcome.bytes)
        }

    def remember(self, outcomes: Mapping[str, Outcome]) -> None:
        """Record what became of some links, by the keys under which they will be looked for."""
        if not outcomes:
            return
        rows = [
            (key, *(getattr(outcome, name) for name in STORED[1:]))
            for key, outcome in outcomes.items()
        ]
        places = ", ".join("?" * len(STORED))
        with self._lock, self._record:
            self._record.execute("BEGIN IMMEDIATE")
            self._record.executemany(f"INSERT OR REPLACE INTO links VALUES ({places})", rows)

    def keep(self, body: BinaryIO, sha256: str, link: str) -> Outcome:
        """Check a downloaded body and make it a file.

        Raises:
            ImageError: It is not a whole image.
        """
        body.seek(0)
        data = body.read()
        kind, width, height = self._check(data)
        name = f"images/{sha256[:2]}/{sha256}.{EXTENSIONS.get(kind, 'img')}"
        if not self._is_there(name, len(data)):
            self._write(data, name)
        return Outcome(link, name, sha256, len(data), width, height)

    def _write(self, data: bytes, name: str) -> None:
        """Make a file that is there whole or not at all, whatever happens meanwhile."""
        temporary = f"{self._unfinished}/{self._mark}-{next(self._numbers)}"
        try:
            _write_to_disk(data, temporary)
            self._move(temporary, f"{self._data_dir}/{name}")
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def _move(self, temporary: str, path: str) -> None:
        """Rename a file, making the folder only where it turns out to be missing."""
        try:
            os.replace(temporary, path)
        except FileNotFoundError:
            Path(path).parent.mkdir(exist_ok=True)
            os.replace(temporary, path)

    def adopt(self, path: Path, link: str) -> Outcome:
        """Check a file of this machine and take it as it is, where it is.

        Raises:
            ImageError: It is not a whole image.
        """
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ImageError(f"cannot read {path.name}: {error.strerror or error}") from error
        _, width, height = self._check(data)
        sha256, size = hashlib.sha256(data).hexdigest(), len(data)
        return Outcome(link, self._name(path), sha256, size, width, height, source="local")

    def _check(self, data: bytes) -> tuple[str, int, int]:
        """Decode an image; where it is none, say what it is if it is something usual."""
        try:
            with self._decoding:
                return check_image(data)
        except ImageError as error:
            raise ImageError(_name_content(data[:1024]) or str(error)) from error

    def _name(self, path: Path) -> str:
        below = path.is_relative_to(self._data_dir)
        return (path.relative_to(self._data_dir) if below else path).as_posix()

    def _is_there(self, path: str, size: int) -> bool:
        """Tell whether a file is there; it is whole then, since it came by renaming."""
        try:
            return os.stat(self._data_dir / path).st_size == size
        except OSError:
            return False


def as_failed(link: str, reason: str, source: str = "network") -> Outcome:
    """Make the outcome of a link that failed."""
    return Outcome(link, status="failed", reason=reason, source=source)


def with_effort(outcome: Outcome, attempts: int, seconds: float) -> Outcome:
    """Add how often and how long (in seconds) a link was asked."""
    return replace(outcome, attempts=attempts, seconds=round(seconds, 3))


def _write_to_disk(data: bytes, path: str) -> None:
    """Write a new file, on the disk when this returns; fewer calls than Python's own files make."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        while data:
            data = data[os.write(file, data) :]
        os.fsync(file)
    finally:
        os.close(file)


def _name_content(head: bytes) -> str:
    """Name what servers send in place of an image, `""` if it is nothing known.

    >>> _name_content(b"<!DOCTYPE html><p>Gone")
    'a web page, not an image'
    >>> _name_content(b"<?xml version='1.0'?><svg xmlns=")
    'an SVG drawing, not an image made of pixels'
    """
    if not head:
        return "empty body"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(b"<") and b"<svg" in text:
        return "an SVG drawing, not an image made of pixels"
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "a web page, not an image"
    return ""


def _remove_old(folder: Path) -> None:
    """Remove temporary files that a killed run left; young ones may belong to another process."""
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # another process was faster
            if path.stat().st_mtime < time.time() - DAY:
                path.unlink()


def _open_record(path: Path) -> sqlite3.Connection:
    """Open the record of links; a damaged one is put aside, which costs only time."""
    try:
        return _connect(path)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise  # locked or read-only, not damaged
        aside = path.with_name(f"{path.name}.damaged")
        LOG.warning("%s is damaged (%s); put aside as %s, a new one begins.", path, error, aside)
        path.replace(aside)
        for rest in ("-wal", "-shm"):
            path.with_name(path.name + rest).unlink(missing_ok=True)
        return _connect(path)


def _connect(path: Path) -> sqlite3.Connection:
    # With a write-ahead log a row survives a kill as soon as it is written, without an fsync.
    record = sqlite3.connect(
        path, timeout=LONGEST_LOCK, isolation_level=None, check_same_thread=False
    )
    record.execute("PRAGMA journal_mode = WAL")
    record.execute("PRAGMA synchronous = NORMAL")
    columns = ", ".join(STORED[1:])
    record.execute(f"CREATE TABLE IF NOT EXISTS links (link TEXT PRIMARY KEY, {columns})")
    return record
