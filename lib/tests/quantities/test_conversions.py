"""Tests of dual: conversions, ranges and the places of a series."""

import pytest

from lib.quantities.compounds import join_terms
from lib.quantities.conversions import mark_duals, mark_ranges, number_series
from lib.quantities.terms import read_terms

DUALS = [
    ("2.2 lb (1 kg)", [False, True], "bracket"),
    ("1.5cm/0.6in", [False, True], "rounded"),
    ("1.5cm/0.9in", [False, False], "another length"),
    ("0 g / 0 oz", [False, False], "nothing is no conversion of nothing"),
    ("5 kg / 10 cm", [False, False], "another kind"),
]


@pytest.mark.parametrize(("text", "expected", "reason"), DUALS)
def test_marks_duals(text: str, expected: list[bool], reason: str) -> None:
    """The second of two equal quantities in different units is a conversion."""
    assert [part.conversion for part in mark_duals(read_terms(text))] == expected, reason


def test_mends_a_lost_letter_beside_inches() -> None:
    """`7.7m` beside 3.03 inches is 7.7 cm, and counts as repaired."""
    part = mark_duals(read_terms("3.03in/7.7m"))[1]
    assert (part.unit, part.repaired) == ("centimetre", True)


def test_names_fluid_ounces_beside_millilitres() -> None:
    """Ounces that equal millilitres are fluid, without counting as repaired."""
    part = mark_duals(read_terms("8 oz (237 ml)"))[0]
    assert (part.unit, part.repaired) == ("fluid ounce", False)


RANGES = [
    ("3-5 kg", ["low", "high"], "range"),
    ("500 g - 1 kg", ["low", "high"], "two units of one kind"),
    ("5 kg - 3 kg", [None, None], "falling"),
    ("3 kg - 5 cm", [None, None], "two kinds"),
]


@pytest.mark.parametrize(("text", "expected", "reason"), RANGES)
def test_marks_ranges(text: str, expected: list[str | None], reason: str) -> None:
    """A dash between a smaller and a larger quantity of one kind is a range."""
    parts = mark_ranges(join_terms(read_terms(text)))
    assert [part.bound for part in parts] == expected, reason


def test_head_names_axes_only_where_the_count_fits() -> None:
    """Three letters name three numbers, not two."""
    for text, axes in (
        ("LxWxH 3x4x5cm", ["length", "width", "height"]),
        ("LxWxH 3x4cm", [None] * 2),
    ):
        parts = number_series(text, read_terms(text))
        assert [part.axis for part in parts] == axes
