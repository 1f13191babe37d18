"""Straight strokes of a picture: dimension lines, arrows and edges."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
from joblib import Memory, Parallel, cpu_count, delayed

from lib.images import ImageError, open_image

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


def read_strokes(sha256: str, path: Path, shortest: float = 0.04, most: int = 400) -> np.ndarray:
    """Open a picture and find its strokes; a cache leaves `path` out of its key.

    Args:
        sha256: Of the file's content.
        path: Of the picture.
        shortest: See `find_strokes`.
        most: See `find_strokes`.

    Raises:
        ImageError: The picture cannot be opened.
    """
    return find_strokes(open_image(path), shortest, most)


def read_all_strokes(
    files: Mapping[str, Path], memory: Memory, workers: int = 0
) -> dict[str, np.ndarray]:
    """Find the strokes of many pictures, in parallel and cached.

    Args:
        files: sha256 -> path.
        memory: Of joblib; remembers each picture's strokes.
        workers: Processes, 0 for one a core.

    Returns:
        sha256 -> (N, 4); a picture that cannot be opened is left out.
    """
    cached = memory.cache(read_strokes, ignore=["path"])
    tasks = (delayed(_try_strokes)(cached, sha256, path) for sha256, path in files.items())
    found = Parallel(n_jobs=workers or cpu_count(), batch_size=8)(tasks)
    return {
        sha256: strokes for sha256, strokes in zip(files, found, strict=True) if strokes is not None
    }


def _try_strokes(cached: Callable, sha256: str, path: Path) -> np.ndarray | None:
    """Give None where the picture cannot be opened; the pages' table says why."""
    cv2.setNumThreads(1)
    try:
        return cached(sha256, path)
    except ImageError:
        return None
