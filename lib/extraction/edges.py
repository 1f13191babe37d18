"""Tell which edge of a drawn product a length measures: width, height or depth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from lib.extraction import weights
from lib.extraction.candidates import is_same
from lib.extraction.evidence import OTHERS
from lib.extraction.scan import PlacedQuantity, Scan

# By the direction of a length's line, an index into `dimension_lines.DIRECTIONS`.
EDGES: tuple[str, ...] = ("width", "height", "slanted")


@dataclass(frozen=True)
class Edge:
    """The edge that a length measures.

    Attributes:
        name: `width`, `height`, `depth`, `slanted` for any of them, `""` if nothing is drawn.
        is_told: Whether a corner or a side view of the product tells width from depth.
        share: The length as a share of the greatest along the same edge; parts have less.
    """

    name: str
    is_told: bool
    share: float


@lru_cache(maxsize=1)  # of the current page
def find_edges(scan: Scan) -> dict[int, Edge]:
    """Find the edges that the lengths of a page measure, by their order."""
    lengths = [one for one in scan.quantities if one.kind == "length"]
    slopes = {one.order: measure_slope(one) for one in lengths}
    told = find_corner(lengths, slopes) or find_side_view(lengths, slopes)
    names = {one.order: told.get(one.order) or name_direction(one) for one in lengths}
    greatest: dict[str, float] = {}
    for one in [one for one in lengths if not one.in_line & OTHERS] or lengths:
        name = names[one.order]
        greatest[name] = max(greatest.get(name, 1e-9), one.base)
    return {
        one.order: Edge(name, one.order in told, one.base / max(greatest.get(name, 0.0), one.base))
        for one, name in zip(lengths, names.values(), strict=True)
    }


def name_direction(placed: PlacedQuantity) -> str:
    """Name the edge that the strongest line beside a length measures."""
    return EDGES[placed.direction] if placed.segments.any() else ""


def measure_slope(placed: PlacedQuantity) -> float:
    """Return the slope of a length's line in degrees, below 0 if it rises, NaN if it has none."""
    x1, y1, x2, y2 = placed.own_segment.tolist()
    return (math.degrees(math.atan2(y2 - y1, x2 - x1)) + 90) % 180 - 90


def find_corner(lengths: Sequence[PlacedQuantity], slopes: Mapping[int, float]) -> dict[int, str]:
    """Tell width from depth on a drawing that shows a corner of the product.

    Two edges meet there: one falls to the right, the other rises.

    Args:
        lengths: The lengths of a page.
        slopes: The slopes of their lines by their order, in degrees.

    Returns:
        `width` or `depth` by the order of the length; empty if the lengths do not slant both ways.
    """
    receding = find_receding(lengths, slopes)
    rise = next((one for one in receding if slopes[one.order] < 0), None)
    fall = next((one for one in receding if slopes[one.order] > 0), None)
    if not rise or not fall or slopes[fall.order] - slopes[rise.order] < weights.CORNER:
        return {}
    pair = (rise, fall) if is_width(rise, fall, slopes) else (fall, rise)
    width = slopes[pair[0].order]
    names = {one.order: "width" if slopes[one.order] * width > 0 else "depth" for one in receding}
    if abs(width) < weights.STRAIGHT:  # then level lines run along it too
        level = [order for order, slope in slopes.items() if abs(slope) <= weights.SLANTED]
        names |= dict.fromkeys(level, "width")
    return names


def find_receding(
    lengths: Sequence[PlacedQuantity], slopes: Mapping[int, float]
) -> list[PlacedQuantity]:
    """List the lengths along slanted edges, the greatest first, as others may measure parts."""
    is_upright = any(abs(slope) > weights.UPRIGHT for slope in slopes.values())
    steepest = weights.STEEP[is_upright]
    receding = [one for one in lengths if weights.SLANTED < abs(slopes[one.order]) < steepest]
    return sorted(receding, key=lambda one: -one.base)


def is_width(rise: PlacedQuantity, fall: PlacedQuantity, slopes: Mapping[int, float]) -> bool:
    """Return whether the rising one of two edges is the width, else the falling one is.

    The edge nearer to level is seen more from the front. If both are alike, as in isometric
    drawings, the rising one is the width, unless it is much shorter: catalogues of furniture draw
    the front to the right (all 9 such drawings among our labelled ones).
    """
    rises, falls = -slopes[rise.order], slopes[fall.order]
    if abs(rises - falls) > weights.ALIKE:
        return rises < falls
    return fall.base < weights.DEEPEST * rise.base


def find_side_view(
    lengths: Sequence[PlacedQuantity], slopes: Mapping[int, float]
) -> dict[int, str]:
    """Find the depth in a side view, drawn beside the front view and with the same height.

    There is none if a length beside the front view lies outside the side view, or if another height
    is nearer to the side view: they measure another product, not a part of this one.

    Returns:
        `depth` by the order of the length; empty if there is no such view.
    """
    level = [one for one in lengths if abs(slopes[one.order]) <= weights.SLANTED]
    if not level:
        return {}
    width = max(level, key=lambda one: one.base)
    front = find_extent(width)
    beside = [one for one in level if is_beside(find_extent(one), front)]
    if not beside:
        return {}
    depth = max(beside, key=lambda one: one.base)
    side = find_extent(depth)
    if is_same(depth.base, width.base) or any(leave(one, side) > 0 for one in beside):
        return {}
    upright = [one for one in lengths if one.direction == 1]
    height = max((one.base for one in upright), default=0.0)
    parts = [one for one in upright if not is_same(one.base, height)]
    if any(leave(one, side) < leave(one, front) for one in parts):
        return {}
    return {one.order: "depth" for one in beside if is_same(one.base, depth.base)}


def leave(placed: PlacedQuantity, extent: tuple[float, float]) -> float:
    """Return how far the middle of a length lies outside an extent, in pixels."""
    left, right = extent
    return max(left - placed.center[0], placed.center[0] - right, 0.0)


def find_extent(placed: PlacedQuantity) -> tuple[float, float]:
    """Return the left and right end of a length's line and text, in pixels."""
    xs = [*placed.own_segment[[0, 2]].tolist(), *(x for x, _ in placed.quad)]
    return min(xs), max(xs)


def is_beside(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Return whether two extents do not overlap.

    >>> is_beside((0, 4), (5, 9)), is_beside((0, 4), (3, 9))
    (True, False)
    """
    return one[1] < other[0] or one[0] > other[1]
