"""Image files under the data folder, named by their content, and what became of each link."""

import hashlib
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

from lib.image_files import Body, Outcome, check_body, is_there
from lib.images import ImageError
from lib.keepers import Keepers, Kept, Task

LOG = logging.getLogger(__name__)

DECODERS: int = 2 * (os.cpu_count() or 1)  # images decoded at once; one may take 240 MB
DAY: int = 24 * 60 * 60  # seconds; no attempt at an image takes that long
LONGEST_LOCK: float = 30.0  # seconds that another process may hold the record
STORED: tuple[str, ...] = tuple(field.name for field in fields(Outcome))[:8]


class ImageStore:
    """Keep images and remember links; several processes may share one folder.

    A file appears under its final name only when it is whole and on the disk, and is recorded
    only after that. So a crash at any moment leaves at worst a temporary file. Threads may share
    it, too.

    Args:
        data_dir: Images lie in `images/` below it.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._folder = data_dir / "images"
        self._unfinished = self._folder / "unfinished"
        self._unfinished.mkdir(parents=True, exist_ok=True)
        _remove_old(self._unfinished)
        self._record = _open_record(self._folder / "links.sqlite")
        self._lock = threading.Lock()  # guards the record
        self._decoding = threading.Semaphore(DECODERS)
        self._keepers = Keepers(Task(data_dir, self._unfinished))

    def close(self) -> None:
        """Close the record of links and end the processes that keep images."""
        self._keepers.close()
        self._record.close()

    def find(self, keys: Sequence[str]) -> dict[str, Outcome]:
        """Find what an earlier run learnt of some links, if their files are still there, whole."""
        places = ", ".join("?" * len(keys))
        query = f"SELECT {', '.join(STORED)} FROM links WHERE link IN ({places})"
        with self._lock:
            rows = self._record.execute(query, keys).fetchall()
        found = {row[0]: Outcome(*row, source="record") for row in rows}
        return {
            key: outcome
            for key, outcome in found.items()
            if outcome.status == "failed" or is_there(self._data_dir / outcome.path, outcome.bytes)
        }

    def remember(self, outcomes: Mapping[str, Outcome]) -> None:
        """Record what became of some links, by the keys under which they will be looked for."""
        if not outcomes:
            return
        rows = [
            (key, *(getattr(outcome, name) for name in STORED[1:]))
            for key, outcome in outcomes.items()
        ]
        places = ", ".join("?" * len(STORED))
        with self._lock, self._record:
            self._record.execute("BEGIN IMMEDIATE")
            self._record.executemany(f"INSERT OR REPLACE INTO links VALUES ({places})", rows)

    def keep(self, bodies: Sequence[Body]) -> list[Kept]:
        """Check downloaded bodies and make each a file, many at once in other processes."""
        return self._keepers.keep(bodies)

    def adopt(self, path: Path, link: str) -> Outcome:
        """Check a file of this machine and take it as it is, where it is.

        Raises:
            ImageError: It is not a whole image.
        """
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ImageError(f"cannot read {path.name}: {error.strerror or error}") from error
        with self._decoding:
            _, width, height = check_body(data)
        sha256, size = hashlib.sha256(data).hexdigest(), len(data)
        return Outcome(link, self._name(path), sha256, size, width, height, source="local")

    def _name(self, path: Path) -> str:
        below = path.is_relative_to(self._data_dir)
        return (path.relative_to(self._data_dir) if below else path).as_posix()


def _remove_old(folder: Path) -> None:
    """Remove temporary files that a killed run left; young ones may belong to another process."""
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # another process was faster
            if path.stat().st_mtime < time.time() - DAY:
                path.unlink()


def _open_record(path: Path) -> sqlite3.Connection:
    """Open the record of links; a damaged one is put aside, which costs only time."""
    try:
        return _connect(path)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise  # locked or read-only, not damaged
        aside = path.with_name(f"{path.name}.damaged")
        LOG.warning("%s is damaged (%s); put aside as %s, a new one begins.", path, error, aside)
        path.replace(aside)
        for rest in ("-wal", "-shm"):
            path.with_name(path.name + rest).unlink(missing_ok=True)
        return _connect(path)


def _connect(path: Path) -> sqlite3.Connection:
    # With a write-ahead log a row survives a kill as soon as it is written, without an fsync.
    record = sqlite3.connect(
        path, timeout=LONGEST_LOCK, isolation_level=None, check_same_thread=False
    )
    record.execute("PRAGMA journal_mode = WAL")
    record.execute("PRAGMA synchronous = NORMAL")
    columns = ", ".join(STORED[1:])
    record.execute(f"CREATE TABLE IF NOT EXISTS links (link TEXT PRIMARY KEY, {columns})")
    return record
