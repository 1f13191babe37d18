"""Image files under the data folder, named by their content, and what became of each link."""

import hashlib
import logging
import os
import secrets
import sqlite3
import time
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path

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
    only after that. So a crash at any moment leaves at worst a temporary file.

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

    def close(self) -> None:
        """Close the record of links."""
        self._record.close()

    def find(self, key: str) -> Outcome | None:
        """Find what an earlier run learnt of a link, if its file is still there, whole."""
        query = f"SELECT {', '.join(STORED)} FROM links WHERE link = ?"
        row = self._record.execute(query, (key,)).fetchone()
        if row is None:
            return None
        outcome = Outcome(*row, source="record")
        return outcome if outcome.status == "failed" or self._is_there(outcome) else None

    def remember(self, outcome: Outcome, key: str = "") -> None:
        """Record what became of a link, under another key than the link if one is given."""
        values = [key or outcome.link, *(getattr(outcome, name) for name in STORED[1:])]
        places = ", ".join("?" * len(STORED))
        self._record.execute(f"INSERT OR REPLACE INTO links VALUES ({places})", values)

    def new_file(self) -> Path:
        """Name a new temporary file on the same disk as the images."""
        return self._unfinished / secrets.token_hex(16)

    def keep(self, temporary: Path, sha256: str, link: str) -> Outcome:
        """Check a downloaded file and put it in its place.

        Raises:
            ImageError: It is not a whole image.
        """
        kind, width, height = _check(temporary)
        size = temporary.stat().st_size
        path = self._folder / sha256[:2] / f"{sha256}.{EXTENSIONS.get(kind, 'img')}"
        path.parent.mkdir(exist_ok=True)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
        return Outcome(link, self._name(path), sha256, size, width, height)

    def adopt(self, path: Path, link: str) -> Outcome:
        """Check a file of this machine and take it as it is, where it is.

        Raises:
            ImageError: It is not a whole image.
        """
        _, width, height = _check(path)
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        size = path.stat().st_size
        return Outcome(link, self._name(path), sha256, size, width, height, source="local")

    def _name(self, path: Path) -> str:
        below = path.is_relative_to(self._data_dir)
        return (path.relative_to(self._data_dir) if below else path).as_posix()

    def _is_there(self, outcome: Outcome) -> bool:
        try:
            return (self._data_dir / outcome.path).stat().st_size == outcome.bytes
        except OSError:
            return False


def as_failed(link: str, reason: str, source: str = "network") -> Outcome:
    """Make the outcome of a link that failed."""
    return Outcome(link, status="failed", reason=reason, source=source)


def with_effort(outcome: Outcome, attempts: int, seconds: float) -> Outcome:
    """Add how often and how long (in seconds) a link was asked."""
    return replace(outcome, attempts=attempts, seconds=round(seconds, 3))


def _check(path: Path) -> tuple[str, int, int]:
    """Check an image; where it is none, say what it is if it is something usual."""
    try:
        return check_image(path)
    except ImageError as error:
        head = path.read_bytes()[:1024] if path.is_file() else None
        raise ImageError(_name_content(head) or str(error)) from error


def _name_content(head: bytes | None) -> str:
    """Name what servers send in place of an image, `""` if it is nothing known.

    >>> _name_content(b"<!DOCTYPE html><p>Gone")
    'a web page, not an image'
    >>> _name_content(b"<?xml version='1.0'?><svg xmlns=")
    'an SVG drawing, not an image made of pixels'
    """
    if not head:
        return "" if head is None else "empty body"
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
    # Autocommit with a write-ahead log: each row survives a kill at once, without an fsync each.
    record = sqlite3.connect(path, timeout=LONGEST_LOCK, isolation_level=None)
    record.execute("PRAGMA journal_mode = WAL")
    record.execute("PRAGMA synchronous = NORMAL")
    columns = ", ".join(STORED[1:])
    record.execute(f"CREATE TABLE IF NOT EXISTS links (link TEXT PRIMARY KEY, {columns})")
    return record
