"""Lines of text and their neighbours: which words stand beside, above or below each other."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np

from lib.page import Quad, Word

# Words of one line lie at most this far apart, in letter heights. A space is about 0.3 of the
# letter height in common fonts; columns of a table are more than one letter height apart.
SPACE: float = 0.65
TURN: float = 12.0  # Degrees by which two words of one line may differ.
BLOCK: int = 64  # Words compared with all others at once: quick, in bounded memory.

Extent = tuple[float, float, float, float]


def find_extent(word: Word, origin: Word) -> Extent:
    """Measure a word in the reading frame of another.

    Args:
        word: The word to measure.
        origin: Its reading direction is the first axis, its first corner the origin.

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
    """Give the smaller angle between two directions, 0-180 degrees.

    >>> differ_in_angle(-175, 175)
    10
    """
    return abs((a - b + 180) % 360 - 180)


def cut_quad(word: Word, start: int, end: int) -> Quad:
    """Estimate where characters `start` to `end` of a word stand, from their share of its length.

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
    """Whether `right` is the next word of the line that `left` ends."""
    size = max(left.size, right.size)
    if size > 1.8 * min(left.size, right.size) or differ_in_angle(left.angle, right.angle) > TURN:
        return False
    _, width, top, bottom = find_extent(left, left)
    start, end, right_top, right_bottom = find_extent(right, left)
    same_row = abs(top + bottom - right_top - right_bottom) / 2 < 0.4 * size
    return same_row and end > width and -0.4 * size < start - width < SPACE * size


def merge_words(words: Sequence[Word]) -> Word:
    """Put the words of one line together, in their order."""
    if len(words) == 1:
        return words[0]
    first, last = words[0], words[-1]
    letters = sum(len(word.text) for word in words)
    confidence = sum(word.confidence * len(word.text) for word in words) / max(letters, 1)
    quad = (first.quad[0], last.quad[1], last.quad[2], first.quad[3])
    return Word(" ".join(word.text for word in words), confidence, quad, first.source)


def join_words(words: Sequence[Word]) -> list[Word]:
    """Join words that continue each other into lines.

    Args:
        words: In any order; words that stand alone come back as they are.

    Returns:
        One word a line, ordered as the first word of each line was.

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
    return [merge_words([words[i] for i in chain(start, following)]) for start in starts]


def find_near(words: Sequence[Word]) -> list[list[int]]:
    """List for each word those that begin about where it ends: cheap, before the exact test."""
    quads = np.array([word.quad for word in words], float).reshape(-1, 4, 2)
    starts, ends = quads[:, 0], quads[:, 1]  # (W, 2)
    reach = 1.5 * np.hypot(*(quads[:, 3] - starts).T)[:, None]
    near: list[list[int]] = [[] for _ in words]
    for first in range(0, len(words), BLOCK):
        block = slice(first, first + BLOCK)
        apart = np.abs(ends[block, None] - starts)  # (BLOCK, W, 2)
        close = (apart[..., 0] < reach[block]) & (apart[..., 1] < reach[block])
        for i, j in zip(*(places.tolist() for places in close.nonzero()), strict=True):
            near[first + i].append(j)
    return near


def chain(start: int, following: dict[int, int]) -> Iterable[int]:
    """Follow links from `start` to their end."""
    yield start
    while start in following:
        start = following[start]
        yield start


# Letter height and length of a line, and the others that read in its direction: number and extent.
View = tuple[float, float, list[tuple[int, Extent]]]


class Layout:
    """The lines of a page, and which of them stand beside, above or below each other.

    Each search looks from one line, given by its number, along its own reading direction, and
    gives the number of the nearest line there that reads in the same direction, else None.

    Args:
        lines: Of one page.
    """

    def __init__(self, lines: Sequence[Word]) -> None:
        self.lines = lines
        self._blocks: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self._views: dict[int, View] = {}

    @cached_property
    def _corners(self) -> np.ndarray:
        """Corners of all lines, (W, 4), x + iy."""
        quads = np.array([line.quad for line in self.lines], float)
        return quads.reshape(-1, 4, 2).view(complex)[..., 0]

    @cached_property
    def _turns(self) -> np.ndarray:
        """Reading direction of all lines, (W,), x + iy of length 1."""
        along = self._corners[:, 1] - self._corners[:, 0]
        return along / np.maximum(np.abs(along), 1e-9)

    def find_beside(self, index: int, reach: float = 3.0) -> int | None:
        """Find the nearest line on the same row, at most `reach` letter heights after this one."""
        size, width, level = self._look(index)
        found = [
            (start - width, other)
            for other, (start, _, top, bottom) in level
            if -0.3 * size < start - width < reach * size
            and abs(top + bottom - size) < max(size, bottom - top)
        ]
        return min(found)[1] if found else None

    def find_before(self, index: int, reach: float = 12.0) -> int | None:
        """Find the nearest line on the same row, at most `reach` letter heights before this one."""
        size, _, level = self._look(index)
        found = [
            (-end, other)
            for other, (_, end, top, bottom) in level
            if -reach * size < end < 0.3 * size
            and abs(top + bottom - size) < max(size, bottom - top)
        ]
        return min(found)[1] if found else None

    def find_above(self, index: int, reach: float = 2.0) -> int | None:
        """Find the nearest line within `reach` letter heights above whose extent overlaps."""
        size, width, level = self._look(index)
        found = [
            (-bottom, other)
            for other, (start, end, _, bottom) in level
            if -reach * size < bottom < 0.4 * size and min(width, end) > max(0, start)
        ]
        return min(found)[1] if found else None

    def find_below(self, index: int, reach: float = 2.0) -> int | None:
        """Find the nearest line within `reach` letter heights below whose extent overlaps."""
        size, width, level = self._look(index)
        found = [
            (top, other)
            for other, (start, end, top, _) in level
            if 0.6 * size < top < (1 + reach) * size and min(width, end) > max(0, start)
        ]
        return min(found)[1] if found else None

    def _look(self, index: int) -> View:
        """Look at the page from a line; each is asked for up to four times."""
        if index not in self._views:
            number, row = divmod(index, BLOCK)
            if number not in self._blocks:
                self._blocks[number] = self._compare(slice(number * BLOCK, (number + 1) * BLOCK))
            extents, level = (part[row] for part in self._blocks[number])
            others = zip(level.nonzero()[0].tolist(), extents[level].tolist(), strict=True)
            width = float(extents[index, 1])
            view = self.lines[index].size, width, [other for other in others if other[0] != index]
            self._views[index] = view
        return self._views[index]

    def _compare(self, block: slice) -> tuple[np.ndarray, np.ndarray]:
        """Measure all lines in the frame of some, (B, W, 4), and tell which are level, (B, W)."""
        turns = self._turns[block, None].conj()
        seen = (self._corners - self._corners[block, None, :1]) * turns[..., None]  # (B, W, 4)
        extents = np.empty((len(turns), len(self._turns), 4))
        for column, part in enumerate((seen.real, seen.imag)):
            part.min(axis=2, out=extents[..., 2 * column])
            part.max(axis=2, out=extents[..., 2 * column + 1])
        return extents, (self._turns * turns).real >= math.cos(math.radians(TURN))
