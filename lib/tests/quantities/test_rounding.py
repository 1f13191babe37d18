"""Tests of conversions that keep the printed precision, and of what agrees within it."""

import pytest

from lib.quantities.quantity import Quantity, parse_answer
from lib.quantities.rounding import MIN_DIGITS, agree_within_rounding, convert_quantity
from lib.quantities.units import UNIT_KIND, to_base


def read(text: str) -> Quantity:
    """Read a quantity in the official form."""
    quantity = parse_answer(text)
    assert quantity
    return quantity


CONVERTED = [
    ("9.4 inch", "centimetre", "23.9 centimetre", "two digits become three"),
    ("1 inch", "centimetre", "2.54 centimetre", "one digit would lose a fifth of it"),
    ("12.125 inch", "millimetre", "307.97 millimetre", "five digits stay five"),
    ("1500 gram", "kilogram", "1.5 kilogram", "a prefix only"),
    ("1234567 milligram", "gram", "1234.567 gram", "a prefix loses no digit"),
    ("16 ounce", "gram", "454.0 gram", "across systems"),
    ("1 gallon", "millilitre", "3790.0 millilitre", "rounded before the decimal point too"),
    ("1 microgram", "kilogram", "0.000000001 kilogram", "small, without an exponent"),
    ("0.7 litre", "centilitre", "70.0 centilitre", "no trace of binary fractions"),
    ("220 volt", "kilovolt", "0.22 kilovolt", "voltage"),
    ("1.2 kilowatt", "watt", "1200.0 watt", "wattage"),
    ("12.34567 gram", "gram", "12.34567 gram", "nothing to convert, nothing to round"),
    ("0 gram", "ounce", "0.0 ounce", "nothing stays nothing"),
]


@pytest.mark.parametrize(("text", "unit", "expected", "reason"), CONVERTED)
def test_converts(text: str, unit: str, expected: str, reason: str) -> None:
    """A conversion is rounded to the digits of the answer, at least three."""
    assert str(convert_quantity(read(text), unit)) == expected, reason


@pytest.mark.parametrize("unit", ["watt", "inches", ""])
def test_only_units_of_the_same_kind(unit: str) -> None:
    """Another kind of unit, or no unit at all, is an error that names it."""
    with pytest.raises(ValueError, match=repr(unit)):
        convert_quantity(Quantity(5, "gram"), unit)


@pytest.mark.parametrize("kind", sorted(set(UNIT_KIND.values())))
def test_conversion_errs_less_than_its_digits(kind: str) -> None:
    """From each unit to each other one, the error is below half the last of three digits."""
    units = [unit for unit, one in UNIT_KIND.items() if one == kind]
    for one in units:
        for other in units:
            for value in (1.0, 9.99, 0.123, 47.5):
                found = to_base(*convert_quantity(Quantity(value, one), other))
                bound = 0.5 * 10 ** (1 - MIN_DIGITS)
                assert found == pytest.approx(to_base(value, one), rel=bound), (one, other)


PAIRS = [
    ("500 gram", "500 gram", True, "the same"),
    ("500 gram", "0.5 kilogram", True, "the same in another unit"),
    ("500 gram", "510 gram", False, "both are printed to the gram"),
    ("100 centimetre", "101 centimetre", False, "neighbours"),
    ("12 centimetre", "12.3 centimetre", True, "one is rounded"),
    ("12 centimetre", "12.9 centimetre", False, "12.9 is rounded to 13"),
    ("1.5 kilogram", "1600 gram", False, "rounded, 1600 would be 1.6"),
    ("0.3 litre", "330 millilitre", False, "two bottles, whatever is rounded"),
    ("1.1 pound", "500 gram", True, "498.95 g"),
    ("5 pound", "2.27 kilogram", True, "2.268 kg"),
    ("5 pound", "2.26 kilogram", True, "truncated"),
    ("5 pound", "2 kilogram", False, "too far off to be a conversion"),
    ("12.5 inch", "31 centimetre", True, "truncated: 31.75 cm"),
    ("1.9 inch", "5.0 centimetre", True, "inches were converted from centimetres"),
    ("1 inch", "2.5 centimetre", True, "2.54 cm"),
    ("2000 gram", "2001 gram", False, "four digits, both printed"),
    ("2 kilogram", "2003 gram", True, "a conversion has three digits"),
    ("8 fluid ounce", "240 millilitre", True, "236.6 ml, as US labels round it"),
    ("1 gallon", "1 imperial gallon", False, "the imperial one is a fifth larger"),
    ("1 foot", "12 inch", True, "by definition"),
    ("5 gram", "5 volt", False, "two kinds of measure"),
    ("0 gram", "5 gram", False, "nothing is not something"),
    ("0 gram", "0 ounce", True, "nothing in any unit"),
]


@pytest.mark.parametrize(("one", "other", "expected", "reason"), PAIRS)
def test_agreement(one: str, other: str, expected: bool, reason: str) -> None:
    """Two prints agree if rounding or conversion explains their difference, in either order."""
    assert agree_within_rounding(read(one), read(other)) is expected, reason
    assert agree_within_rounding(read(other), read(one)) is expected, reason


@pytest.mark.parametrize("kind", sorted(set(UNIT_KIND.values())))
def test_a_conversion_agrees_with_its_original(kind: str) -> None:
    """What we convert ourselves never contradicts what it was converted from."""
    units = [unit for unit, one in UNIT_KIND.items() if one == kind]
    for one in units:
        for other in units:
            for value in (1.0, 9.99, 0.123, 47.5):
                quantity = Quantity(value, one)
                assert agree_within_rounding(quantity, convert_quantity(quantity, other))
