"""Represent the text of one image: words and positions, in pixels of the upright original."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Point = tuple[float, float]
Quad = tuple[Point, Point, Point, Point]
Corners = npt.NDArray[np.float32]
"""Quadrilaterals while they are worked on: (4, 2), or (N, 4, 2) for many."""


@dataclass(frozen=True)
class Box:
    """An upright rectangle; pixels, y grows downwards."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Return the horizontal extent in pixels."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Return the vertical extent in pixels."""
        return self.bottom - self.top

    @property
    def center(self) -> Point:
        """Return the middle of the box, (x, y) in pixels."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    @property
    def quad(self) -> Quad:
        """Return the four corners, clockwise from the top left."""
        return (
            (self.left, self.top),
            (self.right, self.top),
            (self.right, self.bottom),
            (self.left, self.bottom),
        )


@dataclass(frozen=True)
class Word:
    """A piece of text as an engine returns it: one word (Tesseract) or one line (PP-OCR).

    Attributes:
        text: The characters read.
        confidence: As the engine reports it, 0-1.
        quad: Four (x, y) corners in pixels of the original, clockwise from the corner where the
            text begins, so that rotated text keeps its reading direction.
        source: The pass that read it, such as `"first"`, `"enlarged"` or `"rotated 90"`.
    """

    text: str
    confidence: float
    quad: Quad
    source: str = "first"

    @cached_property
    def box(self) -> Box:
        """Return the upright rectangle around the quadrilateral."""
        xs, ys = zip(*self.quad, strict=True)
        return Box(min(xs), min(ys), max(xs), max(ys))

    @cached_property
    def angle(self) -> float:
        """Return the reading direction in degrees, -180 to 180: 0 to the right, 90 downwards.

        >>> Word("up", 1.0, ((0, 9), (0, 0), (4, 0), (4, 9))).angle
        -90.0
        """
        (x1, y1), (x2, y2) = self.quad[0], self.quad[1]
        return math.degrees(math.atan2(y2 - y1, x2 - x1))

    @cached_property
    def size(self) -> float:
        """Return the height of the letters in pixels, across the reading direction."""
        return math.dist(self.quad[0], self.quad[3])


@dataclass(frozen=True)
class Page:
    """All words of one image.

    Attributes:
        width: Width of the upright original in pixels.
        height: Height of the upright original in pixels.
        engine: Name of the OCR engine that read it.
        words: In the engine's reading order.
    """

    width: int
    height: int
    engine: str
    words: tuple[Word, ...] = ()

    def __reduce__(self) -> tuple[Callable[[bytes], Page], tuple[bytes]]:
        """Pickle the page as one value, because joblib unpickles each part slowly, in Python."""
        return _restore, (pickle.dumps((self.width, self.height, self.engine, self.words)),)


def _restore(content: bytes) -> Page:
    return Page(*pickle.loads(content))


def find_center(quad: Quad) -> Point:
    """Return the middle of a quadrilateral, (x, y) in its units.

    >>> find_center(((0, 0), (4, 0), (4, 2), (0, 2)))
    (2.0, 1.0)
    """
    return sum(x for x, _ in quad) / 4, sum(y for _, y in quad) / 4
