"""Read images from object storage, such as `s3://`, through fsspec where a driver is installed."""

import hashlib
from typing import IO

import fsspec

from lib.download.http.client import FetchError
from lib.parallel import InternalError, try_item

STORES: frozenset[str] = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "oss", "oci", "hf"})
"""Schemes whose host the driver's own settings choose; a link only names a bucket and a key."""
# By the class of the error; none of these goes away with a retry.
LASTING: dict[str, str] = {
    "FileNotFoundError": "no such object",
    "IsADirectoryError": "no such object",
    "NoCredentialsError": "access refused",
    "PermissionError": "access refused",
}


def find_bucket(link: str) -> str:
    """Return the bucket of a link.

    >>> find_bucket("S3://shop/images/a b.jpg")
    's3://shop'

    Raises:
        FetchError: It names no object, or chains file systems as `fsspec` would.
    """
    scheme, _, rest = link.partition(":")
    bucket, _, key = rest.removeprefix("//").partition("/")
    if not rest.startswith("//") or not bucket or not key or "::" in link:
        raise FetchError("not an object's address: expected BUCKET/KEY after the scheme")
    return f"{scheme.lower()}://{bucket}"


def check_driver(bucket: str) -> None:
    """Check that the driver of a bucket is installed.

    Raises:
        FetchError: It is not; the message names the package.
    """
    try:
        fsspec.get_filesystem_class(bucket.partition("://")[0])
    except ImportError as error:
        raise FetchError(f"driver missing: {error}") from error


def read_object(link: str, most: int, file: IO[bytes]) -> str:
    """Write an object to a file; keys are taken as written, never decoded.

    Args:
        link: Such as `s3://bucket/key`.
        most: Largest object, in bytes.
        file: Where the content goes.

    Returns:
        The content's sha256, in hex.

    Raises:
        FetchError: It cannot be read, or is too large.
    """
    data = try_item(_read, link, most + 1)  # each driver raises errors of its own
    if isinstance(data, InternalError):
        reason, may_pass = LASTING.get(data.kind, "storage failed"), data.kind not in LASTING
        raise FetchError(f"{reason}: {data.message}", again=may_pass, host_failed=may_pass)
    if len(data) > most:
        raise FetchError(f"too large: more than {most:,} bytes")
    file.write(data)
    return hashlib.sha256(data).hexdigest()


def _read(link: str, most: int) -> bytes:
    """Read the first bytes of an object."""
    scheme, _, rest = link.partition(":")
    system, path = fsspec.url_to_fs(f"{scheme.lower()}:{rest}")
    data: bytes = system.cat_file(path, end=most)
    return data
