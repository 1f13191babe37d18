"""Join words into lines and find the neighbours of each line."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from lib.extraction import weights
from lib.extraction.tables import Table, find_table
from lib.ocr import Quad, Word

BLOCK: int = 64  # Words compared with all others at once; bounds the memory.

Floats = npt.NDArray[np.float64]
Points = npt.NDArray[np.complex128]  # x + iy
Mask = npt.NDArray[np.bool]
Extent = tuple[float, float, float, float]


def find_extent(word: Word, origin: Word) -> Extent:
    """Measure a word in the reading frame of another.

    Args:
        word: The word to measure.
        origin: Its reading direction is the first axis, its first corner is the origin.

    Returns:
        (start, end, top, bottom) in pixels along and across the reading direction of `origin`.

    >>> one = Word("1", 1, ((0, 0), (10, 0), (10, 10), (0, 10)))
    >>> kg = Word("kg", 1, ((12, 0), (30, 0), (30, 10), (12, 10)))
    >>> find_extent(kg, one)
    (12.0, 30.0, 0.0, 10.0)
    """
    angle = math.radians(origin.angle)
    cos, sin = math.cos(angle), math.sin(angle)
    x0, y0 = origin.quad[0]
    along = [(x - x0) * cos + (y - y0) * sin for x, y in word.quad]
    across = [(y - y0) * cos - (x - x0) * sin for x, y in word.quad]
    return min(along), max(along), min(across), max(across)


def differ_in_angle(a: float, b: float) -> float:
    """Return the smaller angle between two directions, 0-180 degrees.

    >>> differ_in_angle(-175, 175)
    10
    """
    return abs((a - b + 180) % 360 - 180)


def cut_quad(word: Word, start: int, end: int) -> Quad:
    """Estimate the corners of characters `start` to `end` of a word from their share of its length.

    >>> cut_quad(Word("15 cm", 1, ((0, 0), (50, 0), (50, 10), (0, 10))), 0, 2)
    ((0.0, 0.0), (20.0, 0.0), (20.0, 10.0), (0.0, 10.0))
    """
    length = max(len(word.text), 1)
    a, b = start / length, end / length
    (x1, y1), (x2, y2), (x3, y3), (x4, y4) = word.quad
    top = [(x1 + t * (x2 - x1), y1 + t * (y2 - y1)) for t in (a, b)]
    low = [(x4 + t * (x3 - x4), y4 + t * (y3 - y4)) for t in (a, b)]
    return top[0], top[1], low[1], low[0]


def continues(left: Word, right: Word) -> bool:
    """Return whether `right` is the next word of the line that ends with `left`."""
    size = max(left.size, right.size)
    if size > weights.MAX_SIZE_RATIO * min(left.size, right.size):
        return False
    if differ_in_angle(left.angle, right.angle) > weights.MAX_ANGLE:
        return False
    _, width, top, bottom = find_extent(left, left)
    start, end, right_top, right_bottom = find_extent(right, left)
    shift, gap = abs(top + bottom - right_top - right_bottom) / 2, start - width
    if shift >= weights.MAX_SHIFT * size or end <= width:
        return False
    return -weights.MAX_OVERLAP * size < gap < weights.MAX_SPACE * size


def merge_words(words: Sequence[Word]) -> Word:
    """Merge the words of one line, in their order."""
    if len(words) == 1:
        return words[0]
    first, last = words[0], words[-1]
    letters = sum(len(word.text) for word in words)
    confidence = sum(word.confidence * len(word.text) for word in words) / max(letters, 1)
    quad = (first.quad[0], last.quad[1], last.quad[2], first.quad[3])
    return Word(" ".join(word.text for word in words), confidence, quad, first.source)


def join_words(words: Sequence[Word]) -> list[Word]:
    """Join words into lines.

    Args:
        words: In any order.

    Returns:
        One word per line, in the order of the lines' first words; lone words are unchanged.

    >>> a = Word("1.5", 0.9, ((0, 0), (30, 0), (30, 10), (0, 10)))
    >>> b = Word("kg", 0.8, ((34, 0), (50, 0), (50, 10), (34, 10)))
    >>> [line.text for line in join_words([b, a])]
    ['1.5 kg']
    """
    following: dict[int, int] = {}
    taken: set[int] = set()
    for i, (left, nexts) in enumerate(zip(words, find_near(words), strict=True)):
        free = [j for j in nexts if j != i and j not in taken and continues(left, words[j])]
        if free:
            following[i] = min(free, key=lambda j: math.dist(left.quad[1], words[j].quad[0]))
            taken.add(following[i])
    starts = [i for i in range(len(words)) if i not in taken]
    return [merge_words([words[i] for i in follow_links(start, following)]) for start in starts]


def find_near(words: Sequence[Word]) -> list[list[int]]:
    """List for each word those that begin about where it ends: a filter before `continues`."""
    starts = np.array([word.quad[0] for word in words], float).reshape(-1, 2).T
    ends = np.array([word.quad[1] for word in words], float).reshape(-1, 2).T
    reach = weights.SEARCH_RADIUS * np.array([word.size for word in words])
    near: list[list[int]] = [[] for _ in words]
    for first in range(0, len(words), BLOCK):
        block = slice(first, first + BLOCK)
        apart = np.abs(ends[:, block, None] - starts[:, None])  # (2, BLOCK, W)
        close = (apart < reach[block, None]).all(axis=0)
        for i, j in zip(*(found.tolist() for found in close.nonzero()), strict=True):
            near[first + i].append(j)
    return near


def follow_links(start: int, following: dict[int, int]) -> Iterable[int]:
    """Follow links from `start` to their end."""
    yield start
    while start in following:
        start = following[start]
        yield start


@dataclass(frozen=True, eq=False)
class View:
    """All W lines of a page in the reading frames of a block of B of them.

    The neighbours on each side are line numbers, -1 if there is none.

    Attributes:
        start: (B, W) pixels along the row from the start of the line to the start of the other.
        end: (B, W) likewise to the end of the other.
        top: (B, W) pixels from the top of the line down to the top of the other.
        bottom: (B, W) likewise to the bottom of the other.
        size: (B, 1) letter height of the line.
        width: (B, 1) length of the line.
        level: (B, W) whether the other reads in the same direction, False for the line itself.
    """

    start: Floats
    end: Floats
    top: Floats
    bottom: Floats
    size: Floats
    width: Floats
    level: Mask

    @cached_property
    def beside(self) -> list[int]:
        """Find the lines on the same row, at most three letter heights after."""
        return self._nearest(self.start - self.width, "beside", self._row)

    @cached_property
    def before(self) -> list[int]:
        """Find the lines on the same row, at most twelve letter heights before."""
        return self._nearest(-self.end, "before", self._row)

    @cached_property
    def above(self) -> list[int]:
        """Find the lines at most two letter heights above that overlap in extent."""
        return self._nearest(-self.bottom, "above", self._column)

    @cached_property
    def below(self) -> list[int]:
        """Find the lines at most two letter heights below that overlap in extent."""
        return self._nearest(self.top, "below", self._column)

    @cached_property
    def _row(self) -> Mask:
        """Mark the lines that are on the same row, (B, W)."""
        higher = np.maximum(self.size, self.bottom - self.top)
        return self.level & (np.abs(self.top + self.bottom - self.size) < higher)

    @cached_property
    def _column(self) -> Mask:
        """Mark the lines that are in the same column, (B, W)."""
        return self.level & (np.minimum(self.width, self.end) > np.maximum(0, self.start))

    def _nearest(self, distance: Floats, side: str, fits: Mask) -> list[int]:
        """Choose for each line the nearest that fits, within limits in letter heights."""
        least, most = weights.NEIGHBOUR[side]
        fits = fits & (distance > least * self.size) & (distance < most * self.size)
        nearest = np.where(fits, distance, np.inf).argmin(axis=1)
        chosen: list[int] = np.where(fits.any(axis=1), nearest, -1).tolist()
        return chosen


class Layout:
    """The lines of a page and their neighbours.

    Each search takes the number of a line and returns that of the nearest line on one side, framed
    along the line's reading direction; -1 if none there reads in the same direction.

    Args:
        lines: Lines of one page.
    """

    def __init__(self, lines: Sequence[Word]) -> None:
        self.lines = lines
        self._views: dict[int, View] = {}

    def find_beside(self, index: int) -> int:
        """Find the line after this one on its row."""
        following = self.table.following.get(index, -1)
        return following if following >= 0 else self._view(index).beside[index % BLOCK]

    def find_before(self, index: int) -> int:
        """Find the line before this one on its row."""
        previous = self.table.previous.get(index, -1)
        return previous if previous >= 0 else self._view(index).before[index % BLOCK]

    def find_caption(self, index: int) -> int:
        """Find the line that begins this line's row of a table."""
        return self.table.captions.get(index, -1)

    @cached_property
    def table(self) -> Table:
        """Find the cells of the page's tables."""
        return find_table(self.lines, self._corners)

    def find_above(self, index: int) -> int:
        """Find the line above this one."""
        return self._view(index).above[index % BLOCK]

    def find_below(self, index: int) -> int:
        """Find the line below this one."""
        return self._view(index).below[index % BLOCK]

    @cached_property
    def _corners(self) -> Points:
        """Return the corners of all lines, (4, W), as x + iy."""
        quads = np.array([line.quad for line in self.lines], float).reshape(-1, 4, 2)
        return np.ascontiguousarray(quads.view(complex)[..., 0].T)

    @cached_property
    def _directions(self) -> Points:
        """Return the reading directions of all lines, (W,), as x + iy of length 1."""
        along: Points = self._corners[1] - self._corners[0]
        return np.divide(along, np.maximum(np.abs(along), 1e-9))

    def _view(self, index: int) -> View:
        """Return the view of the block that holds the line."""
        number = index // BLOCK
        if number not in self._views:
            self._views[number] = self._measure(slice(number * BLOCK, (number + 1) * BLOCK))
        return self._views[number]

    def _measure(self, block: slice) -> View:
        """Measure all lines in the reading frames of a block of lines."""
        corners, directions = self._corners, self._directions[block, None].conj()
        framed = (corners[:, None] - corners[0, block, None]) * directions  # (4, B, W)
        along, across = framed.real, framed.imag
        start, end = along.min(axis=0), along.max(axis=0)
        level = (self._directions * directions).real >= math.cos(math.radians(weights.MAX_ANGLE))
        own = np.arange(len(directions)), np.arange(len(directions)) + block.start
        level[own] = False
        size = np.abs(corners[3] - corners[0])[block, None]
        width = end[own][:, None]
        return View(start, end, across.min(axis=0), across.max(axis=0), size, width, level)
