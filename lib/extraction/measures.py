"""Detect candidates that print the same measure: repeats and inch/centimetre pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from lib.extraction import weights
from lib.extraction.candidates import Candidate, is_same
from lib.extraction.scan import PlacedQuantity
from lib.quantities import IMPERIAL


def first_of_measure(candidates: Sequence[Candidate], i: int) -> int:
    """Return the index of the first candidate that prints the same measure as the `i`-th."""
    one = candidates[i].placed
    return next(k for k, other in enumerate(candidates) if is_reprint(other.placed, one))


def is_reprint(one: PlacedQuantity, other: PlacedQuantity) -> bool:
    """Return whether two quantities print one measure: the same value on one line or close by.

    The equal sides of a square are two measures: their numbers are far apart, at two lines. Values
    in inches and in centimetres may differ by rounding: `1.9 in` beside `5.0 cm`.
    """
    distance = math.dist(one.center, other.center)
    size = max(one.line.size, other.line.size)
    if is_same(one.base, other.base):
        is_close = one.line is other.line or distance < weights.SAME_DISTANCE * size
        return is_close or is_of_same_line(one, other)
    if not is_rounded_pair(one, other):
        return False
    if one.line is other.line:
        return abs(one.mention.span[0] - other.mention.span[0]) < weights.LONGEST_PAIR
    return distance < weights.PAIR_DISTANCE * size


def is_of_same_line(one: PlacedQuantity, other: PlacedQuantity) -> bool:
    """Return whether two lengths stand at the same dimension line."""
    if one.kind != "length" or other.kind != "length":
        return False
    return np.array_equal(one.own_segment, other.own_segment)  # NaN, if there is none, is not


def is_rounded_pair(one: PlacedQuantity, other: PlacedQuantity) -> bool:
    """Return whether two lengths may be one, printed in inches and in centimetres, each rounded."""
    if one.kind != "length" or other.kind != "length":
        return False
    if one.mention.series != other.mention.series:
        return False
    systems = [placed.mention.quantity.unit in IMPERIAL for placed in (one, other)]
    ratio = one.base / max(other.base, 1e-9)
    return systems[0] != systems[1] and 1 / weights.ROUNDING < ratio < weights.ROUNDING
