"""Scan a page for its quantities, each with the keywords and line segments around it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from lib.extraction import weights
from lib.extraction.dimension_lines import Drawing, Floats, Segments, measure_segments
from lib.extraction.keywords import Keyword, find_keywords
from lib.extraction.layout import Layout, cut_quad, join_words
from lib.extraction.split_units import WORD, find_drawn, find_split, read_text, with_unit
from lib.ocr import Page, Point, Quad, Word, find_center
from lib.quantities import (
    UNIT_KIND,
    Mention,
    Quantity,
    parse_quantities,
    to_base,
)

NO_LINE_SEGMENTS: Segments = np.empty((0, 4), np.float32)

NO_STRENGTH: Floats = np.zeros((3, 3))
NO_SEGMENT: Floats = np.full(4, np.nan)


TAKEN: str = ", taken"  # Suffix of the position of a keyword whose line has a quantity.
BRACKETED = re.compile(r"\s*\([^()]*\d[^()]*\)\s*")


@dataclass(frozen=True, eq=False)
class Context:
    """The keywords and line segments of a page, computed on first use.

    Attributes:
        layout: The lines of the page.
        keywords: The keywords of each line.
        drawing: The line segments of the image.
        lengths: Corners of the quantities that are lengths.
        spans: Spans of the quantities of each line.
    """

    layout: Layout
    keywords: Sequence[list[Keyword]]
    drawing: Drawing
    lengths: Sequence[Quad]
    spans: Sequence[list[tuple[int, int]]]

    @cached_property
    def segments(self) -> dict[Quad, tuple[Floats, Floats]]:
        """Map the corners of each length to its rows of `dimension_lines.measure_segments`."""
        measured = measure_segments(self.drawing, self.lengths)
        return dict(zip(self.lengths, zip(*measured, strict=True), strict=True))

    def find_in_line(self, index: int, span: tuple[int, int]) -> list[tuple[str, str]]:
        """List the keywords of a line around a span of it, in the form of `find_keywords`.

        A line in brackets continues the line above it.
        """
        start, end = span
        own = self.keywords[index]
        before = [
            ("earlier" if self._is_of_another(index, word, start) else "line", word.meaning)
            for word in reversed(own)
            if word.end <= start + 1
        ]
        if BRACKETED.fullmatch(self.layout.lines[index].text):
            above = self.layout.find_above(index)
            before += [("line", word.meaning) for word in self.keywords[above] if above >= 0]
        before += [("line", word.meaning) for word in self.find_caption(index)]
        return before + [("after", word.meaning) for word in own if word.start >= end - 1]

    def find_caption(self, index: int) -> list[Keyword]:
        """List the keywords of the caption of a table's cell."""
        caption = self.layout.find_caption(index)
        return self.keywords[caption] if caption >= 0 and not self.spans[caption] else []

    def find_keywords(self, index: int, span: tuple[int, int]) -> tuple[tuple[str, str], ...]:
        """List the keywords around a span of a line, in the form of `PlacedQuantity.keywords`."""
        around = self.find_in_line(index, span)
        if self.find_caption(index):
            return tuple(around)
        if not any(other for i, other in enumerate(self.keywords) if i != index):
            return tuple(around)  # as in most drawings; skips the search for neighbours
        searches = {
            "beside": self.layout.find_before,
            "above": self.layout.find_above,
            "below": self.layout.find_below,
        }
        for position, find in searches.items():
            other = find(index)
            if other >= 0:
                suffix = TAKEN if self.spans[other] else ""
                around += [
                    (position + suffix, word.meaning)
                    for word in self.keywords[other]
                    if (position, word.meaning) != ("below", "up to")  # it is of what follows it
                ]
        return tuple(around)

    def _is_of_another(self, index: int, word: Keyword, start: int) -> bool:
        """Return whether another quantity and then a word stand between a keyword and `start`."""
        ends = [end for begin, end in self.spans[index] if word.end <= begin and end <= start]
        if not ends:
            return False
        nearer = any(ends[0] <= other.start < start for other in self.keywords[index])
        return nearer or bool(WORD.search(self.layout.lines[index].text, ends[0], start))


