"""Check one image and write it atomically under its sha256; record the outcome of its link."""

import errno
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lib.io import ImageError, check_image, digest_file, move_aside

DISK_FAULTS: frozenset[int] = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
"""Errors of a disk that accepts no file at all."""
LONGEST_REASON: int = 500  # characters

EXTENSIONS: dict[str, str] = {
    "JPEG": "jpg",
    "MPO": "jpg",
    "PNG": "png",
    "WEBP": "webp",
    "GIF": "gif",
    "BMP": "bmp",
    "TIFF": "tif",
    "AVIF": "avif",
    "HEIF": "heic",
    "PPM": "ppm",
}


# First bytes of what is often behind the link of an image.
CONTENTS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "a PDF document"),
    (b"%!PS", "a PostScript drawing"),
    (b"8BPS", "a Photoshop file"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 image"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL image"),
    (b"\xff\x0a", "a JPEG XL image"),
    (b"\0\0\1\0", "an icon"),
    (b"\x1f\x8b", "a gzip file"),
    (b"PK\3\4", "a ZIP archive"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself"),
)


@dataclass(frozen=True, slots=True)
class LinkResult:
    """The outcome of one link.

    Attributes:
        link: As written in the table.
        path: The file, relative to the data folder if it lies below it; `""` if failed.
        sha256: Of the file's bytes, in hex; `""` if failed.
        bytes: Size of the file.
        width: Pixels of the upright image.
        height: Pixels of the upright image.
        status: `"ok"` or `"failed"`.
        reason: Why it failed, `kind: details`; `""` if it did not.
        source: `"network"`, `"local"` (a file, or within the link), or `"record"` if known from
            an earlier run.
        attempts: Number of requests in this run.
        seconds: Duration of these requests.
        mtime_ns: Modification time of a local file, in nanoseconds since 1970, at least 1; 0 for
            a downloaded image.
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
    mtime_ns: int = 0


def as_failed(link: str, reason: str) -> LinkResult:
    """Return the outcome of a failed link; the reason is reduced to one short printable line."""
    line = " ".join(reason.split())[:LONGEST_REASON].encode("utf-8", "backslashreplace").decode()
    return LinkResult(link, status="failed", reason=line)


@dataclass(frozen=True, slots=True)
class Body:
    """The downloaded body of a link.

    Attributes:
        link: As written in the table.
        data: The whole body.
        sha256: Of the data, in hex.
    """

    link: str
    data: bytes
    sha256: str


@dataclass(frozen=True, slots=True)
class StoredBody:
    """The outcome of storing a body.

    Attributes:
        outcome: Of its link.
        is_new: Whether the file did not exist and was written now.
        aside: New name of an unrelated file that was moved out of the way, `""` if none.
    """

    outcome: LinkResult
    is_new: bool = False
    aside: str = ""


def store_image(body: Body, data_dir: Path, temporary: str) -> StoredBody:
    """Check a downloaded body and write it as a file.

    Args:
        body: The downloaded body.
        data_dir: The file goes to `images/` below it.
        temporary: A path on the same disk that nobody else uses.

    Returns:
        The outcome; failed if the body is no complete image or the path cannot be written.

    Raises:
        OSError: The disk accepts no file at all.
    """
    try:
        kind, width, height = check_body(body.data)
    except ImageError as error:
        return StoredBody(as_failed(body.link, str(error)))
    name = f"images/{body.sha256[:2]}/{body.sha256}.{EXTENSIONS.get(kind, 'img')}"
    outcome = LinkResult(body.link, name, body.sha256, len(body.data), width, height)
    try:
        return _write_if_new(body, outcome, f"{data_dir}/{name}", temporary)
    except OSError as error:
        if error.errno in DISK_FAULTS:
            raise
        return StoredBody(as_failed(body.link, f"cannot be stored: {error.strerror or error}"))


def _write_if_new(body: Body, outcome: LinkResult, path: str, temporary: str) -> StoredBody:
    """Write a file to its final path; an unrelated file there is moved aside."""
    is_taken = os.path.lexists(path)
    if is_taken and is_there(path, len(body.data)) and digest_file(Path(path)) == body.sha256:
        return StoredBody(outcome)
    aside = move_aside(Path(path)).name if is_taken else ""
    write_whole(body.data, path, temporary)
    return StoredBody(outcome, True, aside)


def check_body(data: bytes) -> tuple[str, int, int]:
    """Decode an image, see `lib.io.check_image`; an error names the content that it found instead.

    Raises:
        ImageError: It is not a complete image.
    """
    try:
        return check_image(data)
    except ImageError as error:
        raise ImageError(_name_content(data[:1024]) or str(error)) from error


def is_there(path: str | Path, size: int) -> bool:
    """Return whether a file of this size exists; renaming made it complete."""
    try:
        return os.stat(path).st_size == size
    except (OSError, ValueError):  # a NUL, in a record that another program wrote
        return False


def write_whole(data: bytes, path: str, temporary: str) -> None:
    """Write a file atomically: it is complete or absent, even after a crash.

    Raises:
        OSError: It cannot be written.
    """
    for folder in (os.path.dirname(temporary), os.path.dirname(path)):
        with suppress(FileExistsError):
            os.makedirs(folder)
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _name_content(head: bytes) -> str:
    """Name the content that is there instead of an image, `""` if it is unknown.

    >>> _name_content(b"<!DOCTYPE html><p>Gone")
    'a web page, not an image'
    >>> _name_content(b"<?xml version='1.0'?><svg xmlns=")
    'an SVG drawing, not an image made of pixels'
    >>> _name_content(b"%PDF-1.7")
    'not an image we read: a PDF document'
    """
    if not head:
        return "empty body"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(b"<") and b"<svg" in text:
        return "an SVG drawing, not an image made of pixels"
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "a web page, not an image"
    kind = next((kind for start, kind in CONTENTS if head.startswith(start)), "")
    return f"not an image we read: {kind}" if kind else ""
