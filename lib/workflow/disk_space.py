"""Check free disk space before a run starts, and explain a disk that ran full."""

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

# Bytes on the disk per image, measured on the challenge's images and on the sample.
IMAGE: int = 110_000  # the file itself
CACHED: int = 4 * 13_000  # vector, shape, page and line segments: two small files and a folder each
TABLES: int = 8_000  # its rows in all tables
BATCH: int = 5_000_000  # executed notebooks and their pages

UNITS: dict[str, int] = {"GB": 10**9, "MB": 10**6, "kB": 10**3, "bytes": 1}
FULL = re.compile(r"No space left on device|disk is full|Disk quota exceeded", re.IGNORECASE)


def foresee_needs(
    run_dir: Path, data_dir: Path, images: int, batches: int, kept: int
) -> dict[Path, int]:
    """Estimate what a run will write, in bytes by folder.

    Args:
        run_dir: Of the run.
        data_dir: Of images and cache.
        images: Number of images still to be processed.
        batches: Number of their batches.
        kept: Maximum number of image files kept at the same time.
    """
    return {
        run_dir: images * TABLES + batches * BATCH,
        data_dir: images * CACHED + kept * IMAGE,
    }


def find_lack(needs: Mapping[Path, int]) -> str:
    """Describe the disk that is too small for what a run will write, `""` if there is none.

    Files already in a folder count as written: they may be what the run needs.

    Args:
        needs: Bytes by folder, whether it exists or not.
    """
    disks: dict[int, list[Path]] = {}
    for folder in needs:
        disks.setdefault(_existing(folder).stat().st_dev, []).append(folder)
    for folders in disks.values():
        need, free = sum(needs[folder] for folder in folders), _free(folders[0])
        if free < need and free < need - sum(map(_measure, folders)):
            return _describe(folders, need)
    return ""


def explain_full_disk(error: Exception, needs: Mapping[Path, int]) -> str:
    """Describe the folder whose disk ran full, `""` if an error has another cause."""
    if not FULL.search(str(error)):
        return ""
    folder = min(needs, key=_free)
    return f"{_describe([folder], needs[folder])} The same command then goes on where this run was."


def _describe(folders: list[Path], need: int) -> str:
    names = " and ".join(map(str, folders))
    return (
        f"The disk of {names} {compare_sizes(_free(folders[0]), need)}. Free space (`python -m lib "
        "cache --prune SIZE`), set KEEP_IMAGES to false, or set DATA_DIR or RUN_DIR to a folder on "
        "another disk."
    )


def compare_sizes(free: int, need: int) -> str:
    """Describe a lack of disk space: free space rounded down, needed space rounded up.

    If enough is free by now, only the free space is stated.

    >>> compare_sizes(4_999_000, 5_000_001)
    'has 4 MB free, and this run needs about 6 MB there'
    >>> compare_sizes(310, 4_321), compare_sizes(310, 900)[-21:]
    ('has 0 kB free, and this run needs about 5 kB there', 'about 900 bytes there')
    """
    unit = next((unit for unit, size in UNITS.items() if need >= size), "bytes")
    left, wanted = free // UNITS[unit], -(-need // UNITS[unit])
    if need <= free:
        return f"ran full, and has {left:,} {unit} free now"
    return f"has {left:,} {unit} free, and this run needs about {wanted:,} {unit} there"


def _free(folder: Path) -> int:
    return shutil.disk_usage(_existing(folder)).free


def _existing(folder: Path) -> Path:
    """Return the nearest existing folder at or above a path."""
    return next(path for path in (folder, *folder.absolute().parents) if path.is_dir())


def _measure(folder: Path) -> int:
    """Return the total bytes of all files below a folder."""
    return sum(
        path.stat().st_size
        for where, _, names in os.walk(folder)
        for path in (Path(where, name) for name in names)
        if path.is_file()
    )
