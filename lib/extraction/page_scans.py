"""Scan the pages of a run on demand, keeping only the latest in memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import pandas as pd

from lib.extraction.dimension_lines import Segments
from lib.extraction.scan import NO_LINE_SEGMENTS, Scan, scan_page
from lib.io import list_parts
from lib.ocr import Page, Pages, split_line_segments

MAX_SCANS: int = 1000  # scanned pages in memory, about 50 kB each
BATCH_SIZE: int = 2000  # samples per batch
Value = TypeVar("Value")


class Parts(Mapping[str, Value]):
    """A mapping over the parts of a table that keeps the last part read in memory.

    Iterating in its own order reads each part once.

    Args:
        paths: Files of the parts.
        read_keys: Reads the keys of a part.
        read: Reads all values of a part by key.
    """

    def __init__(
        self,
        paths: list[Path],
        read_keys: Callable[[Path], pd.Series[str]],
        read: Callable[[Path], Mapping[str, Value]],
    ) -> None:
        self._paths: dict[str, Path] = {}
        for path in paths:
            for key in read_keys(path).unique():
                self._paths.setdefault(key, path)
        self._read = lru_cache(maxsize=1)(read)

    def __getitem__(self, key: str) -> Value:
        return self._read(self._paths[key])[key]

    def __contains__(self, key: object) -> bool:
        return key in self._paths  # does not read the value: its errors must not be hidden

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


class Scans(Mapping[str, Scan]):
    """Scanned pages by the image's sha256; the last `MAX_SCANS` are cached.

    Args:
        pages: sha256 -> page.
        segments: sha256 -> line segments, (N, 4) in pixels.
        roundness: sha256 -> probability that the image shows a round product.
    """

    def __init__(
        self,
        pages: Mapping[str, Page],
        segments: Mapping[str, Segments],
        roundness: Mapping[str, float],
    ) -> None:
        self.pages = pages
        self._segments = segments
        self._roundness = roundness
        self._scan = lru_cache(maxsize=MAX_SCANS)(self._scan_page)

    def __getitem__(self, sha256: str) -> Scan:
        return self._scan(sha256)

    def __iter__(self) -> Iterator[str]:
        return iter(self.pages)

    def __len__(self) -> int:
        return len(self.pages)

    def __contains__(self, sha256: object) -> bool:
        return sha256 in self.pages

    def _scan_page(self, sha256: str) -> Scan:
        segments = NO_LINE_SEGMENTS
        if sha256 in self._segments:  # get() would hide a read error
            segments = self._segments[sha256]
        return scan_page(self.pages[sha256], segments, self._roundness.get(sha256, math.nan))


def open_scans(tables: Path, engine: str, roundness: Mapping[str, float]) -> Scans:
    """Open the pages that one OCR engine has read in a run.

    Args:
        tables: Folder of the run's tables.
        engine: Name of the engine in the tables.
        roundness: As in `Scans`.

    Raises:
        FileNotFoundError: The tables are missing; the message names the notebook that makes them.
    """
    pages = Parts(
        list_parts(tables / "pages", "03_ocr.ipynb"),
        lambda path: _read_rows(path, engine)["sha256"],
        lambda path: _read_pages(path, engine),
    )
    segments = Parts(
        list_parts(tables / "line_segments", "02_features.ipynb"),
        lambda path: pd.read_parquet(path, columns=["sha256"])["sha256"],
        lambda path: split_line_segments(pd.read_parquet(path)),
    )
    return Scans(pages, segments, roundness)


def _read_rows(path: Path, engine: str) -> pd.DataFrame:
    """Read the rows of a part of the pages that one engine has read."""
    return pd.read_parquet(path, filters=[("engine", "==", engine), ("status", "==", "ok")])


def _read_pages(path: Path, engine: str) -> Pages:
    """Read a part of the pages and its words, which are in a separate table."""
    words_path = path.parents[1] / "words" / path.name
    words = pd.read_parquet(words_path, filters=[("engine", "==", engine)])
    return Pages(words, _read_rows(path, engine))


def iterate_samples(samples: pd.DataFrame, scans: Mapping[str, object]) -> Iterator[pd.DataFrame]:
    """Yield samples in batches in page order, so that each page is scanned once.

    Args:
        samples: Table with `sha256`.
        scans: sha256 -> scan.

    Yields:
        Rows of `samples` with their index; at least one frame, possibly empty.
    """
    order = {sha256: position for position, sha256 in enumerate(scans)}
    positions = samples["sha256"].map(order).fillna(len(order))
    ordered = samples.iloc[positions.argsort(kind="stable")]
    for start in range(0, max(1, len(ordered)), BATCH_SIZE):
        yield ordered.iloc[start : start + BATCH_SIZE]
