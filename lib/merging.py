"""Several readings of one picture merged, each piece of text kept once."""

from collections.abc import Iterable

import cv2
import numpy as np

from lib.page import Word

OVERLAP: float = 0.5
"""Two words that share more than this part of the smaller one are readings of the same text."""


def merge_words(passes: Iterable[Iterable[Word]]) -> list[Word]:
    """Keep each piece of text once: the surest reading of it.

    Args:
        passes: The words each pass read, all in pixels of the same picture.

    Returns:
        Those kept, in the order given.

    >>> up = Word("12 cm", 0.9, ((0, 0), (50, 0), (50, 10), (0, 10)))
    >>> turned = Word("wo", 0.4, ((9, 0), (9, 10), (0, 10), (0, 0)), "turned 90")
    >>> [word.text for word in merge_words([[up], [turned]])]
    ['12 cm']
    """
    words = [word for found in passes for word in found]
    kept: list[int] = []
    for index in sorted(range(len(words)), key=lambda index: -weigh_word(words[index])):
        if not any(overlap(words[index], words[other]) > OVERLAP for other in kept):
            kept.append(index)
    return [words[index] for index in sorted(kept)]


def weigh_word(word: Word) -> float:
    """Weigh a reading: its confidence, less for one to three letters, which noise gives as well.

    >>> quad = ((0, 0), (1, 0), (1, 1), (0, 1))
    >>> weigh_word(Word("12cm", 0.9, quad)) > weigh_word(Word("12", 0.95, quad))
    True
    """
    return word.confidence * (1 - 0.5 ** len(word.text))


def overlap(one: Word, other: Word) -> float:
    """Measure the area two words share, as a part of the smaller one, 0-1."""
    a, b = one.box, other.box
    if min(a.right, b.right) <= max(a.left, b.left) or min(a.bottom, b.bottom) <= max(a.top, b.top):
        return 0.0
    first, second = np.float32(one.quad), np.float32(other.quad)  # (4, 2)
    smaller = min(cv2.contourArea(first), cv2.contourArea(second))
    shared, _ = cv2.intersectConvexConvex(first, second)
    return min(1.0, shared / smaller) if smaller > 0 else 1.0
