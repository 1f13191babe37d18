"""Find the rows of tables: captions and values that stand in columns."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np
import numpy.typing as npt

from lib.extraction import weights
from lib.ocr import Word
from lib.quantities import find_units

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool]
Points = npt.NDArray[np.complex128]  # x + iy

LONGEST_UNIT: int = 8  # letters of a cell that holds only a unit
_WORD = re.compile(r"[^\W\d_]{2}|[\u3040-\u9fff]")
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True)
class Table:
    """The cells of a page's tables, by the numbers of their lines.

    Attributes:
        previous: Cell -> the line before it in its row.
        following: Line -> the cell after it in its row.
        captions: Cell -> the text that begins its row.
    """

    previous: dict[int, int]
    following: dict[int, int]
    captions: dict[int, int]


NO_TABLE = Table({}, {}, {})


def find_table(lines: Sequence[Word], corners: Points) -> Table:
    """Find the cells of tables, ruled or not.

    A line and the one before it in its row are a pair if one of them is a value or a unit. The line
    is a cell if its pair is flush with two other pairs above or below.

    Args:
        lines: The lines of a page.
        corners: Their corners as x + iy, (4, N).
    """
    digits = [bool(_DIGIT.search(line.text)) for line in lines]
    if not are_columns(list(compress(lines, digits)), (0, 1)):
        return NO_TABLE
    words = [bool(_WORD.search(line.text)) for line in lines]
    if not are_columns(list(compress(lines, words)), (0,)):
        return NO_TABLE
    units = [
        not digit and len(line.text) <= LONGEST_UNIT and bool(find_units(line.text))
        for line, digit in zip(lines, digits, strict=True)
    ]
    previous = find_previous(corners, np.array(digits) | units)
    captions: dict[int, int] = {}
    for cell in sorted(previous, key=lambda i: lines[i].quad[0][0]):
        first = previous[cell]
        if words[first] and not units[first]:
            captions[cell] = first
        elif first in captions:
            captions[cell] = captions[first]
    return Table(previous, {before: cell for cell, before in previous.items()}, captions)


def are_columns(lines: Sequence[Word], corners: Sequence[int]) -> bool:
    """Return whether three lines are about flush at their left (0) or right (1) edges."""
    if len(lines) < weights.TABLE_ROWS:
        return False
    slack = 2 * weights.FLUSH * max(line.size for line in lines)
    edges = [sorted(line.quad[corner][0] for line in lines) for corner in corners]
    last = weights.TABLE_ROWS - 1
    return any(b - a < slack for own in edges for a, b in zip(own, own[last:], strict=False))


def find_previous(corners: Points, is_value: Mask) -> dict[int, int]:
    """Map each cell of a table to the line before it in its row."""
    left, right = corners.real.min(axis=0), corners.real.max(axis=0)
    middle, size = corners.imag.mean(axis=0), np.maximum(np.abs(corners[3] - corners[0]), 1)
    along = corners[1] - corners[0]
    level = np.abs(along.imag) < math.tan(math.radians(weights.MAX_ANGLE)) * along.real
    apart = np.abs(middle[:, None] - middle) / size[:, None]  # (N, N), in letter heights
    in_row = (apart < weights.SAME_ROW) & level & (right < left[:, None])
    gap = np.where(in_row, left[:, None] - right, np.inf)
    previous = gap.argmin(axis=1)
    ratio = size / size[previous]
    paired = in_row.any(axis=1) & level & (is_value | is_value[previous])
    paired &= np.maximum(ratio, 1 / ratio) < weights.MAX_SIZE_RATIO
    if paired.sum() < weights.TABLE_ROWS:
        return {}
    slack = weights.FLUSH * size[:, None]
    alike = is_flush(left, slack) | is_flush(right, slack)
    alike &= is_flush(left[previous], slack) & paired
    alike &= (apart > weights.SAME_ROW) & (apart < weights.TABLE_REACH)
    cells = (paired & (alike.sum(axis=1) >= weights.TABLE_ROWS - 1)).nonzero()[0]
    return dict(zip(cells.tolist(), previous[cells].tolist(), strict=True))


def is_flush(edge: Floats, slack: Floats) -> Mask:
    """Mark the pairs of lines whose edges are flush, (N, N)."""
    flush: Mask = np.abs(edge[:, None] - edge) < slack
    return flush
