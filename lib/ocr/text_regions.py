"""Find the parts of an image that may hold small print, and arrange them on one canvas."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from cv2.typing import MatLike

from lib.ocr.page import Corners

Rectangles = npt.NDArray[np.int32]
"""Left, top, right and bottom of each, (N, 4), in pixels."""

TEXTURE_STEP: int = 24  # grey levels between neighbours, from which a pixel is an edge
TEXTURE_SHARE: float = 0.4  # of edges in a window, from which it is texture
TEXTURE_WINDOW: tuple[int, int] = (25, 9)  # pixels; some letters of print below 12 pixels
TEXTURE_WIDTH: int = 12  # pixels, at least
"""Of steps 24 to 50 and shares 0.4 to 0.6, the only ones that lose no answer on dev.csv and
statements.csv."""
LONG: float = 1.5  # a stretch of text this many times as long as wide has a direction
GAP: int = 8  # pixels between two parts on the canvas
CANVAS_GRID: int = 64  # pixels; few sizes, since OpenVINO prepares each new one for 20-40 ms
PADDING: int = 127  # grey: zero once normalised, as in training


@dataclass(frozen=True)
class Margins:
    """The surroundings that a part keeps.

    Attributes:
        pixels: On every side, in pixels of the network's input;
        along: at both ends of the text, in addition, in heights of the print.
    """

    pixels: float
    along: float


@dataclass(frozen=True)
class Canvas:
    """Parts of an image side by side.

    Attributes:
        pixels: The canvas, (height, width, 3), uint8.
        parts: The rectangles that were cut out of the image.
        places: Left and top corner of each on the canvas, (N, 2).
        scale: Pixels of the canvas per pixel of the image.
    """

    pixels: MatLike
    parts: Rectangles
    places: npt.NDArray[np.int32]
    scale: float

    def to_image(self, boxes: Corners) -> Corners:
        """Move boxes (N, 4, 2) from the canvas to the image, each inside its part."""
        sizes = (self.parts[:, 2:] - self.parts[:, :2]) * self.scale
        outside = np.maximum(
            self.places - boxes.mean(1)[:, None], boxes.mean(1)[:, None] - self.places - sizes
        )
        owner = outside.max(2).argmin(1) if len(boxes) else np.empty(0, int)
        low, high = self.parts[owner, None, :2], self.parts[owner, None, 2:]
        moved = (boxes - self.places[owner, None]) / self.scale + low
        return np.asarray(np.clip(moved, low, high), np.float32)


def find_texture(image: MatLike, scale: float) -> Rectangles:
    """Find fine texture, which small print is, but also cloth or grass.

    Args:
        image: BGR pixels (height, width, 3), uint8.
        scale: Scale at which it is looked at.

    Returns:
        Rectangles in pixels of the image.
    """
    height, width = image.shape[:2]
    size = [max(1, round(side * scale)) for side in (width, height)]
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    gray = cv2.cvtColor(cv2.resize(image, size, interpolation=way), cv2.COLOR_BGR2GRAY)
    edges = cv2.morphologyEx(gray, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > TEXTURE_STEP
    shares = cv2.boxFilter(edges.astype(np.float32), -1, TEXTURE_WINDOW)
    found = _find_connected((shares > TEXTURE_SHARE).astype(np.uint8))
    wide = found[found[:, 2] - found[:, 0] >= TEXTURE_WIDTH]
    return np.asarray(np.rint(wide / scale), np.int32)


def widen(texts: npt.NDArray[np.int32 | np.float32], margins: Margins, scale: float) -> Rectangles:
    """Add margins to rectangles of text, (N, 4); `scale` is the network's pixels per pixel."""
    sides = texts[:, 2:] - texts[:, :2]  # (N, 2), width and height
    is_long = sides > LONG * sides[:, ::-1]
    more = margins.pixels / scale + margins.along * sides.min(1, keepdims=True) * is_long
    return np.asarray(np.rint(np.hstack([texts[:, :2] - more, texts[:, 2:] + more])), np.int32)


def merge(rectangles: Rectangles, width: int, height: int) -> Rectangles:
    """Join rectangles that overlap, until none do, and cut them at the image's borders.

    >>> merge(np.int32([[-3, 0, 5, 5], [4, 4, 8, 9], [20, 0, 30, 5]]), 25, 50).tolist()
    [[0, 0, 8, 9], [20, 0, 25, 5]]
    """
    while True:
        mask = np.zeros((height, width), np.uint8)
        for left, top, right, bottom in rectangles.clip(0):
            mask[top:bottom, left:right] = 1
        joined = _find_connected(mask)
        if len(joined) == len(rectangles):
            return joined
        rectangles = joined


def _find_connected(mask: npt.NDArray[np.uint8]) -> Rectangles:
    _, _, found, _ = cv2.connectedComponentsWithStats(mask)
    left, top, width, height, _ = found[1:].T  # the first is the background
    return np.stack([left, top, left + width, top + height], 1).astype(np.int32)


def measure_canvas(parts: Rectangles, scale: float) -> float:
    """Return the area that parts need on a canvas, in pixels."""
    return float(np.prod((parts[:, 2:] - parts[:, :2]) * scale + GAP, axis=1).sum())


def draw_canvas(image: MatLike, parts: Rectangles, scale: float) -> Canvas:
    """Arrange parts of an image on a canvas.

    Args:
        image: Image (height, width, 3), uint8.
        parts: At least one rectangle inside the image, none empty.
        scale: Pixels of the canvas per pixel of the image.
    """
    sizes = np.maximum(1, np.rint((parts[:, 2:] - parts[:, :2]) * scale)).astype(int)
    places, (width, height) = place_parts(
        sizes.tolist(), math.ceil(math.sqrt(measure_canvas(parts, scale)))
    )
    pixels = np.full((height, width, 3), PADDING, np.uint8)
    for (left, top, right, bottom), (x, y), size in zip(parts, places, sizes, strict=True):
        part = cv2.resize(image[top:bottom, left:right], size.tolist())
        pixels[y : y + size[1], x : x + size[0]] = part
    return Canvas(pixels, parts, np.array(places, np.int32), scale)


def place_parts(
    sizes: Sequence[Sequence[int]], width: int
) -> tuple[list[tuple[int, int]], tuple[int, int]]:
    """Place parts on shelves, the highest first.

    Args:
        sizes: Width and height of each.
        width: Width of the canvas; it becomes wider where a part is.

    Returns:
        Left and top corner of each part, and the canvas's width and height.

    >>> place_parts([(50, 20), (60, 40), (10, 10)], 100)
    ([(68, 0), (0, 0), (0, 48)], (128, 64))
    """
    width = _round_up(max(width, *(one for one, _ in sizes), 1))
    places, left, top, shelf = {}, 0, 0, 0
    for index in sorted(range(len(sizes)), key=lambda index: -sizes[index][1]):
        if left and left + sizes[index][0] > width:
            left, top, shelf = 0, top + shelf + GAP, 0
        places[index] = (left, top)
        left, shelf = left + sizes[index][0] + GAP, max(shelf, sizes[index][1])
    return [places[index] for index in range(len(sizes))], (width, _round_up(top + shelf))


def _round_up(side: int) -> int:
    return -(-side // CANVAS_GRID) * CANVAS_GRID
