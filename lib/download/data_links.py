"""Decode the content of a `data:` link (RFC 2397)."""

import hashlib
from base64 import b64decode
from typing import IO
from urllib.parse import unquote_to_bytes

from lib.download.http.client import FetchError

URL_SAFE = bytes.maketrans(b"-_", b"+/")


def read_data_link(link: str, most: int, file: IO[bytes]) -> str:
    """Write the content of a link to a file; blanks are allowed, and padding may be missing.

    Args:
        link: Such as `data:image/png;base64,iVBORw0K`.
        most: Largest content, in bytes.
        file: Where the content goes.

    Returns:
        The content's sha256, in hex.

    Raises:
        FetchError: It cannot be decoded, or is too large.
    """
    head, comma, text = link.partition(",")
    if not comma:
        raise FetchError("damaged data link: it has no comma")
    data = unquote_to_bytes(text)
    if head.rstrip().lower().endswith(";base64"):
        try:
            data = b64decode(data.translate(URL_SAFE) + b"==")
        except ValueError as error:
            raise FetchError(f"damaged data link: {error}") from error
    if len(data) > most:
        raise FetchError(f"too large: {len(data):,} bytes, at most {most:,} wanted")
    file.write(data)
    return hashlib.sha256(data).hexdigest()
