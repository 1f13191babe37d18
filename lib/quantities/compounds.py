"""Combine neighbouring terms: shared units, feet-and-inches sums, multi-pack counts."""

from lib.quantities.axes import AXIS_WORDS
from lib.quantities.terms import Term

# (larger unit, smaller unit) of a sum -> smaller units per larger one. The sum is given in the
# smaller unit: the challenge's labels have forty times as many inches as feet, and US food labels
# print the total in ounces (21 CFR 101.7: "24 oz (1 lb 8 oz)").
_SUMS: dict[tuple[str, str], int] = {
    ("foot", "inch"): 12,
    ("pound", "ounce"): 16,
    ("pint", "ounce"): 16,
    ("pint", "fluid ounce"): 16,
    ("quart", "ounce"): 32,
    ("quart", "fluid ounce"): 32,
    ("gallon", "fluid ounce"): 128,
}
_LARGEST_PACK = 500
_MOST_PIECES = 12


def join_terms(terms: list[Term]) -> list[Term]:
    """Propagate shared units and merge terms that form one quantity.

    >>> from lib.quantities.terms import read_terms
    >>> [(p.value, p.unit) for p in join_terms(read_terms("3-5 kg"))]
    [(3.0, 'kilogram'), (5.0, 'kilogram')]
    >>> [(p.value, p.unit, p.pieces) for p in join_terms(read_terms("6 x 250 ml"))]
    [(250.0, 'millilitre', 6)]
    >>> [(p.value, p.unit) for p in join_terms(read_terms("10 ± 0.5 cm"))]
    [(10.0, 'centimetre')]
    """
    for step in (_free_axes, _drop_tolerances, _share_units, _add_up, _fold_counts):
        terms = step(terms)
    return terms


def _free_axes(terms: list[Term]) -> list[Term]:
    """Reinterpret the letters of `80W x 60L x 75H` as width and length, not watt and litre."""
    return [
        term._replace(unit="", axis=AXIS_WORDS[term.token.letter])
        if term.token.letter in ("w", "l") and _beside_axis(terms, i)
        else term
        for i, term in enumerate(terms)
    ]


def _beside_axis(terms: list[Term], i: int) -> bool:
    """Return whether a times sign joins this term to one with an axis, or to a length."""
    left = [terms[i - 1]] if terms[i].link == "times" else []
    right = [term for term in terms[i + 1 : i + 2] if term.link == "times"]
    return any(
        term.axis or term.token.letter in ("w", "l") or term.kind == "length"
        for term in left + right
    )


def _drop_tolerances(terms: list[Term]) -> list[Term]:
    """Drop tolerances such as `± 0.5 cm`; a unitless number before one takes its unit."""
    kept: list[Term] = []
    for term in terms:
        if term.link != "tolerance":
            kept.append(term)
        elif term.unit and not kept[-1].unit:
            kept[-1] = kept[-1]._replace(unit=term.unit)
    return kept


def _share_units(terms: list[Term]) -> list[Term]:
    """Copy the unit to every number of `10 x 20 x 30 cm`, `3-5 kg` and `110/220 V`."""
    shared = list(terms)
    for i in range(len(terms) - 2, -1, -1):
        if not shared[i].unit and _takes_unit(shared[i], shared[i + 1]):
            shared[i] = shared[i]._replace(unit=shared[i + 1].unit)
    for i in range(1, len(terms)):
        if not shared[i].unit and _extends_series(shared, i):
            shared[i] = shared[i]._replace(unit=shared[i - 1].unit)
    return shared


def _takes_unit(first: Term, second: Term) -> bool:
    """Return whether a bare number shares the unit of the next."""
    if not second.kind or first.token.glued == "after":
        return False
    if second.link == "times":
        return second.kind == "length"
    if second.link == "range":
        return 0 < first.value < second.value
    if second.link == "slash":
        return second.kind in ("voltage", "wattage")
    return bool(first.axis and second.axis and second.link in ("space", "and"))


def _extends_series(terms: list[Term], i: int) -> bool:
    """Return whether a bare number continues a series: yes in `7" x 4.5`, no in `60 cm x 2`."""
    term = terms[i]
    if term.link != "times" or terms[i - 1].kind != "length" or term.token.glued:
        return False
    if terms[i - 1].link == "times" or any(after.link == "times" for after in terms[i + 1 : i + 2]):
        return True
    return bool(term.axis) or not term.value.is_integer() or term.value > _MOST_PIECES


def _add_up(terms: list[Term]) -> list[Term]:
    """Add feet to inches and pounds to ounces; the total is in the smaller unit."""
    added = terms[:1]
    for term in terms[1:]:
        total = _sum(added[-1], term)
        if total:
            added[-1] = total
        else:
            added.append(term)
    return added


def _sum(first: Term, second: Term) -> Term | None:
    """Return the sum of two terms that form one quantity, else None."""
    if second.link not in ("space", "range", "and") or not first.value.is_integer():
        return None
    unit = second.unit
    if not unit and first.unit == "foot" and second.token.start == first.token.end:
        unit = "inch"
    size = _SUMS.get((first.unit, unit), 0)
    if first.unit == "foot" and size <= second.value < 100 and _is_glued(first, second):
        return first._replace(  # `9'84''` is 9.84 inch: OCR reads a point as a prime
            value=first.value + second.value / 100,
            unit=unit,
            repaired=True,
            token=first.token._replace(end=second.token.end),
        )
    if not 0 < second.value < size:
        return None
    return first._replace(
        value=round(first.value * size + second.value, 6),
        unit=unit,
        token=first.token._replace(end=second.token.end),
        axis=first.axis or second.axis,
        repaired=first.repaired or second.repaired,
    )


def _is_glued(first: Term, second: Term) -> bool:
    """Return whether two terms touch and the second is a whole number of two digits."""
    return second.token.start == first.token.end and second.value.is_integer()


def _fold_counts(terms: list[Term]) -> list[Term]:
    """Move the multiplier of `6 x 250 ml` and `250 ml x 6` into the quantity's pieces."""
    folded: list[Term] = []
    for term in terms:
        if folded and term.link == "times" and _is_count(term) and _is_packed(folded[-1]):
            term = folded[-1]._replace(pieces=folded.pop().pieces * int(term.value))
        while folded and term.link == "times" and _is_count(folded[-1]) and _is_packed(term):
            count = folded.pop()
            term = term._replace(pieces=int(count.value) * term.pieces, link=count.link)
        folded.append(term)
    return folded


def _is_count(term: Term) -> bool:
    """Return whether a term can be a number of pieces."""
    return not term.unit and term.value.is_integer() and 1 <= term.value <= _LARGEST_PACK


def _is_packed(term: Term) -> bool:
    """Return whether a term can be the content of one piece."""
    return term.kind not in ("length", "")
