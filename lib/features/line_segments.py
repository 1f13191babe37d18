"""Find the straight line segments of images: dimension lines, arrows and edges."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from cv2.typing import MatLike
from joblib import Memory, cpu_count

from lib.io import ImageError, open_image
from lib.io.cache import make_anew, recall
from lib.parallel import TaskResult, report_internal_errors, run_each, show_progress

Segments = npt.NDArray[np.float32]
"""Line segments (N, 4): x1, y1, x2, y2 in pixels of the image."""

LONGEST_SIDE: int = 800  # pixels; line segments thinner than a pixel at this size are rare
LIMIT: float = 60.0  # timeout of one image in seconds; most take some hundredths


def find_line_segments(image: MatLike, shortest: float = 0.04, most: int = 400) -> Segments:
    """Find straight line segments with the line segment detector.

    Grompone von Gioi et al., "LSD: a line segment detector", IPOL 2012, as implemented in OpenCV.

    Args:
        image: (H, W, 3) uint8.
        shortest: Minimum length, as a share of the longer side.
        most: Maximum number of segments kept, the longest first.

    Returns:
        (N, 4) float32: x1, y1, x2, y2 in pixels of `image`, longest first.
    """
    longest = max(image.shape[:2])
    scale = min(1.0, LONGEST_SIDE / longest)
    fx, fy = (max(scale, 1 / side) for side in image.shape[1::-1])  # at least one pixel a side
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, None, fx=fx, fy=fy, interpolation=cv2.INTER_AREA)
    found: MatLike | None = cv2.createLineSegmentDetector().detect(small)[0]
    if found is None:
        return np.empty((0, 4), np.float32)
    segments = found.reshape(-1, 4) / np.array([fx, fy, fx, fy], np.float32)  # (N, 4)
    lengths = np.hypot(segments[:, 2] - segments[:, 0], segments[:, 3] - segments[:, 1])
    order = np.argsort(-lengths, kind="stable")[:most]
    long = lengths[order] >= shortest * longest
    return np.asarray(segments[order][long], np.float32)


def read_line_segments(
    sha256: str, path: Path, shortest: float = 0.04, most: int = 400
) -> Segments:
    """Open an image and find its line segments; a cache leaves `path` out of its key.

    Args:
        sha256: Hash of the file's content.
        path: Path of the image.
        shortest: See `find_line_segments`.
        most: See `find_line_segments`.

    Raises:
        ImageError: The image cannot be opened.
    """
    cv2.setNumThreads(1)  # images are distributed over processes
    return find_line_segments(open_image(path), shortest, most)


def read_all_line_segments(
    files: Mapping[str, Path],
    memory: Memory,
    workers: int = 0,
    names: Mapping[str, str] | None = None,
) -> dict[str, Segments]:
    """Find the line segments of many images in processes, computing only those not cached.

    Args:
        files: sha256 -> path.
        memory: joblib cache of each image's line segments.
        workers: Number of processes, 0 for one per core.
        names: sha256 -> link and sample, for the log.

    Returns:
        sha256 -> (N, 4) from `find_line_segments`, in the order of `files`; images that cannot be
        opened are left out.

    Raises:
        StageFault: All images ended in the same internal error.
    """
    cached = memory.cache(read_line_segments, ignore=["path"])
    known = {
        sha256: recall(cached, are_line_segments, sha256, path) for sha256, path in files.items()
    }
    segments = {sha256: found[0] for sha256, found in known.items() if found}
    missing = {sha256: (sha256, path) for sha256, path in files.items() if sha256 not in segments}
    find = partial(make_anew, cached)
    outcomes: dict[str, TaskResult] = {}
    finding = run_each(find, missing, workers or cpu_count(), LIMIT, (ImageError,))
    with show_progress(len(files), "image", "line segments", len(segments)) as progress:
        for sha256, outcomes[sha256] in finding:
            progress.count(outcomes[sha256].reason)
    errors = {sha256: outcome.error for sha256, outcome in outcomes.items() if outcome.error}
    report_internal_errors("finding line segments", errors, len(files), names)
    segments |= {
        sha256: outcome.value for sha256, outcome in outcomes.items() if not outcome.reason
    }
    return {sha256: segments[sha256] for sha256 in files if sha256 in segments}


def are_line_segments(value: object) -> bool:
    """Tell whether a cached value is a valid result of `read_line_segments`."""
    return (
        isinstance(value, np.ndarray)
        and value.dtype == np.float32
        and value.shape == (len(value), 4)
        and bool(np.isfinite(value).all())
    )
