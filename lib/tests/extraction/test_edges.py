"""Tests of telling the width from the depth on drawings in perspective."""

import math

import pytest

from lib.extraction.edges import find_edge
from lib.extraction.scan import scan_page
from lib.ocr.page import Page, Word


def slanted(text: str, left: float, top: float, degrees: float) -> Word:
    """Make a word of 60 x 12 pixels whose line falls by an angle; it rises if that is below 0."""
    along = (60 * math.cos(math.radians(degrees)), 60 * math.sin(math.radians(degrees)))
    down = (-along[1] / 5, along[0] / 5)
    corners = [(left, top), (left + along[0], top + along[1])]
    corners += [(x + down[0], y + down[1]) for x, y in reversed(corners)]
    return Word(text, 0.9, tuple(corners))


def find_edges(*degrees: float) -> list[str | None]:
    """Find the edges of lengths that fall by these angles, side by side."""
    words = [slanted(f"{i + 3}0 cm", 20 + 120 * i, 200, angle) for i, angle in enumerate(degrees)]
    scan = scan_page(Page(800, 400, "text", tuple(words)))
    return [find_edge(placed, scan) for placed in scan.quantities]


@pytest.mark.parametrize(
    ("degrees", "edges", "reason"),
    [
        ((14, -17), ["depth", "width"], "isometric: the rising edge is the front"),
        ((12, -30), ["width", "depth"], "the edge nearer to level is seen from the front"),
        ((30, -9), ["depth", "width"], "likewise, mirrored"),
        ((14, -17, -18), ["depth", "width", "width"], "two measures of one edge"),
        ((14, -17, 0), ["depth", "width", None], "a level text runs along no such edge"),
        ((14, -17, 90), ["depth", "width", None], "nor does an upright one"),
        ((14, 15), [None, None], "both slant one way"),
        ((5, -6), [None, None], "a photo that is not level"),
        ((), [], "no length"),
    ],
)
def test_slanted_edges(degrees, edges, reason):
    """Two edges that slant opposite ways are the width and the depth."""
    assert find_edges(*degrees) == edges, reason
