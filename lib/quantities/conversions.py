"""Mark conversions, ranges and series: `10 x 4 cm (3.9 x 1.6 in)` gives two lengths twice."""

import re
from itertools import pairwise

from lib.quantities.axes import read_head
from lib.quantities.terms import Term
from lib.quantities.units import IMPERIAL, UNIT_KIND, to_base

# Relative; labels round: 1.5 cm is printed as 0.6 in, 1 in as 2.5 cm.
_TOLERANCE = 0.1
_LINKS = frozenset({"dual", "and", "slash", "space", "range"})
# Terms to look back for the original of a conversion: three in `10 x 20 x 30 cm (4 x 8 x 12 in)`.
_REACH = 3

# Printed unit -> units that it may stand for: ounces beside millilitres are fluid ounces, and "m"
# beside inches has lost a letter.
_MEANT: dict[str, tuple[str, ...]] = {
    "ounce": ("ounce", "fluid ounce"),
    "metre": ("metre", "centimetre", "millimetre"),
}


def mark_duals(terms: list[Term]) -> list[Term]:
    """Mark conversions: the second value of a dual unit, and the series or range it starts.

    >>> from lib.quantities.terms import read_terms
    >>> [(p.value, p.unit, p.conversion) for p in mark_duals(read_terms("8 oz (237 ml)"))]
    [(8.0, 'fluid ounce', False), (237.0, 'millilitre', True)]
    """
    marked: list[Term] = []
    for i, term in enumerate(terms):
        if term.link in ("times", "range") and _goes_on(marked[-1], term):
            term = term._replace(conversion=True)
        for j in range(i - 1, max(-1, i - 1 - _REACH), -1) if term.link in _LINKS else ():
            pair = _pair(marked[j], term) or _pair_equivalents(marked[j], term)
            if pair:
                marked[j], term = pair
                break
        marked.append(term)
    return marked


def _goes_on(before: Term, term: Term) -> bool:
    """Return whether a term continues a conversion such as `(4 x 8 x 12 in)` in the same unit."""
    return before.conversion and term.unit == before.unit


def _pair(first: Term, second: Term) -> tuple[Term, Term] | None:
    """Return both terms as a dual unit if the second converts the first, else None."""
    if not first.unit or not second.unit or first.unit == second.unit:
        return None
    for one in _MEANT.get(first.unit, (first.unit,)):
        for other in _MEANT.get(second.unit, (second.unit,)):
            if _agree(first.value, one, second.value, other):
                axis = second.axis or first.axis
                second = _set_unit(second, other)._replace(conversion=True, axis=axis)
                return _set_unit(first, one), second
    return None


def drop_misread(text: str, terms: list[Term]) -> list[Term]:
    """Take the unit from a conversion in brackets that does not agree: `15 cm (5 78")`.

    Such a bracket holds nothing but the same length in the other system, misread.

    >>> from lib.quantities.terms import read_terms
    >>> [p.unit for p in drop_misread('15 cm (5 78")', read_terms('15 cm (5 78")'))]
    ['centimetre', '', '']
    """
    kept: list[Term] = []
    origin = bracket = None
    for term in terms:
        if origin and bracket and term.token.end <= bracket.end() and _is_misread(origin, term):
            term = term._replace(unit="")
        if term.unit:
            origin, bracket = term, _BRACKET.match(text, term.token.end)
        kept.append(term)
    return kept


def _is_misread(origin: Term, term: Term) -> bool:
    """Return whether a length in brackets is in the other system and does not agree."""
    systems = [one.unit in IMPERIAL for one in (origin, term)]
    is_length = origin.kind == term.kind == "length"
    return is_length and systems[0] != systems[1] and not term.conversion


_BRACKET = re.compile(r"\s?\([^()]{1,16}\)")


def _pair_equivalents(first: Term, second: Term) -> tuple[Term, Term] | None:
    """Return both terms if the second names the old lamp that the first replaces: `8.5W = 60W`."""
    is_lamp = second.link == "dual" and first.kind == second.kind == "wattage"
    return (first, second._replace(conversion=True)) if is_lamp and first.unit else None


def _agree(value: float, unit: str, other_value: float, other_unit: str) -> bool:
    """Return whether two quantities in different units are equal within rounding."""
    if unit == other_unit or UNIT_KIND[unit] != UNIT_KIND[other_unit]:
        return False
    one, other = to_base(value, unit), to_base(other_value, other_unit)
    return abs(one - other) <= _TOLERANCE * max(one, other) and one > 0


def _set_unit(term: Term, unit: str) -> Term:
    """Set the intended unit of a term; a restored letter counts as a repair."""
    if unit == term.unit:
        return term
    return term._replace(unit=unit, repaired=term.repaired or term.unit == "metre")


def mark_ranges(terms: list[Term]) -> list[Term]:
    """Mark the ends of `3-5 kg` and `100V~240V`, but not `5 in - 12.7 cm`."""
    marked = list(terms)
    for i, (first, second) in enumerate(pairwise(terms)):
        if second.link != "range" or not first.unit or first.kind != second.kind:
            continue
        if first.base < second.base and first.conversion == second.conversion:
            marked[i] = marked[i]._replace(bound="low")
            marked[i + 1] = second._replace(bound="high")
    return marked


def number_series(text: str, terms: list[Term]) -> list[Term]:
    """Number the members of `A x B x C`; a conversion has the number of its original.

    >>> from lib.quantities.terms import read_terms
    >>> text = "LxWxH: 3cm x 4cm x 5cm"
    >>> [(p.axis, p.series) for p in number_series(text, read_terms(text))]
    [('length', (0, 3)), ('width', (1, 3)), ('height', (2, 3))]
    """
    runs: list[list[int]] = []
    positions = [0] * len(terms)
    for i, term in enumerate(terms):
        if term.link == "times" and _restarts(terms[i - 1], term):
            runs[-1].pop()
            runs.append([i - 1, i])
            positions[i - 1], positions[i] = 0, 1
        elif term.link == "times" or (term.conversion and term.link in _LINKS):
            runs[-1].append(i)
            positions[i] = positions[i - 1] + (term.link == "times")
        else:
            runs.append([i])
    numbered = list(terms)
    for run in runs:
        count = 1 + max(positions[i] for i in run)
        for i in run if count > 1 else ():
            numbered[i] = terms[i]._replace(series=(positions[i], count))
    return _name_axes(text, numbered)


def _restarts(before: Term, term: Term) -> bool:
    """Return whether the series of a conversion begins at the term before this one."""
    return term.conversion and before.conversion and before.link != "times"


def _name_axes(text: str, terms: list[Term]) -> list[Term]:
    """Assign the axes of a heading such as `LxWxH` to the members of a series.

    The last word of the heading stands before the first number, where it is no axis of this number.
    """
    if all(term.series[1] == 1 for term in terms) or any(t.axis and t.series[0] for t in terms):
        return terms
    head = read_head(text)
    if any(term.axis not in (None, *head[-1:]) for term in terms):
        return terms
    return [
        term._replace(axis=head[term.series[0]]) if term.series[1] == len(head) else term
        for term in terms
    ]
