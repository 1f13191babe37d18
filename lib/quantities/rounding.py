"""Convert quantities to another unit and compare them, as precisely as they are printed."""

import math
from decimal import Decimal

from lib.quantities.quantity import Quantity
from lib.quantities.units import UNIT_KIND, to_base

MIN_DIGITS: int = 3  # significant ones after a conversion: with one digit, 1 inch would be 3 cm
# Labels round, and truncate in the other system: 1.9 in is 5 cm there, 12.5 in is 31 cm.
MAX_DIFFERENCE: float = 0.05

_METRIC: tuple[str, ...] = ("metre", "gram", "litre", "volt", "watt")  # ends of units' names


def convert_quantity(quantity: Quantity, unit: str) -> Quantity:
    """Convert a quantity; round it to its own significant digits, but at least to three.

    >>> str(convert_quantity(Quantity(9.4, "inch"), "centimetre"))
    '23.9 centimetre'
    >>> str(convert_quantity(Quantity(1234.5, "gram"), "kilogram"))
    '1.2345 kilogram'
    >>> str(convert_quantity(Quantity(12.345, "gram"), "gram"))
    '12.345 gram'

    Raises:
        ValueError: The unit is unknown or measures something else.
    """
    if quantity.unit == unit:
        return quantity
    if UNIT_KIND.get(quantity.unit) != UNIT_KIND.get(unit):
        raise ValueError(f"{quantity} cannot be given in {unit!r}; it measures something else.")
    value = to_base(quantity.value, quantity.unit) / to_base(1, unit)
    digits = len(Decimal(repr(quantity.value)).normalize().as_tuple().digits)
    return Quantity(float(f"{value:.{max(digits, MIN_DIGITS)}g}"), unit)


def agree_within_rounding(one: Quantity, other: Quantity) -> bool:
    """Return whether two prints can tell the same measure, each rounded to its last digit.

    >>> agree_within_rounding(Quantity(1.1, "pound"), Quantity(500, "gram"))
    True
    >>> agree_within_rounding(Quantity(500, "gram"), Quantity(510, "gram"))
    False
    """
    if UNIT_KIND[one.unit] != UNIT_KIND[other.unit]:
        return False
    first, second = to_base(*one), to_base(*other)
    difference, largest = abs(first - second), max(first, second)
    if math.isclose(first, second, rel_tol=1e-6):
        return True
    digits = MIN_DIGITS if one.unit != other.unit else None
    slack = _last_digit(one, digits) / 2 + _last_digit(other, digits) / 2
    slack *= 1 if _is_metric(one.unit) == _is_metric(other.unit) else 2
    return difference < slack * (1 - 1e-9) and difference <= MAX_DIFFERENCE * largest


def _last_digit(quantity: Quantity, most: int | None) -> float:
    """Return the size of a quantity's last digit in base units, 1 in whole numbers.

    With `most`, further significant digits do not count, as conversions are rarely printed with
    more.
    """
    number = Decimal(repr(quantity.value)).normalize()
    exponent = number.as_tuple().exponent
    places = min(0, exponent) if isinstance(exponent, int) else 0
    if most:
        places = max(places, number.adjusted() + 1 - most)
    return to_base(10.0**places, quantity.unit)


def _is_metric(unit: str) -> bool:
    return unit.endswith(_METRIC) or unit == "ton"
