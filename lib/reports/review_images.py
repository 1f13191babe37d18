"""Draw the images of a row to review: what was read, and the whole image, as small JPEG files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from lib.io import ImageError, open_image
from lib.ocr import Quad
from lib.reports.answer_cards import frame
from lib.reports.plots import Pixels

CROP, THUMBNAIL, LARGE = (520, 12_000), (420, 22_000), (720, 48_000)
"""Longest side in pixels and most bytes of each: at most 7 MB for 200 rows of a workbook."""
QUALITIES: tuple[int, ...] = (80, 65, 50, 35)
"""JPEG qualities, the first that is small enough is taken."""
ASPECT: float = 1.75
"""Width of a crop by its height, where the image allows it."""
MARGIN: float = 1.5
"""Margin of a crop around the text, by the text's height."""
COLOUR: str = "#d55e00"


@dataclass(frozen=True)
class Views:
    """JPEG files of an image, empty without one.

    Attributes:
        crop: The text that was read and what is around it, empty where nothing was read.
        thumbnail: The whole image with a frame around that text.
        image: The whole image, larger and without a frame.
        outline: Corners of the text, x and y from 0 to 1.
    """

    crop: bytes = b""
    thumbnail: bytes = b""
    image: bytes = b""
    outline: Quad | None = None


def draw_views(path: Path, quad: Quad | None) -> Views:
    """Draw an image and the text that was read on it; `quad` are its corners in pixels."""
    try:
        pixels = open_image(path)
    except ImageError:
        return Views()
    thumbnail = shrink(pixels, THUMBNAIL[0])
    if not quad:
        return Views(b"", encode(thumbnail, *THUMBNAIL), encode(pixels, *LARGE))
    height, width = pixels.shape[:2]
    corners = np.array(quad)
    scale = thumbnail.shape[1] / width
    frame(thumbnail, _to_quad(corners * scale), COLOUR, 2)
    return Views(
        encode(cut_text(pixels, quad), *CROP),
        encode(thumbnail, *THUMBNAIL),
        encode(pixels, *LARGE),
        _to_quad(corners / (width, height)),
    )


def cut_text(pixels: Pixels, quad: Quad) -> Pixels:
    """Cut out a text with a margin, framed; small text is enlarged."""
    height, width = pixels.shape[:2]
    low, high = np.min(quad, axis=0), np.max(quad, axis=0)
    size = (high - low) + 2 * MARGIN * max(float(np.min(high - low)), 8.0)
    size = np.minimum(np.maximum(size, (size[1] * ASPECT, size[0] / ASPECT)), (width, height))
    start = np.clip((low + high - size) / 2, 0, (width - size[0], height - size[1]))
    (left, top), (right, bottom) = np.floor(start).astype(int), np.ceil(start + size).astype(int)
    part = pixels[top:bottom, left:right]
    scale = min(3.0, CROP[0] / max(part.shape[:2]))
    part = resize(part, scale)
    frame(part, _to_quad((np.array(quad) - (left, top)) * scale), COLOUR, 2)
    return part


def shrink(pixels: Pixels, side: int) -> Pixels:
    """Scale an image down to a longest side; return a copy that may be drawn on."""
    return resize(pixels, min(1.0, side / max(pixels.shape[:2])))


def resize(pixels: Pixels, scale: float) -> Pixels:
    """Scale an image; return a copy."""
    height, width = pixels.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.array(cv2.resize(pixels, size, interpolation=way), np.uint8)


def encode(pixels: Pixels, side: int, most: int) -> bytes:
    """Encode an image as JPEG of at most so many bytes, at the cost of quality, then of size."""
    small = cv2.cvtColor(shrink(pixels, side), cv2.COLOR_RGB2BGR)
    for quality in QUALITIES:
        file = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
        if len(file) <= most:
            return file
    return encode(pixels, side * 3 // 4, most)


def _to_quad(corners: npt.NDArray[np.float64]) -> Quad:
    """Convert corners (4, 2) to a tuple of points."""
    first, second, third, fourth = ((float(x), float(y)) for x, y in corners)
    return first, second, third, fourth
