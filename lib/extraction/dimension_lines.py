"""Where a text stands in the picture, and which straight line segments run beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from lib.ocr import Quad, Word

DIRECTIONS: tuple[str, ...] = ("level", "upright", "slanted")
STRAIGHT: float = 10.0  # Degrees from level or upright; more than that recedes into the picture.
REACH: float = 3.0  # Letter heights beyond which a line segment does not belong to a text.
TINY: float = (
    1e-9  # Length of a line segment that is a point, as a share of the outline's diagonal.
)


@dataclass(frozen=True, eq=False)
class Drawing:
    """What is drawn in a picture; worked out when first asked for, as few pages need it.

    Attributes:
        found: All its line segments, (M, 4) in pixels, longest first.
        words: Its text.
        width: Of the picture, in pixels.
        height: Likewise.
    """

    found: np.ndarray = field(repr=False)
    words: Sequence[Word] = field(repr=False)
    width: int
    height: int

    @cached_property
    def segments(self) -> np.ndarray:
        """Those that are no letters, by direction; (N, 4) x1, y1, x2, y2 in pixels."""
        return self._sorted[0]

    @cached_property
    def kinds(self) -> np.ndarray:
        """Direction of each, (N,), an index into `DIRECTIONS`, ascending."""
        return self._sorted[1]

    @cached_property
    def _sorted(self) -> tuple[np.ndarray, np.ndarray]:
        """Leave out letters and sort by direction."""
        kept = self.found[~find_letters(self.found, self.words)]
        kinds = classify_segments(kept)
        order = np.argsort(kinds, kind="stable")
        return kept[order], kinds[order]

    @cached_property
    def lengths(self) -> np.ndarray:
        """Length of each, (N,) in pixels."""
        x1, y1, x2, y2 = self.segments.T
        return np.hypot(x2 - x1, y2 - y1)

    @cached_property
    def outline(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of what is drawn, in pixels; the picture's if nothing is."""
        if not len(self.segments):
            return 0.0, 0.0, float(self.width), float(self.height)
        xs, ys = self.segments[:, [0, 2]], self.segments[:, [1, 3]]
        return float(xs.min()), float(ys.min()), float(xs.max()), float(ys.max())


def classify_segments(segments: np.ndarray) -> np.ndarray:
    """Tell level from upright from slanted line segments.

    Args:
        segments: (N, 4) x1, y1, x2, y2.

    Returns:
        (N,) int, index into `DIRECTIONS`.

    >>> classify_segments(np.array([[0, 0, 9, 0], [0, 0, 0, 9], [0, 0, 9, 9]])).tolist()
    [0, 1, 2]
    """
    dx, dy = np.abs(segments[:, 2] - segments[:, 0]), np.abs(segments[:, 3] - segments[:, 1])
    slope = math.tan(math.radians(STRAIGHT))
    return np.where(dy < slope * dx, 0, np.where(dx < slope * dy, 1, 2))


def find_letters(segments: np.ndarray, words: Sequence[Word]) -> np.ndarray:
    """Mark the line segments that lie inside a word; (N,) bool."""
    if not len(words) or not len(segments):
        return np.zeros(len(segments), bool)
    quads = np.array([word.quad for word in words], np.float32)  # (W, 4, 2)
    margin = 0.15 * np.hypot(*(quads[:, 3] - quads[:, 0]).T)[:, None]
    low, high = quads.min(axis=1) - margin, quads.max(axis=1) + margin  # (W, 2)
    x1, y1, x2, y2 = np.ascontiguousarray(segments.T)  # (N,) each
    inside_x = (np.minimum(x1, x2) > low[:, :1]) & (np.maximum(x1, x2) < high[:, :1])  # (W, N)
    inside_y = (np.minimum(y1, y2) > low[:, 1:]) & (np.maximum(y1, y2) < high[:, 1:])
    return (inside_x & inside_y).any(axis=0)


def measure_segments(scene: Drawing, texts: Sequence[Quad]) -> np.ndarray:
    """Measure how strongly line segments of each direction run beside texts.

    Args:
        scene: The picture's line segments.
        texts: Where they stand.

    Returns:
        (W, 3, 3) float: for each text the strength of level, upright and slanted segments
        (length as a share of the outline's diagonal, fading with distance), the strength of those
        whose middle the text stands at, and the longest within reach as a share of the diagonal.
    """
    result = np.zeros((len(texts), 3, 3))
    if not len(texts) or not len(scene.segments):
        return result
    left, top, right, bottom = scene.outline
    share = scene.lengths / max(math.hypot(right - left, bottom - top), 1.0)  # (N,)
    quads = np.array(texts, np.float32)  # (W, 4, 2)
    size = np.maximum(np.hypot(*(quads[:, 3] - quads[:, 0]).T), 1)[:, None]  # (W, 1)
    distance, offset = measure_distances(scene, quads)  # (W, N), (W, N)
    strength = np.log(np.maximum(share, TINY)) - distance / size
    centred = strength - 8 * (offset - 0.5) ** 2
    reached = share * (distance < REACH * size)
    kinds, starts = np.unique(scene.kinds, return_index=True)
    result[:, kinds, 0] = np.exp(np.maximum.reduceat(strength, starts, axis=1))
    result[:, kinds, 1] = np.exp(np.maximum.reduceat(centred, starts, axis=1))
    result[:, kinds, 2] = np.maximum.reduceat(reached, starts, axis=1)
    return result


def measure_distances(scene: Drawing, quads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Measure how far segments are from the boxes of texts, and where beside them the texts stand.

    Args:
        scene: The picture's line segments.
        quads: Corners of the texts, (W, 4, 2) in pixels.

    Returns:
        (W, N) distance in pixels, 0 where a segment touches the box; (W, N) place along the segment
        of the text's middle, 0 at one end, 1 at the other, beyond where it stands past an end.
    """
    low, high = quads.min(axis=1), quads.max(axis=1)  # (W, 2)
    (x, y), (wide, high) = ((low + high) / 2).T[..., None], ((high - low) / 2).T[..., None]
    x1, y1, x2, y2 = np.ascontiguousarray(scene.segments.T)  # (N,) each
    dx, dy = x2 - x1, y2 - y1
    offset = ((x - x1) * dx + (y - y1) * dy) / np.maximum(scene.lengths**2, 1e-6)  # (W, N)
    nearest = np.minimum(np.maximum(offset, 0), 1)
    gap_x = np.abs(x1 + nearest * dx - x) - wide
    gap_y = np.abs(y1 + nearest * dy - y) - high
    return np.maximum(np.maximum(gap_x, gap_y), 0), offset
