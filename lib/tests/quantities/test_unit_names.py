"""Tests of unit_text: units found in text, beside numbers and alone."""

import pytest

from lib.quantities.unit_names import find_units, look_up, read_unit_at, read_unit_before
from lib.quantities.units import ALIASES, SLIP_ALIASES


def test_looks_up_every_name() -> None:
    """Each name of the tables is found under its own surface, slips as mended."""
    assert all(look_up(name) == (unit, False) for name, unit in ALIASES.items())
    assert all(look_up(name)[0] in (unit, *ALIASES.values()) for name, unit in SLIP_ALIASES.items())


@pytest.mark.parametrize("name", sorted(ALIASES))
def test_every_name_is_read_behind_a_number(name: str) -> None:
    """Each name of the table is recognised whole where it follows a number."""
    assert read_unit_at(f"7{name}", 1) == (ALIASES[name], 1 + len(name))


AFTER = [
    ("7 cm", ("centimetre", 4), "space"),
    ("7 (V)", ("volt", 4), "bracket"),
    ("7.Inch", ("inch", 6), "dot"),
    ("7-inch", ("inch", 6), "hyphen"),
    ("7 FL. OZ.", ("fluid ounce", 8), "dots and spaces inside"),
    ("7 cmx", None, "another letter follows"),
    ("7 mAh", None, "longer unit"),
    ("7 g/m²", None, "per area"),
    ("7°C", None, "temperature"),
    ("7", None, "nothing"),
]


@pytest.mark.parametrize(("text", "expected", "reason"), AFTER)
def test_reads_unit_after(text: str, expected: tuple[str, int] | None, reason: str) -> None:
    """A unit is read behind its gap, and only whole."""
    assert read_unit_at(text, 1) == expected, reason


BEFORE = [
    ("Voltage (V): ", "volt", "brackets"),
    ("Size [mm] ", "millimetre", "square brackets"),
    ("Dimensions in cm: ", "centimetre", "in words"),
    ("comes in ", None, "preposition"),
    ("cm ", None, "another number's"),
    ("", None, "empty"),
]


@pytest.mark.parametrize(("text", "expected", "reason"), BEFORE)
def test_reads_unit_before(text: str, expected: str | None, reason: str) -> None:
    """The unit of a table's head is read before its number."""
    assert read_unit_before(text) == expected, reason


def test_lone_units_have_places() -> None:
    """A lone unit's place cuts it out of the text."""
    text = "Weight in lbs (kg)"
    assert [(unit, text[slice(*span)]) for unit, span in find_units(text)] == [
        ("pound", "lbs"),
        ("kilogram", "kg"),
    ]
