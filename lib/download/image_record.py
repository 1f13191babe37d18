"""Record the outcome of each link, and the files that this project wrote, in SQLite."""

import logging
import os
import shutil
import sqlite3
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_type_hints

from lib.download.image_files import LinkResult
from lib.io import move_aside, name_temporary

LOG = logging.getLogger(__name__)

NAME: str = "links.sqlite"
BESIDE: tuple[str, ...] = ("", "-wal", "-shm", "-journal")  # suffixes of the files SQLite makes
# First bytes of SQLite's own files; it would overwrite or delete other files of these names.
STARTS: dict[str, tuple[bytes, ...]] = {
    "-wal": (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83"),
    "-shm": ((3007000).to_bytes(4, sys.byteorder),),
    "-journal": (b"\xd9\xd5\x05\xf9", bytes(4)),
}
"""See https://sqlite.org/fileformat2.html and https://sqlite.org/walformat.html."""
MARKER: str = ".product-measurements"
MARKER_TEXT: str = "Images that product-measurements downloaded; links.sqlite names them.\n"
LONGEST_LOCK: float = 30.0  # seconds that another process may hold the record
STORED: dict[str, type] = dict(islice(get_type_hints(LinkResult).items(), 8))
TABLES: dict[str, list[str]] = {"links": list(STORED), "files": ["path"], "unfinished": ["folder"]}
"""The columns of each table, its key first."""
# The previous version kept no list of files: those it downloaded are recognised by their names.
LIST_FILES: str = """
    INSERT OR IGNORE INTO files SELECT path FROM links WHERE link NOT LIKE 'file:%'
    AND path LIKE 'images/' || substr(sha256, 1, 2) || '/' || sha256 || '.%'
"""
# Errors caused by the machine or by other processes, not by a damaged file.
OUTER_ERRORS: frozenset[int] = frozenset(
    {
        *(sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM),
        *(sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL),
        *(sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL),
    }
)


class ImageRecord:
    """The record of a folder's links and files; processes and threads may share it.

    Args:
        folder: Of the images, already checked by `check_record`.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if not _is_marked(folder):
            _mark(folder / MARKER)
        self._lock = threading.Lock()
        self._record = _open(folder / NAME)

    def close(self) -> None:
        """Close the record."""
        self._record.close()

    def find(self, keys: Sequence[str]) -> dict[str, LinkResult]:
        """Return the outcomes that earlier runs recorded for some links, by key."""
        marks = ", ".join("?" * len(keys))
        query = f"SELECT {', '.join(STORED)} FROM links WHERE link IN ({marks})"
        with self._lock:
            rows = self._record.execute(query, keys).fetchall()
        return {
            row[0]: LinkResult(**dict(zip(STORED, row, strict=True)), source="record")
            for row in rows
            if _is_sound(row)
        }

    def remember(self, outcomes: Mapping[str, LinkResult], files: Iterable[str]) -> None:
        """Record outcomes by key, and the files that this project wrote, in one transaction."""
        names = list(STORED)[1:]
        rows = [(key, *(getattr(found, name) for name in names)) for key, found in outcomes.items()]
        marks = ", ".join("?" * len(STORED))
        with self._lock, self._record:
            self._record.execute("BEGIN IMMEDIATE")
            self._record.executemany(f"INSERT OR REPLACE INTO links VALUES ({marks})", rows)
            self._record.executemany("INSERT OR IGNORE INTO files VALUES (?)", zip(files))

    def find_own(self, files: Iterable[str]) -> list[str]:
        """Return those of the files that this project wrote; paths as given to `remember`."""
        query = "SELECT path FROM files WHERE path = ?"
        with self._lock:
            return [name for name in files if self._record.execute(query, [name]).fetchone()]

    def disown(self, files: Iterable[str]) -> None:
        """Forget files that were deleted."""
        with self._lock, self._record:
            self._record.execute("BEGIN IMMEDIATE")
            self._record.executemany("DELETE FROM files WHERE path = ?", zip(files))

    def list_folders(self) -> list[str]:
        """List the folders of temporary files that were not removed yet."""
        with self._lock:
            return [name for (name,) in self._record.execute("SELECT folder FROM unfinished")]

    def add_folder(self, name: str) -> None:
        """Record a folder of temporary files before it is made."""
        with self._lock:
            self._record.execute("INSERT INTO unfinished VALUES (?)", [name])

    def forget_folder(self, name: str) -> None:
        """Forget a folder that was removed."""
        with self._lock:
            self._record.execute("DELETE FROM unfinished WHERE folder = ?", [name])


def check_record(folder: Path) -> str:
    """Return the name of a foreign file in the record's place, `""` if none; write nothing.

    A folder of this project has a marker; one of the previous version, a record with our columns.
    """
    names = (MARKER, *(f"{NAME}{end}" for end in BESIDE))
    # Listed first: another process may be making the folder, and writes the marker first.
    found = next((name for name in names if os.path.lexists(folder / name)), "")
    return "" if not found or _is_marked(folder) or _is_record(folder / NAME) else found


def _is_marked(folder: Path) -> bool:
    try:
        return (folder / MARKER).read_text(encoding="utf-8") == MARKER_TEXT
    except (OSError, UnicodeDecodeError):
        return False


def _mark(path: Path) -> None:
    temporary = name_temporary(path)
    temporary.write_text(MARKER_TEXT, encoding="utf-8")
    if os.path.lexists(path) and not _is_marked(path.parent):
        LOG.warning("%s was changed; it is kept as %s", path, move_aside(path).name)
    temporary.replace(path)


def _is_record(path: Path) -> bool:
    """Return whether a file is a record of links; a copy is read, as SQLite writes on reading."""
    with TemporaryDirectory() as copy:
        try:
            shutil.copyfile(path, Path(copy, NAME))
            if os.path.isfile(f"{path}-wal"):
                shutil.copyfile(f"{path}-wal", Path(copy, f"{NAME}-wal"))
            with closing(sqlite3.connect(Path(copy, NAME))) as record:
                return _list_columns(record).get("links") == TABLES["links"]
        except (OSError, sqlite3.Error):
            return False


def _is_sound(row: tuple[object, ...]) -> bool:
    """Return whether a row has the form that this project writes."""
    has_types = all(map(isinstance, row, STORED.values()))
    return has_types and row[list(STORED).index("status")] in ("ok", "failed")


def _open(path: Path) -> sqlite3.Connection:
    """Open the record; a damaged one is moved aside, and its links are checked again."""
    _make_way(path)
    record = sqlite3.connect(
        path, timeout=LONGEST_LOCK, isolation_level=None, check_same_thread=False
    )
    record.text_factory = lambda text: text.decode("utf-8", "replace")
    damage = _find_damage(record)
    if damage:
        record.close()
        _put_aside(path, damage)
        return _open(path)
    # With a write-ahead log a row survives a kill as soon as it is written, without an fsync.
    record.execute("PRAGMA journal_mode = WAL")
    record.execute("PRAGMA synchronous = NORMAL")
    _add_tables(record)
    return record


def _make_way(path: Path) -> None:
    """Move aside foreign files whose names SQLite would take for its own."""
    for end, starts in STARTS.items():
        beside = path.with_name(path.name + end)
        if not beside.is_file():
            continue
        with beside.open("rb") as file:
            start = file.read(4)
        if start and start not in starts:
            LOG.warning("%s is not SQLite's; it is kept as %s", beside, move_aside(beside).name)


def _find_damage(record: sqlite3.Connection) -> str:
    """Describe the damage of a record, `""` if it is intact or new."""
    try:
        found = str(record.execute("PRAGMA quick_check(1)").fetchone()[0])
        columns = _list_columns(record)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF in OUTER_ERRORS:
            raise
        return str(error)
    if found != "ok":
        return " ".join(found.split())
    wrong = [name for name in columns if columns[name] != TABLES[name]]
    return f"other columns in {', '.join(wrong)}" if wrong else ""


def _list_columns(record: sqlite3.Connection) -> dict[str, list[str]]:
    """List the columns of each of our tables that exists."""
    found = {name: record.execute(f"PRAGMA table_info({name})").fetchall() for name in TABLES}
    return {name: [row[1] for row in rows] for name, rows in found.items() if rows}


def _put_aside(path: Path, damage: str) -> None:
    """Move a damaged record aside, with its `-wal` and other side files."""
    found = [path.with_name(path.name + end) for end in BESIDE]
    names = [move_aside(file).name for file in found if os.path.lexists(file)]
    LOG.warning("%s is damaged (%s); it is kept as %s, a new one begins.", path, damage, names[0])


def _add_tables(record: sqlite3.Connection) -> None:
    """Add missing tables; a record of the previous version has the links only."""
    if _list_columns(record).keys() == TABLES.keys():
        return
    with record:
        record.execute("BEGIN IMMEDIATE")  # another process may be doing the same
        missing = [name for name in TABLES if name not in _list_columns(record)]
        for name in missing:
            key, *others = TABLES[name]
            columns = ", ".join([f"{key} TEXT PRIMARY KEY", *others])
            record.execute(f"CREATE TABLE {name} ({columns})")
        if "files" in missing:
            record.execute(LIST_FILES)
