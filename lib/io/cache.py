"""Open the cache of slow steps, look entries up, measure it and limit its size."""

from __future__ import annotations

import csv
import functools
import logging
import math
import os
import re
import stat
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from joblib import Memory
from joblib.memory import MemorizedFunc, NotMemorizedFunc

from lib.parallel import InternalError, try_item

if TYPE_CHECKING:
    import pandas as pd

LOG = logging.getLogger(__name__)

Value = TypeVar("Value")
Cached: TypeAlias = MemorizedFunc | NotMemorizedFunc

FOLDER: str = "cache/product-measurements"
"""Subfolder of the data folder that holds the entries, apart from other programs' caches."""

FUNCTION_STAGES: dict[str, str] = {
    "keep_vector": "02_features",
    "keep_line_segments": "02_features",
    "read_page": "03_ocr",
}
"""The notebook that calls each cached function."""

COLUMNS: tuple[str, ...] = ("stage", "entries", "megabytes", "hits", "misses")
USES: str = "uses.csv"  # in the cache's folder: stage, hits, misses, one line per finished notebook

VALUE: str = "output.pkl"  # joblib's own names, here and below
ENTRY: re.Pattern[str] = re.compile(r"[0-9a-f]{32}")
ENTRY_FILE: re.Pattern[str] = re.compile(r"(output\.pkl|metadata\.json)(\.[0-9a-f]{32}-\d+-\d+)?")
"""Files that joblib writes into an entry's folder; the longer names are of unfinished files."""


class CacheError(ValueError):
    """A cache that cannot be trusted; the message says what to do."""


def open_cache(data_dir: Path) -> Memory:
    """Open the cache of a data folder.

    Entries are lightly compressed, because zlib's checksum reveals damage that plain bytes would
    hide.

    Raises:
        CacheError: The folder is world-writable, or is a file.
    """
    problem = check_cache(data_dir)
    if problem:
        raise CacheError(problem)
    return Memory(_make_folder(data_dir), compress=("zlib", 1), verbose=0)


def open_existing_cache(data_dir: Path) -> Memory:
    """Open the cache of a data folder if there is one, else a memory that keeps nothing.

    Nothing is written: joblib makes a file of its own where it is missing.
    """
    exists = (data_dir / FOLDER / ".gitignore").is_file()
    return open_cache(data_dir) if exists else Memory(None, verbose=0)


def check_cache(data_dir: Path) -> str:
    """Return in one line why a cache cannot be used, `""` if it can; write nothing.

    Entries are pickles, so whoever can write them can run commands as the user who reads them. A
    cache owned by another user is legitimate (containers, shares) and only causes a warning.
    """
    own = data_dir / FOLDER
    problem = _check_folder(own.parent, stat.S_ISVTX) or _check_folder(own, 0)
    if os.name == "posix" and not problem:
        _warn_of_owners(own)
    return problem


def _check_folder(folder: Path, guard: int) -> str:
    """Return a folder's problem; a world-writable one passes if it has the mode bit `guard`."""
    try:
        state = folder.stat()
    except OSError:
        return ""
    if not stat.S_ISDIR(state.st_mode):
        return f"{folder} is a file, where the cache has its folder: move it, or change DATA_DIR."
    if os.name == "posix" and state.st_mode & stat.S_IWOTH and not state.st_mode & guard:
        return (
            f"Everybody can write to the cache {folder}, and who writes there runs commands as "
            f"you: `chmod -R o-w {folder}`, or set DATA_DIR to a folder of your own."
        )
    return ""


@functools.cache
def _warn_of_owners(own: Path) -> None:
    """Warn once about a cache that another user owns."""
    with suppress(OSError):
        folders = [folder for folder in (own.parent, own) if folder.is_dir()]
        others = {folder.stat().st_uid for folder in folders} - {os.geteuid()}
        for owner in sorted(others)[:1]:
            LOG.warning(
                "The cache %s belongs to another user (%d), who can run commands as you by what it "
                "holds; if you do not trust them, set DATA_DIR to a folder of your own.",
                *(own, owner),
            )


