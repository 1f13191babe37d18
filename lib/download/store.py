"""Image files under the data folder, named by their content, and what became of each link."""

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

from lib.download.image_files import Body, LinkResult, check_body, is_there
from lib.download.image_record import NAME, ImageRecord, check_record
from lib.download.writers import Task, WriterPool
from lib.io import digest_file, read_picture
from lib.parallel import InternalError

LOG = logging.getLogger(__name__)

DECODERS: int = 2 * (os.cpu_count() or 1)  # images decoded at once; one may take 240 MB
DAY: int = 24 * 60 * 60  # seconds; no attempt at an image takes that long
FOLDER, UNFINISHED = "images", "images/unfinished"
TOKEN: re.Pattern[str] = re.compile(r"[0-9a-f]{32}")  # as `secrets.token_hex(16)` gives


class StoreError(ValueError):
    """A data folder cannot hold images; the message says what was found and what to do."""


class ImageStore:
    """Keep images and remember links; several processes may share one folder.

    A file appears under its final name only when it is whole and on the disk, and is recorded
    only after that. So a crash at any moment leaves at worst a temporary file. Threads may share
    it, too.

    Args:
        data_dir: Images lie in `images/` below it.

    Raises:
        StoreError: Somebody else's file stands where ours must.
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
        self._written: list[str] = []  # files of ours that are not recorded yet
        self._decoding = threading.Semaphore(DECODERS)
        self._keepers = WriterPool(Task(data_dir, self._unfinished))

    def close(self) -> None:
        """Close the record of links and end the processes that keep images."""
        self._keepers.close()
        with suppress(sqlite3.OperationalError):  # on a full disk, what is left is removed later
            _remove_folder(self._unfinished, self._record)
        self._record.close()

    def find(self, keys: Sequence[str]) -> dict[str, LinkResult]:
        """Find what an earlier run learnt of some links, if their files are still there, whole."""
        return {
            key: outcome
            for key, outcome in self._record.find(keys).items()
            if outcome.status == "failed" or is_there(self._data_dir / outcome.path, outcome.bytes)
        }

    def remember(self, outcomes: Mapping[str, LinkResult]) -> None:
        """Record what became of some links, by the keys under which they will be looked for."""
        if outcomes or self._written:
            self._record.remember(outcomes, self._written)
            self._written.clear()

    def keep(self, bodies: Sequence[Body]) -> list[LinkResult | InternalError | OSError]:
        """Check downloaded bodies and make each a file, many at once in other processes.

        Returns:
            What became of each; an `OSError` where the disk as a whole takes no more.
        """
        answers = self._keepers.keep(bodies)
        kept = [answer for answer in answers if not isinstance(answer, InternalError | OSError)]
        self._written += [found.outcome.path for found in kept if found.is_new]
        for found in kept:
            if found.aside:
                LOG.warning("%s held something else: kept as %s", found.outcome.path, found.aside)
        failed = (InternalError, OSError)
        return [found if isinstance(found, failed) else found.outcome for found in answers]

    def adopt(self, path: Path, link: str) -> LinkResult:
        """Check a file of this machine and take it as it is, where it is.

        Raises:
            ImageError: It is not a whole image.
        """
        data = read_picture(path)
        with self._decoding:
            _, width, height = check_body(data)
        sha256, size = hashlib.sha256(data).hexdigest(), len(data)
        return LinkResult(link, self._name(path), sha256, size, width, height, source="local")

    def _name(self, path: Path) -> str:
        below = path.is_relative_to(self._data_dir)
        return (path.relative_to(self._data_dir) if below else path).as_posix()


def check_store(data_dir: Path) -> str:
    """Say why a data folder cannot hold images, `""` if it can; nothing is written."""
    for place in (data_dir, data_dir / FOLDER, data_dir / UNFINISHED):
        if os.path.lexists(place) and not os.path.isdir(place):
            return f"DATA_DIR {data_dir}: {place} is no folder; name another DATA_DIR."
    foreign = check_record(data_dir / FOLDER)
    if foreign:
        return (
            f"DATA_DIR {data_dir} holds {FOLDER}/{foreign}, which this project did not write; "
            "name another DATA_DIR."
        )
    return ""


def delete_downloaded(data_dir: Path, paths: Iterable[str | Path]) -> None:
    """Delete image files that this project wrote and nobody changed since; all others stay.

    Args:
        data_dir: Of the store.
        paths: Relative to it, or absolute.
    """
    if not (data_dir / FOLDER / NAME).is_file() or check_store(data_dir):
        return
    places = [data_dir / path for path in paths]
    names = [
        place.relative_to(data_dir).as_posix() for place in places if place.is_relative_to(data_dir)
    ]
    with closing(ImageRecord(data_dir / FOLDER)) as record:
        record.disown([name for name in record.find_own(names) if _delete(data_dir / name)])


def _delete(path: Path) -> bool:
    """Delete a file whose name is still its content's, and tell whether it is gone."""
    try:
        if digest_file(path) == path.stem:
            path.unlink()
    except OSError as error:
        if not isinstance(error, FileNotFoundError):
            LOG.warning("%s cannot be deleted: %s", path, error.strerror)
    return not os.path.lexists(path)


def _remove_old(folder: Path, record: ImageRecord) -> None:
    """Remove temporary files that a killed run left; young ones may belong to another process."""
    for token in filter(TOKEN.fullmatch, record.list_folders()):
        path = folder / token
        with suppress(FileNotFoundError):
            if path.stat().st_mtime >= time.time() - DAY:
                continue
        _remove_folder(path, record)


def _remove_folder(folder: Path, record: ImageRecord) -> None:
    """Remove a folder of temporary files and forget it, if it holds nothing but ours."""
    with suppress(OSError):  # another process was faster, or a file is not ours
        for path in folder.iterdir():
            if TOKEN.fullmatch(path.name):
                path.unlink()
        folder.rmdir()
    if not folder.exists():
        record.forget_folder(folder.name)
