"""Find what speaks against taking a quantity for an answer: somebody else's, or none at all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from statistics import median

from lib.extraction import weights
from lib.extraction.candidates import ENTITY_KIND, Candidate, is_same
from lib.extraction.scan import TAKEN, PlacedQuantity, Scan
from lib.quantities import DEGREES, Quantity, parse_numbers

LOAD: str = "maximum load"
WEIGHTS: frozenset[str] = frozenset({"weight", "net weight", "gross weight", "net content"})
LENGTHS: frozenset[str] = frozenset({"width", "height", "depth", "thickness", "length"})
# Meanings that say whose quantity it is, if not the product's.
OTHERS: frozenset[str] = frozenset({"package", "part", "cable", "fits", "distance", "diagonal"})
# Units of weight in which no recipe measures its water.
SOLD_BY: frozenset[str] = frozenset({"gram", "kilogram", "pound", "milligram", "microgram", "ton"})
# What nutrition tables refer to.
BASES: frozenset[Quantity] = frozenset({Quantity(100.0, "gram"), Quantity(100.0, "millilitre")})


def find_doubts(candidate: Candidate, scan: Scan, entity: str) -> list[str]:
    """List what speaks against taking a candidate for the answer if nothing names it.

    Args:
        candidate: A quantity in a unit that the entity allows.
        scan: Its page.
        entity: What is asked for.

    Returns:
        Reasons in a few words; an empty list if there are none.
    """
    doubts = {"length": _doubt_length, "weight": _doubt_content, "volume": _doubt_content}
    doubt = doubts.get(ENTITY_KIND[entity])
    return list(doubt(candidate.placed, scan, entity)) if doubt else []


def _doubt_length(placed: PlacedQuantity, scan: Scan, entity: str) -> Iterator[str]:
    """Yield what speaks against a length."""
    in_line = placed.in_line
    if in_line & {"fits", "user"}:
        yield "of what it fits"
    if in_line & {"part", "cable", "package", "distance"}:
        yield "of something else"
    if "length" not in in_line and is_in_sentence(placed):
        yield "in a sentence"
    if has_limit_sign(placed) or in_line & {LOAD, "up to"}:
        yield "limit"
    if is_angle(placed, scan):
        yield "angle"


def _doubt_content(placed: PlacedQuantity, scan: Scan, entity: str) -> Iterator[str]:
    """Yield what speaks against a weight, load or volume."""
    unit = placed.mention.quantity.unit
    if ("line", "code") in placed.keywords:
        yield "part of a code"
    if "nutrition" in scan.meanings and placed.mention.quantity in BASES:
        yield "basis of a nutrition table"
    if _HOUSEHOLD.search(placed.line.text[: placed.mention.span[0]]):
        yield "content of a spoon or cup"
    if is_in_table(placed, scan):
        yield "in a table of nutrients or of users"
    if entity == "item_volume" and "serving" in placed.in_line and not is_single(placed):
        yield "of a serving"
    if "package" in placed.in_line and placed.kind == "weight":
        yield "of its package"
    if {"nutrition", "serving"} & scan.meanings and runs_on(placed):
        yield "in a sentence"
    if unit not in SOLD_BY and any(meaning == "recipe" for _, meaning in placed.keywords):
        yield "in a recipe"
    if entity == "item_volume" and unit == "ounce" and is_mass(placed, scan):
        yield "ounces of mass"
    if entity == "item_weight" and placed.mention.bound and "person" in placed.in_line:
        yield "of its user"
    if entity == "item_weight" and (is_drawn_load(placed, scan) or is_limit(placed)):
        yield "limit"
    if entity == "maximum_weight_recommendation" and not is_load(placed, scan):
        yield "nothing says load"


# `1 scoop = 30 g`, `cup = 240 ml (86 g)`; not so `12 cups = 1.8 l`.
_HOUSEHOLD = re.compile(
    r"(?<!\w)(?<!\d\s)(?:1\s|une?\s|una\s|eine?\s)?"
    r"(?:cup|tasse|tazza|taza|scoop|(?:tea|table)?spoon|tbsp|tsp|(?:mess|ess|tee)löffel"
    r"|cuillère(?: à \w+)?|cucharad(?:it)?a|cucchiai(?:n)?o|misurino|lepel|łyżka|colher)"
    r"\s?[=≈]\s?(?:[\d.,]+\s?\w+[\s(≈=~]{0,4})?\Z",
    re.IGNORECASE,
)


def is_load(placed: PlacedQuantity, scan: Scan) -> bool:
    """Return whether a weight is a load: said so, too heavy for a product, or on a drawing.

    A keyword for loads or people elsewhere on the page counts if no keyword names the weight and
    it is no cell of a table, whose caption would say so.
    """
    near = {meaning for position, meaning in placed.keywords if not position.endswith(TAKEN)}
    says_load = near & {LOAD, "limit", "up to", "capacity"}  # "capacity" is said of both
    if says_load or is_limit(placed):
        return True
    if near & WEIGHTS or "serving" in near:
        return False
    if placed.base >= weights.HEAVY or is_drawn_load(placed, scan):
        return True
    is_cell = placed.context.layout.find_caption(placed.index) >= 0
    return not is_cell and bool({LOAD, "person"} & scan.meanings)


def is_limit(placed: PlacedQuantity) -> bool:
    """Return whether a quantity follows a word or sign such as `max` or `≤`."""
    return placed.mention.qualifier == "max"


def has_limit_sign(placed: PlacedQuantity) -> bool:
    """Return whether a sign such as `≤` precedes: a condition on what is used with the product."""
    if not is_limit(placed):
        return False
    before = placed.line.text[: placed.mention.span[0]].rstrip()
    return before.endswith(("<", "＜", "≤", "≦"))


def is_drawn_load(placed: PlacedQuantity, scan: Scan) -> bool:
    """Return whether a weight stands on a dimension drawing on which nothing says weight.

    Drawings of furniture print the load that it bears, seldom its own weight.
    """
    if placed.base < weights.LEAST_DRAWN_LOAD or scan.meanings & WEIGHTS:
        return False
    lengths = {one.base for one in scan.quantities if one.kind == "length"}
    return len(lengths) >= weights.DRAWN_LENGTHS


def is_in_table(placed: PlacedQuantity, scan: Scan) -> bool:
    """Return whether a weight is one of many of its unit on a page about nutrients or users.

    The net weight stands out of such a table by its print.
    """
    if not {"nutrition", "user"} & scan.meanings or placed.kind != "weight":
        return False
    unit = placed.mention.quantity.unit
    sizes = [one.line.size for one in scan.quantities if one.mention.quantity.unit == unit]
    return len(sizes) >= weights.TABLE and placed.line.size < weights.STANDS_OUT * median(sizes)


def is_mass(placed: PlacedQuantity, scan: Scan) -> bool:
    """Return whether an ounce is one of mass: beside grams of the same mass, or on no liquid.

    An ounce without `fl` counts as a fluid ounce on the label of a liquid only.
    """
    others = [one for one in scan.quantities if one.mention.quantity.unit != "ounce"]
    if any(one.kind == "weight" and is_same(one.base, placed.base) for one in others):
        return True
    is_liquid = bool({"volume", "capacity", "liquid"} & scan.meanings)
    return not is_liquid and not any(one.kind == "volume" for one in others)


def is_angle(placed: PlacedQuantity, scan: Scan) -> bool:
    """Return whether a degree sign, which OCR also reads for an inch mark, means an angle."""
    mention = placed.mention
    if mention.surface[-1] not in DEGREES or mention.series[1] > 1:
        return False
    inches = [one.mention for one in scan.quantities if one.mention.quantity.unit == "inch"]
    return all(one.surface[-1] in DEGREES for one in inches)


def is_in_sentence(placed: PlacedQuantity) -> bool:
    """Return whether a quantity stands among words; a series does wherever it stands."""
    return placed.mention.series[1] == 1 and count_other_words(placed) > 0


def is_note(placed: PlacedQuantity, scan: Scan) -> bool:
    """Return whether a length stands in a sentence beside a drawing that gives its own lengths."""
    is_length = placed.kind == "length"
    return is_length and is_drawing(scan) and count_other_words(placed) >= weights.NOTE_WORDS


@lru_cache(maxsize=1)  # of the current page
def is_drawing(scan: Scan) -> bool:
    """Return whether lengths stand alone beside line segments."""
    lengths = [one for one in scan.quantities if one.kind == "length"]
    alone = [one for one in lengths if one.mention.surface == one.line.text.strip()]
    if len(alone) < weights.DRAWN_LENGTHS:
        return False
    return sum(bool(one.segments[:, 2].any()) for one in alone) >= weights.DRAWN_LENGTHS


def count_other_words(placed: PlacedQuantity) -> int:
    """Count the words around a quantity, the caption of its row included, but keywords."""
    known = placed.context
    caption = known.layout.find_caption(placed.index)
    if caption < 0 and len(placed.mention.surface) == len(placed.line.text):
        return 0
    count = 0
    for line in {placed.index, caption} - {-1}:
        spans = [*known.spans[line], *((word.start, word.end) for word in known.keywords[line])]
        count += len(find_other_words(known.layout.lines[line].text, spans))
    return count


def is_single(placed: PlacedQuantity) -> bool:
    """Return whether the page counts a single serving: `Servings per container 1`."""
    known = placed.context
    counts = [
        [number.quantity.value for number in parse_numbers(line.text)]
        for line, keywords, spans in zip(
            known.layout.lines, known.keywords, known.spans, strict=True
        )
        if not spans and any(keyword.meaning == "serving" for keyword in keywords)
    ]
    return [1.0] in counts


def runs_on(placed: PlacedQuantity) -> bool:
    """Return whether a lower-case word precedes a quantity and another follows, as in a recipe."""
    start, end = placed.mention.span
    before, after = placed.line.text[:start], placed.line.text[end:]
    return bool(_ENDS_WITH_WORD.search(before) and _BEGINS_WITH_WORD.match(after))


_ENDS_WITH_WORD = re.compile(r"[^\W\d_A-Z]{2,}[\s:(~]{1,3}\Z")
_BEGINS_WITH_WORD = re.compile(r"\s?\(?[^\W\d_A-Z]{2,}")


def find_other_words(text: str, spans: Sequence[tuple[int, int]]) -> list[str]:
    """List the words of three letters or more outside the spans of quantities and keywords.

    >>> find_other_words("Solid bar 7 mm", [(10, 14)]), find_other_words("7 mm", [(0, 4)])
    (['Solid', 'bar'], [])
    >>> find_other_words("Width: 7 mm", [(0, 5), (7, 11)])
    []
    """
    rest = list(text)
    for start, end in spans:
        rest[start:end] = " " * (end - start)
    return _WORDS.findall("".join(rest))


_WORDS = re.compile(r"[^\W\d_]{3,}")
