"""Find the local file of a link, without leaving the allowed folders."""

import errno
import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from lib.download.link_text import complete_url, list_forms, list_path_spellings
from lib.io import ImageError, find_scheme, may_be_local


def find_local_file(link: str, folder: Path, local_images: Path | None) -> Path | None:
    """Find the local file of a link.

    Args:
        link: A URL or a path.
        folder: Base of relative paths; a path must stay below it, or below `local_images`.
        local_images: Folder searched first for the link's file name, or `None`.

    Returns:
        The file, or `None` for a URL without a local file.

    Raises:
        ImageError: The link is a path or a `file:` URL, and the file is missing or elsewhere.
    """
    scheme = find_scheme(link)
    if local_images and scheme != "data" and (found := _find_named(link, local_images)):
        return found
    if scheme == "file":
        link = _read_file_url(link)
    elif not may_be_local(link) or (scheme and not _is_file(folder / link)):
        return None
    return _find_below(link, [folder, local_images] if local_images else [folder])


def file_name(link: str) -> str:
    r"""Return the file name at the end of a link, `""` if it has none that is safe to use.

    >>> file_name("https://m.example/images/I/51-x%2B.jpg?size=9")
    '51-x+.jpg'
    >>> [file_name(link) for link in ("a/..", "http://x/", "http://x/a%2Fb.jpg", "a\0.jpg", "")]
    ['', '', 'b.jpg', '', '']
    """
    try:
        path = link if find_scheme(link) in ("", "file") else urlsplit(complete_url(link)).path
    except ValueError:  # such as an unclosed bracket around an IPv6 address
        return ""
    name = PurePosixPath(unquote(path).replace("\\", "/")).name
    return "" if name == ".." or not name.isprintable() else name


def _find_named(link: str, folder: Path) -> Path | None:
    """Find the file that has the name of a link."""
    name = file_name(link)
    paths = [folder / form for form in list_forms(name)] if name else []
    return next(filter(_is_file, paths), None)


def _read_file_url(link: str) -> str:
    """Return the path of a `file:` URL, not decoded (RFC 8089).

    Raises:
        ImageError: It names another machine.
    """
    path = link.partition(":")[2]
    if not path.startswith("//"):
        return path
    host, _, path = path[2:].partition("/")
    if host not in ("", "localhost"):
        raise ImageError(f"path refused: it leads to another machine, {host!r}")
    return f"/{path}"


def _find_below(link: str, folders: Sequence[Path]) -> Path:
    """Find a file by its path, in any spelling, below one of the folders.

    Raises:
        ImageError: The file is missing or outside the folders.
    """
    first = None
    for spelling in list_path_spellings(link):
        for folder in folders:
            try:
                return _check_below(spelling, folder)
            except ImageError as error:
                first = first or error
    raise first or ImageError(f"not a link: {link!r}")


def _check_below(link: str, folder: Path) -> Path:
    """Find a file by its path, which must stay in the folder, symlinks included.

    Raises:
        ImageError: The file is missing or outside the folder.
    """
    if not link or not link.isprintable():
        raise ImageError(f"not a link: {link!r}")
    try:
        path = (folder / link).resolve()
    except (OSError, RuntimeError) as error:
        raise ImageError(f"path refused: {error}") from error  # a symlink loop
    if not path.is_relative_to(folder.resolve()):
        raise ImageError("path refused: it leads out of the table's folder")
    if not _is_file(path):
        kind = "not a regular file" if os.path.lexists(path) else "no such file"
        raise ImageError(f"{kind}: {path.name} in {path.parent}")
    return path


def _is_file(path: Path) -> bool:
    """Return whether a path is a regular file with a name that is valid text.

    Raises:
        ImageError: The file may not be accessed, or its name is not valid text.
    """
    try:
        is_file = path.is_file()
        str(path).encode()
    except UnicodeEncodeError as error:
        raise ImageError(f"path refused: its name is no UTF-8: {path!r}") from error
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:  # no file can have this name
            return False
        raise ImageError(f"cannot look up {path.name}: {error.strerror}") from error
    return is_file
