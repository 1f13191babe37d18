"""Store image files in the data folder, named by their sha256, with each link's outcome."""

import hashlib
import logging
import os
import re
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path

from lib.download.checksums import find_difference
from lib.download.image_files import Body, LinkResult, StoredBody, check_body, is_there
from lib.download.image_record import NAME, ImageRecord, check_record
from lib.download.writers import Task, WriterPool
from lib.io import ImageError, digest_file, read_image_bytes
from lib.parallel import InternalError, try_item

LOG = logging.getLogger(__name__)

DECODERS: int = 2 * (os.cpu_count() or 1)  # images decoded at a time; one may take 240 MB
DAY: int = 24 * 60 * 60  # seconds; no attempt at an image takes that long
FOLDER, UNFINISHED = "images", "images/unfinished"
TOKEN: re.Pattern[str] = re.compile(r"[0-9a-f]{32}")  # as `secrets.token_hex(16)` gives


class StoreError(ValueError):
    """A data folder cannot hold images; the message says what was found and what to do."""


class ImageStore:
    """A store of images and link outcomes; processes and threads may share its folder.

    A file gets its final name only when it is complete and on the disk, and is recorded only
    after that, so a crash leaves at worst a temporary file.

    Args:
        data_dir: Images lie in `images/` below it.

    Raises:
        StoreError: A foreign file is in the place of one of ours.
    """

    def __init__(self, data_dir: Path) -> None:
        problem = check_store(data_dir)
        if problem:
            raise StoreError(problem)
        self._data_dir = data_dir
        self._record = ImageRecord(data_dir / FOLDER)
        _remove_old(data_dir / UNFINISHED, self._record)
        self._unfinished = data_dir / UNFINISHED / secrets.token_hex(16)
        self._record.add_folder(self._unfinished.name)
        self._unfinished.mkdir(parents=True)
        self._written: list[str] = []  # files written and not recorded yet
        self._decoding = threading.Semaphore(DECODERS)
        self._writers = WriterPool(Task(data_dir, self._unfinished))

    def close(self) -> None:
        """Close the record and end the processes that store images."""
        self._writers.close()
        with suppress(sqlite3.OperationalError):  # on a full disk, a later run removes what is left
            _remove_folder(self._unfinished, self._record)
        self._record.close()

    def find(self, keys: Sequence[str]) -> dict[str, LinkResult]:
        """Return the recorded outcomes of some links, if their files are still intact."""
        return {
            key: outcome
            for key, outcome in self._record.find(keys).items()
            if outcome.status == "failed" or is_there(self._data_dir / outcome.path, outcome.bytes)
        }

    def agrees(self, outcome: LinkResult, checksum: str) -> bool:
        """Return whether a recorded image has a checksum; one that cannot be read has none."""
        if checksum in ("", outcome.sha256):
            return True
        data = try_item(read_image_bytes, self._data_dir / outcome.path)
        return isinstance(data, bytes) and not find_difference(data, checksum)

    def remember(self, outcomes: Mapping[str, LinkResult]) -> None:
        """Record outcomes by the keys that `find` takes."""
        if outcomes or self._written:
            self._record.remember(outcomes, self._written)
            self._written.clear()

    def add(self, bodies: Sequence[Body]) -> list[LinkResult | InternalError | OSError]:
        """Check downloaded bodies and store each as a file, in parallel processes.

        Returns:
            The outcome of each; an `OSError` if the disk accepts no file at all.
        """
        results = self._writers.store(bodies)
        stored = [result for result in results if isinstance(result, StoredBody)]
        self._written += [found.outcome.path for found in stored if found.is_new]
        for found in stored:
            if found.aside:
                LOG.warning("%s held something else: kept as %s", found.outcome.path, found.aside)
        return [found.outcome if isinstance(found, StoredBody) else found for found in results]

    def adopt(self, path: Path, link: str, checksum: str = "") -> LinkResult:
        """Check a local file and return its outcome; the file stays where it is.

        Raises:
            ImageError: It is not a complete image, or has another checksum.
        """
        data = read_image_bytes(path)
        if difference := find_difference(data, checksum):
            raise ImageError(difference)
        with self._decoding:
            _, width, height = check_body(data)
        sha256, size = hashlib.sha256(data).hexdigest(), len(data)
        return LinkResult(link, self._name(path), sha256, size, width, height)

    def _name(self, path: Path) -> str:
        below = path.is_relative_to(self._data_dir)
        return (path.relative_to(self._data_dir) if below else path).as_posix()


def check_store(data_dir: Path) -> str:
    """Return why a data folder cannot hold images, `""` if it can; write nothing."""
    for folder in (data_dir, data_dir / FOLDER, data_dir / UNFINISHED):
        if os.path.lexists(folder) and not os.path.isdir(folder):
            return f"DATA_DIR {data_dir}: {folder} is no folder; name another DATA_DIR."
    foreign = check_record(data_dir / FOLDER)
    if foreign:
        return (
            f"DATA_DIR {data_dir} holds {FOLDER}/{foreign}, which this project did not write; "
            "name another DATA_DIR."
        )
    return ""


def delete_downloaded(data_dir: Path, paths: Iterable[str | Path]) -> None:
    """Delete image files that this project wrote and that are unchanged; others stay.

    Args:
        data_dir: Of the store.
        paths: Relative to it, or absolute.
    """
    if not (data_dir / FOLDER / NAME).is_file() or check_store(data_dir):
        return
    files = [data_dir / path for path in paths]
    names = [
        file.relative_to(data_dir).as_posix() for file in files if file.is_relative_to(data_dir)
    ]
    with closing(ImageRecord(data_dir / FOLDER)) as record:
        record.disown([name for name in record.find_own(names) if _delete(data_dir / name)])


def _delete(path: Path) -> bool:
    """Delete a file whose content still has the sha256 in its name; return whether it is gone."""
    try:
        if digest_file(path) == path.stem:
            path.unlink()
    except OSError as error:
        if not isinstance(error, FileNotFoundError):
            LOG.warning("%s cannot be deleted: %s", path, error.strerror)
    return not os.path.lexists(path)


def _remove_old(folder: Path, record: ImageRecord) -> None:
    """Remove temporary files of killed runs; recent ones may belong to another process."""
    for token in filter(TOKEN.fullmatch, record.list_folders()):
        path = folder / token
        with suppress(FileNotFoundError):
            if path.stat().st_mtime >= time.time() - DAY:
                continue
        _remove_folder(path, record)


def _remove_folder(folder: Path, record: ImageRecord) -> None:
    """Remove a folder of temporary files and its entry, if it holds only our files."""
    with suppress(OSError):  # another process was faster, or a file is not ours
        for path in folder.iterdir():
            if TOKEN.fullmatch(path.name):
                path.unlink()
        folder.rmdir()
    if not folder.exists():
        record.forget_folder(folder.name)
