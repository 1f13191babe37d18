"""Cache the line segments of images, and find those that are not cached."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from joblib import Memory

from lib.features.computing import Computed, Recipe, compute_features
from lib.features.line_segments import (
    MOST,
    SHORTEST,
    Segments,
    are_line_segments,
    find_in_file,
)
from lib.features.preparation import Array, Prepare
from lib.io.cache import make_anew, recall

SETTINGS: tuple[float, int] = (SHORTEST, MOST)
"""In the cache's key."""


class LineSegments:
    """The line segments of images.

    Args:
        memory: The cache; `Memory(None)` for none.
    """

    work = "finding line segments"

    def __init__(self, memory: Memory) -> None:
        self._keep = memory.cache(keep_line_segments, ignore=["segments"], verbose=0)

    @property
    def prepare(self) -> Prepare:
        """Return what finds the line segments."""
        return find_in_file

    @property
    def recipe(self) -> Recipe:
        """Return how another machine makes this."""
        return LineSegments, (Memory(None, verbose=0),)

    def recall(self, sha256: str) -> Array | None:
        """Return an image's line segments from the cache."""
        found = recall(self._keep, are_line_segments, sha256, *SETTINGS)
        return None if found is None else found[0]

    def compute(self, prepared: list[Array]) -> list[Array]:
        """Return what was found."""
        return prepared

    def keep(self, sha256: str, value: Array) -> Array:
        """Store an image's line segments."""
        return make_anew(self._keep, sha256, *SETTINGS, value)


def keep_line_segments(
    sha256: str, shortest: float, most: int, segments: Segments | None = None
) -> Segments:
    """Return an image's line segments; wrapped by a cache that ignores `segments`, store them.

    Args:
        sha256: Hash of the image's file.
        shortest: See `find_line_segments`.
        most: See `find_line_segments`.
        segments: (N, 4), or `None` to ask the cache.

    Raises:
        LookupError: There are none, given or cached.
    """
    if segments is None:
        raise LookupError(f"No line segments of {sha256} in the cache; find them.")
    return segments


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
    (found,) = compute_features(files, [LineSegments(memory)], workers, names=names)
    return narrow_segments(found)


def narrow_segments(found: Computed) -> dict[str, Segments]:
    """Return line segments as what they are."""
    return {sha256: np.asarray(value, np.float32) for sha256, value in found.values.items()}
