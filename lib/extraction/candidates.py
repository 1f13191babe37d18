"""Find the quantities of a page that could answer a question."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from lib.extraction import weights
from lib.extraction.scan import PlacedQuantity, Scan
from lib.quantities import Quantity, unit_for

ENTITY_KIND: dict[str, str] = {
    "width": "length",
    "depth": "length",
    "height": "length",
    "item_weight": "weight",
    "maximum_weight_recommendation": "weight",
    "voltage": "voltage",
    "wattage": "wattage",
    "item_volume": "volume",
}


@dataclass(frozen=True)
class Candidate:
    """A quantity that may answer a question.

    Attributes:
        quantity: In a unit that the entity allows.
        placed: The quantity as found on the page.
        rivals: Number of different measures of this kind on the page, this one included.
    """

    quantity: Quantity
    placed: PlacedQuantity
    rivals: int


def find_candidates(scan: Scan, entity: str) -> list[Candidate]:
    """List the quantities of a page whose unit the entity allows, in reading order.

    Raises:
        ValueError: The entity is not one of the challenge's eight.
    """
    pairs = [(placed, unit_for(entity, placed.mention.quantity.unit)) for placed in scan.quantities]
    allowed = [(placed, unit) for placed, unit in pairs if unit]
    rivals = count_measures([placed.base for placed, _ in allowed])
    return [
        Candidate(Quantity(placed.mention.quantity.value, unit), placed, rivals)
        for placed, unit in allowed
    ]


def count_measures(values: Sequence[float]) -> int:
    """Count the different values; values within 3 % count as one.

    >>> count_measures([0.155, 0.1549, 0.3])
    2
    """
    ordered = sorted(value for value in values if value > 0)
    steps = [b / a > 1 + weights.SAME for a, b in itertools.pairwise(ordered)]
    return bool(ordered) + sum(steps)


def is_same(a: float, b: float) -> bool:
    """Return whether two values in base units are the same measure."""
    return math.isclose(a, b, rel_tol=weights.SAME)
