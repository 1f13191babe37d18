"""Tell what a link names, and list the images in a folder as links."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

IMAGE_ENDINGS: tuple[str, ...] = (
    *(".jpg", ".jpeg", ".jfif", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff"),
    *(".avif", ".heic", ".heif", ".ppm", ".pgm", ".pbm"),
)
"""Endings of the names of image files, in lower case."""
SCHEME: re.Pattern[str] = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")  # one letter names a drive


def find_scheme(link: str) -> str:
    r"""Return the scheme of a link, `""` for a path; a link without one that names a host is https.

    >>> [find_scheme(link) for link in ("S3://b/k", "data:,x", "//cdn.example/a", "a/b", r"C:\a")]
    ['s3', 'data', 'https', '', '']
    """
    found = SCHEME.match(link)
    return found[1].lower() if found else "https" if link.startswith("//") else ""


def may_be_local(link: str) -> bool:
    """Return whether a link may name a file on this machine, even one with a colon in its name.

    >>> [may_be_local(link) for link in ("a/1.jpg", "file:///a/1.jpg", "img:1.jpg")]
    [True, True, True]
    >>> [may_be_local(link) for link in ("https://x.example/1", "//x.example/1", "data:,a//b")]
    [False, False, False]
    """
    scheme = find_scheme(link)
    return scheme in ("", "file") or (scheme != "data" and "//" not in link)


def walk_files(folder: Path) -> Iterator[str]:
    """Yield the files in a folder and those below it, relative to it, but for hidden ones."""
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.startswith("."):
                yield os.path.relpath(os.path.join(place, name), folder)


def has_image_ending(name: str) -> bool:
    """Return whether a name ends as the names of images do.

    >>> has_image_ending("a/1.JPG"), has_image_ending("a/1.jpg.txt")
    (True, False)
    """
    return name.lower().endswith(IMAGE_ENDINGS)
