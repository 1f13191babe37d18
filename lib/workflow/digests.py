"""Digest code, tables and files, to tell whether a result is still valid."""

import functools
import hashlib
import json
import os
from pathlib import Path

import pandas as pd

from lib.io import (
    PROJECT,
    digest_file,
    from_project,
    has_image_ending,
    split_sheet,
    walk_files,
)
from lib.workflow.parameters import Parameters

NO_CODE: frozenset[str] = frozenset({"tests", "dev", "__pycache__"})
"""Folders of the library on which no result depends."""

# Columns on how a table was made, not on its content: a change makes no other table stale.
EFFORT: dict[str, tuple[str, ...]] = {
    "images": ("source", "attempts", "seconds"),
    "pages": ("seconds",),
}


def digest_once(path: Path) -> str:
    """Digest a file, once as long as its size and time stay the same.

    Raises:
        OSError: It cannot be read.
    """
    found = path.stat()
    return _digest_once(path, found.st_size, found.st_mtime_ns)


@functools.lru_cache(maxsize=100_000)
def _digest_once(path: Path, size: int, mtime_ns: int) -> str:
    return digest_file(path)


def digest_content(path: Path) -> str:
    """Digest a file; columns on how a table was made are left out."""
    effort = EFFORT.get(path.parent.name)
    if effort and path.suffix == ".parquet":
        return digest(pd.read_parquet(path).drop(columns=list(effort)).to_csv(index=False))
    return digest_file(path)


def digest_code() -> str:
    """Digest all files of the library on which a result may depend, and the pins."""
    lib = PROJECT / "lib"
    found = [path for path in lib.rglob("*") if not NO_CODE & set(path.relative_to(lib).parts)]
    files = [path for path in (*found, PROJECT / "requirements.txt") if path.is_file()]
    return digest(*(f"{path.relative_to(PROJECT)} {digest_file(path)}" for path in sorted(files)))


def digest_tables(parameters: Parameters) -> str:
    """Digest the sample rows of a run: equal for runs on the same data."""
    paths = (parameters.TRAIN_CSV, parameters.TEST_CSV)
    digests = [_digest_table(path) if path else "" for path in paths]
    settings = parameters.COLUMNS, parameters.QUESTIONS
    asked = [json.dumps(settings, sort_keys=True)] if any(settings) else []
    return digest(str(parameters.MAX_ROWS), *digests, *asked)


def _digest_table(path: str) -> str:
    """Digest a table and the name of its sheet, or the names of the images in a folder."""
    file, sheet = split_sheet(from_project(path))
    if file.is_dir():
        images = filter(has_image_ending, walk_files(file))
        return digest(*sorted(os.fsencode(name).hex() for name in images))
    return digest_file(file) if not sheet else digest(digest_file(file), sheet)


def digest(*texts: str) -> str:
    """Digest texts, in this order."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()
