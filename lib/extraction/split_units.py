"""Find the units of numbers that stand elsewhere: in another line, or once for a whole page."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lib.extraction import weights
from lib.extraction.keywords import Keyword
from lib.extraction.layout import Layout
from lib.quantities import UNIT_KIND, Mention, Quantity, find_units, parse_numbers

WORD = re.compile(r"[^\W\d_]{3}")
STARTS_WITH_LETTER = re.compile(r"\s*[^\W\d_]")
BRACKETED_UNIT = re.compile(r"\([^\W\d_]{1,11}\)\s*\Z")


def find_split(index: int, layout: Layout) -> list[Mention]:
    """Find at most one quantity whose unit is in another line: beside, below, or a table's head.

    Args:
        index: Number of a line that contains no quantity.
        layout: The page's lines.
    """
    text = layout.lines[index].text
    numbers = parse_numbers(text)
    if not numbers or not ends_with(text, numbers[-1]):
        return []
    for find in (layout.find_beside, layout.find_below):
        other = read_text(layout, find(index))
        units = find_units(other)
        if units and is_bare_unit(other, units):
            return [with_unit(numbers[-1], units[0][0])]
    if not is_bare_number(text, numbers):
        return []
    heads = layout.find_before(index), layout.find_caption(index), find_head(index, layout)
    for head in heads:
        units = find_units(read_text(layout, head))
        if units:
            return [with_unit(numbers[0], units[0][0])]
    return []


def find_drawn(
    layout: Layout, keywords: Sequence[list[Keyword]], taken: set[int]
) -> list[tuple[int, Mention]]:
    """Find the lone numbers of a page that gives their unit once: `All dimensions in mm`.

    Args:
        layout: The page's lines.
        keywords: The keywords of each line.
        taken: Numbers of the lines that contain a quantity.

    Returns:
        (number of the line, quantity in the page's unit).
    """
    unit = find_page_unit(layout, keywords, taken)
    if not unit:
        return []
    free = [i for i in range(len(layout.lines)) if i not in taken and layout.find_caption(i) < 0]
    numbers = {i: parse_numbers(layout.lines[i].text) for i in free}
    return [
        (i, with_unit(number, unit))
        for i, found in numbers.items()
        if found and is_lone(layout.lines[i].text, found)
        for number in found
    ]


def is_lone(text: str, numbers: list[Mention]) -> bool:
    """Return whether a text is one number or one series, and little else."""
    if len(numbers) > 1:
        return numbers[-1].series[1] == len(numbers) and not WORD.search(text)
    return is_bare_number(text, numbers)


def find_page_unit(
    layout: Layout, keywords: Sequence[list[Keyword]], taken: set[int]
) -> str | None:
    """Return the unit of length that a note gives for all numbers of a page, None without one."""
    for i, (line, own) in enumerate(zip(layout.lines, keywords, strict=True)):
        if i in taken or not (own or line.text.startswith("(")):
            continue
        is_note = any(keyword.meaning in ("size", "unit") for keyword in own)
        if not is_note and not BRACKETED_UNIT.match(line.text):
            continue
        units = [unit for unit, _ in find_units(line.text) if UNIT_KIND[unit] == "length"]
        if units and not is_heading(i, layout, is_note):
            return units[0]
    return None


def is_heading(index: int, layout: Layout, is_note: bool) -> bool:
    """Return whether a unit heads its neighbours, and so is not the unit of the page.

    The unit of a note heads only a bare number beside or below; any other unit, any neighbour.
    """
    nearest = [layout.find_beside(index), layout.find_below(index)]
    if not is_note:
        nearest += [layout.find_before(index), layout.find_above(index)]
        return max(nearest) >= 0
    texts = [read_text(layout, one) for one in nearest]
    return any(
        len(numbers := parse_numbers(text)) == 1 and is_bare_number(text, numbers) for text in texts
    )


def find_head(index: int, layout: Layout) -> int:
    """Find the line above a number that may hold its unit, -1 if there is none.

    A bare unit belongs to the number above it if this number has a word beside or below: `50`,
    `watt`, `3`, `speeds`.
    """
    above = layout.find_above(index)
    text = read_text(layout, above)
    units = find_units(text)
    if not units or not is_bare_unit(text, units):
        return above
    nearest = (layout.find_beside(index), layout.find_below(index))
    is_labelled = any(STARTS_WITH_LETTER.match(read_text(layout, one)) for one in nearest)
    return -1 if is_labelled else above


def read_text(layout: Layout, index: int) -> str:
    """Return the text of a line, `""` for the number -1."""
    return "" if index < 0 else layout.lines[index].text


def ends_with(text: str, number: Mention) -> bool:
    """Return whether a number ends a text, so that its unit may follow in another line."""
    return len(text.rstrip()) - number.span[1] <= weights.MAX_AFTER


def is_bare_unit(text: str, units: list[tuple[str, tuple[int, int]]]) -> bool:
    """Return whether a text is a unit and little else."""
    start, end = units[0][1]
    return len(text.strip()) - (end - start) <= weights.MAX_BESIDE


def is_bare_number(text: str, numbers: list[Mention]) -> bool:
    """Return whether a text is a number and little else."""
    start, end = numbers[0].span
    return len(text.strip()) - (end - start) <= weights.MAX_BESIDE


def with_unit(number: Mention, unit: str) -> Mention:
    """Set the unit of a bare number."""
    return number._replace(quantity=Quantity(number.quantity.value, unit))
