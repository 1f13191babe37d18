"""Tests of the quantities of a page and what surrounds them."""

import pytest

from lib.extraction.candidates import count_measures, find_candidates
from lib.extraction.scan import scan_page
from lib.tests.drawing import page, word

FOUND = [
    ([word("Net weight 500 g", 0, 0)], "item_weight", ["500.0 gram"], "number and unit together"),
    ([word("500 g", 0, 0)], "voltage", [], "a unit that volts never have"),
    ([word("12 oz", 0, 0)], "item_volume", ["12.0 fluid ounce"], "an ounce of volume"),
    ([word("12 oz", 0, 0)], "item_weight", ["12.0 ounce"], "the same print as a weight"),
    ([word("4000", 0, 0, 20), word("lbs", 55, 0, 20)], "item_weight", ["4000.0 pound"], "beside"),
    ([word("4000", 0, 0, 20), word("lbs", 0, 25, 20)], "item_weight", ["4000.0 pound"], "below"),
    ([word("Voltage (V)", 0, 0), word("230", 100, 0)], "voltage", ["230.0 volt"], "a table's row"),
    ([word("Power (W)", 0, 0), word("60", 0, 20)], "wattage", ["60.0 watt"], "a table's column"),
    ([word("Voltage (V): 110", 0, 0)], "voltage", ["110.0 volt"], "a head within the line"),
    ([word("4000", 0, 0, 20), word("lbs", 300, 0, 20)], "item_weight", [], "too far to belong"),
    ([word("15 cm", 0, 0), word("20 m", 0, 50)], "width", ["15.0 centimetre", "20.0 centimetre"],
     "a lost c: nobody sells 20 m beside 15 cm"),
    ([word("3 m", 0, 0), word("15 cm", 0, 50)], "width", ["3.0 metre", "15.0 centimetre"],
     "a cable may have 3 m"),
    ([], "width", [], "an empty page"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "entity", "expected", "reason"), FOUND)
def test_candidates_of_a_page(words, entity, expected, reason):
    """Quantities whose unit the entity allows are found, wherever their unit stands."""
    found = find_candidates(scan_page(page(*words)), entity)
    assert sorted(str(candidate.quantity) for candidate in found) == sorted(expected), reason


def test_unknown_entity_is_an_error():
    """A misspelt entity is named, not silently empty."""
    with pytest.raises(ValueError, match="hieght"):
        find_candidates(scan_page(page(word("5 cm", 0, 0))), "hieght")


CUES = [
    ([word("Width 5 cm", 0, 0)], ("line", "width"), "before it on the line"),
    ([word("5 cm wide", 0, 0)], ("after", "width"), "behind it"),
    ([word("Width", 0, 0), word("5 cm", 60, 0)], ("beside", "width"), "a cell to the left"),
    ([word("Width", 0, 0), word("5 cm", 0, 14)], ("above", "width"), "over it"),
    ([word("5 cm", 0, 0), word("Width", 0, 14)], ("below", "width"), "under it"),
]


@pytest.mark.parametrize(("words", "expected", "reason"), CUES)
def test_keywords_are_placed(words, expected, reason):
    """A keyword is known with its place relative to the quantity."""
    reading = find_candidates(scan_page(page(*words)), "width")[0].placed
    assert expected in reading.keywords, reason


def test_quantity_is_placed_within_its_line():
    """The quad of a quantity covers its own characters only."""
    reading = scan_page(page(word("Width: 5 cm", 0, 0))).quantities[0]
    assert reading.quad[0][0] == pytest.approx(35)
    assert reading.quad[1][0] == pytest.approx(55)


def test_dual_units_are_one_measure():
    """15.5 cm and 6.1 in are counted once, another length apart."""
    words = [word("15.5 cm / 6.1 in", 0, 0), word("30 cm", 0, 50)]
    assert {c.rivals for c in find_candidates(scan_page(page(*words)), "width")} == {2}
    assert count_measures([]) == 0
