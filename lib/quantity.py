"""Quantities in the text of labels: number, unit, and how neighbours belong together."""

import re
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from lib.dual import mark_duals, mark_ranges, number_series
from lib.part import Part, read_parts
from lib.phrase import join_parts
from lib.unit_text import find_units
from lib.units import ENTITY_UNITS

__all__ = [
    "Mention",
    "Quantity",
    "find_units",
    "parse_answer",
    "parse_numbers",
    "parse_quantities",
]

_ALLOWED: frozenset[str] = frozenset().union(*ENTITY_UNITS.values())
_OFFICIAL = re.compile(r"\s*(\d++(?:\.\d++)?)\s+([a-z]+(?: [a-z]+)?)\s*", re.IGNORECASE)


class Quantity(NamedTuple):
    """A number and a unit; `str` prints the challenge's official form.

    >>> str(Quantity(12, "inch")), str(Quantity(0.709, "gram"))
    ('12.0 inch', '0.709 gram')
    >>> str(Quantity(0.00001, "gram")), str(Quantity(1e16, "volt"))
    ('0.00001 gram', '10000000000000000.0 volt')
    """

    value: float
    unit: str

    def __str__(self) -> str:
        number = format(Decimal(repr(float(self.value))), "f")
        return f"{number}{'' if '.' in number else '.0'} {self.unit}".strip()


class Mention(NamedTuple):
    """A quantity where the text says it.

    Attributes:
        quantity: Number and unit; the unit is `""` for a bare number.
        span: Start and end in the text.
        surface: The characters themselves.
        axis: "height", "width", "depth", "length", "diameter" or "thickness" where a letter or
            word beside it says so, else None.
        series: Position and count in `10 x 20 x 30 cm`; (0, 1) alone.
        bound: "low" or "high" for the ends of a range, else None.
        repaired: A glyph slip was mended.
        conversion: The second of a dual unit: `2.2 lb (1 kg)`.
        qualifier: "max", "min" or "approx" where the word stands right before, else None.
        count: How many, for multi-packs: 6 for `6 x 250 ml`.
    """

    quantity: Quantity
    span: tuple[int, int]
    surface: str
    axis: str | None = None
    series: tuple[int, int] = (0, 1)
    bound: str | None = None
    repaired: bool = False
    conversion: bool = False
    qualifier: str | None = None
    count: int = 1


def parse_answer(text: str) -> Quantity | None:
    """Read the official form, or None for ranges and anything else.

    >>> parse_answer("15.5 centimetre"), parse_answer("15 gram")
    (Quantity(value=15.5, unit='centimetre'), Quantity(value=15.0, unit='gram'))
    >>> parse_answer("[100.0, 240.0] volt") is None, parse_answer("5 to 7 kilogram") is None
    (True, True)
    >>> parse_answer("") is None
    True
    """
    match = _OFFICIAL.fullmatch(text)
    if not match or match[2].lower() not in _ALLOWED:
        return None
    return Quantity(float(match[1]), match[2].lower())


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
def _parse(text: str) -> tuple[Part, ...]:
    """Find all numbers of a text, with and without units."""
    if not _HAS_NUMBER.search(text):
        return ()
    parts = read_parts(text)
    if len(parts) > 1:
        parts = number_series(text, mark_ranges(mark_duals(join_parts(parts))))
    return tuple(parts)


_AFTER_NO_NUMBER = re.compile(r"\s?[%‰℃€$£¥°º]|[.:/]\d|\s?-?(?:pcs|pack|piece)", re.IGNORECASE)
_BEFORE_NO_NUMBER = re.compile(r"\d[.:/]\Z")


def _is_bare(text: str, part: Part) -> bool:
    """Refuse percentages, prices, dates, times and numbers that touch a word other than an axis."""
    start, end = part.atom.start, part.atom.end
    if part.atom.glued and not (part.axis and part.atom.glued == "before"):
        return False
    if _BEFORE_NO_NUMBER.search(text[max(0, start - 2) : start]):
        return False
    return not _AFTER_NO_NUMBER.match(text, end)


def _to_mention(text: str, part: Part) -> Mention:
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
