"""Merge the words of several OCR passes over one image, keeping each piece of text once."""

from collections.abc import Iterable

import cv2
import numpy as np

from lib.ocr.page import Corners, Word

OVERLAP: float = 0.5
"""Two words that share more than this part of the smaller one's area are the same text."""


def merge_words(passes: Iterable[Iterable[Word]]) -> list[Word]:
    """Keep each piece of text once, in its most confident reading.

    Args:
        passes: The words each pass read, all in pixels of the same image.

    Returns:
        The words kept, in the order given.

    >>> up = Word("12 cm", 0.9, ((0, 0), (50, 0), (50, 10), (0, 10)))
    >>> turned = Word("wo", 0.4, ((9, 0), (9, 10), (0, 10), (0, 0)), "turned 90")
    >>> [word.text for word in merge_words([[up], [turned]])]
    ['12 cm']
    """
    words = [word for found in passes for word in found]
    corners = [np.array(word.quad, np.float32) for word in words]
    kept: list[int] = []
    for index in sorted(range(len(words)), key=lambda index: -weigh_word(words[index])):
        if not any(overlap(corners[index], corners[other]) > OVERLAP for other in kept):
            kept.append(index)
    return [words[index] for index in sorted(kept)]


def weigh_word(word: Word) -> float:
    """Return the confidence of a word, reduced for short text, which noise also produces.

    >>> quad = ((0, 0), (1, 0), (1, 1), (0, 1))
    >>> weigh_word(Word("12cm", 0.9, quad)) > weigh_word(Word("12", 0.95, quad))
    True
    """
    return word.confidence * (1 - 0.5 ** len(word.text))


def overlap(one: Corners, other: Corners) -> float:
    """Measure the area that two convex shapes share, as a fraction of the smaller one.

    Args:
        one: Corners (N, 2).
        other: Corners (N, 2).

    Returns:
        0-1.

    >>> square = np.float32([[0, 0], [10, 0], [10, 10], [0, 10]])
    >>> overlap(square, square + 5), overlap(square, square + 10), overlap(square, square / 2)
    (0.25, 0.0, 1.0)
    """
    if (one.max(0) <= other.min(0)).any() or (other.max(0) <= one.min(0)).any():
        return 0.0
    smaller = min(cv2.contourArea(one), cv2.contourArea(other))
    shared, _ = cv2.intersectConvexConvex(one, other)
    return min(1.0, shared / smaller) if smaller > 0 else 1.0
