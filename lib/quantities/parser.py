"""Parse the quantities and bare numbers of a text."""

import re
from functools import lru_cache

from lib.quantities.compounds import join_terms
from lib.quantities.conversions import drop_misread, mark_duals, mark_ranges, number_series
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
    mentions = [_to_mention(text, term) for term in _parse(text) if term.unit]
    return mentions + _reread_metres(text, mentions)


# A line that reads only "189 m" is more often "189 cm" with a lost c than a length in metres, and
# "25.21m" is a misread "25.2 in".
_LONE_METRES = re.compile(r"\s*(\d+(?:[.,]\d+)?)\.?\s?m\s*")
_LONGEST_METRES = 10


def _reread_metres(text: str, mentions: list[Mention]) -> list[Mention]:
    """Return a second reading of a lone `189m` in centimetres, or in inches for `25.21m`."""
    match = _LONE_METRES.fullmatch(text) if len(mentions) == 1 else None
    if not match or mentions[0].quantity.value < _LONGEST_METRES:
        return []
    number = match[1]
    quantity = Quantity(mentions[0].quantity.value, "centimetre")
    if "." in number and number.endswith("1"):
        quantity = Quantity(float(number[:-1]), "inch")
    return [mentions[0]._replace(quantity=quantity, repaired=True)]


def parse_numbers(text: str) -> list[Mention]:
    """Find the bare numbers of a text: without a unit and not term of a word or date.

    >>> [m.quantity.value for m in parse_numbers("Voltage: 110, 4K, 24.12.2024, 5 %, 3 kg")]
    [110.0]
    """
    return [_to_mention(text, p) for p in _parse(text) if not p.unit and _is_bare(text, p)]


# `ONE PINT`, as US labels print it, and a 1 that is read as a letter.
_ONE = re.compile(
    r"(?:one|One|ONE|[Il])\b(?<!\w[Il])(?<!\w\w\w\w)"
    r"(?=\s(?i:pint|quart|gallon|lit(?:re|er)|pound|kilo)\b)"
)
_HAS_NUMBER = re.compile(r"[\d½¼¾⅐-⅞]")
# Unit kinds whose axis is kept: the D of `Vitamin D 5mcg` is no depth.
_WITH_AXES = frozenset({"length", ""})


@lru_cache(maxsize=256)  # callers ask for the quantities and then the numbers of a line
def _parse(text: str) -> tuple[Term, ...]:
    """Find all numbers of a text, with and without units."""
    text = _ONE.sub(lambda match: "1".ljust(len(match[0])), text)
    if not _HAS_NUMBER.search(text):
        return ()
    terms = read_terms(text)
    if len(terms) > 1:
        terms = number_series(text, mark_ranges(drop_misread(text, mark_duals(join_terms(terms)))))
    return tuple(terms)


_AFTER_NO_NUMBER = re.compile(r"\s?[%‰℃€$£¥°º]|[.:/]\d|\s?-?(?:pcs|pack|piece)", re.IGNORECASE)
_BEFORE_NO_NUMBER = re.compile(r"\d[.:/]\Z")


def _is_bare(text: str, term: Term) -> bool:
    """Reject percentages, prices, dates, times and numbers glued to a word that is no axis."""
    start, end = term.token.start, term.token.end
    if term.token.glued and not (term.axis and term.token.glued == "before"):
        return False
    if _BEFORE_NO_NUMBER.search(text[max(0, start - 2) : start]):
        return False
    return not _AFTER_NO_NUMBER.match(text, end)


def _to_mention(text: str, term: Term) -> Mention:
    """Convert a term to the public `Mention`."""
    start, end = term.token.start, term.token.end
    return Mention(
        Quantity(term.value, term.unit),
        (start, end),
        text[start:end],
        term.axis if term.kind in _WITH_AXES else None,
        term.series,
        term.bound,
        term.repaired,
        term.conversion,
        term.qualifier,
        term.pieces,
    )
