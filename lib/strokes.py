"""Straight strokes of a picture: dimension lines, arrows and edges."""

from __future__ import annotations

import cv2
import numpy as np

LONGEST_SIDE: int = 800  # Pixels; strokes thinner than a pixel at this size are seldom drawn.


def find_strokes(image: np.ndarray, shortest: float = 0.04, most: int = 400) -> np.ndarray:
    """Find straight strokes with the line segment detector.

    Grompone von Gioi et al., "LSD: a line segment detector", IPOL 2012, as OpenCV has it.

    Args:
        image: (H, W, 3) uint8.
        shortest: Least length, as a share of the longer side.
        most: How many to keep, the longest first.

    Returns:
        (N, 4) float32: x1, y1, x2, y2 in pixels of `image`, longest first.
    """
    longest = max(image.shape[:2])
    scale = min(1.0, LONGEST_SIDE / longest)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    found = cv2.createLineSegmentDetector().detect(small)[0]
    if found is None:
        return np.empty((0, 4), np.float32)
    strokes = found.reshape(-1, 4) / scale  # (N, 4)
    lengths = np.hypot(strokes[:, 2] - strokes[:, 0], strokes[:, 3] - strokes[:, 1])
    order = np.argsort(-lengths, kind="stable")[:most]
    return strokes[order][lengths[order] >= shortest * longest].astype(np.float32)