def _make_folder(data_dir: Path) -> Path:
    """Create the cache's folder, never world-writable, whatever the umask."""
    mask = os.umask(0o077)  # the umask can only be read by setting it
    os.umask(mask)
    # If the umask lets joblib create world-writable files inside, keep others out.
    mode = 0o770 if not mask & stat.S_IWOTH else 0o777
    own = data_dir / FOLDER
    own.parent.mkdir(mode, parents=True, exist_ok=True)
    own.mkdir(mode, exist_ok=True)
    return own


def recall(
    cached: Callable[..., Value], is_whole: Callable[[object], bool], *call: object
) -> tuple[Value, float] | None:
    """Look up a call's result in the cache without computing it.

    Args:
        cached: A function wrapped by the cache.
        is_whole: Tells whether a value is a valid result of the function.
        call: Its arguments.

    Returns:
        The result and the seconds that computing it took, NaN if unknown; `None` if it is not
        cached. A damaged or invalid entry is removed with a warning.
    """
    if not isinstance(cached, MemorizedFunc):
        return None  # caching is off
    is_there = try_item(cached.check_call_in_cache, *call)
    if isinstance(is_there, InternalError):  # unknown which code the entries belong to
        name, kind = cached.func.__name__, is_there.kind
        LOG.warning("The cache of %s is damaged (%s); it is begun anew.", name, kind)
        cached.clear(warn=False)
    return _load(cached, is_whole, call) if is_there is True else None


def _load(
    cached: MemorizedFunc, is_whole: Callable[[object], bool], call: tuple[object, ...]
) -> tuple[Value, float] | None:
    """Load an existing entry, or remove it with a warning if it is damaged."""
    stored = try_item(cached.call_and_shelve, *call)
    value = stored if isinstance(stored, InternalError) else try_item(stored.get)
    if isinstance(value, InternalError):
        kind = value.kind
    elif try_item(is_whole, value) is True:
        seconds = getattr(stored, "duration", None)
        return value, seconds if isinstance(seconds, float) else math.nan
    else:
        kind = f"an unfit {type(value).__name__}"
    LOG.warning("The cache's entry of %s is damaged (%s); it is made again.", call[0], kind)
    if not isinstance(stored, InternalError):
        stored.clear()
    return None


def is_cached(cached: Callable[..., Value], *call: object) -> bool:
    """Tell whether a call's result is in the cache, which is not changed even if it is stale."""
    if not isinstance(cached, MemorizedFunc):
        return False
    return bool(cached.store_backend.contains_item((cached.func_id, cached._get_args_id(*call))))


def make_anew(cached: Callable[..., Value], *call: object) -> Value:
    """Call a function wrapped by the cache and overwrite its cached value."""
    wrapped: Cached = cached
    value: Value = wrapped.call(*call)[0]
    return value


def note_use(data_dir: Path, stage: str, hits: int, misses: int) -> None:
    """Record a finished notebook's cache hits and misses."""
    with (_make_folder(data_dir) / USES).open("a", encoding="utf-8", newline="") as file:
        csv.writer(file).writerow([stage, hits, misses])  # one short write: runs share the file


@dataclass(frozen=True)
class Entry:
    """An entry of the cache.

    Attributes:
        folder: The entry's own folder; its parent is named after the function.
        files: The files that joblib wrote into it.
        size: Their total size in bytes.
        used_at: When its value was last read, in seconds since 1970.
    """

    folder: Path
    files: tuple[Path, ...]
    size: int
    used_at: float

    def remove(self) -> None:
        """Remove the files, and the folder if nothing else is in it."""
        with suppress(OSError):  # another run removes it too, or it holds a foreign file
            for file in self.files:
                file.unlink()
            self.folder.rmdir()


