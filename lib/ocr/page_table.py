"""Convert pages to tables with one row per word, and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from lib.ocr.page import Page, Word
from lib.ocr.reading import ReadResult
from lib.parallel import try_each
from lib.quantities import parse_quantities

CORNERS: list[str] = ["x1", "y1", "x2", "y2", "x3", "y3", "x4", "y4"]
WORD_COLUMNS: list[str] = ["sha256", "engine", "text", "confidence", "source", *CORNERS]
LINE_SEGMENT_COLUMNS: list[str] = ["sha256", "x1", "y1", "x2", "y2"]
PAGE_COLUMNS: dict[str, type] = {
    **dict.fromkeys(["sha256", "engine", "version"], str),
    **dict.fromkeys(["width", "height", "words"], int),
    **{"seconds": float, "status": str, "reason": str},
}


def tabulate_pages(reading: ReadResult) -> pd.DataFrame:
    """Tabulate images, one row each, whether read or failed.

    Returns:
        `PAGE_COLUMNS`; `words` is their number, `status` is `"ok"` or `"failed"`, width and height
        of a failed image are 0.
    """
    rows = []
    for sha256 in [*reading.pages, *reading.failures]:
        page = reading.pages.get(sha256, Page(0, 0, reading.engine))
        reason = reading.failures.get(sha256, "")
        read = (reading.engine, reading.version, page.width, page.height, len(page.words))
        status = "failed" if reason else "ok"
        rows.append((sha256, *read, reading.seconds[sha256], status, reason))
    return pd.DataFrame(rows, columns=list(PAGE_COLUMNS)).astype(PAGE_COLUMNS)


def tabulate_words(pages: Mapping[str, Page]) -> pd.DataFrame:
    """Tabulate the words of pages.

    Args:
        pages: sha256 of the image -> its page.

    Returns:
        One row per word in reading order: `WORD_COLUMNS`, corners in pixels as float32.
    """
    rows = [
        (sha256, page.engine, word.text, word.confidence, word.source, *np.ravel(word.quad))
        for sha256, page in pages.items()
        for word in page.words
    ]
    table = pd.DataFrame(rows, columns=WORD_COLUMNS)
    floats = dict.fromkeys([*CORNERS, "confidence"], np.float32)
    return table.astype(floats | dict.fromkeys(["sha256", "engine", "text", "source"], str))


def mark_quantities(words: pd.DataFrame, names: Mapping[str, str]) -> pd.Series:
    """Tell which words hold a number with a unit.

    Args:
        words: Columns `sha256` and `text`.
        names: Names of the images for messages, by sha256.

    Raises:
        StageFault: All words met the same internal error.
    """
    calls = (
        (f"{names.get(sha256, sha256)}, text {text!r}", partial(has_quantity, text))
        for sha256, text in zip(words["sha256"], words["text"], strict=True)
    )
    found = try_each("looking for quantities", calls, lambda error: False)
    return pd.Series(found, words.index, dtype=bool)


def has_quantity(text: str) -> bool:
    """Tell whether a text holds a number with a unit."""
    return any(mention.quantity.unit for mention in parse_quantities(text))


def tabulate_line_segments(segments: Mapping[str, npt.NDArray[np.float32]]) -> pd.DataFrame:
    """Tabulate the line segments of images.

    Args:
        segments: sha256 of the image -> (N, 4) in pixels.

    Returns:
        One row per line segment: `LINE_SEGMENT_COLUMNS`.
    """
    parts = [np.empty((0, 4), np.float32), *segments.values()]
    table = pd.DataFrame(np.concatenate(parts), columns=LINE_SEGMENT_COLUMNS[1:])
    names = np.repeat(np.array(list(segments), dtype=object), [len(part) for part in parts[1:]])
    table.insert(0, "sha256", pd.Series(names, dtype=str))
    return table


class Pages(Mapping[str, Page]):
    """The pages of one engine by the image's sha256, each rebuilt on access.

    Args:
        words: Table from `tabulate_words`.
        pages: One row per image read, with or without words: sha256, width, height, engine.
    """

    def __init__(self, words: pd.DataFrame, pages: pd.DataFrame) -> None:
        self._words = dict(list(words.groupby("sha256", sort=False)))
        columns = (pages[name].tolist() for name in ("sha256", "width", "height", "engine"))
        self._rows = {sha256: row for sha256, *row in zip(*columns, strict=True)}

    def __getitem__(self, sha256: str) -> Page:
        width, height, engine = self._rows[sha256]
        return Page(width, height, engine, restore_words(self._words.get(sha256)))

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def restore_words(table: pd.DataFrame | None) -> tuple[Word, ...]:
    """Convert the rows of one page back to its words."""
    if table is None:
        return ()
    columns = (
        table["text"],
        table["confidence"],
        table["source"],
        *table[CORNERS].to_numpy(float).T,
    )
    return tuple(
        Word(text, float(confidence), ((x1, y1), (x2, y2), (x3, y3), (x4, y4)), source)
        for text, confidence, source, x1, y1, x2, y2, x3, y3, x4, y4 in zip(*columns, strict=True)
    )


def split_line_segments(table: pd.DataFrame) -> dict[str, npt.NDArray[np.float32]]:
    """Return the line segments of each image: sha256 -> (N, 4) float32."""
    groups = table.groupby("sha256", sort=False)
    return {
        str(sha256): rows[LINE_SEGMENT_COLUMNS[1:]].to_numpy(np.float32) for sha256, rows in groups
    }
