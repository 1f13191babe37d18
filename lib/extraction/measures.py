"""One measure in several prints: reprints, conversions, imperial and metric pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lib.extraction.candidates import Candidate, is_same
from lib.extraction.scan import PlacedQuantity


def first_of_measure(candidates: Sequence[Candidate], i: int) -> int:
    """Give the index of the first candidate that prints the same measure as the `i`-th."""
    one = candidates[i].reading
    return next(k for k, other in enumerate(candidates) if is_reprint(other.reading, one))


def is_reprint(one: PlacedQuantity, other: PlacedQuantity) -> bool:
    """Whether two readings print one measure: the same value, on one line or stacked.

    A square is no reprint: its sides are equal, but their numbers stand apart. A measure given in
    inches and in centimetres is often rounded twice: `1.9 in` beside `5.0 cm`.
    """
    apart = math.dist(one.center, other.center)
    size = max(one.line.size, other.line.size)
    if is_same(one.base, other.base):
        return one.line is other.line or apart < 3 * size
    if not is_rounded_pair(one, other):
        return False
    if one.line is other.line:
        return abs(one.mention.span[0] - other.mention.span[0]) < LONGEST_PAIR
    return apart < 2 * size


IMPERIAL: frozenset[str] = frozenset({"inch", "foot", "yard"})

ROUNDING: float = 1.25  # Factor by which the two prints of one measure may differ.

LONGEST_PAIR: int = 14  # Characters from one number to the other: `12.5 in (31 cm)`.


def is_rounded_pair(one: PlacedQuantity, other: PlacedQuantity) -> bool:
    """Whether two lengths may be one, printed in inches and in centimetres, each rounded."""
    if one.kind != "length" or other.kind != "length":
        return False
    if one.mention.series != other.mention.series:
        return False
    systems = [reading.mention.quantity.unit in IMPERIAL for reading in (one, other)]
    ratio = one.base / max(other.base, 1e-9)
    return systems[0] != systems[1] and 1 / ROUNDING < ratio < ROUNDING
