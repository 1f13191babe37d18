"""Tests of phrase: units shared, sums, counts and tolerances."""

import pytest

from lib.quantities.compounds import join_terms
from lib.quantities.terms import read_terms

JOINED = [
    ("10x20x30cm", [(10, "centimetre"), (20, "centimetre"), (30, "centimetre")], "series"),
    ("3-5 kg", [(3, "kilogram"), (5, "kilogram")], "range"),
    ("7-5 kg", [(7, ""), (5, "kilogram")], "falling, so no range"),
    ("110/220 V", [(110, "volt"), (220, "volt")], "choice of voltages"),
    ("1/220 ml", [(1, ""), (220, "millilitre")], "no choice of volumes"),
    ("60 cm x 2", [(60, "centimetre"), (2, "")], "pieces"),
    ("80W x 60L", [(80, ""), (60, "")], "axes, neither watt nor litre"),
    ("100W x 2", [(100, "watt")], "two lamps"),
    ("10 ± 0.5 cm", [(10, "centimetre")], "tolerance"),
    ("5' 6\"", [(66, "inch")], "feet and inches"),
    ("5.5' 6\"", [(5.5, "foot"), (6, "inch")], "no sum of a broken foot"),
    ("5' 13\"", [(5, "foot"), (13, "inch")], "no sum beyond a foot"),
    ("3 x 4", [(3, ""), (4, "")], "no unit at all"),
]


@pytest.mark.parametrize(("text", "expected", "reason"), JOINED)
def test_joins_parts(text: str, expected: list[tuple[float, str]], reason: str) -> None:
    """Neighbours share what belongs to both."""
    parts = join_terms(read_terms(text))
    assert [(part.value, part.unit) for part in parts] == expected, reason
