"""Find the straight line segments of images: dimension lines, arrows and edges."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from cv2.typing import MatLike

from lib.io import ImageFile

Segments = npt.NDArray[np.float32]
"""Line segments (N, 4): x1, y1, x2, y2 in pixels of the image."""

LONGEST_SIDE: int = 800  # pixels; line segments thinner than a pixel at this size are rare
SHORTEST: float = 0.04  # as a share of the longer side
MOST: int = 400


def find_line_segments(image: MatLike, shortest: float = SHORTEST, most: int = MOST) -> Segments:
    """Find straight line segments with the line segment detector.

    Grompone von Gioi et al., "LSD: a line segment detector", IPOL 2012, as implemented in OpenCV.

    Args:
        image: (H, W, 3) or, in grey, (H, W), uint8.
        shortest: Minimum length, as a share of the longer side.
        most: Maximum number of segments kept, the longest first.

    Returns:
        (N, 4) float32: x1, y1, x2, y2 in pixels of `image`, longest first.
    """
    longest = max(image.shape[:2])
    scale = min(1.0, LONGEST_SIDE / longest)
    fx, fy = (max(scale, 1 / side) for side in image.shape[1::-1])  # at least one pixel a side
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, None, fx=fx, fy=fy, interpolation=cv2.INTER_AREA)
    found: MatLike | None = cv2.createLineSegmentDetector().detect(small)[0]
    if found is None:
        return np.empty((0, 4), np.float32)
    segments = found.reshape(-1, 4) / np.array([fx, fy, fx, fy], np.float32)  # (N, 4)
    lengths = np.hypot(segments[:, 2] - segments[:, 0], segments[:, 3] - segments[:, 1])
    order = np.argsort(-lengths, kind="stable")[:most]
    long = lengths[order] >= shortest * longest
    return np.asarray(segments[order][long], np.float32)


def find_in_file(image: ImageFile) -> Segments:
    """Find the line segments of an image file.

    Raises:
        ImageError: The image cannot be opened.
    """
    return find_line_segments(image.gray)


def are_line_segments(value: object) -> bool:
    """Tell whether a cached value is a valid result of `find_line_segments`."""
    return (
        isinstance(value, np.ndarray)
        and value.dtype == np.float32
        and value.shape == (len(value), 4)
        and bool(np.isfinite(value).all())
    )
