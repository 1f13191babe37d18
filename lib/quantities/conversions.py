"""Mark conversions, ranges and series: `10 x 4 cm (3.9 x 1.6 in)` gives two lengths twice."""

from itertools import pairwise

from lib.quantities.axes import read_head
from lib.quantities.terms import Term
from lib.quantities.units import UNIT_KIND, to_base

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


def mark_duals(parts: list[Term]) -> list[Term]:
    """Mark conversions: the second value of a dual unit, and the series or range it starts.

    >>> from lib.quantities.terms import read_terms
    >>> [(p.value, p.unit, p.conversion) for p in mark_duals(read_terms("8 oz (237 ml)"))]
    [(8.0, 'fluid ounce', False), (237.0, 'millilitre', True)]
    """
    marked: list[Term] = []
    for i, part in enumerate(parts):
        if part.link in ("times", "range") and _goes_on(marked[-1], part):
            part = part._replace(conversion=True)
        for j in range(i - 1, max(-1, i - 1 - _REACH), -1) if part.link in _LINKS else ():
            pair = _pair(marked[j], part)
            if pair:
                marked[j], part = pair
                break
        marked.append(part)
    return marked


def _goes_on(before: Term, part: Term) -> bool:
    """Return whether a term continues a conversion such as `(4 x 8 x 12 in)` in the same unit."""
    return before.conversion and part.unit == before.unit


def _pair(first: Term, second: Term) -> tuple[Term, Term] | None:
    """Return both terms as a dual unit if the second converts the first, else None."""
    if not first.unit or not second.unit or first.unit == second.unit:
        return None
    for one in _MEANT.get(first.unit, (first.unit,)):
        for other in _MEANT.get(second.unit, (second.unit,)):
            if _agree(first.value, one, second.value, other):
                axis = second.axis or first.axis
                return _mend(first, one), _mend(second, other)._replace(conversion=True, axis=axis)
    return None


def _agree(value: float, unit: str, other_value: float, other_unit: str) -> bool:
    """Return whether two quantities in different units are equal within rounding."""
    if unit == other_unit or UNIT_KIND[unit] != UNIT_KIND[other_unit]:
        return False
    one, other = to_base(value, unit), to_base(other_value, other_unit)
    return abs(one - other) <= _TOLERANCE * max(one, other) and one > 0


def _mend(part: Term, unit: str) -> Term:
    """Set the intended unit of a term; a restored letter counts as a repair."""
    if unit == part.unit:
        return part
    return part._replace(unit=unit, repaired=part.repaired or part.unit == "metre")


def mark_ranges(parts: list[Term]) -> list[Term]:
    """Mark the ends of `3-5 kg` and `100V~240V`, but not `5 in - 12.7 cm`."""
    marked = list(parts)
    for i, (first, second) in enumerate(pairwise(parts)):
        if second.link != "range" or not first.unit or first.kind != second.kind:
            continue
        if first.base < second.base and first.conversion == second.conversion:
            marked[i] = marked[i]._replace(bound="low")
            marked[i + 1] = second._replace(bound="high")
    return marked


def number_series(text: str, parts: list[Term]) -> list[Term]:
    """Number the members of `A x B x C`; a conversion has the number of its original.

    >>> from lib.quantities.terms import read_terms
    >>> text = "LxWxH: 3cm x 4cm x 5cm"
    >>> [(p.axis, p.series) for p in number_series(text, read_terms(text))]
    [('length', (0, 3)), ('width', (1, 3)), ('height', (2, 3))]
    """
    runs: list[list[int]] = []
    places = [0] * len(parts)
    for i, part in enumerate(parts):
        if part.link == "times" and _restarts(parts[i - 1], part):
            runs[-1].pop()
            runs.append([i - 1, i])
            places[i - 1], places[i] = 0, 1
        elif part.link == "times" or (part.conversion and part.link in _LINKS):
            runs[-1].append(i)
            places[i] = places[i - 1] + (part.link == "times")
        else:
            runs.append([i])
    numbered = list(parts)
    for run in runs:
        count = 1 + max(places[i] for i in run)
        for i in run if count > 1 else ():
            numbered[i] = parts[i]._replace(series=(places[i], count))
    return _name_axes(text, numbered)


def _restarts(before: Term, part: Term) -> bool:
    """Return whether the series of a conversion begins at the term before this one."""
    return part.conversion and before.conversion and before.link != "times"


def _name_axes(text: str, parts: list[Term]) -> list[Term]:
    """Assign the axes of a heading such as `LxWxH` to the members of a series."""
    if any(part.axis for part in parts) or all(part.series[1] == 1 for part in parts):
        return parts
    head = read_head(text)
    return [
        part._replace(axis=head[part.series[0]]) if part.series[1] == len(head) else part
        for part in parts
    ]
