"""Find the images that a user names: files, folders, links, standard input, images in memory."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import pandas as pd
from PIL import Image, ImageOps

from lib.io import (
    ImageError,
    expand_home,
    find_scheme,
    has_image_ending,
    read_image_bytes,
    walk_files,
)

Named: TypeAlias = str | Path | Image.Image
"""What may name images: a file, a folder, a link, `-` for standard input, or an image itself."""

STANDARD_INPUT: str = "-"


@dataclass(frozen=True)
class Source:
    """An image as the user named it.

    Attributes:
        name: Its name, valid text.
        path: Its file, None if there is none.
        reason: Why there is none, else `""`.
        sha256: Hash of the file's content, `""` if it cannot be read.
    """

    name: str
    path: Path | None
    reason: str = ""
    sha256: str = ""


def find_sources(named: Iterable[Named], stack: ExitStack, expand: bool = True) -> list[Source]:
    """Find the file of each image; those of a folder follow each other by name.

    Links are fetched, and images that are no files are written, into a temporary folder.

    Args:
        named: What the user names.
        stack: Removes the temporary folder when it is closed.
        expand: Whether a folder stands for its images; otherwise it is a failed image.
    """
    scratch = Scratch(stack)
    found = [source for one in named for source in _find(one, scratch, expand)]
    links = [source.name for source in found if not source.path and not source.reason]
    fetched = scratch.fetch(links) if links else {}
    return [_digest(fetched.get(source.name, source)) for source in found]


class Scratch:
    """A temporary folder that is made when it is first needed.

    Args:
        stack: Removes the folder when it is closed.
    """

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._folder: Path | None = None
        self._count = 0

    @property
    def folder(self) -> Path:
        """Return the folder."""
        if self._folder is None:
            made = TemporaryDirectory(prefix="product-measurements-")
            self._folder = Path(self._stack.enter_context(made))
        return self._folder

    def name_file(self) -> Path:
        """Return a new path in the folder."""
        self._count += 1
        return self.folder / f"{self._count}.image"

    def fetch(self, links: Sequence[str]) -> dict[str, Source]:
        """Fetch links as a run does."""
        from lib.download import fetch_images  # Imports aiohttp, which files do not need.

        table = pd.DataFrame({"link": links, "folder": str(self.folder)})
        images = fetch_images(table, self.folder)
        return {
            link: Source(link, self.folder / path if path else None, reason)
            for link, path, reason in zip(
                images["link"], images["path"], images["reason"], strict=True
            )
        }


def _find(named: Named, scratch: Scratch, expand: bool) -> list[Source]:
    """Find the images that one name stands for; a link has neither file nor reason yet."""
    if isinstance(named, Image.Image):
        return [_save_image(named, scratch)]
    if named == STANDARD_INPUT:
        path = scratch.name_file()
        path.write_bytes(sys.stdin.buffer.read())
        return [Source("standard input", path)]
    try:
        path = expand_home(named)
        if expand and path.is_dir():
            return _list_folder(path)
        is_link = isinstance(named, str) and find_scheme(named) and not path.exists()
    except (OSError, ValueError) as error:  # a name that no file can have
        return [Source(_print_path(named), None, str(error))]
    return [Source(_print_path(named), None if is_link else path)]


def _list_folder(folder: Path) -> list[Source]:
    """List the images in a folder and the folders below it, but for hidden ones."""
    files = sorted(folder / name for name in filter(has_image_ending, walk_files(folder)))
    seen = [path for path in files if path.is_file()]
    if not seen:
        return [Source(_print_path(folder), None, "the folder holds no image")]
    return [Source(_print_path(path), path) for path in seen]


def _print_path(path: str | Path) -> str:
    """Return a path as valid text, whatever its bytes are."""
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _save_image(image: Image.Image, scratch: Scratch) -> Source:
    """Save an image of this process without loss."""
    name = str(getattr(image, "filename", "")) or "image"
    path = scratch.name_file()
    upright = ImageOps.exif_transpose(image)
    try:
        upright.save(path, "PNG", compress_level=1)
    except OSError:  # a mode that PNG does not have, such as CMYK
        upright.save(path, "TIFF")
    return Source(name, path)


def _digest(source: Source) -> Source:
    """Add the hash of a source's file, or why it cannot be read."""
    if source.path is None:
        return source
    try:
        return replace(source, sha256=sha256(read_image_bytes(source.path)).hexdigest())
    except (ImageError, ValueError) as error:  # ValueError: NUL in the name
        return replace(source, path=None, reason=str(error))
