"""Tests of the unit that a note gives for all numbers of a drawing."""

import numpy as np
import pytest

from lib.extraction.answers import choose_by_rules
from lib.extraction.scan import scan_page
from lib.tests.drawing import page, word

# A rectangle whose lower edge carries the number 240 and its left edge 120.
NUMBERS = [word("240", 185, 305, 20), word("120", 40, 190, 20)]
LINES = np.array([[80, 300, 320, 300], [78, 90, 78, 300]], np.float32)

NOTES = [
    ("ALL DIMENSIONS IN MM", "240.0 millimetre", "English"),
    ("Maße in mm", "240.0 millimetre", "German"),
    ("Toutes les cotes en cm", "240.0 centimetre", "French"),
    ("Medidas en cm", "240.0 centimetre", "Spanish"),
    ("Misure in mm", "240.0 millimetre", "Italian"),
    ("Afmetingen in cm", "240.0 centimetre", "Dutch"),
    ("Wymiary w mm", "240.0 millimetre", "Polish"),
    ("Unit: cm", "240.0 centimetre", "a unit by its name"),
    ("单位：mm", "240.0 millimetre", "Chinese"),
    ("(cm)", "240.0 centimetre", "the unit alone, in brackets"),
    ("Dimensions in centimetres", "240.0 centimetre", "a long name"),
    ("ALL DIMENSIONS APPROXIMATE", "", "no unit"),
    ("Scale 1:20 in mm", "", "says nothing of dimensions"),
    ("Dimensions in kg", "", "no unit of length"),
]


@pytest.mark.parametrize(("note", "expected", "reason"), NOTES)
def test_notes(note, expected, reason):
    """Numbers beside the lines of a drawing are in the unit of the note, wherever that stands."""
    scan = scan_page(page(word(note, 20, 20, 20), *NUMBERS), LINES)
    assert choose_by_rules(scan, "width").prediction == expected, reason
    assert bool(choose_by_rules(scan, "height").prediction) == bool(expected), reason


NO_DRAWING = [
    ([word("Dimensions in mm", 20, 20, 20), *NUMBERS], False, "no line beside the numbers"),
    ([word("Size (cm)", 20, 20, 20), word("38", 130, 20, 20), *NUMBERS], True, "a row's heading"),
    ([word("Chest", 20, 20, 20), word("(cm)", 80, 20, 20), *NUMBERS], True, "a caption's unit"),
]


@pytest.mark.parametrize(("words", "has_lines", "reason"), NO_DRAWING)
def test_headings_are_no_notes(words, has_lines, reason):
    """A unit of some numbers, or numbers without a drawing, give no quantity."""
    scan = scan_page(page(*words), LINES if has_lines else LINES[:0])
    assert {one.mention.quantity.value for one in scan.quantities} <= {38.0}, reason


def test_series_needs_no_drawing():
    """A line with nothing but a series takes the unit of the note."""
    scan = scan_page(page(word("Abmessungen in mm", 20, 20, 20), word("240 x 120", 20, 200, 20)))
    assert choose_by_rules(scan, "width").prediction == "240.0 millimetre"
