"""One picture made a file named by its content, whole or not at all; what became of its link."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from lib.images import ImageError, check_image

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


def as_failed(link: str, reason: str, source: str = "network") -> Outcome:
    """Make the outcome of a link that failed."""
    return Outcome(link, status="failed", reason=reason, source=source)


def with_effort(outcome: Outcome, attempts: int, seconds: float) -> Outcome:
    """Add how often and how long (in seconds) a link was asked."""
    return replace(outcome, attempts=attempts, seconds=round(seconds, 3))


@dataclass(frozen=True, slots=True)
class Body:
    """What a link gave.

    Attributes:
        link: As it stands in the table.
        data: All of it.
        sha256: Of the data, in hex.
    """

    link: str
    data: bytes
    sha256: str


def keep_image(body: Body, data_dir: Path, temporary: str) -> Outcome:
    """Check a downloaded body and make it a file.

    Args:
        body: What came.
        data_dir: The file goes to `images/` below it.
        temporary: A path on the same disk that nobody else uses.

    Returns:
        The outcome, failed where it is not a whole image.

    Raises:
        OSError: The file cannot be written.
    """
    try:
        kind, width, height = check_body(body.data)
    except ImageError as error:
        return as_failed(body.link, str(error))
    name = f"images/{body.sha256[:2]}/{body.sha256}.{EXTENSIONS.get(kind, 'img')}"
    if not is_there(data_dir / name, len(body.data)):
        write_whole(body.data, f"{data_dir}/{name}", temporary)
    return Outcome(body.link, name, body.sha256, len(body.data), width, height)


def check_body(data: bytes) -> tuple[str, int, int]:
    """Decode an image, as `images.check_image`; say what it is if it is something usual else."""
    try:
        return check_image(data)
    except ImageError as error:
        raise ImageError(_name_content(data[:1024]) or str(error)) from error


def is_there(path: Path, size: int) -> bool:
    """Tell whether a file is there; it is whole then, since it came by renaming."""
    try:
        return os.stat(path).st_size == size
    except OSError:
        return False


def write_whole(data: bytes, path: str, temporary: str) -> None:
    """Make a file that is there whole or not at all, whatever happens meanwhile."""
    try:
        _write_to_disk(data, temporary)
        _move(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _write_to_disk(data: bytes, path: str) -> None:
    """Write a new file, on the disk when this returns; fewer calls than Python's own files make."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        while data:
            data = data[os.write(file, data) :]
        os.fsync(file)
    finally:
        os.close(file)


def _move(temporary: str, path: str) -> None:
    """Rename a file, making the folder only where it turns out to be missing."""
    try:
        os.replace(temporary, path)
    except FileNotFoundError:
        Path(path).parent.mkdir(exist_ok=True)
        os.replace(temporary, path)


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
