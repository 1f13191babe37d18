"""Tests of telling the width from the depth by the angles of texts."""

import math

import numpy as np
import pytest

from lib.extraction.edges import find_edges
from lib.extraction.scan import scan_page
from lib.ocr.page import Page, Word


def slanted(text: str, left: float, top: float, degrees: float) -> Word:
    """Make a word of 60 x 12 pixels whose line falls by an angle; it rises if that is below 0."""
    along = (60 * math.cos(math.radians(degrees)), 60 * math.sin(math.radians(degrees)))
    down = (-along[1] / 5, along[0] / 5)
    corners = [(left, top), (left + along[0], top + along[1])]
    corners += [(x + down[0], y + down[1]) for x, y in reversed(corners)]
    return Word(text, 0.9, tuple(corners))


def tell_edges(*degrees: float) -> list[str | None]:
    """Tell the edges of lengths that fall by these angles, side by side, without any line."""
    words = [slanted(f"{i + 3}0 cm", 20 + 120 * i, 200, angle) for i, angle in enumerate(degrees)]
    edges = find_edges(scan_page(Page(800, 400, "text", tuple(words)))).values()
    return [edge.name if edge.is_told else None for edge in edges]


@pytest.mark.parametrize(
    ("degrees", "edges", "reason"),
    [
        ((14, -17), ["depth", "width"], "isometric: the rising edge is the front"),
        ((12, -30), ["width", "depth"], "the edge nearer to level is seen from the front"),
        ((30, -9), ["depth", "width"], "likewise, mirrored"),
        ((70, -19, 90), ["depth", "width", None], "seen from above, beside an upright measure"),
        ((70, -19), [None, None], "the whole drawing may be turned"),
        ((14, -17, -18), ["depth", "width", "width"], "two measures of one edge"),
        ((14, -40, -17), ["depth", "width", "width"], "the greatest of an edge is no part"),
        ((14, -17, 0), ["depth", "width", None], "a level text runs along no such edge"),
        ((14, -17, 90), ["depth", "width", None], "nor does an upright one"),
        ((14, 15), [None, None], "both slant one way"),
        ((5, -6), [None, None], "a photo that is not level"),
        ((), [], "no length"),
    ],
)
def test_slanted_edges(degrees, edges, reason):
    """Two edges that slant opposite ways are the width and the depth."""
    assert tell_edges(*degrees) == edges, reason


def test_share_of_an_edge():
    """The greatest length along an edge is the whole, others are parts of it."""
    words = [
        slanted("40 cm", 20, 200, 0),
        slanted("30 cm", 20, 260, 0),
        slanted("80 cm", 320, 90, 0),
    ]
    segments = np.array([[0, 220, 100, 220], [0, 280, 100, 280], [315, 20, 315, 190]], np.float32)
    scan = scan_page(Page(800, 400, "text", tuple(words)), segments)
    edges = [(edge.name, round(edge.share, 9)) for edge in find_edges(scan).values()]
    assert sorted(edges) == [("height", 1.0), ("width", 0.75), ("width", 1.0)]
