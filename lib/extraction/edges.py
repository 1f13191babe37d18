"""Tell which slanted edge of a drawing in perspective is the width and which the depth."""

from __future__ import annotations

from functools import lru_cache
from statistics import median

from lib.extraction import weights
from lib.extraction.scan import PlacedQuantity, Scan


def find_edge(placed: PlacedQuantity, scan: Scan) -> str | None:
    """Return the edge that a length printed along a slanted line measures.

    A drawing that shows a corner of the product has two slanted edges: one falls to the right, the
    other rises. The one nearer to level is seen more from the front and is the width. If both are
    alike, as in isometric drawings, the rising one is: catalogues of furniture draw the front to
    the right (all 9 such drawings among our labelled ones).

    Returns:
        `width`, `depth`, or None if the length is not slanted or nothing slants the other way.
    """
    angle = find_slope(placed)
    width = _find_width_slope(scan)
    if width is None or not is_slanted(angle):
        return None
    return "width" if angle * width > 0 else "depth"


@lru_cache(maxsize=1)  # of the current page
def _find_width_slope(scan: Scan) -> float | None:
    """Return the slope of the width in degrees, None if the lengths do not slant both ways."""
    slopes = [find_slope(one) for one in scan.quantities if one.kind == "length"]
    rising = [slope for slope in slopes if is_slanted(slope) and slope < 0]
    falling = [slope for slope in slopes if is_slanted(slope) and slope > 0]
    if not rising or not falling:
        return None
    rise, fall = median(rising), median(falling)
    if max(-rise, fall) < weights.CORNER:
        return None
    return fall if fall + weights.ALIKE < -rise else rise


def find_slope(placed: PlacedQuantity) -> float:
    """Return the angle of a text's line in degrees, -90 to 90, below 0 if it rises."""
    return (placed.line.angle + 90) % 180 - 90


def is_slanted(slope: float) -> bool:
    """Return whether a text runs along an edge that recedes."""
    return weights.SLANTED[0] < abs(slope) < weights.SLANTED[1]
