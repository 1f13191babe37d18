"""Compare an image's bytes with the checksum that its row gives."""

import hashlib
import re

from lib.io import SHORT, is_empty

DIGEST: re.Pattern[str] = re.compile(r"(?:[\w-]+[:=]\s*)?([0-9a-fA-F]+)")
METHODS: dict[int, str] = {32: "MD5", 40: "SHA1", 64: "SHA256", 128: "SHA512"}  # by hex digits


def find_difference(data: bytes, checksum: str) -> str:
    """Return how bytes differ from a checksum, `""` if they do not or none is given.

    >>> find_difference(b"a", "md5:0CC175B9C0F1B6A831C399E269772661"), find_difference(b"a", "")
    ('', '')
    >>> find_difference(b"a", "0123456789abcdef0123456789abcdef")
    'checksum differs: MD5 is 0cc175b9..., the table says 01234567...'
    >>> find_difference(b"a", "17")
    "checksum unknown: '17'; expected SHA-256 or MD5 in hex"
    """
    if is_empty(checksum):
        return ""
    given = DIGEST.fullmatch(checksum.strip())
    wanted = given[1].lower() if given else ""
    if len(wanted) not in METHODS:
        return f"checksum unknown: {SHORT.repr(checksum)}; expected SHA-256 or MD5 in hex"
    method = METHODS[len(wanted)]
    found = hashlib.new(method, data, usedforsecurity=False).hexdigest()
    if found == wanted:
        return ""
    return f"checksum differs: {method} is {found[:8]}..., the table says {wanted[:8]}..."