@dataclass(frozen=True)
class PlacedQuantity:
    """A quantity on a page, with its position and context.

    Attributes:
        mention: The quantity and its span in the line's text.
        line: The line it was read in.
        index: Number of the line.
        quad: Corners of the quantity in pixels.
        order: Position in reading order.
        context: Context of the page's quantities.
    """

    mention: Mention
    line: Word
    index: int
    quad: Quad
    order: int
    context: Context = field(repr=False, compare=False)

    @cached_property
    def keywords(self) -> tuple[tuple[str, str], ...]:
        """Return (position, meaning) of the keywords around.

        Position is `line` (before it on the same line), `after` (after it on the same line),
        `beside` (on the line to the left), `above` or `below`.
        """
        return self.context.find_keywords(self.index, self.mention.span)

    @cached_property
    def in_line(self) -> frozenset[str]:
        """Return the meanings of the keywords next to it in its line."""
        found = self.context.find_in_line(self.index, self.mention.span)
        return frozenset(meaning for position, meaning in found if position != "earlier")

    @cached_property
    def segments(self) -> Floats:
        """Return (3, 3), see `dimension_lines.measure_segments`; zeros for cells of tables."""
        return NO_STRENGTH if self._is_apart else self.context.segments[self.quad][0]

    @property
    def own_segment(self) -> Floats:
        """Return the line segment of a length, (4,) x1, y1, x2, y2 in pixels, NaN if it has none.

        A turned text without a segment has the middle of its own line.
        """
        own = NO_SEGMENT if self._is_apart else self.context.segments[self.quad][1]
        if not math.isnan(own[0]) or abs(self.slope) < weights.TEXT_NOISE:
            return own
        (x1, y1), (x2, y2), (x3, y3), (x4, y4) = self.quad
        return np.array([x1 + x4, y1 + y4, x2 + x3, y2 + y3]) / 2

    @property
    def slope(self) -> float:
        """Return the slope of the text in degrees, -90 to 90, whichever way it is read."""
        return (self.line.angle + 90) % 180 - 90

    @property
    def _is_apart(self) -> bool:
        """Return whether no line measures it, as it is no length or in a table."""
        return self.kind != "length" or self.context.layout.find_caption(self.index) >= 0

    @cached_property
    def center(self) -> Point:
        """Return the centre of the quantity, (x, y) in pixels."""
        return find_center(self.quad)

    @cached_property
    def strengths(self) -> tuple[float, ...]:
        """Return the strength of the level, upright and slanted line segments centred on it."""
        return tuple(self.segments[:, 1].tolist())

    @cached_property
    def direction(self) -> int:
        """Return the strongest direction, an index into `dimension_lines.DIRECTIONS`."""
        return self.strengths.index(max(self.strengths))

    @cached_property
    def base(self) -> float:
        """Return the value in metre, gram, volt, watt or litre."""
        return to_base(self.mention.quantity.value, self.mention.quantity.unit)

    @property
    def kind(self) -> str:
        """Return the kind of its unit: length, weight, voltage, wattage or volume."""
        return UNIT_KIND[self.mention.quantity.unit]


@dataclass(frozen=True, eq=False)
class Scan:
    """All quantities of one page, found once for all questions about it; compared by identity.

    Attributes:
        page: The words as read.
        drawing: The line segments of the image.
        lines: The words joined into lines.
        quantities: The quantities, in reading order.
        meanings: Meanings of all keywords on the page.
        roundness: Probability that the image shows a round product, NaN if not computed.
    """

    page: Page
    drawing: Drawing
    lines: tuple[Word, ...]
    quantities: tuple[PlacedQuantity, ...]
    meanings: frozenset[str]
    roundness: float = math.nan


def scan_page(
    page: Page, segments: Segments = NO_LINE_SEGMENTS, roundness: float = math.nan
) -> Scan:
    """Find all quantities of a page.

    Args:
        page: The words of an image.
        segments: (N, 4) x1, y1, x2, y2 in pixels, from `features.find_line_segments`.
        roundness: Probability that the image shows a round product, from `features.roundness`.
    """
    lines = tuple(join_words(page.words))
    layout = Layout(lines)
    whole = [parse_line(i, layout) for i in range(len(lines))]
    found = [(i, mention) for i, mentions in enumerate(whole) for mention in mentions]
    found += [(i, m) for i, own in enumerate(whole) if not own for m in find_split(i, layout)]
    keywords = [find_keywords(line.text) for line in lines]
    printed = len(found)
    found += find_drawn(layout, keywords, {i for i, _ in found})
    drawing = Drawing(segments, page.words, page.width, page.height)
    quads = [cut_quad(lines[index], *mention.span) for index, mention in found]
    lengths = [quad for quad, item in zip(quads, found, strict=True) if is_length(item[1].quantity)]
    context = Context(
        layout, keywords, drawing, lengths, [[mention.span for mention in own] for own in whole]
    )
    quantities = [
        PlacedQuantity(mention, lines[index], index, quads[order], order, context)
        for order, (index, mention) in enumerate(found)
        if order < printed or mention.series[1] > 1 or context.segments[quads[order]][0][:, 2].any()
    ]
    meanings = frozenset(keyword.meaning for line_keywords in keywords for keyword in line_keywords)
    return Scan(page, drawing, lines, tuple(repair_metres(quantities)), meanings, roundness)


def repair_metres(quantities: list[PlacedQuantity]) -> list[PlacedQuantity]:
    """Read `189 m` as centimetres or millimetres, as the page's other lengths are: OCR loses a c.

    Applies only above 5 m, which few products reach.
    """
    printed = [r.mention.quantity for r in quantities if not r.mention.repaired]
    units = {quantity.unit for quantity in printed} & {"centimetre", "millimetre"}
    if not units:
        return quantities
    repaired = [
        replace(r, mention=with_unit(r.mention, min(units))._replace(repaired=True))
        if r.mention.quantity.unit == "metre"
        and r.mention.quantity.value > weights.LONG_METRES
        and not WORD.search(r.line.text)
        else r
        for r in quantities
    ]
    unique = {(id(r.line), r.mention.span, r.mention.quantity): r for r in reversed(repaired)}
    return sorted(unique.values(), key=lambda r: r.order)


def parse_line(index: int, layout: Layout) -> list[Mention]:
    """Find the quantities of a line; a line in brackets is read with the line above it.

    It mostly converts it: `15 cm` above `(5 7/8")`.
    """
    text = layout.lines[index].text
    if not BRACKETED.fullmatch(text):
        return parse_quantities(text)
    above = read_text(layout, layout.find_above(index))
    start = len(above) + 1
    found = [one for one in parse_quantities(f"{above} {text}") if one.span[0] >= start]
    return [one._replace(span=(one.span[0] - start, one.span[1] - start)) for one in found]


def is_length(quantity: Quantity) -> bool:
    """Return whether a quantity is in a unit of length."""
    return UNIT_KIND[quantity.unit] == "length"