def list_entries(data_dir: Path) -> list[Entry]:
    """List the entries of this project's functions, creating no folder."""
    found: list[Entry | None] = []
    for place, folders, _ in os.walk(data_dir / FOLDER / "lib"):
        found += [_find_entry(Path(place, name)) for name in folders if ENTRY.fullmatch(name)]
        folders[:] = [name for name in folders if not ENTRY.fullmatch(name)]
    return [entry for entry in found if entry]


def _find_entry(folder: Path) -> Entry | None:
    """Measure one entry; `None` if it is a link or another run is removing it."""
    states: dict[Path, os.stat_result] = {}
    with suppress(OSError), os.scandir(folder) as files:
        if not folder.is_symlink():
            states = {Path(file): file.stat() for file in files if ENTRY_FILE.fullmatch(file.name)}
    if not states:
        return None
    size = sum(state.st_size for state in states.values())
    used = states.get(folder / VALUE) or max(states.values(), key=lambda state: state.st_atime)
    return Entry(folder, tuple(states), size, used.st_atime)


def measure_cache(data_dir: Path) -> pd.DataFrame:
    """Measure the cache's entries, size, hits and misses per notebook.

    Returns:
        `COLUMNS`, one row per notebook and a last row with the totals.
    """
    entries: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for entry in list_entries(data_dir):
        function = entry.folder.parent.name
        stage = FUNCTION_STAGES.get(function, function)
        entries[stage] += 1
        sizes[stage] += entry.size
    hits, misses = _count_uses(data_dir / FOLDER / USES)
    rows = [
        (stage, entries[stage], sizes[stage] / 1e6, hits[stage], misses[stage])
        for stage in sorted({*entries, *hits, *FUNCTION_STAGES.values()})
    ]
    import pandas as pd  # here, as workers that only keep entries do without it

    table = pd.DataFrame(rows, columns=COLUMNS)
    table.loc[len(table)] = ["all", *table[list(COLUMNS[1:])].sum()]
    return table.astype(dict.fromkeys(("entries", "hits", "misses"), int))


def _count_uses(path: Path) -> tuple[Counter[str], Counter[str]]:
    """Add up hits and misses by stage; ignore a line cut short by a full disk."""
    hits: Counter[str] = Counter()
    misses: Counter[str] = Counter()
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    for line in text.splitlines():
        stage, *numbers = line.split(",")
        if len(numbers) == 2 and all(number.isdecimal() for number in numbers):
            hits[stage] += int(numbers[0])
            misses[stage] += int(numbers[1])
    return hits, misses


def prune_cache(data_dir: Path, size: str) -> int:
    """Remove the least recently used entries until the rest fits.

    Args:
        data_dir: Folder that holds the cache.
        size: Such as `"20G"`, `"500M"` or `"50K"`.

    Returns:
        The number of entries removed.

    Raises:
        ValueError: The size has another form.
    """
    if not is_size(size):
        raise ValueError(f"{size!r} is no size of a cache; expected {SIZES}.")
    most = float(size[:-1]) * 1024 ** ("KMG".index(size[-1]) + 1)
    entries = sorted(list_entries(data_dir), key=lambda entry: entry.used_at)
    held, removed = sum(entry.size for entry in entries), 0
    while held > most:
        entries[removed].remove()
        held -= entries[removed].size
        removed += 1
    return removed


def clear_cache(data_dir: Path) -> None:
    """Remove all entries and the record of hits and misses, nothing else."""
    for entry in list_entries(data_dir):
        entry.remove()
    (data_dir / FOLDER / USES).unlink(missing_ok=True)


SIZES: str = "a number with K, M or G, such as 20G"


def is_size(text: str) -> bool:
    """Tell whether a text is a cache size, such as `"20G"`.

    >>> is_size("20G"), is_size("1.5M"), is_size("20 GB"), is_size("-1G")
    (True, True, False, False)
    """
    return bool(re.fullmatch(r"\d{1,9}(\.\d{1,9})?[KMG]", text))
