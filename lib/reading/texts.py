"""Lay a text out as a page, to try what is read from a text without an image."""

from lib.ocr import Page, Word

LETTER: tuple[int, int] = (12, 24)  # pixels, width and height
ROW, GAP, MARGIN = 40, 40, 10  # pixels: from row to row, between cells, around


def lay_out(text: str) -> Page:
    """Make a page of a text: a row of boxes a line, `|` between two of them.

    >>> [word.text for word in lay_out("Net Wt | 340 g").words]
    ['Net Wt', '340 g']
    """
    words = []
    for row, line in enumerate(text.splitlines()):
        left, top = MARGIN, MARGIN + ROW * row
        for cell in filter(None, map(str.strip, line.split("|"))):
            right, bottom = left + LETTER[0] * len(cell), top + LETTER[1]
            words.append(
                Word(cell, 0.99, ((left, top), (right, top), (right, bottom), (left, bottom)))
            )
            left = right + GAP
    ends = [word.quad[2] for word in words]
    width, height = (int(max((end[axis] for end in ends), default=0)) for axis in (0, 1))
    return Page(width + 2 * MARGIN, height + 2 * MARGIN, "text", tuple(words))
