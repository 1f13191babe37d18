"""Tests of number: how the digits and marks of labels are read."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.quantities.numbers import NUMBER, read_number, read_slipped

READS = [
    ("12", 12, "plain"),
    ("12.5", 12.5, "decimal dot"),
    ("12,5", 12.5, "decimal comma"),
    ("1,500", 1500, "comma before three digits"),
    ("12,000", 12000, "comma before three digits"),
    ("0,500", 0.5, "leading zero"),
    ("1,5000", 1.5, "four digits are no thousands"),
    ("1.500", 1.5, "a single dot is decimal"),
    ("1.234.567", 1234567, "two dots mark thousands"),
    ("1,234,567", 1234567, "two commas mark thousands"),
    ("1.234,5", 1234.5, "the last mark is decimal"),
    ("1,234.5", 1234.5, "the last mark is decimal"),
    (".73", 0.73, "no leading digit"),
    ("12.", 12, "trailing dot"),
    ("1/2", 0.5, "fraction"),
    ("11/16", 0.6875, "proper fraction of two digits"),
    ("11/2", 1.5, "lost space, as 11/2 is no proper fraction"),
    ("73/8", 7.375, "lost space"),
    ("5 1/2", 5.5, "mixed"),
    ("5-1/2", 5.5, "mixed with a hyphen"),
    ("5 & 1/2", 5.5, "mixed with an ampersand"),
    ("2/3", 0.666667, "six decimals of a third"),
    ("2 5/6", 2.833333, "mixed, six decimals"),
    ("61/64", 0.953125, "sixty-fourths are exact"),
    ("½", 0.5, "vulgar"),
    ("⅓", 0.333333, "vulgar, six decimals"),
    ("5½", 5.5, "mixed vulgar"),
    ("5 ½", 5.5, "mixed vulgar with a space"),
    ("24.12.2024", None, "date"),
    ("1.2.3", None, "version"),
    ("5/0", None, "nothing by zero"),
    ("9/4", None, "improper"),
    ("abc", None, "letters"),
    ("", None, "empty"),
]


@pytest.mark.parametrize(("text", "expected", "reason"), READS)
def test_reads_number(text: str, expected: float | None, reason: str) -> None:
    """Marks and fractions are told apart."""
    assert read_number(text) == expected, reason


SLIPPED = [
    ("5OO", 500, "O for 0"),
    ("O.76", 0.76, "O for 0 before the dot"),
    ("l2", 12, "l for 1"),
    ("I400", 1400, "I for 1"),
    ("1S", 15, "S for 5"),
    ("3|", 31, "bar for 1"),
    ("OIl", None, "no real digit"),
    ("", None, "empty"),
]


@pytest.mark.parametrize(("text", "expected", "reason"), SLIPPED)
def test_reads_slipped(text: str, expected: float | None, reason: str) -> None:
    """Letters that look like digits are read as such beside a real digit."""
    assert read_slipped(text) == expected, reason


@given(st.text())
def test_never_raises(text: str) -> None:
    """Any text is a number of zero or more, or none."""
    for value in (read_number(text), read_slipped(text)):
        assert value is None or value >= 0


@given(st.decimals(0, 99_999, places=3).map(float))
def test_reads_what_python_prints(value: float) -> None:
    """A printed float is matched whole and read back."""
    assert re.fullmatch(NUMBER, str(value))
    assert read_number(str(value)) == value
