"""Lines of text and their neighbours: which words stand beside, above or below each other."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from lib.page import Quad, Word

# Words of one line lie at most this far apart, in letter heights. A space is about 0.3 of the
# letter height in common fonts; columns of a table are more than one letter height apart.
SPACE: float = 0.65
TURN: float = 12.0  # Degrees by which two words of one line may differ.

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
    for i, left in enumerate(words):
        nexts = [j for j, right in enumerate(words) if i != j and near(left, right)]
        nexts = [j for j in nexts if j not in taken and continues(left, words[j])]
        if nexts:
            following[i] = min(nexts, key=lambda j: math.dist(left.quad[1], words[j].quad[0]))
            taken.add(following[i])
    starts = [i for i in range(len(words)) if i not in taken]
    return [merge_words([words[i] for i in chain(start, following)]) for start in starts]


def near(left: Word, right: Word) -> bool:
    """Whether one word begins about where the other ends: a cheap test before the exact one."""
    (x, y), (a, b) = left.quad[1], right.quad[0]
    reach = 1.5 * left.size
    return abs(x - a) < reach and abs(y - b) < reach


def chain(start: int, following: dict[int, int]) -> Iterable[int]:
    """Follow links from `start` to their end."""
    yield start
    while start in following:
        start = following[start]
        yield start


def find_beside(line: Word, lines: Sequence[Word], reach: float = 3.0) -> Word | None:
    """Find the nearest line on the same row, after this one.

    Args:
        line: Its reading direction and letter height are the measure.
        lines: Those to choose from.
        reach: How far to look, in letter heights.
    """
    size = line.size
    _, end, _, _ = find_extent(line, line)
    found = [
        (start - end, other)
        for other, (start, _, top, bottom) in level(line, lines)
        if -0.3 * size < start - end < reach * size
        and abs((top + bottom) / 2 - size / 2) < 0.6 * max(size, bottom - top) / 1.2
    ]
    return min(found, key=lambda item: item[0])[1] if found else None


def find_before(line: Word, lines: Sequence[Word], reach: float = 12.0) -> Word | None:
    """Find the nearest line on the same row, before this one."""
    size = line.size
    found = [
        (-end, other)
        for other, (_, end, top, bottom) in level(line, lines)
        if -reach * size < end < 0.3 * size
        and abs((top + bottom) / 2 - size / 2) < 0.5 * max(size, bottom - top)
    ]
    return min(found, key=lambda item: item[0])[1] if found else None


def find_above(line: Word, lines: Sequence[Word], reach: float = 2.0) -> Word | None:
    """Find the nearest line above this one whose extent overlaps it."""
    size = line.size
    _, width, _, _ = find_extent(line, line)
    found = [
        (-bottom, other)
        for other, (start, end, _, bottom) in level(line, lines)
        if -reach * size < bottom < 0.4 * size and min(width, end) - max(0, start) > 0
    ]
    return min(found, key=lambda item: item[0])[1] if found else None


def find_below(line: Word, lines: Sequence[Word], reach: float = 2.0) -> Word | None:
    """Find the nearest line below this one whose extent overlaps it."""
    size = line.size
    _, width, _, _ = find_extent(line, line)
    found = [
        (top, other)
        for other, (start, end, top, _) in level(line, lines)
        if 0.6 * size < top < (1 + reach) * size and min(width, end) - max(0, start) > 0
    ]
    return min(found, key=lambda item: item[0])[1] if found else None


def level(line: Word, lines: Sequence[Word]) -> list[tuple[Word, Extent]]:
    """Give the lines that read in the same direction, with their extents in this one's frame."""
    return [
        (other, find_extent(other, line))
        for other in lines
        if other is not line and differ_in_angle(other.angle, line.angle) <= TURN
    ]
