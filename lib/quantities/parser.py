"""Quantities in the text of labels: number, unit, and how neighbours belong together."""

import re
from functools import lru_cache

from lib.quantities.compounds import join_terms
from lib.quantities.conversions import mark_duals, mark_ranges, number_series
from lib.quantities.quantity import Mention, Quantity
from lib.quantities.terms import Term, read_terms


def parse_quantities(text: str) -> list[Mention]:
    r"""Find every quantity of a text, from left to right.

    >>> [str(m.quantity) for m in parse_quantities("3-5 kg, 1/2 lb, O.5 L, V8")]
    ['3.0 kilogram', '5.0 kilogram', '0.5 pound', '0.5 litre']
    >>> [(str(m.quantity), m.axis) for m in parse_quantities("W 8.8 x H 6 inches")]
    [('8.8 inch', 'width'), ('6.0 inch', 'height')]
    >>> [str(m.quantity) for m in parse_quantities("5' 6\" tall")]
    ['66.0 inch']
    >>> [(str(m.quantity), m.conversion) for m in parse_quantities("2.2 lb (1 kg)")]
    [('2.2 pound', False), ('1.0 kilogram', True)]
    >>> parse_quantities("")
    []
    """
    mentions = [_to_mention(text, part) for part in _parse(text) if part.unit]
    return mentions + _reread_metres(text, mentions)


# A drawing that says "189 m" and nothing else has lost a c more often than it shows a field, and
# "25.21m" is 25.2 in.
_LONE_METRES = re.compile(r"\s*(\d+(?:[.,]\d+)?)\.?\s?m\s*", re.IGNORECASE)
_LONGEST_METRES = 10


def _reread_metres(text: str, mentions: list[Mention]) -> list[Mention]:
    """Read a lone `189m` as centimetres too."""
    match = _LONE_METRES.fullmatch(text) if len(mentions) == 1 else None
    if not match or mentions[0].quantity.value < _LONGEST_METRES:
        return []
    number = match[1]
    quantity = Quantity(mentions[0].quantity.value, "centimetre")
    if "." in number and number.endswith("1"):
        quantity = Quantity(float(number[:-1]), "inch")
    return [mentions[0]._replace(quantity=quantity, repaired=True)]


def parse_numbers(text: str) -> list[Mention]:
    """Find the bare numbers of a text: those with no unit that are no part of a word or a date.

    >>> [m.quantity.value for m in parse_numbers("Voltage: 110, 4K, 24.12.2024, 5 %, 3 kg")]
    [110.0]
    """
    return [_to_mention(text, p) for p in _parse(text) if not p.unit and _is_bare(text, p)]


_HAS_NUMBER = re.compile(r"[\d½¼¾⅐-⅞]")
# `Vitamin D 5mcg` names no depth.
_WITH_AXES = frozenset({"length", ""})


@lru_cache(maxsize=256)  # asked for its quantities, a line is asked for its numbers next
def _parse(text: str) -> tuple[Term, ...]:
    """Find all numbers of a text, with and without units."""
    if not _HAS_NUMBER.search(text):
        return ()
    parts = read_terms(text)
    if len(parts) > 1:
        parts = number_series(text, mark_ranges(mark_duals(join_terms(parts))))
    return tuple(parts)


_AFTER_NO_NUMBER = re.compile(r"\s?[%‰℃€$£¥°º]|[.:/]\d|\s?-?(?:pcs|pack|piece)", re.IGNORECASE)
_BEFORE_NO_NUMBER = re.compile(r"\d[.:/]\Z")


def _is_bare(text: str, part: Term) -> bool:
    """Refuse percentages, prices, dates, times and numbers that touch a word other than an axis."""
    start, end = part.atom.start, part.atom.end
    if part.atom.glued and not (part.axis and part.atom.glued == "before"):
        return False
    if _BEFORE_NO_NUMBER.search(text[max(0, start - 2) : start]):
        return False
    return not _AFTER_NO_NUMBER.match(text, end)


def _to_mention(text: str, part: Term) -> Mention:
    """Turn a part into the mention that other modules see."""
    start, end = part.atom.start, part.atom.end
    return Mention(
        Quantity(part.value, part.unit),
        (start, end),
        text[start:end],
        part.axis if part.kind in _WITH_AXES else None,
        part.series,
        part.bound,
        part.repaired,
        part.conversion,
        part.qualifier,
        part.count,
    )
