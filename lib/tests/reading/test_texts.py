"""Texts laid out as pages."""

import pytest

from lib.reading.texts import lay_out


@pytest.mark.parametrize(
    ("text", "boxes"),
    [
        ("", []),  # nothing to read
        (" \n|", []),
        ("340 g", [("340 g", 10, 10)]),
        ("Net Wt | 340 g", [("Net Wt", 10, 10), ("340 g", 122, 10)]),  # two cells
        ("Net Wt\n\n340 g", [("Net Wt", 10, 10), ("340 g", 10, 90)]),  # a row apart
    ],
)
def test_rows_and_cells(text, boxes):
    """Each line is a row, each cell a box, all inside the page."""
    page = lay_out(text)
    assert [(word.text, *word.quad[0]) for word in page.words] == boxes
    assert all(word.quad[2][0] < page.width for word in page.words)
    assert all(word.quad[2][1] < page.height for word in page.words)
