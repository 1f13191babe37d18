"""Measure which straight line segments of an image run beside a text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lib.extraction import weights
from lib.ocr import Quad, Word

Segments = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

DIRECTIONS: tuple[str, ...] = ("level", "upright", "slanted")
TINY: float = 1e-9  # Least length of a line segment, as a share of the outline's diagonal.


@dataclass(frozen=True, eq=False)
class Drawing:
    """The line segments of an image, computed on first use, as few pages need them.

    Attributes:
        found: All line segments, (M, 4) in pixels, longest first.
        words: Words of the page.
        width: Width of the image in pixels.
        height: Height of the image in pixels.
    """

    found: Segments = field(repr=False)
    words: Sequence[Word] = field(repr=False)
    width: int
    height: int

    @cached_property
    def segments(self) -> Segments:
        """Return the segments outside words, by direction; (N, 4) x1, y1, x2, y2 in pixels."""
        return self._sorted[0]

    @cached_property
    def kinds(self) -> npt.NDArray[np.intp]:
        """Return the direction of each segment, (N,), an ascending index into `DIRECTIONS`."""
        return self._sorted[1]

    @cached_property
    def _sorted(self) -> tuple[Segments, npt.NDArray[np.intp]]:
        """Drop segments inside words and sort the others by direction."""
        kept = self.found[~find_letters(self.found, self.words)]
        kinds = classify_segments(kept)
        order = np.argsort(kinds, kind="stable")
        return kept[order], kinds[order]

    @cached_property
    def lengths(self) -> Segments:
        """Compute the length of each segment, (N,) in pixels."""
        x1, y1, x2, y2 = self.segments.T
        lengths: Segments = np.hypot(x2 - x1, y2 - y1)
        return lengths

    @cached_property
    def slopes(self) -> Segments:
        """Compute the slope of each segment, (N,) in degrees, -90 to 90, below 0 if it rises."""
        x1, y1, x2, y2 = self.segments.T
        return measure_slopes(x2 - x1, y2 - y1)

    @cached_property
    def outline(self) -> tuple[float, float, float, float]:
        """Return left, top, right, bottom of the segments in pixels; of the image if none."""
        if not len(self.segments):
            return 0.0, 0.0, float(self.width), float(self.height)
        xs, ys = self.segments[:, [0, 2]], self.segments[:, [1, 3]]
        return float(xs.min()), float(ys.min()), float(xs.max()), float(ys.max())


def measure_slopes(dx: Segments, dy: Segments) -> Segments:
    """Compute slopes in degrees, -90 to 90, below 0 if the line rises to the right.

    >>> measure_slopes(np.array([1.0, 1.0, -1.0]), np.array([0.0, -1.0, -1.0])).round().tolist()
    [0.0, -45.0, 45.0]
    """
    slopes: Segments = (np.degrees(np.arctan2(dy, dx)) + 90) % 180 - 90
    return slopes


def classify_segments(segments: Segments) -> npt.NDArray[np.intp]:
    """Classify line segments as level, upright or slanted.

    Args:
        segments: (N, 4) x1, y1, x2, y2.

    Returns:
        (N,) int, index into `DIRECTIONS`.

    >>> classify_segments(np.array([[0, 0, 9, 0], [0, 0, 0, 9], [0, 0, 9, 9]])).tolist()
    [0, 1, 2]
    """
    dx, dy = np.abs(segments[:, 2] - segments[:, 0]), np.abs(segments[:, 3] - segments[:, 1])
    slope = math.tan(math.radians(weights.STRAIGHT))
    return np.where(dy < slope * dx, 0, np.where(dx < slope * dy, 1, 2))


def find_letters(segments: Segments, words: Sequence[Word]) -> npt.NDArray[np.bool]:
    """Mark the line segments that lie inside a word; (N,) bool."""
    if not len(words) or not len(segments):
        return np.zeros(len(segments), bool)
    quads = np.array([word.quad for word in words], np.float32)  # (W, 4, 2)
    margin = weights.WORD_MARGIN * np.hypot(*(quads[:, 3] - quads[:, 0]).T)[:, None]
    low, high = quads.min(axis=1) - margin, quads.max(axis=1) + margin  # (W, 2)
    x1, y1, x2, y2 = np.ascontiguousarray(segments.T)  # (N,) each
    inside_x = (np.minimum(x1, x2) > low[:, :1]) & (np.maximum(x1, x2) < high[:, :1])  # (W, N)
    inside_y = (np.minimum(y1, y2) > low[:, 1:]) & (np.maximum(y1, y2) < high[:, 1:])
    inside: npt.NDArray[np.bool] = (inside_x & inside_y).any(axis=0)
    return inside


class Beside(NamedTuple):
    """The line segments beside texts.

    Attributes:
        strengths: (W, 3, 3) float: for each text and for level, upright and slanted segments the
            strength (length as a share of the outline's diagonal, decreasing with distance), the
            strength of segments centred on the text, and the longest within reach as a share of
            the diagonal.
        own: (W, 4) the strongest segment centred on the text, NaN if all are faint.
    """

    strengths: Floats
    own: Floats


def measure_segments(drawing: Drawing, texts: Sequence[Quad]) -> Beside:
    """Measure how strongly line segments run beside texts, and find the strongest of each.

    Args:
        drawing: The line segments of the image.
        texts: Corners of each text.
    """
    strengths, own = np.zeros((len(texts), 3, 3)), np.full((len(texts), 4), np.nan)
    if not len(texts) or not len(drawing.segments):
        return Beside(strengths, own)
    left, top, right, bottom = drawing.outline
    share = drawing.lengths / max(math.hypot(right - left, bottom - top), 1.0)  # (N,)
    quads = np.array(texts, np.float32)  # (W, 4, 2)
    size = np.maximum(np.hypot(*(quads[:, 3] - quads[:, 0]).T), 1)[:, None]  # (W, 1)
    distance, offset = measure_distances(drawing, quads)  # (W, N), (W, N)
    strength = np.log(np.maximum(share, TINY)) - weights.DISTANCE_LOSS * distance / size
    strength[find_crossing(drawing, quads)] = math.log(TINY)
    loss = weights.OFFSET_LOSS * (offset - 0.5) ** 2
    loss[find_halves(drawing, quads, size, offset) & (distance < size)] = 0
    centred = strength - loss
    reached = share * (distance < weights.REACH * size)
    kinds, starts = np.unique(drawing.kinds, return_index=True)
    strengths[:, kinds, 0] = np.exp(np.maximum.reduceat(strength, starts, axis=1))
    strengths[:, kinds, 1] = np.exp(np.maximum.reduceat(centred, starts, axis=1))
    strengths[:, kinds, 2] = np.maximum.reduceat(reached, starts, axis=1)
    is_clear = strengths[:, :, 1].max(axis=1) > weights.FAINT
    own[is_clear] = drawing.segments[centred[is_clear].argmax(axis=1)]
    return Beside(strengths, own)


def find_crossing(drawing: Drawing, quads: Segments) -> npt.NDArray[np.bool]:
    """Mark the segments that run across a turned text, which runs along its own; (W, N) bool."""
    crossing = np.zeros((len(quads), len(drawing.segments)), bool)
    angles = measure_slopes(*(quads[:, 1] - quads[:, 0]).T)  # (W,)
    turned = np.abs(angles) > weights.TEXT_NOISE
    between = np.abs(drawing.slopes - angles[turned, None])
    crossing[turned] = np.minimum(between, 180 - between) > weights.CROSSING
    return crossing


def find_halves(
    drawing: Drawing, quads: Segments, size: Segments, offset: Segments
) -> npt.NDArray[np.bool]:
    """Mark the segments that point at a text and end before it; (W, N) bool.

    A text in a gap of its dimension line leaves two halves of the line.
    """
    x, y = quads.mean(axis=1).T[..., None]  # (W, 1) each
    x1, y1, x2, y2 = np.ascontiguousarray(drawing.segments.T)  # (N,) each
    aside = np.abs((x - x1) * (y2 - y1) - (y - y1) * (x2 - x1))  # times the segment's length
    halves: npt.NDArray[np.bool] = aside < weights.ASIDE * size * drawing.lengths
    halves &= np.abs(offset - 0.5) > 0.5
    return halves


def measure_distances(drawing: Drawing, quads: Segments) -> tuple[Segments, Segments]:
    """Measure the distance of segments from texts and the position of texts along segments.

    Args:
        drawing: The line segments of the image.
        quads: Corners of the texts, (W, 4, 2) in pixels.

    Returns:
        (W, N) distance in pixels, 0 if a segment touches the text's box; (W, N) position of the
        text's centre along the segment, 0 at one end, 1 at the other, outside 0-1 past an end.
    """
    low, high = quads.min(axis=1), quads.max(axis=1)  # (W, 2)
    (x, y), (wide, high) = ((low + high) / 2).T[..., None], ((high - low) / 2).T[..., None]
    x1, y1, x2, y2 = np.ascontiguousarray(drawing.segments.T)  # (N,) each
    dx, dy = x2 - x1, y2 - y1
    offset = ((x - x1) * dx + (y - y1) * dy) / np.maximum(drawing.lengths**2, 1e-6)  # (W, N)
    nearest = np.minimum(np.maximum(offset, 0), 1)
    gap_x = np.abs(x1 + nearest * dx - x) - wide
    gap_y = np.abs(y1 + nearest * dy - y) - high
    return np.maximum(np.maximum(gap_x, gap_y), 0), offset
