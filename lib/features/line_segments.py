"""Straight strokes of a picture: dimension lines, arrows and edges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from joblib import Memory, cpu_count

from lib.io import ImageError, make_anew, open_image, recall
from lib.parallel import report_outcomes, run_each

LONGEST_SIDE: int = 800  # Pixels; strokes thinner than a pixel at this size are seldom drawn.
LIMIT: float = 60.0  # seconds one picture may take; most take some hundredths


@dataclass(frozen=True)
class FoundStrokes:
    """The strokes of many pictures.

    Attributes:
        strokes: sha256 -> (N, 4) as `find_strokes` gives them, in the order asked for.
        failures: sha256 -> reason, for pictures that gave none.
    """

    strokes: dict[str, np.ndarray] = field(repr=False)
    failures: dict[str, str]


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
    fx, fy = (max(scale, 1 / side) for side in image.shape[1::-1])  # a pixel is left of a thin one
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, None, fx=fx, fy=fy, interpolation=cv2.INTER_AREA)
    found = cv2.createLineSegmentDetector().detect(small)[0]
    if found is None:
        return np.empty((0, 4), np.float32)
    strokes = found.reshape(-1, 4) / np.float32([fx, fy, fx, fy])  # (N, 4)
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
    cv2.setNumThreads(1)  # the pictures are shared out among processes
    return find_strokes(open_image(path), shortest, most)


def read_all_strokes(
    files: Mapping[str, Path],
    memory: Memory,
    workers: int = 0,
    names: Mapping[str, str] | None = None,
) -> FoundStrokes:
    """Find the strokes of many pictures in processes; those found before come from the cache.

    Args:
        files: sha256 -> path.
        memory: Of joblib; remembers each picture's strokes.
        workers: Processes, 0 for one a core.
        names: sha256 -> link and sample, for the log.

    Raises:
        StageFault: All pictures ended in the same internal error.
    """
    cached = memory.cache(read_strokes, ignore=["path"])
    known = {sha256: recall(cached, are_strokes, sha256, path) for sha256, path in files.items()}
    strokes = {sha256: found[0] for sha256, found in known.items() if found}
    missing = {sha256: (sha256, path) for sha256, path in files.items() if sha256 not in strokes}
    find = partial(make_anew, cached)
    outcomes = dict(run_each(find, missing, workers or cpu_count(), LIMIT, (ImageError,)))
    report_outcomes("finding strokes", outcomes, names, len(files))
    strokes |= {sha256: outcome.value for sha256, outcome in outcomes.items() if not outcome.reason}
    failures = {sha256: outcome.reason for sha256, outcome in outcomes.items() if outcome.reason}
    in_order = {sha256: strokes[sha256] for sha256 in files if sha256 in strokes}
    return FoundStrokes(in_order, failures)


def are_strokes(value: object) -> bool:
    """Tell whether a cached value is strokes as `read_strokes` gives them."""
    return (
        isinstance(value, np.ndarray)
        and value.dtype == np.float32
        and value.shape == (len(value), 4)
        and bool(np.isfinite(value).all())
    )
