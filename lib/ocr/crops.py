"""Turn and widen the quadrilaterals of lines, and cut them out of an image as upright strips."""

import cv2
import numpy as np
import numpy.typing as npt
from cv2.typing import MatLike

from lib.ocr.page import Corners, Quad

TALL: float = 1.5  # a box this many times as tall as wide holds turned text, as in PP-OCR
SHORT_STRIP: int = 160  # pixels; narrower strips hold a few letters, which need their full width
CERTAINLY_TALL: float = 2.5  # below this ratio it may also be one upright digit, such as 1 or 7


def reading_turns(quad: Corners) -> tuple[int, ...]:
    """List the directions a box may be read in, by the corner where its text begins.

    Args:
        quad: Corners (4, 2), clockwise from the top left.

    Returns:
        0 for upright, 1 for text that runs down, 3 for text that runs up; likely ones first.

    >>> reading_turns(np.float32([[0, 0], [90, 0], [90, 20], [0, 20]]))
    (0,)
    >>> reading_turns(np.float32([[0, 0], [20, 0], [20, 40], [0, 40]]))
    (3, 1, 0)
    """
    width, height = measure_quad(quad)
    if height < TALL * width:
        return (0,)
    return (3, 1) if height > CERTAINLY_TALL * width else (3, 1, 0)


def turn_quad(quad: Corners, turn: int) -> Corners:
    """Reorder corners (4, 2) to begin `turn` corners later, where the text begins."""
    return np.roll(quad, -turn, axis=0)


def measure_quad(quad: Corners) -> tuple[float, float]:
    """Measure length along the reading direction, and height, in pixels.

    >>> measure_quad(np.float32([[0, 0], [30, 40], [22, 46], [-8, 6]]))
    (50.0, 10.0)
    """
    right, down = quad[1] - quad[0], quad[3] - quad[0]
    return float(np.hypot(*right)), float(np.hypot(*down))


def widen_quad(quad: Corners, margin: float) -> Corners:
    """Move every corner outwards by `margin` times the height; (4, 2).

    >>> widen_quad(np.float32([[10, 10], [50, 10], [50, 20], [10, 20]]), 0.5).tolist()
    [[5.0, 5.0], [55.0, 5.0], [55.0, 25.0], [5.0, 25.0]]
    """
    width, height = measure_quad(quad)
    across = (quad[1] - quad[0]) * (margin * height / max(width, 1e-6))
    down = (quad[3] - quad[0]) * margin
    wide: Corners = quad + np.stack([-across - down, across - down, across + down, down - across])
    return wide


def cut_strip(image: MatLike, quad: Corners, height: int, squeeze: float = 1.0) -> MatLike:
    """Cut a quadrilateral out as an upright strip.

    Args:
        image: Image (rows, columns, 3), uint8.
        quad: Corners (4, 2), clockwise from where the text begins.
        height: Height of the strip in pixels; its width keeps the proportions.
        squeeze: Share of its width that a strip keeps, unless it is short: the recogniser's time
            grows with the width, and slightly narrower letters are read just as well.

    Returns:
        Strip (height, width, 3), uint8, at least one pixel wide.
    """
    long, tall = (max(1, round(side)) for side in measure_quad(quad))
    corners = np.array([[0, 0], [long, 0], [long, tall], [0, tall]], np.float32)
    straighten = cv2.getPerspectiveTransform(quad.astype(np.float32), corners)
    strip = cv2.warpPerspective(
        image, straighten, (long, tall), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    width = max(1, -(-height * long // tall))
    if width > SHORT_STRIP:
        width = round(squeeze * width)
    return cv2.resize(strip, (width, height))


def to_quad(corners: npt.NDArray[np.floating]) -> Quad:
    """Convert corners (4, 2) to plain numbers, rounded to a tenth of a pixel."""
    a, b, c, d = ((round(x, 1), round(y, 1)) for x, y in corners.tolist())
    return a, b, c, d
