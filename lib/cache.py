"""The cache of slow steps: opened, asked, looked into, kept within a size."""

import csv
import logging
import math
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
from joblib import Memory
from joblib._store_backends import CacheItemInfo
from joblib.disk import memstr_to_bytes
from joblib.memory import MemorizedFunc, NotMemorizedFunc

from lib.parameters import SIZES, is_size

LOG = logging.getLogger(__name__)

FUNCTION_STAGES: dict[str, str] = {
    "keep_vector": "02_features",
    "read_page": "03_ocr",
    "read_strokes": "03_ocr",
}
"""The notebook that each cached function serves."""

COLUMNS: tuple[str, ...] = ("stage", "entries", "megabytes", "hits", "misses")
USES: str = "uses.csv"  # in the cache's folder: stage, hits, misses, one line a finished notebook


def open_cache(data_dir: Path) -> Memory:
    """Open the cache of a data folder.

    Entries are compressed a little: the checksum that comes with it shows damage that plain
    bytes would hide.
    """
    return Memory(data_dir / "cache", compress=("zlib", 1), verbose=0)


def recall(cached: MemorizedFunc | NotMemorizedFunc, *call: object) -> tuple[Any, float] | None:
    """Take the answer to a call from the cache, without computing it.

    Args:
        cached: A function wrapped by the cache.
        call: Its arguments.

    Returns:
        The answer and the seconds it took once, NaN where that is not known; `None` if it is not
        there. A damaged entry is removed with a warning.
    """
    if not isinstance(cached, MemorizedFunc):
        return None  # there is no cache
    # The two steps of joblib's own interface would hash the arguments twice, half of a hit's time.
    call_id = (cached.func_id, cached._get_args_id(*call))
    if not cached._is_in_cache_and_valid(call_id):
        return None
    stored = cached._get_memorized_result(call_id)
    try:
        return stored.get(), stored.duration or math.nan
    except Exception as error:  # unpickling damaged bytes raises anything, MemoryError included
        kind = type(error).__name__
        LOG.warning("The cache's entry of %s is damaged (%s); it is made again.", call[0], kind)
        stored.clear()
        return None


def note_use(data_dir: Path, stage: str, hits: int, misses: int) -> None:
    """Note how often a finished notebook found what it needed."""
    folder = data_dir / "cache"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / USES).open("a", encoding="utf-8", newline="") as file:
        csv.writer(file).writerow([stage, hits, misses])  # one short write: runs may share it


def measure_cache(data_dir: Path) -> pd.DataFrame:
    """Measure what the cache holds and how often it was of use.

    Returns:
        `COLUMNS`, one row a notebook and a last one for all.
    """
    entries: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for item in _list_entries(data_dir):
        function = Path(item.path).parent.name
        stage = FUNCTION_STAGES.get(function, function)
        entries[stage] += 1
        sizes[stage] += item.size
    hits, misses = _count_uses(data_dir / "cache" / USES)
    rows = [
        (stage, entries[stage], sizes[stage] / 1e6, hits[stage], misses[stage])
        for stage in sorted({*entries, *hits, *FUNCTION_STAGES.values()})
    ]
    table = pd.DataFrame(rows, columns=COLUMNS)
    table.loc[len(table)] = ["all", *table[list(COLUMNS[1:])].sum()]
    return table.astype(dict.fromkeys(("entries", "hits", "misses"), int))


def _list_entries(data_dir: Path) -> list[CacheItemInfo]:
    """List the entries; looking makes no folder."""
    is_there = (data_dir / "cache").is_dir()
    return open_cache(data_dir).store_backend.get_items() if is_there else []


def _count_uses(path: Path) -> tuple[Counter[str], Counter[str]]:
    """Add up hits and misses by stage; a line cut short by a full disk counts for nothing."""
    hits: Counter[str] = Counter()
    misses: Counter[str] = Counter()
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    for line in lines:
        stage, *numbers = line.split(",")
        if len(numbers) == 2 and all(number.isdecimal() for number in numbers):
            hits[stage] += int(numbers[0])
            misses[stage] += int(numbers[1])
    return hits, misses


def prune_cache(data_dir: Path, size: str) -> int:
    """Remove the entries used longest ago until the rest fits.

    Args:
        data_dir: Folder that the cache lies in.
        size: Such as `"20G"`, `"500M"` or `"50K"`.

    Returns:
        The entries removed.

    Raises:
        ValueError: The size is not of that form.
    """
    if not is_size(size):
        raise ValueError(f"{size!r} is no size of a cache; expected {SIZES}.")
    entries = _list_entries(data_dir)
    if sum(entry.size for entry in entries) <= memstr_to_bytes(size):
        return 0
    open_cache(data_dir).reduce_size(bytes_limit=size)
    return len(entries) - len(_list_entries(data_dir))


def clear_cache(data_dir: Path) -> None:
    """Remove all entries and the count of their uses."""
    open_cache(data_dir).clear(warn=False)
    (data_dir / "cache" / USES).unlink(missing_ok=True)
